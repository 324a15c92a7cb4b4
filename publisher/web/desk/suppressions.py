"""Addresses that we must not mail: found, added, and lifted with care."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from publisher.audience import erased, flow, rules
from publisher.audience import store as audience
from publisher.audience.model import SuppressionReason
from publisher.editors import powers
from publisher.errors import InputError
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, ask_for, desk_page, go
from publisher.web.parts import Form, Room, field
from publisher.wiring import Newsroom

router = APIRouter()

SUPPRESSIONS = "/desk/suppressions"
ON_A_PAGE = 50
MEANS = {
    SuppressionReason.ASKED: "This reader wanted no mail from us; lift it only if he has asked for mail again.",
    SuppressionReason.COMPLAINED: "This reader reported a mail of ours as spam; another one harms how all are taken.",
    SuppressionReason.BOUNCED: "The mail server said that this address is dead; to mail such ones is what spammers do.",
    SuppressionReason.MANUAL: "An editor decided so.",
}

FREELY_LIFTED = frozenset(SuppressionReason) - {SuppressionReason.COMPLAINED}


@router.get(SUPPRESSIONS, include_in_schema=False)
def suppressions(
    *,
    request: Request,
    room: Room,
    seat: AtDesk,
    q: Annotated[str, Query(max_length=254)] = "",
    after: Annotated[str, Query(max_length=254)] = "",
) -> Response:
    """Show suppressed addresses, or those that begin in some way."""
    return _page(request, room, seat, beginning=q.strip(), after=after)


@router.post(SUPPRESSIONS, include_in_schema=False)
def add(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Mail an address no more, whether we know it or not."""
    ask_for(seat, powers.AUDIENCE)
    reason, detail = SuppressionReason.MANUAL, field(form, "detail")
    try:
        flow.suppress(room.database, field(form, "email"), reason=reason, detail=detail, clock=room.now)
    except InputError as problem:
        return _page(request, room, seat, problem=problem.problem)
    return go(seat, SUPPRESSIONS, Said.SUPPRESSED)


@router.get(f"{SUPPRESSIONS}/lift", include_in_schema=False)
def ask(request: Request, room: Room, seat: AtDesk, email: Annotated[str, Query(max_length=254)] = "") -> Response:
    """Say what it means to mail an address again, and ask why."""
    ask_for(seat, powers.AUDIENCE)
    return _lift_page(request, room, seat, email)


@router.post(f"{SUPPRESSIONS}/lift", include_in_schema=False)
def lift(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Let an address be mailed again, for a reason; after a complaint only if that is confirmed."""
    ask_for(seat, powers.AUDIENCE)
    email, why = field(form, "email"), field(form, "why")
    if not why:
        return _lift_page(request, room, seat, email, problem="Say why: it stands in the record.")
    reasons = set(SuppressionReason) if field(form, "sure") == "yes" else FREELY_LIFTED
    if not flow.lift_suppression(room.database, email, why=why, reasons=reasons):
        problem = "This reader complained. Confirm below that he has asked for mail again."
        return _lift_page(request, room, seat, email, problem=problem, why=why)
    return go(seat, SUPPRESSIONS, Said.LIFTED)


def _lift_page(
    request: Request, room: Newsroom, seat: Seat, email: str, *, problem: str = "", why: str = ""
) -> Response:
    with room.database.reading() as connection:
        try:
            found = flow.suppression_of(room.database, connection, email)
        except InputError:
            found = None
    if found is None:
        raise HTTPException(404, "This address is not suppressed, or no longer.")
    values: dict[str, Any] = {
        "found": found,
        "means": MEANS[found.reason],
        "must_confirm": found.reason not in FREELY_LIFTED,
        "problem": problem,
        "why": why,
    }
    return desk_page(request, room, seat, "desk/lift.html", status=422 if problem else 200, **values)


def _page(
    request: Request, room: Newsroom, seat: Seat, *, beginning: str = "", after: str = "", problem: str = ""
) -> Response:
    with room.database.reading() as connection:
        found = audience.suppressed(connection, beginning=beginning, after=after, at_most=ON_A_PAGE + 1)
        if "@" in beginning and not after:
            found += filter(None, [erased.suppression_of(room.database, connection, rules.email_key(beginning))])
    values: dict[str, Any] = {
        "beginning": beginning,
        "rows": found[:ON_A_PAGE],
        "next": found[ON_A_PAGE - 1].email_key if len(found) > ON_A_PAGE else "",
        "is_first": not after,
        "problem": problem,
        "may_change": seat.may(powers.AUDIENCE),
    }
    return desk_page(request, room, seat, "desk/suppressions.html", status=422 if problem else 200, **values)

"""Addresses that we must not mail: found, added, and lifted with care."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from publisher.audience import erased, flow, rules
from publisher.audience import store as audience
from publisher.audience.model import SuppressionReason
from publisher.editors import powers
from publisher.errors import InputError, NotFoundError
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


@router.post(f"{SUPPRESSIONS}/lift", include_in_schema=False)
def lift(room: Room, seat: Sender, form: Form) -> Response:
    """Let an address be mailed again."""
    ask_for(seat, powers.AUDIENCE)
    if not flow.lift_suppression(room.database, field(form, "email")):
        raise NotFoundError("suppression of", field(form, "email"))
    return go(seat, SUPPRESSIONS, Said.LIFTED)


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
        "means": MEANS,
        "next": found[ON_A_PAGE - 1].email_key if len(found) > ON_A_PAGE else "",
        "is_first": not after,
        "problem": problem,
        "may_change": seat.may(powers.AUDIENCE),
    }
    return desk_page(request, room, seat, "desk/suppressions.html", status=422 if problem else 200, **values)

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.audience import flow
from publisher.audience import store as audience
from publisher.audience.model import MailingList, Subscription, SubscriptionState
from publisher.audience.tokens import Purpose
from publisher.bell import Job
from publisher.errors import ConflictError
from publisher.web.pages import language_name
from publisher.web.parts import Origin, Room
from publisher.web.public.choices import topics
from publisher.web.public.links import broken_link, lists_of, preferences_path, secret_page, subscription_behind
from publisher.wiring import Newsroom

router = APIRouter()


@router.get("/confirm/{token}", include_in_schema=False)
def ask(request: Request, room: Room, token: str) -> Response:
    """Show a button. Nothing is confirmed yet: programs that look for viruses open every link in a mail."""
    with room.database.reading() as connection:
        found = subscription_behind(connection, room, Purpose.CONFIRM, token)
        if found is None:
            return broken_link(request, room)
        if found.state is SubscriptionState.CONFIRMED:
            return _confirmed(request, room, found, lists_of(connection, [found]))
        lists = _asked_together(connection, found)
        chosen = _chosen(connection, found)
    has_ended = found.state is SubscriptionState.UNSUBSCRIBED
    wording = _wording(room, lists)
    return secret_page(request, room, "web/confirm.html", wording=wording, has_ended=has_ended, chosen=chosen)


@router.post("/confirm/{token}", include_in_schema=False)
def confirm(request: Request, room: Room, token: str, origin: Origin) -> Response:
    with room.database.reading() as connection:
        found = subscription_behind(connection, room, Purpose.CONFIRM, token)
        if found is None:
            return broken_link(request, room)
        lists = _asked_together(connection, found)
    wording = _wording(room, lists)
    try:
        flow.confirm(room.database, room.signer, token, origin=origin, wording=wording, clock=room.now)
    except ConflictError:
        values = {"wording": wording, "has_ended": True}
        return secret_page(request, room, "web/confirm.html", status=409, **values)
    room.bell.ring(Job.NOTIFY)
    return _confirmed(request, room, found, lists)


def _asked_together(connection: Connection, found: Subscription) -> list[MailingList]:
    """Return the mailing lists that one press of the button confirms: all that were asked for in one breath."""
    others = audience.subscriptions_of(connection, [found.subscriber_id]).get(found.subscriber_id, [])
    pending = [each for each in others if each.state is SubscriptionState.PENDING and each.asked_at == found.asked_at]
    return lists_of(connection, [found, *pending])


def _chosen(connection: Connection, found: Subscription) -> list[tuple[str, str]]:
    """Return what will hold for the reader after the yes: chosen on asking, or known before."""
    answers, reader = flow.answers_to(connection, found), audience.subscriber_with_id(connection, found.subscriber_id)
    if reader is None:
        return []
    names = [name for _, name, is_on in topics(connection, chosen=answers.topics) if is_on]
    language = answers.language or reader.language
    rows = [
        ("Name", answers.name or reader.name),
        ("Language", language_name(language) if language else ""),
        ("Time zone", answers.time_zone or reader.time_zone),
        ("Topics", ", ".join(names)),
    ]
    return [(label, value) for label, value in rows if value]


def _wording(room: Newsroom, lists: Sequence[MailingList]) -> str:
    """Return the sentence on the page that the reader agrees to; it is kept with the consent."""
    names = " and ".join(f"“{each.name}”" for each in lists)
    return f"Yes, send me {names} from {room.settings.site_name} by email, until I unsubscribe."


def _confirmed(request: Request, room: Newsroom, found: Subscription, lists: Sequence[MailingList]) -> Response:
    preferences = preferences_path(room, found.id)
    return secret_page(request, room, "web/confirmed.html", lists=lists, preferences=preferences)

"""From a link in a mail to the number beside it in the report."""

import re
from collections.abc import Callable
from dataclasses import replace

from publisher.audience.tokens import Signer
from publisher.compose import store as compose
from publisher.compose.model import IssueId, Tracking
from publisher.dispatch import links
from publisher.dispatch.transports.choose import outbox_in
from publisher.events import clicks, flow, store
from publisher.events.model import EventKind
from tests.newsroom import Room

Send = Callable[[], int]


def track(room: Room, tracking: Tracking) -> None:
    with room.database.transaction() as connection:
        compose.change_edition(connection, replace(compose.edition_named(connection, "weekly"), tracking=tracking))


def mails(room: Room) -> list[str]:
    outbox = outbox_in(room.settings.data_dir)
    bodies = (outbox.read(each.name) for each in outbox.list_newest(100))
    return [raw.replace(b"=\r\n", b"").replace(b"=\n", b"").replace(b"=3D", b"=").decode() for raw in bodies if raw]


def links_in(mail: str) -> list[tuple[str, str]]:
    return re.findall(r"/l/([\w-]{32})\.?([\w-]{32})?/", mail)


def follow(room: Room, link: str, reader: str = "", *, counts: bool = True) -> str | None:
    return clicks.follow(room.database, Signer(room.settings.secret_key), link, reader, counts=counts, clock=room.clock)


def numbers(room: Room, issue_id: int) -> dict[str, int]:
    with room.database.reading() as connection:
        return {each.url: each.clicks for each in clicks.of_issue(connection, IssueId(issue_id))}


def test_every_link_of_a_mail_leads_where_it_said_and_is_counted(room: Room, sent: Send) -> None:
    room.readers(2)
    issue_id = sent()
    found = links_in(mails(room)[0])

    led = [follow(room, link, reader) for link, reader in found]

    assert found
    assert None not in led
    assert sum(numbers(room, issue_id).values()) == len(found)
    assert set(led) == set(numbers(room, issue_id))


def test_totals_know_nobody(room: Room, sent: Send) -> None:
    """The default: what all readers have in their mails is the same, so nothing can be told of one."""
    room.readers(2)
    issue_id = sent()
    one, other = (links_in(each) for each in mails(room))

    follow(room, *one[0])
    flow.apply_due(room.database, clock=room.clock)

    assert one == other
    assert all(not reader for _, reader in one)
    with room.database.reading() as connection:
        assert store.standings(connection, IssueId(issue_id))[EventKind.CLICKED] == 0


def test_tracking_by_reader_tells_who_followed_a_link_once(room: Room, sent: Send) -> None:
    room.readers(3)
    track(room, Tracking.PER_READER)
    issue_id = sent()
    link, reader = links_in(mails(room)[0])[0]

    for _ in range(2):
        follow(room, link, reader)
    flow.apply_due(room.database, clock=room.clock)

    assert max(numbers(room, issue_id).values()) == 2
    with room.database.reading() as connection:
        assert store.standings(connection, IssueId(issue_id))[EventKind.CLICKED] == 1


def test_a_reader_of_another_issue_is_not_taken_for_one_of_this(room: Room, sent: Send) -> None:
    room.readers(1)
    track(room, Tracking.PER_READER)
    first, second = sent(), sent()
    by_issue = {len(links_in(each)): links_in(each) for each in mails(room)}
    signer = Signer(room.settings.secret_key)
    (link, _), *_ = next(iter(by_issue.values()))
    stranger = links.reader_tokens(signer, IssueId(first + second))(1)

    led = follow(room, link, stranger)
    flow.apply_due(room.database, clock=room.clock)

    assert led
    with room.database.reading() as connection:
        for each in (first, second):
            assert store.standings(connection, IssueId(each))[EventKind.CLICKED] == 0


def test_an_opened_mail_is_known_where_the_edition_tracks_by_reader(room: Room, sent: Send) -> None:
    room.readers(1)
    track(room, Tracking.PER_READER)
    issue_id = sent()
    (picture,) = re.findall(r"/o/([\w-]{32})", mails(room)[0])

    for _ in range(2):
        clicks.opened(room.database, Signer(room.settings.secret_key), picture, clock=room.clock)
    flow.apply_due(room.database, clock=room.clock)

    with room.database.reading() as connection:
        assert store.standings(connection, IssueId(issue_id))[EventKind.OPENED] == 1


def test_an_edition_that_tracks_nothing_sends_its_links_as_they_are(room: Room, sent: Send) -> None:
    room.readers(1)
    track(room, Tracking.OFF)
    issue_id = sent()

    assert links_in(mails(room)[0]) == []
    assert numbers(room, issue_id) == {}


def test_a_look_that_is_no_visit_leads_on_and_counts_nothing(room: Room, sent: Send) -> None:
    room.readers(1)
    issue_id = sent()
    link, _ = links_in(mails(room)[0])[0]

    assert follow(room, link, counts=False)
    assert sum(numbers(room, issue_id).values()) == 0


def test_a_forged_link_leads_nowhere(room: Room, sent: Send) -> None:
    room.readers(1)
    issue_id = sent()
    beyond = links.link_token(Signer(room.settings.secret_key), IssueId(issue_id), 999)
    foreign = links.link_token(Signer("another key altogether"), IssueId(issue_id), 1)

    assert follow(room, beyond) is None
    assert follow(room, foreign) is None
    assert follow(room, "https://evil.example") is None

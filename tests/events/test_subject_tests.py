"""An issue whose subjects are on trial: a share of the readers first, the rest under the best."""

import email
import email.policy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.audience.tables import subscriber
from publisher.audience.tokens import Signer
from publisher.compose import flow as compose
from publisher.compose import store
from publisher.compose.model import Issue, IssueId, SubjectTest, Tracking
from publisher.dispatch import flow, ledger
from publisher.dispatch.model import DeliveryState, SendState
from publisher.dispatch.sending import send_due
from publisher.dispatch.subjects import Split
from publisher.dispatch.tables import delivery, send
from publisher.dispatch.transports.outbox import OutboxTransport
from publisher.errors import ConflictError, InputError
from publisher.events import clicks, subject_tests
from tests.audience.clocks import SetClock
from tests.dispatch.test_send import plan, report_of, vanish
from tests.newsroom import Room, open_room

READERS = 400
SUBJECTS = ("Jeonse, explained", "Why nobody pays rent in Seoul", "감자와 김장")
HOURS = 4


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def timed(tmp_path: Path, clock: SetClock) -> Iterator[Room]:
    """A newsroom whose database asks our clock, which only SQLite does."""
    with open_room(tmp_path, clock=clock) as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url) as found:
        yield found


def a_draft_on_trial(
    room: Room, *, tracking: Tracking = Tracking.TOTALS, others: tuple[str, ...] = SUBJECTS[1:]
) -> Issue:
    room.readers(READERS)
    with room.database.transaction() as connection:
        weekly = store.edition_named(connection, "weekly")
        store.change_edition(connection, replace(weekly, tracking=tracking))
    ids = room.articles("How Jeonse Works", "Kimjang Day")
    draft = compose.draft_issue(
        room.database, room.settings, "weekly", article_ids=ids, subject=SUBJECTS[0], clock=room.clock
    )
    test = SubjectTest(others=others, share_percent=30, hours=HOURS)
    return compose.change_draft(room.database, room.settings, replace(draft, subject_test=test))


def an_issue_on_trial(room: Room, *, tracking: Tracking = Tracking.TOTALS) -> IssueId:
    draft = a_draft_on_trial(room, tracking=tracking)
    compose.approve(room.database, room.settings, draft.id, clock=room.clock)
    plan(room)
    return draft.id


class Mails:
    """What lies in an outbox."""

    def __init__(self, room: Room) -> None:
        self.outbox = OutboxTransport(room.settings.data_dir / "mails")

    def found(self) -> dict[str, EmailMessage]:
        raw = [self.outbox.read(each.name) for each in self.outbox.list_newest(READERS + 10)]
        mails = [email.message_from_bytes(each, policy=email.policy.default) for each in raw]
        return {mail["To"].addresses[0].addr_spec: mail for mail in mails}

    def subjects(self) -> Counter[str]:
        return Counter(str(each["Subject"]) for each in self.found().values())


def content_of(mail: EmailMessage, form: str) -> str:
    body = mail.get_body((form,))
    assert body
    return str(body.get_content())


def send_all(room: Room, mails: Mails) -> None:
    send_due(room.dispatcher(mails.outbox))


def follow_links(room: Room, mails: Mails, subject: str, times: int) -> None:
    """Let readers of a subject follow the first link of their mail."""
    chosen = [each for each in mails.found().values() if each["Subject"] == subject][:times]
    assert len(chosen) == times
    for mail in chosen:
        html = content_of(mail, "html")
        found = re.search(r"/l/([^./\"]+)(?:\.([^/\"]+))?/", html)
        assert found
        link, reader = found[1], found[2] or ""
        assert clicks.follow(room.database, Signer(room.settings.secret_key), link, reader, clock=room.clock)


def standing(room: Room, issue_id: IssueId) -> subject_tests.Standing:
    with room.database.reading() as connection:
        found = subject_tests.standing_of(connection, issue_id)
    assert found
    return found


@pytest.mark.parametrize("tracking", [Tracking.TOTALS, Tracking.PER_READER])
def test_the_rest_gets_the_subject_whose_links_were_followed_most(
    timed: Room, clock: SetClock, tracking: Tracking
) -> None:
    issue_id, mails = an_issue_on_trial(timed, tracking=tracking), Mails(timed)
    send_all(timed, mails)
    first = mails.subjects()
    assert set(first) == set(SUBJECTS)
    assert sum(first.values()) == pytest.approx(READERS * 0.3, abs=30)
    follow_links(timed, mails, SUBJECTS[2], 12)
    follow_links(timed, mails, SUBJECTS[0], 2)
    before = standing(timed, issue_id)
    assert [each.clicks for each in before.subjects] == [2, 0, 12]
    assert [each.readers for each in before.subjects] == [first[each] for each in SUBJECTS]
    assert before.by_reader is (tracking is Tracking.PER_READER)

    clock.pass_by(timedelta(hours=HOURS))
    assert subject_tests.choose_due(timed.database, clock=clock) == 1
    assert subject_tests.choose_due(timed.database, clock=clock) == 0
    send_all(timed, mails)

    after = mails.subjects()
    assert after == first + Counter({SUBJECTS[2]: READERS - sum(first.values())})
    found = report_of(timed, issue_id)
    assert (found.state, found.counts[DeliveryState.SENT]) == ("sent", READERS)
    follow_links(timed, mails, SUBJECTS[2], 20)
    decided = standing(timed, issue_id)
    assert decided.best_subject == 2
    assert [each.clicks for each in decided.subjects] == [2, 0, 12], "as they stood when it was chosen"


def test_nobody_is_mailed_between_the_end_of_the_test_and_the_choice(timed: Room, clock: SetClock) -> None:
    """Whoever waits would get a subject that nobody has chosen."""
    issue_id, mails = an_issue_on_trial(timed), Mails(timed)
    send_all(timed, mails)
    tried = sum(mails.subjects().values())

    clock.pass_by(timedelta(hours=HOURS, minutes=5))
    flow.upkeep(timed.database, clock=clock)
    send_all(timed, mails)

    assert sum(mails.subjects().values()) == tried
    with timed.database.reading() as connection:
        assert not ledger.has_due(connection, now=clock()), "or workers would ring each other for nothing"
    assert report_of(timed, issue_id).state == "sending"


def test_a_lease_from_before_the_end_marks_nobody_who_waits(timed: Room, clock: SetClock) -> None:
    """Its worker was slow; the hour has come meanwhile, and it does not know the best subject."""
    an_issue_on_trial(timed)
    with timed.database.transaction() as connection:
        lease = ledger.lease(connection, owner="slow", now=clock())
        assert lease
        clock.pass_by(timedelta(hours=HOURS, seconds=1))
        marked = ledger.mark(connection, lease, after_seq=0, at_most=READERS, now=clock())
        waiting = connection.scalar(sa.select(sa.func.count()).where(delivery.c.state == DeliveryState.PLANNED))

    assert len(marked) + (waiting or 0) == READERS
    assert waiting
    assert waiting > len(marked)


def test_a_worker_that_vanished_on_trial_sends_its_readers_their_own_subject_again(
    timed: Room, clock: SetClock
) -> None:
    """A second copy has the subject of the first, and nobody is lost."""
    issue_id, mails = an_issue_on_trial(timed), Mails(timed)
    with timed.database.reading() as connection:
        rows = connection.execute(sa.select(delivery.c.seq).where(delivery.c.due_at.is_(None))).all()
    _, marked = vanish(timed.database, clock)
    assert marked == min(len(rows), marked)
    assert marked > 0

    clock.pass_by(timedelta(minutes=2))
    for _ in range(3):
        flow.upkeep(timed.database, clock=clock)
        send_all(timed, mails)
        clock.pass_by(timedelta(minutes=2))
    assert sum(mails.subjects().values()) == len(rows)
    assert [each.readers for each in standing(timed, issue_id).subjects] == [mails.subjects()[s] for s in SUBJECTS]

    clock.pass_by(timedelta(hours=HOURS))
    subject_tests.choose_due(timed.database, clock=clock)
    send_all(timed, mails)
    assert sum(mails.subjects().values()) == READERS
    assert report_of(timed, issue_id).state == "sent"


def test_an_editor_chooses_before_the_end(room: Room) -> None:
    issue_id, mails = an_issue_on_trial(room), Mails(room)
    send_all(room, mails)
    first = mails.subjects()

    subject_tests.choose(room.database, issue_id, 1, clock=room.clock)
    subject_tests.choose(room.database, issue_id, 1, clock=room.clock)
    with pytest.raises(ConflictError, match="gets subject 1 already"):
        subject_tests.choose(room.database, issue_id, 0, clock=room.clock)
    send_all(room, mails)

    assert mails.subjects() == first + Counter({SUBJECTS[1]: READERS - sum(first.values())})
    assert report_of(room, issue_id).state == "sent"


def test_both_databases_part_readers_as_python_does(room: Room) -> None:
    """The plan is made in SQL, the subject of a mail in Python."""
    issue_id = an_issue_on_trial(room)

    with room.database.reading() as connection:
        kept = connection.scalar(sa.select(send.c.subject_split).where(send.c.issue_id == issue_id))
        rows = connection.execute(sa.select(delivery.c.subscription_id, delivery.c.due_at)).all()
    split = Split.from_json(kept)
    assert all((split.place(row.subscription_id) >= split.first_of_rest) is (row.due_at is not None) for row in rows)
    tried = Counter(split.subject_for(row.subscription_id, None) for row in rows if row.due_at is None)
    assert list(split.readers) == [tried[number] for number in range(3)]


def test_pausing_and_resuming_brings_nobody_forward(timed: Room, clock: SetClock) -> None:
    issue_id, mails = an_issue_on_trial(timed), Mails(timed)
    send_all(timed, mails)
    tried = mails.subjects()

    flow.pause(timed.database, timed.settings, issue_id, reason="a look", clock=clock)
    flow.resume(timed.database, issue_id, clock=clock)
    send_all(timed, mails)

    assert mails.subjects() == tried


def test_cancelling_on_trial_skips_the_rest(timed: Room, clock: SetClock) -> None:
    issue_id, mails = an_issue_on_trial(timed), Mails(timed)
    send_all(timed, mails)
    tried = sum(mails.subjects().values())

    flow.cancel(timed.database, timed.settings, issue_id, reason="enough", clock=clock)
    clock.pass_by(timedelta(hours=HOURS))
    assert subject_tests.choose_due(timed.database, clock=clock) == 0
    send_all(timed, mails)

    assert sum(mails.subjects().values()) == tried
    found = report_of(timed, issue_id)
    assert (found.state, found.counts[DeliveryState.SKIPPED]) == (SendState.CANCELLED, READERS - tried)


def test_a_mail_has_its_subject_in_the_language_of_its_reader(timed: Room) -> None:
    draft = a_draft_on_trial(timed)
    with timed.database.transaction() as connection:
        connection.execute(sa.update(subscriber).where(subscriber.c.id % 2 == 0).values(language="ko"))
    compose.approve(timed.database, timed.settings, draft.id, clock=timed.clock)
    plan(timed)
    mails = Mails(timed)

    send_all(timed, mails)

    bodies = Counter((str(mail["Subject"]), "구독" in content_of(mail, "plain")) for mail in mails.found().values())
    assert set(bodies) == {(subject, is_korean) for subject in SUBJECTS for is_korean in (True, False)}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"others": ("A", "A")}, "each of them different"),
        ({"others": (SUBJECTS[0],)}, "each of them different"),
        ({"others": ("A",), "share_percent": 60}, "2 to 50 percent"),
        ({"others": ("A",), "hours": 0}, "1 to 48 hours"),
        ({"others": ("{{ nothing }}",)}, "nothing"),
    ],
)
def test_a_test_that_could_not_be_made_is_refused(timed: Room, change: dict[str, object], problem: str) -> None:
    draft = a_draft_on_trial(timed)
    assert draft.subject_test

    changed = replace(draft, subject_test=replace(draft.subject_test, **change))  # type: ignore[arg-type]

    with pytest.raises(InputError, match=problem):
        compose.change_draft(timed.database, timed.settings, changed)


def test_an_edition_that_counts_no_links_cannot_try_subjects(timed: Room) -> None:
    with pytest.raises(InputError, match="does not count"):
        a_draft_on_trial(timed, tracking=Tracking.OFF)


def test_links_of_all_subjects_stand_together_in_the_report(timed: Room) -> None:
    issue_id, mails = an_issue_on_trial(timed), Mails(timed)
    send_all(timed, mails)
    follow_links(timed, mails, SUBJECTS[0], 3)
    follow_links(timed, mails, SUBJECTS[1], 2)

    with timed.database.reading() as connection:
        found = clicks.of_issue(connection, issue_id)

    assert len({each.url for each in found}) == len(found)
    assert sum(each.clicks for each in found) == 5


def test_undoing_an_approval_leaves_the_test_as_it_was(timed: Room, clock: SetClock) -> None:
    draft = a_draft_on_trial(timed)
    goes_at = clock() + timedelta(hours=1)
    for _ in range(2):
        compose.approve(timed.database, timed.settings, draft.id, goes_at=goes_at, clock=clock)
        assert compose.undo(timed.database, draft.id).subject_test == draft.subject_test

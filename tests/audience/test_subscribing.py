import io
from datetime import timedelta

import pytest
import sqlalchemy as sa

from publisher.audience import flow, rules, store
from publisher.audience.csv_form import import_csv
from publisher.audience.flow import Yes
from publisher.audience.model import (
    Consent,
    How,
    MailingListId,
    Subscriber,
    SubscriberId,
    Subscription,
    SubscriptionId,
    SubscriptionState,
    SuppressionReason,
)
from publisher.audience.segment_store import add_segment, topics_of
from publisher.audience.segments import Conditions
from publisher.audience.tables import consent, mailing_list, subscriber, subscription
from publisher.audience.tokens import Purpose, Signer
from publisher.database import Database
from publisher.errors import ConflictError, InputError, NotFoundError
from tests.audience.clocks import MORNING, SetClock

SIGNER = Signer("a secret key of the newsroom")
ANNA = "anna@example.org"
pytestmark = pytest.mark.usefixtures("weekly")


def ask(database: Database, clock: SetClock, *lists: str, email: str = ANNA, name: str = "") -> None:
    flow.ask_to_subscribe(
        database, email=email, lists=lists or ("weekly",), name=name, origin="192.0.2.77", clock=clock
    )


def confirm(database: Database, clock: SetClock, subscription_id: SubscriptionId) -> Subscription:
    token = SIGNER.sign(Purpose.CONFIRM, subscription_id)
    return flow.confirm(database, SIGNER, token, origin="192.0.2.78", wording="Weekly, by email", clock=clock)


def join(database: Database, clock: SetClock, *lists: str) -> Subscription:
    ask(database, clock, *lists)
    return confirm(database, clock, annas(database)[0].id)


def annas(database: Database, email: str = ANNA) -> list[Subscription]:
    with database.reading() as connection:
        found = store.subscriber_with_email(connection, email)
        assert found is not None
        return store.subscriptions_of(connection, [found.id]).get(found.id, [])


def due(database: Database) -> list[tuple[str, tuple[str, ...]]]:
    with database.reading() as connection:
        found = store.confirmations_due(connection, at_most=10)
    return [(each.subscriber.email, tuple(name for _, name in each.mailing_lists)) for each in found]


def consents(database: Database, subscription_id: SubscriptionId) -> list[Consent]:
    with database.reading() as connection:
        return store.consents_of(connection, subscription_id)


def reasons(database: Database) -> dict[str, SuppressionReason]:
    with database.reading() as connection:
        return {key: each.reason for key, each in store.suppressions(connection, [ANNA]).items()}


@pytest.fixture
def daily(request: pytest.FixtureRequest, clock: SetClock) -> MailingListId:
    request.getfixturevalue("weekly")  # the older of the two
    name = "either" if "either" in request.fixturenames else "database"
    return flow.add_mailing_list(request.getfixturevalue(name), slug="daily", name="Daily", clock=clock)


def test_a_reader_is_on_a_list_only_after_saying_yes_from_his_own_mailbox(either: Database, clock: SetClock) -> None:
    ask(either, clock, name="Anna")
    waiting = annas(either)

    assert [each.state for each in waiting] == [SubscriptionState.PENDING]
    assert (waiting[0].asked_at, waiting[0].asked_from) == (MORNING, "192.0.2.0/24")
    assert due(either) == [(ANNA, ("Weekly",))]

    clock.pass_by(timedelta(hours=1))
    confirmed = confirm(either, clock, waiting[0].id)

    assert confirmed.state is SubscriptionState.CONFIRMED
    assert confirmed.confirmed_at == MORNING + timedelta(hours=1)
    assert due(either) == []
    assert consents(either, confirmed.id) == [
        Consent(
            subscription_id=confirmed.id,
            at=MORNING + timedelta(hours=1),
            how=How.FORM,
            origin="192.0.2.0/24",
            wording="Weekly, by email",
        )
    ]


def test_confirming_twice_records_one_yes(either: Database, clock: SetClock) -> None:
    first = join(either, clock)
    clock.pass_by(timedelta(days=1))

    assert confirm(either, clock, first.id) == first
    assert len(consents(either, first.id)) == 1


@pytest.mark.usefixtures("daily")
def test_one_yes_confirms_everything_that_was_asked_for_in_one_breath(either: Database, clock: SetClock) -> None:
    """One mail names both lists, so its link means both."""
    ask(either, clock, "weekly", "daily")

    assert due(either) == [(ANNA, ("Weekly", "Daily"))]

    confirm(either, clock, annas(either)[0].id)

    assert {each.state for each in annas(either)} == {SubscriptionState.CONFIRMED}
    assert [len(consents(either, each.id)) for each in annas(either)] == [1, 1]


@pytest.mark.usefixtures("daily")
def test_what_was_asked_for_at_another_time_waits_for_its_own_yes(database: Database, clock: SetClock) -> None:
    ask(database, clock, "weekly")
    clock.pass_by(timedelta(seconds=1))
    ask(database, clock, "daily")

    confirm(database, clock, annas(database)[0].id)

    assert [each.state for each in annas(database)] == [SubscriptionState.CONFIRMED, SubscriptionState.PENDING]


def test_nobody_can_fill_a_strangers_mailbox_with_our_form(either: Database, clock: SetClock) -> None:
    ask(either, clock)
    for _ in range(9):
        clock.pass_by(timedelta(minutes=1))
        ask(either, clock, email="ANNA@Example.org")

    assert [each.asked_at for each in annas(either)] == [MORNING]

    clock.pass_by(timedelta(minutes=1))
    ask(either, clock)

    assert [each.asked_at for each in annas(either)] == [MORNING + timedelta(minutes=10)]


def test_asking_for_a_confirmed_reader_changes_nothing(either: Database, clock: SetClock) -> None:
    """A stranger must not give a reader a new name, nor learn that she reads us."""
    before = join(either, clock)
    clock.pass_by(timedelta(days=1))

    ask(either, clock, name="Somebody Else")

    assert annas(either) == [before]
    with either.reading() as connection:
        reader = store.subscriber_with_email(connection, ANNA)
    assert reader is not None
    assert reader.name == ""


def test_asking_again_fills_in_a_name_that_was_left_out(database: Database, clock: SetClock) -> None:
    ask(database, clock)
    ask(database, clock, name="Anna")
    ask(database, clock, name="Bert")

    with database.reading() as connection:
        reader = store.subscriber_with_email(connection, ANNA)
    assert reader is not None
    assert reader.name == "Anna"


def test_who_has_unsubscribed_may_come_back_by_saying_yes_again(either: Database, clock: SetClock) -> None:
    subscribed = join(either, clock)
    clock.pass_by(timedelta(minutes=1))
    flow.unsubscribe(either, subscribed.id, clock=clock)
    clock.pass_by(timedelta(minutes=1))
    ask(either, clock)

    assert [(each.state, each.ended_at) for each in annas(either)] == [(SubscriptionState.PENDING, None)]

    confirm(either, clock, subscribed.id)

    assert [each.state for each in annas(either)] == [SubscriptionState.CONFIRMED]
    assert len(consents(either, subscribed.id)) == 2


def test_an_old_confirmation_link_does_not_undo_an_unsubscription(either: Database, clock: SetClock) -> None:
    """Scanners and curious fingers open old mails."""
    subscribed = join(either, clock)
    flow.unsubscribe(either, subscribed.id, clock=clock)

    with pytest.raises(ConflictError, match="ended since"):
        confirm(either, clock, subscribed.id)

    assert annas(either)[0].state is SubscriptionState.UNSUBSCRIBED


def test_a_broken_link_says_what_to_do(database: Database, clock: SetClock) -> None:
    with pytest.raises(InputError, match="not whole"):
        flow.confirm(database, SIGNER, "AAAA", clock=clock)
    with pytest.raises(InputError, match="not whole"):
        flow.unsubscribe_by_link(database, SIGNER, "AAAA", clock=clock)


def test_a_link_to_nothing_is_not_found(database: Database, clock: SetClock) -> None:
    with pytest.raises(NotFoundError):
        confirm(database, clock, SubscriptionId(99))


def test_unsubscribing_twice_keeps_the_first_date(either: Database, clock: SetClock) -> None:
    subscribed = join(either, clock)
    token = SIGNER.sign(Purpose.UNSUBSCRIBE, subscribed.id)
    first = flow.unsubscribe_by_link(either, SIGNER, token, clock=clock)
    clock.pass_by(timedelta(days=1))

    second = flow.unsubscribe_by_link(either, SIGNER, token, clock=clock)

    assert first == second
    assert first is not None
    assert (first.state, first.ended_at) == (SubscriptionState.UNSUBSCRIBED, MORNING)


def test_unsubscribing_from_nothing_is_no_error(database: Database, clock: SetClock) -> None:
    """RFC 8058: the button answers 200, whatever became of the reader."""
    assert flow.unsubscribe(database, SubscriptionId(99), clock=clock) is None


def test_a_form_with_a_wrong_address_or_list_says_so(database: Database, clock: SetClock) -> None:
    with pytest.raises(InputError):
        ask(database, clock, email="anna@")
    with pytest.raises(NotFoundError, match="monthly"):
        ask(database, clock, "monthly")
    with pytest.raises(InputError, match="Choose"):
        flow.ask_to_subscribe(database, email=ANNA, lists=[], clock=clock)

    assert due(database) == []


@pytest.mark.parametrize("reason", [SuppressionReason.ASKED, SuppressionReason.COMPLAINED])
def test_a_new_yes_lifts_what_the_reader_asked_for(
    either: Database, clock: SetClock, reason: SuppressionReason
) -> None:
    join(either, clock)
    flow.suppress(either, "Anna@example.org", reason=reason, clock=clock)
    clock.pass_by(timedelta(days=1))
    ask(either, clock)

    assert due(either) == [(ANNA, ("Weekly",))]
    assert reasons(either) == {ANNA: reason}

    confirm(either, clock, annas(either)[0].id)

    assert reasons(either) == {}


@pytest.mark.parametrize("reason", [SuppressionReason.BOUNCED, SuppressionReason.MANUAL])
def test_a_yes_does_not_lift_a_bounce_or_an_editors_decision(
    either: Database, clock: SetClock, reason: SuppressionReason
) -> None:
    flow.suppress(either, ANNA, reason=reason, detail="5.1.1", clock=clock)
    ask(either, clock)

    assert due(either) == []

    confirm(either, clock, annas(either)[0].id)

    assert reasons(either) == {ANNA: reason}


def test_the_stronger_suppression_stays(either: Database, clock: SetClock) -> None:
    flow.suppress(either, ANNA, reason=SuppressionReason.COMPLAINED, clock=clock)
    flow.suppress(either, ANNA, reason=SuppressionReason.BOUNCED, detail="5.1.1", clock=clock)
    clock.pass_by(timedelta(days=1))
    flow.suppress(either, ANNA, reason=SuppressionReason.COMPLAINED, clock=clock)
    flow.suppress(either, ANNA, reason=SuppressionReason.BOUNCED, detail="later", clock=clock)

    with either.reading() as connection:
        kept = store.suppressions(connection, [ANNA])[ANNA]

    assert (kept.reason, kept.at, kept.detail) == (SuppressionReason.BOUNCED, MORNING, "5.1.1")


def test_an_editor_lifts_any_suppression_once(either: Database, clock: SetClock) -> None:
    flow.suppress(either, ANNA, reason=SuppressionReason.BOUNCED, clock=clock)

    assert flow.lift_suppression(either, "ANNA@example.org") is True
    assert flow.lift_suppression(either, ANNA) is False


@pytest.mark.usefixtures("daily")
def test_preferences_are_the_lists_that_the_reader_names_and_no_others(either: Database, clock: SetClock) -> None:
    subscribed = join(either, clock, "weekly")
    clock.pass_by(timedelta(days=1))
    flow.set_preferences(
        either,
        subscribed.subscriber_id,
        lists=["daily"],
        name=" Anna\nBerg ",
        language="EN_gb",
        time_zone="Europe/Paris",
        yes=Yes(how=How.FORM, origin="192.0.2.77", wording="Daily, by email"),
        clock=clock,
    )

    weekly, daily = annas(either)
    with either.reading() as connection:
        reader = store.subscriber_with_id(connection, subscribed.subscriber_id)
    assert (weekly.state, daily.state) == (SubscriptionState.UNSUBSCRIBED, SubscriptionState.CONFIRMED)
    assert [each.wording for each in consents(either, daily.id)] == ["Daily, by email"]
    assert reader is not None
    assert (reader.name, reader.language, reader.time_zone) == ("Anna Berg", "en-GB", "Europe/Paris")


def test_preferences_without_a_list_end_everything(database: Database, clock: SetClock) -> None:
    subscribed = join(database, clock)

    flow.set_preferences(database, subscribed.subscriber_id, lists=[], yes=Yes(how=How.FORM), clock=clock)

    assert [each.state for each in annas(database)] == [SubscriptionState.UNSUBSCRIBED]


def test_preferences_of_nobody_are_not_found(database: Database, clock: SetClock) -> None:
    with pytest.raises(NotFoundError):
        flow.set_preferences(database, SubscriberId(99), lists=["weekly"], yes=Yes(how=How.FORM), clock=clock)


def test_saving_the_same_preferences_records_no_second_yes(database: Database, clock: SetClock) -> None:
    subscribed = join(database, clock)

    for _ in range(2):
        flow.set_preferences(database, subscribed.subscriber_id, lists=["weekly"], yes=Yes(how=How.FORM), clock=clock)

    assert annas(database) == [subscribed]
    assert len(consents(database, subscribed.id)) == 1


def test_a_pause_is_set_and_ended(database: Database, clock: SetClock) -> None:
    subscribed = join(database, clock)

    flow.pause(database, subscribed.id, until=MORNING + timedelta(days=30), clock=clock)
    assert annas(database)[0].paused_until == MORNING + timedelta(days=30)

    flow.pause(database, subscribed.id, until=None, clock=clock)
    assert annas(database)[0].paused_until is None


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_a_pause_ends_within_a_year(database: Database, clock: SetClock, days: int) -> None:
    subscribed = join(database, clock)

    with pytest.raises(InputError, match="within a year"):
        flow.pause(database, subscribed.id, until=MORNING + timedelta(days=days), clock=clock)


def test_only_a_running_subscription_can_be_paused(database: Database, clock: SetClock) -> None:
    subscribed = join(database, clock)
    flow.unsubscribe(database, subscribed.id, clock=clock)

    with pytest.raises(NotFoundError):
        flow.pause(database, subscribed.id, until=MORNING + timedelta(days=1), clock=clock)


def test_an_editor_adds_a_reader_who_said_yes_elsewhere(either: Database, clock: SetClock) -> None:
    yes = Yes(how=How.DESK, wording="Signed the sheet at the fair")
    for _ in range(2):
        flow.add_subscriber(either, email=ANNA, lists=["weekly"], name="Anna", yes=yes, clock=clock)

    (subscribed,) = annas(either)
    assert subscribed.state is SubscriptionState.CONFIRMED
    assert [(each.how, each.origin, each.wording) for each in consents(either, subscribed.id)] == [
        (How.DESK, "", "Signed the sheet at the fair")
    ]


@pytest.mark.usefixtures("daily")
def test_an_editor_cannot_bring_back_who_has_left(either: Database, clock: SetClock) -> None:
    subscribed = join(either, clock)
    flow.unsubscribe(either, subscribed.id, clock=clock)

    with pytest.raises(ConflictError, match="'weekly'"):
        flow.add_subscriber(either, email=ANNA, lists=["daily", "weekly"], yes=Yes(how=How.DESK), clock=clock)

    assert [each.state for each in annas(either)] == [SubscriptionState.UNSUBSCRIBED]


def test_adding_a_reader_leaves_a_suppression_alone(database: Database, clock: SetClock) -> None:
    flow.suppress(database, ANNA, reason=SuppressionReason.ASKED, clock=clock)

    flow.add_subscriber(database, email=ANNA, lists=["weekly"], yes=Yes(how=How.API), clock=clock)

    assert reasons(database) == {ANNA: SuppressionReason.ASKED}


def test_a_taken_slug_or_a_missing_name_is_refused(database: Database, clock: SetClock) -> None:
    with pytest.raises(ConflictError, match="already"):
        flow.add_mailing_list(database, slug="weekly", name="Another", clock=clock)
    with pytest.raises(InputError, match="name"):
        flow.add_mailing_list(database, slug="nameless", name=" \n", clock=clock)


def test_confirmations_come_oldest_first_and_a_page_at_a_time(either: Database, clock: SetClock) -> None:
    for number in range(5):
        ask(either, clock, email=f"reader{number}@example.org")
        clock.pass_by(timedelta(seconds=number % 2))  # some of them at one instant

    seen: list[str] = []
    after = None
    while True:
        with either.reading() as connection:
            page = store.confirmations_due(connection, at_most=2, after=after)
        if not page:
            break
        seen += [each.subscriber.email for each in page]
        after = page[-1].at, page[-1].subscriber.id

    assert seen == [f"reader{number}@example.org" for number in range(5)]


def test_every_row_points_at_a_row_that_is_there(database: Database, clock: SetClock) -> None:
    """The database does not check it, for the sake of imports; we do."""
    join(database, clock)
    file = io.BytesIO(b"email\nbert@example.org\nanna@example.org\n")
    import_csv(database, file, mailing_list="weekly", confirmed=True, how=How.IMPORT, clock=clock)

    pointers = (
        (consent.c.subscription_id, subscription.c.id),
        (subscription.c.subscriber_id, subscriber.c.id),
        (subscription.c.mailing_list_id, mailing_list.c.id),
    )
    with database.reading() as connection:
        for pointer, target in pointers:
            assert set(connection.scalars(sa.select(pointer))) == set(connection.scalars(sa.select(target)))


def reader_of(database: Database, email: str = ANNA) -> Subscriber:
    with database.reading() as connection:
        found = store.subscriber_with_email(connection, email)
    assert found is not None
    return found


@pytest.mark.usefixtures("daily")
def test_what_a_stranger_chooses_for_a_reader_holds_only_after_the_readers_own_yes(
    either: Database, clock: SetClock
) -> None:
    """The form is open to everybody; a reader's language, zone and topics are not."""
    join(either, clock, "weekly")
    with either.transaction() as connection:
        conditions = Conditions(topics=("food",))
        add_segment(connection, slug="food", name="Food", conditions=conditions, now=clock())
    chosen = {"language": "ko", "time_zone": "Asia/Seoul", "topics": ["food", "unknown"], "form": "embedded"}
    clock.pass_by(timedelta(hours=1))

    flow.ask_to_subscribe(either, email=ANNA, lists=["weekly", "daily"], clock=clock, **chosen)  # type: ignore[arg-type]

    before = reader_of(either)
    with either.reading() as connection:
        assert topics_of(connection, before.id) == []
    assert (before.language, before.time_zone) == ("", "")

    daily = annas(either)[1]
    confirm(either, clock, daily.id)

    after = reader_of(either)
    with either.reading() as connection:
        assert topics_of(connection, after.id) == ["food"]
    assert (after.language, after.time_zone) == ("ko", "Asia/Seoul")
    assert [each.form for each in consents(either, daily.id)] == ["embedded"]
    assert [each.answers for each in annas(either)] == [None, None]


def test_an_answer_that_was_left_open_takes_nothing_away(database: Database, clock: SetClock) -> None:
    """Who comes back by the short form keeps the language of the time before."""
    flow.ask_to_subscribe(database, email=ANNA, lists=["weekly"], language="ko", clock=clock)
    subscribed = annas(database)[0]
    confirm(database, clock, subscribed.id)
    flow.unsubscribe(database, subscribed.id, clock=clock)
    clock.pass_by(timedelta(hours=1))

    join(database, clock)

    assert reader_of(database).language == "ko"


def test_choices_that_were_never_confirmed_go_with_the_subscription(either: Database, clock: SetClock) -> None:
    flow.ask_to_subscribe(either, email=ANNA, lists=["weekly"], language="ko", clock=clock)
    flow.unsubscribe(either, annas(either)[0].id, clock=clock)

    assert annas(either)[0].answers is None


@pytest.mark.parametrize(
    ("name", "site", "told"),
    [
        ("embedded", "https://fans.example", "embedded at https://fans.example"),
        ("embedded", "http://127.0.0.1:8080", "embedded at http://127.0.0.1:8080"),
        ("embedded", "http://[2001:db8::1]:80", "embedded at http://[2001:db8::1]:80"),
        ("subscribe-page", "https://OUR.example", "subscribe-page"),
        ("embedded", "null", "embedded"),
        ("embedded", "https://fans.example/<b>", "embedded"),
        ("embedded", "https://" + "a" * 300, "embedded"),
        ("<script>", "javascript:alert(1)", "unnamed"),
        ("", "", "unnamed"),
    ],
)
def test_a_consent_names_the_form_and_only_a_site_that_can_be_one(name: str, site: str, told: str) -> None:
    """What a program writes into the field or the header must not stand in the proof."""
    assert rules.form_told(name, site, ours="https://our.example") == told

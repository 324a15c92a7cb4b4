"""People who move to us from another system: who is on the list there, and who has left it."""

import io
from datetime import UTC, datetime, timedelta

import pytest

from publisher.audience import flow, store
from publisher.audience.csv_form import ImportReport, import_csv
from publisher.audience.model import Consent, How, Subscriber, Subscription
from publisher.audience.origins import instant
from publisher.database import Database
from publisher.errors import ImportFileError
from tests.audience.clocks import MORNING, SetClock

pytestmark = pytest.mark.usefixtures("weekly")

OF_ALL = "MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION"
SUBSCRIBED = (
    f"Email Address,First Name,Last Name,{OF_ALL},LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
    "anna@example.org,Anna,Berg,2,,,2019-05-06 07:08:09,198.51.100.7,,,,,America/New_york,US,NY,"
    "2020-01-01 00:00:00,1,a,,\n"
    "contact@example.org,No,Yes,2,,,,,,,,,,,,2020-01-01 00:00:00,1,a,,\n"
)
UNSUBSCRIBED = (
    f"Email Address,First Name,Last Name,{OF_ALL},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,"
    "UNSUB_REASON_OTHER,LEID,EUID,NOTES,TAGS\n"
    "bert@example.org,Bert,,2,,,2019-05-06 07:08:09,,,,,,,,,2021-02-03 04:05:06,May,1,NORMAL,,1,a,,\n"
    "carl@example.org,Carl,,2,,,2019-05-06 07:08:09,,,,,,,,,2021-02-03 04:05:06,May,1,ABUSE,,1,a,,\n"
)
CLEANED = (
    f"Email Address,{OF_ALL},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LEID,EUID,NOTES,TAGS\n"
    "dora@example.org,2,,,2019-05-06 07:08:09,,,,,,,,,2022-02-03 04:05:06,May,1,1,a,,\n"
)
SUBSTACK = (
    "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
    "anna@example.org,false,,other,false,2019-05-06T07:08:09.000Z,\n"
    "bert@example.org,true,2027-01-01,yearly,true,2019-05-06T07:08:09.000Z,\n"
)
GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n"
    '1,anna@example.org,Anna Berg,,true,false,,2019-05-06T07:08:09.000Z,,"vip,old",\n'
    "2,bert@example.org,,,false,false,,2019-05-06T07:08:09.000Z,,,\n"
    "3,carl@example.org,,,true,false,,2019-05-06T07:08:09.000Z,2021-02-03T04:05:06.000Z,,\n"
)
LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    'u1,anna@example.org,Anna Berg,"{""language"": ""de"", ""tz"": ""Europe/Berlin""}",enabled,'
    "2019-05-06 09:08:09.123456 +0200 +0200,2020-01-01 00:00:00 +0000 UTC\n"
    "u2,bert@example.org,Bert,{},blocklisted,2019-05-06 07:08:09 +0000 UTC,2021-02-03 04:05:06 +0000 UTC\n"
    "u3,carl@example.org,Carl,not json,disabled,2019-05-06 07:08:09 +0000 UTC,2021-02-03 04:05:06 +0000 UTC\n"
)
JOINED = datetime(2019, 5, 6, 7, 8, 9, tzinfo=UTC)
LEFT = datetime(2021, 2, 3, 4, 5, 6, tzinfo=UTC)


def bring(database: Database, text: str, *, confirmed: bool = True) -> ImportReport:
    return import_csv(
        database,
        io.BytesIO(text.encode()),
        mailing_list="weekly",
        confirmed=confirmed,
        how=How.IMPORT,
        wording="On our list.",
        clock=SetClock(),
    )


def standing(database: Database, name: str) -> tuple[Subscriber, Subscription, list[Consent]]:
    with database.reading() as connection:
        found = store.subscriber_with_email(connection, f"{name}@example.org")
        assert found
        (subscribed,) = store.subscriptions_of(connection, [found.id])[found.id]
        return found, subscribed, store.consents_of(connection, subscribed.id)


def suppressed(database: Database, *names: str) -> dict[str, tuple[str, datetime]]:
    with database.reading() as connection:
        found = store.suppressions(connection, [f"{name}@example.org" for name in names])
    return {key.partition("@")[0]: (each.reason, each.at) for key, each in found.items()}


@pytest.mark.parametrize(
    ("origin", "text"), [("Mailchimp", SUBSCRIBED), ("Substack", SUBSTACK), ("Ghost", GHOST), ("listmonk", LISTMONK)]
)
def test_a_reader_who_moves_keeps_the_day_of_the_yes(either: Database, origin: str, text: str) -> None:
    """The consent is the proof: it is as old as the yes was, not as the move."""
    report = bring(either, text)

    _, subscribed, (yes,) = standing(either, "anna")
    assert (report.origin, report.added, subscribed.state, subscribed.confirmed_at) == (origin, 1, "confirmed", JOINED)
    assert (yes.at, yes.how, yes.wording) == (JOINED, How.IMPORT, f"Imported from {origin}. On our list.")


def test_what_a_system_tells_of_a_reader_is_kept_where_we_have_a_place(either: Database) -> None:
    bring(either, SUBSCRIBED)
    anna, _, (yes,) = standing(either, "anna")
    assert (anna.name, anna.time_zone, yes.origin) == ("Anna Berg", "America/New_York", "198.51.100.0/24")

    bring(either, LISTMONK)
    assert standing(either, "anna")[0].language == "de"


def test_who_left_mailchimp_has_left_here(either: Database) -> None:
    """Three files, one after the other, and each again: nobody who left is mailed, whatever comes last."""
    for text in (UNSUBSCRIBED, CLEANED, SUBSCRIBED, CLEANED, UNSUBSCRIBED):
        bring(either, text)
    told = bring(either, UNSUBSCRIBED)

    assert (told.left, told.barred, told.rows) == (1, 1, 2)
    _, bert, consents = standing(either, "bert")
    assert (bert.state, bert.ended_at, consents) == ("unsubscribed", LEFT, [])
    assert suppressed(either, "anna", "bert", "carl", "dora") == {
        "carl": ("complained", LEFT),
        "dora": ("bounced", LEFT.replace(year=2022)),
    }
    assert standing(either, "carl")[1].state == "unsubscribed"


def test_a_contact_who_never_said_yes_is_refused_with_the_reason(either: Database) -> None:
    report = bring(either, SUBSCRIBED)

    assert [(each.line, each.problem) for each in report.bad_lines] == [
        (3, "Mailchimp knows no time at which this person subscribed: a contact without a yes.")
    ]


@pytest.mark.parametrize("confirmed", [True, False])
def test_who_is_kept_from_mail_elsewhere_is_kept_from_mail_here(either: Database, *, confirmed: bool) -> None:
    """Not even a question whether they would like to come along goes to them."""
    substack = bring(either, SUBSTACK, confirmed=confirmed)
    ghost = bring(either, GHOST, confirmed=confirmed)
    listmonk = bring(either, LISTMONK, confirmed=confirmed)

    assert (substack.left, ghost.left, listmonk.barred) == (1, 2, 2)
    assert [standing(either, each)[1].state for each in ("bert", "carl")] == ["unsubscribed"] * 2
    assert standing(either, "carl")[1].ended_at == LEFT
    assert suppressed(either, "anna", "bert", "carl") == {"bert": ("manual", LEFT), "carl": ("manual", LEFT)}
    with either.reading() as connection:
        asked = [each.subscriber.email for each in store.confirmations_due(connection, at_most=9)]
    assert asked == ([] if confirmed else ["anna@example.org"])


def test_a_list_of_those_who_left_ends_what_an_earlier_file_began(either: Database) -> None:
    """The subscribed came from a plain table, without dates; by its dates the file of those who left is older."""
    bring(either, "email\nbert@example.org\n")

    bring(either, UNSUBSCRIBED)

    assert standing(either, "bert")[1].state == "unsubscribed"


def test_who_came_back_by_our_own_form_stays(either: Database, clock: SetClock) -> None:
    """A yes that was given to us is younger than what another system remembers."""
    yes = flow.Yes(how=How.FORM, wording="Yes, send me Weekly.")
    flow.add_subscriber(either, email="bert@example.org", lists=["weekly"], yes=yes, clock=clock)

    for text in (UNSUBSCRIBED, SUBSTACK):
        bring(either, text)

    assert standing(either, "bert")[1].state == "confirmed"


def test_who_left_in_one_row_and_not_in_another_has_left(either: Database) -> None:
    text = SUBSTACK + "BERT@example.org,true,,other,false,2024-01-01,\nanna@example.org,true,,other,true,,\n"

    report = bring(either, text)

    assert (report.added, report.left, report.rows) == (0, 2, 4)
    assert {standing(either, each)[1].state for each in ("anna", "bert")} == {"unsubscribed"}


def test_our_own_export_of_another_newsroom_brings_those_who_left_as_such(either: Database) -> None:
    text = (
        "email,name,language,timezone,mailing_list,state,asked_at,confirmed_at,ended_at,paused_until,suppressed\n"
        "anna@example.org,Anna,en,,weekly,confirmed,,2019-05-06T07:08:09+00:00,,,\n"
        "bert@example.org,Bert,en,,weekly,unsubscribed,,2019-05-06T07:08:09+00:00,2021-02-03T04:05:06+00:00,,\n"
        "carl@example.org,Carl,en,,weekly,confirmed,,2019-05-06T07:08:09+00:00,,,bounced\n"
    )

    report = bring(either, text)

    assert (report.origin, report.added, report.left, report.barred) == ("Publisher", 1, 1, 1)
    assert (standing(either, "bert")[1].ended_at, suppressed(either, "carl")) == (LEFT, {"carl": ("bounced", MORNING)})


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Email Address,LEID,EUID\nanna@example.org,1,a\n", "UNSUB_TIME"),
        ("email,active_subscription,expiry\nanna@example.org,true,\n", "email_disabled"),
        ("email,complimentary_plan\nanna@example.org,true\n", "subscribed_to_emails"),
        ("uuid,email,attributes\nu1,anna@example.org,{}\n", "column status"),
    ],
)
def test_an_export_that_does_not_tell_who_left_is_refused(database: Database, text: str, missing: str) -> None:
    """Taken for a plain table it would put everybody on the list, those who left as well."""
    with pytest.raises(ImportFileError, match=missing):
        bring(database, text)


def test_a_row_that_does_not_tell_whether_somebody_left_is_refused(database: Database) -> None:
    report = bring(database, SUBSTACK.replace("other,false", "other,perhaps") + "\n")

    assert "neither true nor false" in report.bad_lines[0].problem
    assert bring(database, LISTMONK.replace("enabled", "new")).bad == 1


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2019-05-06 07:08:09", "2019-05-06 07:08:09.000000"),
        ("2019-05-06T07:08:09.000Z", "2019-05-06 07:08:09.000000"),
        ("2019-05-06 09:08:09.123 +0200 CEST", "2019-05-06 07:08:09.000000"),
        ("2019-05-06", "2019-05-06 00:00:00.000000"),
        ("2019-13-06", ""),
        ("yesterday", ""),
        ("0001-01-01 00:00:00 +0200", ""),
    ],
)
def test_dates_are_read_as_programs_write_them(written: str, read: str) -> None:
    assert instant(written) == read


def test_a_yes_of_tomorrow_is_of_today(either: Database) -> None:
    """No proof is younger than the file that brought it."""
    ahead = (MORNING + timedelta(days=900)).strftime("%Y-%m-%d %H:%M:%S")
    bring(either, f"email,active_subscription,email_disabled,created_at\nanna@example.org,true,false,{ahead}\n")

    assert standing(either, "anna")[1].confirmed_at == MORNING

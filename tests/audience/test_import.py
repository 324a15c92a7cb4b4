import csv
import io
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.audience import flow, merge, store
from publisher.audience.csv_form import BAD_LINES_SHOWN, ImportReport, export_csv, import_csv
from publisher.audience.csv_table import LINE_AT_MOST, BadLine, guarded, unguarded
from publisher.audience.model import How, SubscriptionState, SuppressionReason
from publisher.audience.rules import clean_name
from publisher.audience.tables import consent, subscriber, subscription
from publisher.clock import utc_now
from publisher.database import Database, metadata
from publisher.errors import ImportFileError, NotFoundError
from tests.audience.clocks import MORNING, SetClock

pytestmark = pytest.mark.usefixtures("weekly")
Facts = tuple[str, str, str, str, str]


def bring(
    database: Database, text: str | bytes, *, confirmed: bool = True, at_once: int = 10_000, to: str = "weekly"
) -> ImportReport:
    stream = io.BytesIO(text.encode() if isinstance(text, str) else text)
    return import_csv(
        database,
        stream,
        mailing_list=to,
        confirmed=confirmed,
        how=How.IMPORT,
        wording="Moved here with us",
        at_once=at_once,
        clock=SetClock(),
    )


def facts(database: Database) -> dict[str, Facts]:
    """Everybody's details and state, by address key."""
    known = sa.select(
        subscriber.c.email_key,
        subscriber.c.email,
        subscriber.c.name,
        subscriber.c.language,
        subscriber.c.time_zone,
        subscription.c.state,
    ).join(subscription, subscription.c.subscriber_id == subscriber.c.id)
    with database.reading() as connection:
        return {key: (*row,) for key, *row in connection.execute(known)}


def number_of_consents(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(consent)) or 0


def numbers(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.added, report.merged, report.unchanged, report.unsubscribed, report.bad


@pytest.mark.parametrize(
    "text",
    [
        "email,name,language,timezone\nanna@example.org,Anna Berg,en,Asia/Seoul\n",
        "\ufeffEmail;Name;Language;Timezone\r\nanna@example.org;Anna Berg;en;Asia/Seoul\r\n",
        "TIME ZONE\tLanguage\tE-Mail\tName\nAsia/Seoul\tEN\tanna@example.org\tAnna Berg",
        'email,timezone,language,name\n"anna@example.org","Asia/Seoul","en","Anna\nBerg"\n\n',
        "Email Address,time_zone,name,language\n anna@example.org ,Asia/Seoul, Anna  Berg , en \n,,,\n",
    ],
)
def test_a_file_from_any_program_is_understood(either: Database, text: str) -> None:
    report = bring(either, text)

    assert numbers(report) == (1, 0, 0, 0, 0)
    assert facts(either) == {
        "anna@example.org": ("anna@example.org", "Anna Berg", "en", "Asia/Seoul", SubscriptionState.CONFIRMED)
    }


def test_a_confirmed_import_records_every_yes(either: Database, clock: SetClock) -> None:
    bring(either, "email\nanna@example.org\nbert@example.org\n")

    with either.reading() as connection:
        anna = store.subscriber_with_email(connection, "anna@example.org")
        assert anna is not None
        (subscribed,) = store.subscriptions_of(connection, [anna.id])[anna.id]
        (yes,) = store.consents_of(connection, subscribed.id)
    assert (subscribed.confirmed_at, subscribed.asked_at) == (clock.now, None)
    assert (yes.how, yes.at, yes.origin, yes.wording) == (How.IMPORT, clock.now, "", "Moved here with us")
    assert number_of_consents(either) == 2


def test_an_unconfirmed_import_asks_everybody(either: Database) -> None:
    bring(either, "email\nanna@example.org\nbert@example.org\n", confirmed=False)

    with either.reading() as connection:
        asked = store.confirmations_due(connection, at_most=10)
    assert [(each.subscriber.email, each.at) for each in asked] == [
        ("anna@example.org", MORNING),
        ("bert@example.org", MORNING),
    ]
    assert number_of_consents(either) == 0


def test_a_confirmed_import_is_the_yes_of_those_who_were_asked(either: Database) -> None:
    bring(either, "email\nanna@example.org\n", confirmed=False)

    again = bring(either, "email\nanna@example.org\nbert@example.org\n")

    assert numbers(again) == (1, 1, 0, 0, 0)
    assert {each[-1] for each in facts(either).values()} == {SubscriptionState.CONFIRMED}
    assert number_of_consents(either) == 2


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_one_person_in_many_spellings_is_one_subscriber(either: Database, at_once: int) -> None:
    """The first value that is given stays, wherever the transactions are cut."""
    text = "email,name,language\nAnna@Example.org,,en\n anna@example.org,Anna,ko\nANNA@EXAMPLE.ORG,Bert,\n"

    report = bring(either, text, at_once=at_once)

    assert numbers(report) == (1, 1, 1, 0, 0)
    assert facts(either) == {"anna@example.org": ("Anna@example.org", "Anna", "en", "", SubscriptionState.CONFIRMED)}
    assert number_of_consents(either) == 1


def test_what_is_known_of_a_reader_stays(either: Database, clock: SetClock) -> None:
    flow.add_subscriber(
        either, email="anna@example.org", lists=["weekly"], name="Anna", yes=flow.Yes(how=How.DESK), clock=clock
    )

    report = bring(either, "email,name,language\nanna@example.org,Annie,en\n")

    assert numbers(report) == (0, 1, 0, 0, 0)
    assert facts(either)["anna@example.org"][1:3] == ("Anna", "en")


def test_an_import_never_subscribes_anybody_again(either: Database, clock: SetClock) -> None:
    bring(either, "email\nanna@example.org\n")
    with either.reading() as connection:
        anna = store.subscriber_with_email(connection, "anna@example.org")
        assert anna is not None
        (subscribed,) = store.subscriptions_of(connection, [anna.id])[anna.id]
    flow.unsubscribe(either, subscribed.id, clock=clock)

    for confirmed in (True, False):
        report = bring(either, "email\nanna@example.org\nbert@example.org\n", confirmed=confirmed)
        assert report.unsubscribed == 1

    assert facts(either)["anna@example.org"][-1] == SubscriptionState.UNSUBSCRIBED
    assert number_of_consents(either) == 2


def test_suppressed_addresses_stay_suppressed(either: Database, clock: SetClock) -> None:
    flow.suppress(either, "anna@example.org", reason=SuppressionReason.BOUNCED, clock=clock)

    report = bring(either, "email\nAnna@example.org\nbert@example.org\n")

    assert (report.added, report.suppressed) == (2, 1)
    with either.reading() as connection:
        assert list(store.suppressions(connection, ["anna@example.org"])) == ["anna@example.org"]


def test_a_person_on_another_list_is_added_to_this_one(either: Database, clock: SetClock) -> None:
    flow.add_mailing_list(either, slug="daily", name="Daily", clock=clock)
    bring(either, "email\nanna@example.org\n")

    report = bring(either, "email\nanna@example.org\n", to="daily")

    assert numbers(report) == (1, 0, 0, 0, 0)
    with either.reading() as connection:
        assert set(store.confirmed_counts(connection).values()) == {1}


def test_bad_lines_are_named_and_the_rest_comes_in(database: Database) -> None:
    text = (
        "email,name,language,timezone,Shoe size\n"
        'anna@example.org,"Anna\nBerg",en,,\n'
        "bert,Bert,en,,\n"
        ",Nobody,en,,\n"
        "carl@example.org,Carl,English,,\n"
        "dora@example.org,Dora,en,Mars/Olympus,\n"
        "emil@example.org,Emil,en,,44,what\n"
        "fred@example.org,Fred\n"
    )

    report = bring(database, text)

    assert report.bad_lines == (
        BadLine(line=4, problem="The address has no @."),
        BadLine(line=5, problem="The address is missing."),
        BadLine(line=6, problem="This is not a language tag, such as en or ko or pt-BR."),
        BadLine(line=7, problem="This is not the name of a time zone, such as Asia/Seoul or Europe/Paris."),
        BadLine(line=8, problem="It has 6 cells where the first line names 5 columns."),
    )
    assert numbers(report) == (2, 0, 0, 0, 5)
    assert report.ignored_columns == ("Shoe size",)
    assert set(facts(database)) == {"anna@example.org", "fred@example.org"}


def test_only_the_first_thousand_bad_lines_are_kept(database: Database) -> None:
    report = bring(database, "email\n" + "nobody\n" * (BAD_LINES_SHOWN + 500))

    assert report.bad == BAD_LINES_SHOWN + 500
    assert len(report.bad_lines) == BAD_LINES_SHOWN


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        (b"", "line 1", "one of them must be email"),
        (b"anna@example.org\nbert@example.org\n", "line 1", "one of them must be email"),
        (b"email,name,E-mail\n", "line 1", "Two columns are named email"),
        ("email\n".encode("utf-16"), "line 1", "not UTF-8"),
        (b"email,name\nanna@example.org,Anna\nbert@example.org,Ren\xe9\n", "line 3", "not UTF-8"),
        (
            b'email,name\nanna@example.org,Anna\nbert@example.org,"Bert\n' + b"x@example.org\n" * 10_000,
            "line 3",
            "quot",
        ),
        (b"email\ranna@example.org\rbert@example.org\r", "line 1", "line end"),
        (b"email\nanna@example.org\nbert@example.org\rcarl@example.org\n", "line 3", "line end"),
        (b"email\n" + b"x" * (LINE_AT_MOST + 1), "line 2", "longer"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(database: Database, text: bytes, where: str, problem: str) -> None:
    with pytest.raises(ImportFileError, match=problem) as refused:
        bring(database, text)

    assert refused.value.where == where
    assert facts(database) == {}


def test_a_missing_file_or_list_is_named(database: Database, tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"subscribers\.csv: The file cannot be opened"):
        import_csv(
            database,
            tmp_path / "subscribers.csv",
            mailing_list="weekly",
            confirmed=True,
            how=How.CLI,
            clock=utc_now,
        )
    with pytest.raises(NotFoundError):
        bring(database, "email\n", to="monthly")


def test_the_editor_sees_how_far_it_is(database: Database) -> None:
    seen: list[int] = []
    rows = "".join(f"reader{number}@example.org\n" for number in range(25))
    import_csv(
        database,
        io.BytesIO(f"email\n{rows}".encode()),
        mailing_list="weekly",
        confirmed=True,
        how=How.CLI,
        clock=utc_now,
        progress=seen.append,
        at_once=10,
    )

    assert seen == [10, 20, 25]


NAMES = st.text(st.characters(codec="utf-8"), max_size=12)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["anna", "Anna", "bert", "=carl", "+dora", "-emil", "'=fred", "not an address"]),
        st.one_of(st.just(""), NAMES, st.sampled_from(["=1+1", "'=1", "@here", "'", "a,b", 'a"b', "a;b"])),
        st.sampled_from(["", "en", "KO"]),
    ),
    max_size=12,
)


def written(rows: list[tuple[str, str, str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["email", "name", "language"])
    writer.writerows((f"{guarded(local)}@example.org", guarded(name), language) for local, name, language in rows)
    return text.getvalue()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=ROWS, at_once=st.integers(1, 5), killed_after=st.integers(0, 12))
def test_an_import_ends_the_same_however_it_is_cut_and_repeated(
    database: Database, rows: list[tuple[str, str, str]], at_once: int, killed_after: int
) -> None:
    """The first value of each cell wins; every row is counted once; running it again changes nothing."""
    _empty(database)
    expected: dict[str, Facts] = {}
    for local, name, language in rows:
        if " " not in local:
            email = f"{local}@example.org"
            was = expected.get(email.lower(), (email, "", "", "", "confirmed"))
            expected[email.lower()] = (was[0], was[1] or clean_name(name), was[2] or language.lower(), "", "confirmed")

    bring(database, written(rows[:killed_after]), at_once=at_once)
    report = bring(database, written(rows), at_once=at_once)

    assert facts(database) == expected
    assert sum(numbers(report)) == len(rows)
    assert bring(database, written(rows), at_once=at_once).added == 0
    assert facts(database) == expected
    assert number_of_consents(database) == len(expected)


def _empty(database: Database) -> None:
    with database.transaction() as connection:
        for table in (consent, subscription, subscriber):
            connection.execute(sa.delete(table))


@given(st.text())
def test_a_guard_is_taken_off_as_it_was_put_on(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=ROWS)
def test_what_goes_out_comes_in_again(database: Database, rows: list[tuple[str, str, str]]) -> None:
    _empty(database)
    bring(database, written(rows))
    before = facts(database)
    out = io.StringIO()
    export_csv(database, out)

    _empty(database)
    report = bring(database, out.getvalue())

    assert facts(database) == before
    assert report.bad == 0


def test_an_export_holds_what_a_spreadsheet_can_show_and_not_run(either: Database, clock: SetClock) -> None:
    bring(either, 'email,name\n\'=anna@example.org,"\'=HYPERLINK(""x"")"\nbert@example.org,김 민수\n')
    flow.suppress(either, "bert@example.org", reason=SuppressionReason.BOUNCED, clock=clock)
    out = io.StringIO()

    export_csv(either, out, mailing_list="weekly")

    assert out.getvalue().split("\r\n") == [
        "email,name,language,timezone,mailing_list,state,asked_at,confirmed_at,ended_at,paused_until,suppressed",
        '\'=anna@example.org,"\'=HYPERLINK(""x"")",,,weekly,confirmed,,2026-03-03T09:00:00+00:00,,,',
        "bert@example.org,김 민수,,,weekly,confirmed,,2026-03-03T09:00:00+00:00,,,bounced",
        "",
    ]


def test_an_export_may_leave_states_and_lists_out(either: Database, clock: SetClock) -> None:
    flow.add_mailing_list(either, slug="daily", name="Daily", clock=clock)
    bring(either, "email\nanna@example.org\n")
    bring(either, "email\nanna@example.org\nbert@example.org\n", to="daily", confirmed=False)

    def lines(**which: object) -> list[str]:
        out = io.StringIO()
        export_csv(either, out, **which)  # type: ignore[arg-type] # what the test names
        return [line.split(",")[0] + ":" + line.split(",")[4] for line in out.getvalue().splitlines()[1:]]

    assert lines() == ["anna@example.org:weekly", "anna@example.org:daily", "bert@example.org:daily"]
    assert lines(states=[SubscriptionState.CONFIRMED]) == ["anna@example.org:weekly"]
    assert lines(mailing_list="daily") == ["anna@example.org:daily", "bert@example.org:daily"]
    with pytest.raises(NotFoundError):
        lines(mailing_list="monthly")


def test_an_export_of_thousands_is_whole(either: Database) -> None:
    bring(either, "email\n" + "".join(f"reader{number}@example.org\n" for number in range(4_500)))
    out = io.StringIO()

    export_csv(either, out)

    assert len(set(out.getvalue().splitlines())) == 4_501


IMPORTER = """
import sys
from pathlib import Path
from publisher.audience.csv_form import import_csv
from publisher.audience.model import How
from publisher.clock import utc_now
from publisher.database import Database
def show(rows):
    print(rows, flush=True)
import_csv(Database(sys.argv[1]), Path(sys.argv[2]), mailing_list="weekly", confirmed=True, how=How.CLI,
           clock=utc_now, progress=show, at_once=500)
"""


def test_an_import_that_was_killed_is_simply_run_again(either: Database, tmp_path: Path) -> None:
    rows = "".join(f"reader{number}@example.org,Reader {number}\n" for number in range(20_000))
    file = tmp_path / "subscribers.csv"
    file.write_text("email,name\n" + rows)
    url = either.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", IMPORTER, url, str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)

    before = len(facts(either))
    report = import_csv(either, file, mailing_list="weekly", confirmed=True, how=How.CLI, clock=utc_now)

    assert 500 <= before < 20_000
    assert (report.added, report.unchanged) == (20_000 - before, before)
    assert len(facts(either)) == number_of_consents(either) == 20_000


@pytest.mark.postgresql
def test_two_imports_at_once_make_one_audience(postgresql_url: str, tmp_path: Path) -> None:
    database = Database(postgresql_url)
    metadata.create_all(database.engine)
    flow.add_mailing_list(database, slug="weekly", name="Weekly", clock=SetClock())
    file = tmp_path / "subscribers.csv"
    file.write_text("email\n" + "".join(f"reader{number}@example.org\n" for number in range(2_000)))
    command = [sys.executable, "-c", IMPORTER, postgresql_url, str(file)]
    both = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": "."}) for _ in range(2)
    ]

    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert len(facts(database)) == number_of_consents(database) == 2_000
    database.close()


@pytest.mark.postgresql
def test_after_a_large_import_the_server_knows_how_many_there_are(postgresql_url: str) -> None:
    """A plan made for an empty table takes minutes on a full one."""
    database = Database(postgresql_url)
    metadata.create_all(database.engine)
    flow.add_mailing_list(database, slug="weekly", name="Weekly", clock=SetClock())

    bring(database, "email\n" + "".join(f"reader{number}@example.org\n" for number in range(1_500)))

    with database.reading() as connection:
        sizes = connection.execute(
            sa.text(
                "SELECT relname, reltuples FROM pg_class WHERE relname IN ('subscriber', 'subscription', 'consent')"
            )
        )
        assert {row.relname: row.reltuples for row in sizes} == {
            "subscriber": 1500,
            "subscription": 1500,
            "consent": 1500,
        }
    database.close()


def test_asking_by_import_comes_after_asking_by_form(either: Database, clock: SetClock) -> None:
    """An import of unconfirmed people does not mail those again who were asked a minute ago."""
    flow.ask_to_subscribe(either, email="anna@example.org", lists=["weekly"], clock=clock)
    clock.pass_by(timedelta(minutes=1))

    report = bring(either, "email\nanna@example.org\n", confirmed=False)

    assert numbers(report) == (0, 0, 1, 0, 0)
    with either.reading() as connection:
        assert [each.at for each in store.confirmations_due(connection, at_most=9)] == [MORNING]


@pytest.mark.postgresql
def test_who_subscribes_while_an_import_brings_her_is_there_once(
    postgresql_url: str, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking who is known and putting in whom nobody knows lies an instant."""
    database = Database(postgresql_url)
    metadata.create_all(database.engine)
    flow.add_mailing_list(database, slug="monthly", name="Monthly", clock=clock)
    look = merge._are_known

    def look_and_lose_time(connection: sa.Connection) -> bool:
        found = look(connection)
        yes = flow.Yes(how=How.CLI, wording="Yes.")
        flow.add_subscriber(database, email="b@x.example", lists=["monthly"], yes=yes, clock=clock)
        return found

    monkeypatch.setattr(merge, "_are_known", look_and_lose_time)

    report = bring(database, "email,name\na@x.example,A\nb@x.example,B\nc@x.example,C\n", to="monthly")

    assert (report.added, report.merged, report.unchanged) == (2, 1, 0)
    with database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(consent)) == 3
        assert connection.scalar(sa.select(sa.func.count()).select_from(subscription)) == 3
    database.close()

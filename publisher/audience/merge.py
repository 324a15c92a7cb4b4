"""How thousands of subscribers enter the database at once: a table of our own, then a statement for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.audience import store
from publisher.audience.model import How, MailingListId, Suppression, SuppressionReason
from publisher.database import Instant, one_at_a_time


class Person(NamedTuple):
    """A subscriber to be; a tuple, for there are a million."""

    email_key: str
    email: str
    name: str
    language: str
    time_zone: str
    joined_at: str = ""
    """When another system says that the yes was given; as `origins.STORED`."""
    origin: str = ""
    """The network that the yes came from, truncated."""
    fate: str = ""
    """ENDED or the reason for a suppression, where another system says that this person is not to be mailed."""
    fate_at: str = ""
    detail: str = ""


ENDED = "ended"
"""The fate of who has unsubscribed."""
_PLAIN = 5
"""The fields that are all of a person where nothing comes from another system."""
_FATES = ("", ENDED, *SuppressionReason)


def together(first: Person, again: Person) -> Person:
    """Return one person of two rows: what the first tells stays, but who has left in one of them has left."""
    stronger = max(first, again, key=lambda each: _FATES.index(each.fate))  # of equals the first
    known = Person(*(old or new for old, new in zip(first, again, strict=True)))
    return known._replace(fate=stronger.fate, fate_at=stronger.fate_at, detail=stronger.detail)


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What became of some people; the first six make up all of them."""

    added: int
    """New on the mailing list."""
    changed: int
    """Confirmed by this import, or known a little better."""
    unchanged: int
    unsubscribed: int
    """Left alone, for they have unsubscribed."""
    suppressed: int
    """Of all of them: those that we do not mail all the same."""
    left: int = 0
    """Whose subscriptions ended elsewhere, and so here."""
    barred: int = 0
    """Suppressed, as they were elsewhere."""


def merge(
    connection: Connection,
    people: Sequence[Person],
    *,
    mailing_list_id: MailingListId,
    confirmed: bool,
    how: How,
    wording: str,
    now: datetime,
) -> Merged:
    """
    Put people on a mailing list; whoever is known already keeps everything that is known.

    Doing it again changes nothing. `people` has each address key once, and is fastest in the order of keys.
    """
    if not people:
        return Merged(added=0, changed=0, unchanged=0, unsubscribed=0, suppressed=0)
    is_plain = not any(person.joined_at or person.origin for person in people)
    values = {"list": mailing_list_id, "confirmed": confirmed, "how": how, "wording": wording, "now": now}
    values["is_plain"] = is_plain
    _bring_in(connection, people, is_plain=is_plain)
    if confirmed and is_plain and connection.dialect.name == "postgresql" and _put_new(connection, values, len(people)):
        merged = Merged(added=len(people), changed=0, unchanged=0, unsubscribed=0, suppressed=_suppressed(connection))
    else:
        merged = _put(connection, values, confirmed=confirmed)
    connection.execute(sa.text("DROP TABLE incoming"))
    return merged


def end_elsewhere(
    connection: Connection, people: Sequence[Person], *, mailing_list_id: MailingListId, now: datetime
) -> None:
    """
    Keep of people that they have left a mailing list, where another system kept it before.

    Who has said yes here since then, by other ways than a file, stays.
    """
    if not people:
        return
    values: dict[str, object] = {"list": mailing_list_id, "now": now}
    _bring_in(connection, people, is_plain=False)
    one_at_a_time(connection, "audience: ask")
    _run(connection, _PUT_SUBSCRIBERS, values)
    _run(connection, _END, values)
    _run(connection, _PUT_ENDED, values)
    connection.execute(sa.text("DROP TABLE incoming"))


def bar(connection: Connection, people: Sequence[Person], *, now: datetime) -> None:
    """Suppress people as another system did; who is suppressed already for as strong a reason keeps it."""
    store.suppress(
        connection,
        (
            Suppression(
                email_key=each.email_key,
                reason=SuppressionReason(each.fate),
                at=min(datetime.fromisoformat(each.fate_at).replace(tzinfo=UTC), now) if each.fate_at else now,
                detail=each.detail,
            )
            for each in people
        ),
    )


def _put_new(connection: Connection, values: dict[str, object], number: int) -> bool:
    """
    Put in people of whom nobody is known; False, and nothing is put in, where one is.

    Should another transaction bring one of them at this moment, all of them go back, for who asks for a lock
    while he keeps others from these addresses may wait for ever.
    """
    if _are_known(connection):
        return False
    with connection.begin_nested() as savepoint:
        is_done = _run(connection, _PUT_NEW, values).rowcount == number
        if not is_done:
            savepoint.rollback()
    return is_done


def _put(connection: Connection, values: dict[str, object], *, confirmed: bool) -> Merged:
    """Put in what is not there; nobody else does at this moment, and pending subscriptions keep the order of asking."""
    one_at_a_time(connection, "audience: ask")
    merged = _look(connection, values)
    _run(connection, _PUT_SUBSCRIBERS, values)
    if confirmed and merged.changed:
        _run(connection, _CONSENTS_OF_PENDING, values)
        _run(connection, _CONFIRM_PENDING, values)
    if merged.added:
        last = connection.scalar(sa.text("SELECT coalesce(max(id), 0) FROM subscription"))
        _run(connection, _PUT_CONFIRMED if confirmed else _PUT_PENDING, values)
        if confirmed:
            consents = _CONSENTS_OF_NEW if values["is_plain"] else _DATED_CONSENTS_OF_NEW
            _run(connection, consents, values | {"last": last})
    return merged


def note_growth(connection: Connection) -> None:
    """Let PostgreSQL count the tables now, not at autovacuum's leisure: the next issue may be planned in a second."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("ANALYZE subscriber, subscription, consent"))


def _bring_in(connection: Connection, people: Sequence[Person], *, is_plain: bool) -> None:
    """Put people into a table of our own; with what another system tells it is looked into by key as well."""
    _fill(connection, people, is_plain=is_plain)
    if not is_plain:
        schema = "temp." if connection.dialect.name == "sqlite" else ""
        connection.execute(sa.text(f"CREATE INDEX {schema}ix_incoming ON incoming (email_key)"))


def _fill(connection: Connection, people: Sequence[Person], *, is_plain: bool) -> None:
    rows = [person[:_PLAIN] for person in people] if is_plain else people
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text(f"CREATE TEMPORARY TABLE incoming ({_COLUMNS})"))
        places = ", ".join("?" * (_PLAIN if is_plain else len(Person._fields)))
        names = ", ".join(Person._fields[: _PLAIN if is_plain else None])
        connection.exec_driver_sql(f"INSERT INTO incoming ({names}) VALUES ({places})", list(rows))  # noqa: S608 -- ours
        return
    for planning in ("enable_hashjoin", "enable_mergejoin"):  # however large the tables are, their indexes are used
        connection.execute(sa.text(f"SET LOCAL {planning} = off"))
    connection.execute(sa.text(f"CREATE TEMPORARY TABLE incoming ({_COLUMNS.replace('TEXT', _BY_BYTES, 1)})"))
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(_COPY_PLAIN if is_plain else _COPY) as copy:
        for row in rows:
            copy.write_row(row)


def _are_known(connection: Connection) -> bool:
    """Tell whether any of them is known, on whatever mailing list."""
    wanted = sa.text("SELECT EXISTS (SELECT 1 FROM incoming JOIN subscriber USING (email_key))")
    return bool(connection.scalar(wanted))


def _look(connection: Connection, values: dict[str, object]) -> Merged:
    """Return what will become of them."""
    found = _run(connection, _LOOK, values).one()
    return Merged(
        added=found.added,
        changed=found.changed,
        unsubscribed=found.unsubscribed,
        unchanged=found.number - found.added - found.changed - found.unsubscribed,
        suppressed=_suppressed(connection),
    )


def _suppressed(connection: Connection) -> int:
    return connection.scalar(sa.text("SELECT count(*) FROM incoming JOIN suppression USING (email_key)")) or 0


def _run(connection: Connection, sql: str, values: dict[str, object]) -> sa.CursorResult[tuple[int, ...]]:
    sql = sql.replace("<joined>", _instant(connection, "joined_at")).replace("<left>", _instant(connection, "fate_at"))
    statement = sa.text(sql)
    if ":now" in sql:
        statement = statement.bindparams(sa.bindparam("now", type_=Instant))
    return connection.execute(statement, values)


def _instant(connection: Connection, column: str) -> str:
    """Return the expression for an instant of a person: now where it is not known, or would be yet to come."""
    if connection.dialect.name == "sqlite":
        return f"coalesce(min(nullif(incoming.{column}, ''), :now), :now)"
    return f"coalesce(least(CAST(nullif(incoming.{column}, '') || '+00' AS timestamptz), :now), :now)"


_COLUMNS = ", ".join(f"{name} TEXT" for name in Person._fields)
_COPY_PLAIN = f"COPY incoming ({', '.join(Person._fields[:_PLAIN])}) FROM STDIN"
_COPY = "COPY incoming FROM STDIN"
_BY_BYTES = 'TEXT COLLATE "C"'  # as subscriber.email_key is

_KNOWN = """
    FROM incoming
    JOIN subscriber ON subscriber.email_key = incoming.email_key
    JOIN subscription ON subscription.subscriber_id = subscriber.id AND subscription.mailing_list_id = :list
"""
_BETTER = """(
    (subscriber.name = '' AND {new}.name <> '')
    OR (subscriber.language = '' AND {new}.language <> '')
    OR (subscriber.time_zone = '' AND {new}.time_zone <> '')
)"""
_LOOK = f"""
    SELECT count(*) AS number,
        count(*) FILTER (WHERE subscription.id IS NULL) AS added,
        count(*) FILTER (WHERE subscription.state = 'unsubscribed') AS unsubscribed,
        count(*) FILTER (
            WHERE subscription.state <> 'unsubscribed'
            AND ((:confirmed AND subscription.state = 'pending') OR {_BETTER.format(new="incoming")})
        ) AS changed
    {_KNOWN.replace("JOIN", "LEFT JOIN")}
"""
_PUT_SUBSCRIBERS = f"""
    INSERT INTO subscriber (email, email_key, name, language, time_zone, created_at)
    SELECT email, email_key, name, language, time_zone, :now FROM incoming WHERE true
    ON CONFLICT (email_key) DO UPDATE SET
        name = CASE WHEN subscriber.name = '' THEN excluded.name ELSE subscriber.name END,
        language = CASE WHEN subscriber.language = '' THEN excluded.language ELSE subscriber.language END,
        time_zone = CASE WHEN subscriber.time_zone = '' THEN excluded.time_zone ELSE subscriber.time_zone END
    WHERE {_BETTER.format(new="excluded")}
"""  # noqa: S608 -- put together from constants
_CONSENTS_OF_PENDING = f"""
    INSERT INTO consent (subscription_id, at, how, origin, wording)
    SELECT subscription.id, <joined>, :how, coalesce(incoming.origin, ''), :wording {_KNOWN}
    WHERE subscription.state = 'pending'
"""
_CONFIRM_PENDING = f"""
    UPDATE subscription SET state = 'confirmed', confirmed_at = :now, answers = NULL
    WHERE state = 'pending' AND id IN (SELECT subscription.id {_KNOWN})
"""  # noqa: S608 -- put together from constants
_PUT = """
    INSERT INTO subscription (mailing_list_id, subscriber_id, state, {at})
    SELECT :list, subscriber.id, '{state}', {instant}
    FROM incoming JOIN subscriber ON subscriber.email_key = incoming.email_key WHERE true
    ON CONFLICT (subscriber_id, mailing_list_id) DO NOTHING
"""
_PUT_CONFIRMED = _PUT.format(at="confirmed_at", state="confirmed", instant="<joined>")
_PUT_PENDING = _PUT.format(at="asked_at", state="pending", instant=":now")
_PUT_ENDED = _PUT.format(at="ended_at", state="unsubscribed", instant="<left>")
_END = f"""
    UPDATE subscription SET state = 'unsubscribed', paused_until = NULL, ended_at = (
        SELECT <left> FROM incoming JOIN subscriber ON subscriber.email_key = incoming.email_key
        WHERE subscriber.id = subscription.subscriber_id
    )
    WHERE state <> 'unsubscribed' AND id IN (
        SELECT subscription.id {_KNOWN}
        WHERE subscription.state = 'pending' OR NOT EXISTS (
            SELECT 1 FROM consent WHERE consent.subscription_id = subscription.id AND consent.how <> 'import'
            AND (incoming.fate_at = '' OR consent.at > <left>)
        )
    )
"""  # noqa: S608 -- put together from constants
_PUT_NEW = """
    WITH person AS (
        INSERT INTO subscriber (email, email_key, name, language, time_zone, created_at)
        SELECT email, email_key, name, language, time_zone, :now FROM incoming ON CONFLICT (email_key) DO NOTHING
        RETURNING id
    ), yes AS (
        INSERT INTO subscription (mailing_list_id, subscriber_id, state, confirmed_at)
        SELECT :list, id, 'confirmed', :now FROM person RETURNING id
    )
    INSERT INTO consent (subscription_id, at, how, origin, wording) SELECT id, :now, :how, '', :wording FROM yes
"""
"""All three at once where nobody is known, which PostgreSQL does in two thirds of the time: it has the ids at hand."""
_CONSENTS_OF_NEW = """
    INSERT INTO consent (subscription_id, at, how, origin, wording)
    SELECT id, :now, :how, '', :wording FROM subscription
    WHERE mailing_list_id = :list AND id > :last AND state = 'confirmed' AND confirmed_at = :now ORDER BY id
"""
_DATED_CONSENTS_OF_NEW = f"""
    INSERT INTO consent (subscription_id, at, how, origin, wording)
    SELECT subscription.id, <joined>, :how, coalesce(incoming.origin, ''), :wording {_KNOWN}
    WHERE +subscription.id > :last AND subscription.state = 'confirmed'
    AND NOT EXISTS (SELECT 1 FROM consent WHERE consent.subscription_id = subscription.id)
    ORDER BY subscription.id
"""  # noqa: S608 -- put together from constants

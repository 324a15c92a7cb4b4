import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from publisher import acts
from publisher.clock import Clock
from publisher.database import Database, one_at_a_time
from publisher.errors import ConflictError, InputError
from publisher.outbound import address_problem
from publisher.turn import Turn, take_turns
from publisher.webhooks import gathering, news, rules, sending, store
from publisher.webhooks.model import TEST, Endpoint, EndpointId, Happening, WebhookId

ENDPOINTS_AT_MOST = 50
URL_AT_MOST = 2_000
NAME_AT_MOST = 100
KEY_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An endpoint as somebody sets it up."""

    url: str
    name: str = ""
    happenings: Collection[str] = field(default_factory=tuple)
    with_addresses: bool = False


@dataclass(frozen=True, kw_only=True)
class Added:
    """A new endpoint, with the secret that is shown this once."""

    endpoint: Endpoint
    secret: str = field(repr=False)


def tell_due(
    database: Database,
    *,
    base_url: str,
    clock: Clock,
    allow_private: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Find what has happened, and tell it to the endpoints that want to know; return whether anything was due."""
    gather_due(database, base_url=base_url, clock=clock)
    return sending.send_due(
        database,
        clock=clock,
        allow_private=allow_private,
        refill=lambda: gather_due(database, base_url=base_url, clock=clock, whole=False),
        pause=pause,
    )


def gather_due(database: Database, *, base_url: str, clock: Clock, whole: bool = True) -> None:
    """
    Put up what the endpoints are to be told. Any number of workers may run it; one does.

    Args:
        database: Where it stands.
        base_url: Of the site, for links.
        clock: Tells the time.
        whole: Until nothing is left to put up, or else one step.

    """
    with database.reading() as connection:
        is_idle = not store.endpoints(connection, only_on=True) and not news.is_any(connection, clock())
    if not is_idle:
        take_turns(database, news.STAGE, clock, lambda turn: _step(database, turn, base_url, clock) and whole)


def _step(database: Database, turn: Turn, base_url: str, clock: Clock) -> bool:
    is_more = news.note_some(database, turn, clock())
    with database.reading() as connection:
        endpoints = store.endpoints(connection, only_on=True)
    for each in endpoints:
        is_more = gathering.gather(database, turn, each, base_url=base_url, now=clock()) or is_more
    return is_more


# --- what an operator does


def add_endpoint(database: Database, wanted: Wanted, *, clock: Clock, allow_private: bool) -> Added:
    """
    Tell an address elsewhere of what happens from now on.

    Raises:
        InputError: The address cannot be used, or nothing is chosen.
        ConflictError: There are too many.

    """
    values = _checked(wanted, allow_private=allow_private)
    secret = _new_secret()
    with database.transaction() as connection:
        one_at_a_time(connection, "webhooks: endpoints")
        if len(store.endpoints(connection)) >= ENDPOINTS_AT_MOST:
            raise ConflictError(f"There are {ENDPOINTS_AT_MOST} endpoints already; delete one first.")
        endpoint_id = store.add_endpoint(connection, values | {"secret": secret}, now=clock())
        acts.note(connection, "webhook endpoint added", f"endpoint {endpoint_id}")
        return Added(endpoint=store.endpoint_of(connection, endpoint_id), secret=secret)


def change_endpoint(
    database: Database,
    endpoint_id: EndpointId,
    wanted: Wanted,
    *,
    allow_private: bool,
    check: Callable[[Endpoint], None] = lambda _: None,
) -> Endpoint:
    """
    Change an endpoint's address and what it is told. Raises InputError and NotFoundError.

    `check` may refuse, by raising, what the endpoint has become meanwhile.
    """
    values = _checked(wanted, allow_private=allow_private)
    with database.transaction() as connection:
        one_at_a_time(connection, "webhooks: endpoints")
        check(store.endpoint_of(connection, endpoint_id))
        store.change_endpoint(connection, endpoint_id, values)
        acts.note(connection, "webhook endpoint changed", f"endpoint {endpoint_id}")
        return store.endpoint_of(connection, endpoint_id)


def rotate_secret(database: Database, endpoint_id: EndpointId, *, clock: Clock) -> str:
    """Return a new secret; the one before it signs as well for a day. Raises NotFoundError."""
    secret = _new_secret()
    with database.transaction() as connection:
        found = store.endpoint_of(connection, endpoint_id)
        former = {"former_secret": found.secret, "former_until": clock() + rules.FORMER_SECRET_FOR}
        store.change_endpoint(connection, endpoint_id, {"secret": secret} | former)
        acts.note(connection, "webhook secret rotated", f"endpoint {endpoint_id}")
    return secret


def switch(database: Database, endpoint_id: EndpointId, *, on: bool) -> Endpoint:
    """Switch an endpoint on, where it goes on from where it stopped, or off. Raises NotFoundError."""
    well = {"failures": 0, "failing_since": None, "rest_until": None}
    values = {"is_on": on, "off_reason": "" if on else "Switched off by an operator."}
    with database.transaction() as connection:
        store.change_endpoint(connection, endpoint_id, values | well)
        acts.note(connection, f"webhook endpoint switched {'on' if on else 'off'}", f"endpoint {endpoint_id}")
        return store.endpoint_of(connection, endpoint_id)


def remove_endpoint(database: Database, endpoint_id: EndpointId) -> None:
    """Forget an endpoint and all that was to be told to it. Raises NotFoundError."""
    with database.transaction() as connection:
        store.remove_endpoint(connection, endpoint_id)
        acts.note(connection, "webhook endpoint deleted", f"endpoint {endpoint_id}")


def send_test(database: Database, endpoint_id: EndpointId, *, clock: Clock) -> None:
    """Put up a webhook that tells of nothing. Raises NotFoundError, and ConflictError for an endpoint that is off."""
    with database.transaction() as connection:
        found = store.endpoint_of(connection, endpoint_id)
        _check_on(found)
        if store.waiting(connection, endpoint_id) > gathering.QUEUE:
            raise ConflictError("Too much waits for this endpoint already; a test would only be the last of it.")
        now = clock()
        test = {"kind": TEST, "at": now, "message_id": rules.message_id(TEST, secrets.token_hex(16))}
        facts = {"said": "This is a test from the desk. Nothing has happened."}
        store.put(connection, [test | {"endpoint_id": endpoint_id, "facts": facts}], now=now)


def send_again(database: Database, endpoint_id: EndpointId, webhook_id: WebhookId, *, clock: Clock) -> None:
    """Send a webhook again with the same id. Raises NotFoundError, and ConflictError for an endpoint that is off."""
    with database.transaction() as connection:
        _check_on(store.endpoint_of(connection, endpoint_id))
        store.put_again(connection, store.webhook_of(connection, endpoint_id, webhook_id), now=clock())


def _check_on(endpoint: Endpoint) -> None:
    if not endpoint.is_on:
        raise ConflictError("This endpoint is switched off; switch it on first.")


def _checked(wanted: Wanted, *, allow_private: bool) -> dict[str, object]:
    url, name = wanted.url.strip(), " ".join(wanted.name.split())
    if problem := _address_problem(url, allow_private=allow_private):
        raise InputError(problem, "url")
    if len(name) > NAME_AT_MOST or not name.isprintable():
        raise InputError(f"A name has at most {NAME_AT_MOST} characters.", "name")
    if unknown := sorted(set(wanted.happenings) - set(Happening)):
        raise InputError(f"There is no event {unknown[0][:60]!r}; there are {', '.join(Happening)}.", "events")
    if not wanted.happenings:
        raise InputError("Choose at least one event.", "events")
    happenings = [each.value for each in Happening if each in wanted.happenings]
    return {"url": url, "name": name, "happenings": happenings, "with_addresses": wanted.with_addresses}


def _address_problem(url: str, *, allow_private: bool) -> str:
    if not url or len(url) > URL_AT_MOST or not url.isprintable() or " " in url:
        return "This must be a web address, such as https://crm.example.org/hooks."
    if not url.startswith("https://") and not allow_private:
        return "The address must begin with https://, for what is sent is nobody else's business."
    problem = address_problem(url)
    if not problem or (allow_private and "private" in problem):
        return ""
    return f"The address {problem}."


def _new_secret() -> str:
    return rules.written_secret(secrets.token_bytes(KEY_BYTES))

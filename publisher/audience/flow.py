from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from publisher import acts
from publisher.audience import erased, rules, store
from publisher.audience.erased import recognise
from publisher.audience.model import (
    Answers,
    Consent,
    How,
    MailingList,
    MailingListId,
    SubscriberId,
    Subscription,
    SubscriptionId,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from publisher.audience.segment_store import choose_topics, topics_of, topics_offered
from publisher.audience.tokens import Purpose, Signer
from publisher.clock import Clock
from publisher.database import Database, one_at_a_time
from publisher.errors import ConflictError, InputError, NotFoundError

PAUSE_AT_MOST = timedelta(days=366)
DETAIL_AT_MOST = 500
DESCRIPTION_AT_MOST = 2_000
NOT_YET = frozenset(SubscriptionState) - {SubscriptionState.CONFIRMED}


@dataclass(frozen=True, kw_only=True)
class Yes:
    """What a consent record needs to know of the moment: the way, the IP address, and the sentence agreed to."""

    how: How
    origin: str = ""
    """An IP address; only its network is kept."""
    wording: str = ""
    form: str = ""


def add_mailing_list(database: Database, *, slug: str, name: str, description: str = "", clock: Clock) -> MailingListId:
    """Add a mailing list. Raises InputError for a name that cannot be used, ConflictError for a taken one."""
    slug, name = rules.list_slug(slug), rules.clean_name(name)
    description = rules.clean_line(description, DESCRIPTION_AT_MOST)
    if not name:
        raise InputError("A mailing list needs a name.")
    with database.transaction() as connection:
        added = store.add_mailing_list(connection, slug=slug, name=name, description=description, now=clock())
        if added is not None:
            acts.note(connection, "mailing list added", slug)
    if added is None:
        raise ConflictError(f"There is a mailing list {slug!r} already.")
    return added


def change_mailing_list(database: Database, slug: str, *, name: str, description: str) -> None:
    """Change what readers see of a mailing list. Raises InputError, NotFoundError."""
    name = rules.clean_name(name)
    if not name:
        raise InputError("A mailing list needs a name.")
    with database.transaction() as connection:
        found = store.mailing_list_named(connection, slug)
        description = rules.clean_line(description, DESCRIPTION_AT_MOST)
        store.change_mailing_list(connection, found.id, name=name, description=description)
        acts.note(connection, "mailing list changed", slug)


def ask_to_subscribe(
    database: Database,
    *,
    email: str,
    lists: Sequence[str],
    clock: Clock,
    name: str = "",
    language: str = "",
    time_zone: str = "",
    topics: Collection[str] = (),
    origin: str = "",
    form: str = "",
) -> None:
    """
    Let an address wait for its confirmation on some mailing lists, which are named by slug.

    Ends in the same way whatever was known of the address, so that nobody learns who reads us. Whoever
    asks has shown nothing yet: the details of a reader who has confirmed anything stay as they are, until
    the answers that wait with the subscription are confirmed from the address itself.

    Raises:
        InputError: The address or another detail cannot be used.
        NotFoundError: No such mailing list.

    """
    details = _details(name=name, language=language, time_zone=time_zone)
    email = rules.normalise_email(email)
    with database.transaction() as connection:
        wanted = _lists(connection, lists)
        one_at_a_time(connection, "audience: ask")  # so asked_at rises in the order of commits
        now = clock()
        subscriber_id, before = _asking(connection, email, details, now)
        recognise(database, connection, [rules.email_key(email)])
        suppression = store.suppressions(connection, [email]).get(rules.email_key(email))
        offered = set(topics).intersection(topics_offered(connection)) if topics else set()
        answers = Answers(**details, topics=tuple(sorted(offered)), form=rules.clean_line(form, rules.FORM_AT_MOST))
        network = rules.origin_truncated(origin)
        for each in wanted:
            found = before.get(each.id)
            if found is None or rules.may_ask_again(found, suppression, now):
                store.ask(connection, subscriber_id, each.id, origin=network, answers=answers, now=now)


def _asking(
    connection: Connection, email: str, details: dict[str, str], now: datetime
) -> tuple[SubscriberId, dict[MailingListId, Subscription]]:
    known = store.subscriber_with_email(connection, email)
    if known is None:
        return store.put_subscriber(connection, email=email, now=now, **details), {}
    subscriptions = store.subscriptions_of(connection, [known.id]).get(known.id, [])
    if not any(each.state is SubscriptionState.CONFIRMED for each in subscriptions):
        store.put_subscriber(connection, email=email, now=now, **details)
    return known.id, {each.mailing_list_id: each for each in subscriptions}


def confirm(
    database: Database, signer: Signer, token: str, *, clock: Clock, origin: str = "", wording: str = ""
) -> Subscription:
    """
    Record the yes of the reader who holds a CONFIRM token, to all that was asked for in one breath.

    What was chosen on asking holds from now on; what was left open there stays as it was. The second time nothing
    changes. A subscription that was ended after the link was sent stays ended.

    Raises:
        InputError: The token is not ours.
        NotFoundError: The subscription is gone.
        ConflictError: It has ended.

    """
    subscription_id = SubscriptionId(_read(signer, Purpose.CONFIRM, token))
    with database.transaction() as connection:
        now = clock()
        found = _subscription(connection, subscription_id)
        if found.state is SubscriptionState.UNSUBSCRIBED:
            raise ConflictError("This subscription has ended since the link was sent. Subscribe again for a new one.")
        answers = answers_to(connection, found)
        new = store.confirm_asked_together(connection, found, now=now)
        yes = Yes(how=How.FORM, origin=origin, wording=wording, form=answers.form)
        _record(connection, new, yes, now)
        if new:
            _take_over(connection, found.subscriber_id, answers)
            _lift_own_will(connection, found.subscriber_id)
        return _subscription(connection, subscription_id)


def answers_to(connection: Connection, asked: Subscription) -> Answers:
    """Return what was chosen when a subscription was asked for, or others in the same breath."""
    mine = store.subscriptions_of(connection, [asked.subscriber_id]).get(asked.subscriber_id, [])
    together = (each for each in mine if each.id == asked.id or each.asked_at == asked.asked_at)
    return next((each.answers for each in together if each.answers), Answers())


def _take_over(connection: Connection, subscriber_id: SubscriberId, answers: Answers) -> None:
    reader = store.subscriber_with_id(connection, subscriber_id)
    if reader is None:
        return
    store.change_subscriber(
        connection,
        subscriber_id,
        name=answers.name or reader.name,
        language=answers.language or reader.language,
        time_zone=answers.time_zone or reader.time_zone,
    )
    if answers.topics:
        choose_topics(connection, subscriber_id, {*topics_of(connection, subscriber_id), *answers.topics})


def unsubscribe(database: Database, subscription_id: SubscriptionId, *, clock: Clock) -> Subscription | None:
    """End a subscription and return it; the second time nothing changes. None when there is no such subscription."""
    with database.transaction() as connection:
        store.end(connection, [subscription_id], now=clock())
        acts.note(connection, "subscription ended", f"subscription {subscription_id}")
        return store.subscription_with_id(connection, subscription_id)


def unsubscribe_by_link(database: Database, signer: Signer, token: str, *, clock: Clock) -> Subscription | None:
    """End the subscription that an UNSUBSCRIBE token names. Raises InputError when the token is not ours."""
    return unsubscribe(database, SubscriptionId(_read(signer, Purpose.UNSUBSCRIBE, token)), clock=clock)


def set_preferences(
    database: Database,
    subscriber_id: SubscriberId,
    *,
    lists: Collection[str],
    yes: Yes,
    clock: Clock,
    name: str = "",
    language: str = "",
    time_zone: str = "",
    topics: Collection[str] = (),
) -> None:
    """
    Do as a reader decides who came by a link of ours: details as given, these mailing lists and no others.

    A mailing list that is new to the reader needs no further confirmation, for the link has proved the address.

    Raises:
        InputError: A detail cannot be used.
        NotFoundError: No such subscriber or mailing list.

    """
    details = _details(name=name, language=language, time_zone=time_zone)
    with database.transaction() as connection:
        if store.subscriber_with_id(connection, subscriber_id) is None:
            raise NotFoundError("subscriber", subscriber_id)
        now = clock()
        wanted = {each.id for each in _lists(connection, lists)} if lists else set()
        store.change_subscriber(connection, subscriber_id, **details)
        choose_topics(connection, subscriber_id, set(topics).intersection(topics_offered(connection)))
        before = store.subscriptions_of(connection, [subscriber_id]).get(subscriber_id, [])
        store.end(connection, [each.id for each in before if each.mailing_list_id not in wanted], now=now)
        if _confirm_on(connection, subscriber_id, sorted(wanted), yes, now, over=NOT_YET):
            _lift_own_will(connection, subscriber_id)


def change_details(
    database: Database, subscriber_id: SubscriberId, *, name: str, language: str, time_zone: str
) -> None:
    """Change what is known of a subscriber. Raises InputError, NotFoundError."""
    details = _details(name=name, language=language, time_zone=time_zone)
    with database.transaction() as connection:
        if store.subscriber_with_id(connection, subscriber_id) is None:
            raise NotFoundError("subscriber", subscriber_id)
        store.change_subscriber(connection, subscriber_id, **details)
        acts.note(connection, "subscriber changed", f"subscriber {subscriber_id}")


def pause(database: Database, subscription_id: SubscriptionId, *, until: datetime | None, clock: Clock) -> None:
    """
    Send no issues of a subscription before an instant; None ends the pause.

    Raises:
        InputError: The instant has passed, or is more than a year away.
        NotFoundError: There is no such confirmed subscription.

    """
    now = clock()
    if until is not None and not now < until <= now + PAUSE_AT_MOST:
        raise InputError("A pause ends on a day to come, within a year.")
    with database.transaction() as connection:
        if not store.pause(connection, subscription_id, until):
            raise NotFoundError("confirmed subscription", subscription_id)


def add_subscriber(
    database: Database,
    *,
    email: str,
    lists: Sequence[str],
    yes: Yes,
    clock: Clock,
    name: str = "",
    language: str = "",
    time_zone: str = "",
) -> SubscriberId:
    """
    Put a person on mailing lists who has said yes elsewhere, as `yes` records; a suppression stays.

    Raises:
        InputError: The address or another detail cannot be used.
        NotFoundError: No such mailing list.
        ConflictError: The person has unsubscribed from one of them; only a yes to ourselves undoes that.

    """
    details = _details(name=name, language=language, time_zone=time_zone)
    email = rules.normalise_email(email)
    with database.transaction() as connection:
        wanted = _lists(connection, lists)
        now = clock()
        subscriber_id = store.put_subscriber(connection, email=email, now=now, **details)
        recognise(database, connection, [rules.email_key(email)])
        before = store.subscriptions_of(connection, [subscriber_id]).get(subscriber_id, [])
        ended = {each.mailing_list_id for each in before if each.state is SubscriptionState.UNSUBSCRIBED}
        for each in wanted:
            if each.id in ended:
                raise ConflictError(
                    f"This reader has unsubscribed from {each.slug!r}; only the reader can subscribe again."
                )
        _confirm_on(connection, subscriber_id, [each.id for each in wanted], yes, now, over={SubscriptionState.PENDING})
        acts.note(connection, "subscriber added", f"subscriber {subscriber_id}")
        return subscriber_id


def suppress(database: Database, email: str, *, reason: SuppressionReason, clock: Clock, detail: str = "") -> None:
    """Mail an address no more, whether we know it or not; a stronger reason from before stays. Raises InputError."""
    key = rules.email_key(rules.normalise_email(email))
    found = Suppression(email_key=key, reason=reason, at=clock(), detail=rules.clean_line(detail, DETAIL_AT_MOST))
    with database.transaction() as connection:
        store.suppress(connection, [found])
        acts.note(connection, "address suppressed", f"for {reason}")


def suppression_of(database: Database, connection: Connection, email: str) -> Suppression | None:
    """Return why an address is not mailed, that of an erased reader too. Raises InputError."""
    key = rules.email_key(rules.normalise_email(email))
    return store.suppressions(connection, [key]).get(key) or erased.suppression_of(database, connection, key)


def lift_suppression(
    database: Database,
    email: str,
    *,
    why: str = "",
    reasons: Collection[SuppressionReason] = tuple(SuppressionReason),
) -> bool:
    """
    Let an address be mailed again; return whether it was suppressed, for one of the reasons. Raises InputError.

    Why that is done stands in the record, without any address.
    """
    key = rules.email_key(rules.normalise_email(email))
    said = rules.without_addresses(rules.clean_line(why, DETAIL_AT_MOST))
    with database.transaction() as connection:
        is_known_by_hash = erased.lift(database, connection, key, reasons)
        is_lifted = store.lift_suppression(connection, key, reasons) or is_known_by_hash
        if is_lifted:
            acts.note(connection, "suppression lifted", f"an address: {said}" if said else "an address")
        return is_lifted


def _details(*, name: str, language: str, time_zone: str) -> dict[str, str]:
    return {
        "name": rules.clean_name(name),
        "language": rules.language_tag(language),
        "time_zone": rules.time_zone(time_zone),
    }


def _lists(connection: Connection, slugs: Collection[str]) -> list[MailingList]:
    if not slugs:
        raise InputError("Choose a mailing list.")
    return [store.mailing_list_named(connection, slug) for slug in dict.fromkeys(slugs)]


def _read(signer: Signer, purpose: Purpose, token: str) -> int:
    number = signer.read(purpose, token)
    if number is None:
        raise InputError("This link is not whole. Copy all of it from the mail.")
    return number


def _subscription(connection: Connection, subscription_id: SubscriptionId) -> Subscription:
    found = store.subscription_with_id(connection, subscription_id)
    if found is None:
        raise NotFoundError("subscription", subscription_id)
    return found


def _confirm_on(
    connection: Connection,
    subscriber_id: SubscriberId,
    lists: Sequence[MailingListId],
    yes: Yes,
    now: datetime,
    *,
    over: Collection[SubscriptionState],
) -> bool:
    put = [store.put_confirmed(connection, subscriber_id, each, over=over, now=now) for each in lists]
    new = [each for each in put if each is not None]
    _record(connection, new, yes, now)
    return bool(new)


def _record(connection: Connection, ids: Sequence[SubscriptionId], yes: Yes, now: datetime) -> None:
    origin, wording = rules.origin_truncated(yes.origin), rules.clean_line(yes.wording, rules.WORDING_AT_MOST)
    store.record_consents(
        connection,
        [
            Consent(subscription_id=each, at=now, how=yes.how, origin=origin, wording=wording, form=yes.form)
            for each in ids
        ],
    )


def _lift_own_will(connection: Connection, subscriber_id: SubscriberId) -> None:
    """A yes takes back what the same reader had asked of us."""
    reader = store.subscriber_with_id(connection, subscriber_id)
    if reader is not None:
        store.lift_suppression(connection, rules.email_key(reader.email), rules.LIFTED_BY_CONFIRMING)

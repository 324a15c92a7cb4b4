import base64
import hashlib
import hmac
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from publisher.archive import flow as archive
from publisher.archive.model import ArticleId
from publisher.audience import flow as audience
from publisher.audience.model import SubscriptionId
from publisher.audience.tables import subscriber, subscription
from publisher.clock import utc_now
from publisher.compose.model import IssueId
from publisher.dispatch import flow as dispatch
from publisher.dispatch.sending import send_due
from publisher.dispatch.transports.choose import transport_for
from publisher.errors import ConflictError, InputError, NotFoundError
from publisher.events import flow as events
from publisher.events.model import DeliveryEvent, EventKind, Provider
from publisher.events.tables import delivery_event
from publisher.related.flow import relate_due
from publisher.webhooks import flow, rules, sending, store
from publisher.webhooks.flow import Wanted, gather_due, tell_due
from publisher.webhooks.gathering import QUEUE, SETTLED
from publisher.webhooks.model import Ending, EndpointId, Happening, WebhookId, WebhookState
from publisher.webhooks.sending import settle
from publisher.webhooks.tables import webhook
from tests.builders import a_draft, handed_in
from tests.syndication.websub.subscriber import Subscriber
from tests.webhooks.conftest import SITE, House, told

ARTICLES = (Happening.ARTICLE_PUBLISHED, Happening.ARTICLE_WITHDRAWN)


def types(receiver: Subscriber) -> list[str]:
    return [each["type"] for each in told(receiver.got)]


def a_sent_issue(house: House, *addresses: str) -> IssueId:
    room = house.room
    for each in addresses:
        house.add_reader(each)
    issue_id = room.approved_issue(subject="Jeonse and Kimjang")
    relate_due(room.database, house.clock)
    dispatch.plan_due(room.database, room.settings, clock=house.clock, planned=lambda: None)
    send_due(room.dispatcher(transport_for(room.settings.mail_url, room.settings.data_dir)))
    return issue_id


def hear(house: House, issue_id: IssueId, kind: EventKind, seq: int = 1) -> None:
    event = DeliveryEvent(
        provider=Provider.MAILBOX,
        event_id=f"{kind} {seq}",
        kind=kind,
        issue_id=issue_id,
        seq=seq,
        at=house.clock(),
        address="",
        status="5.1.1",
        is_dead=True,
        reason="no such mailbox: reader1@readers.example",
        raw="",
    )
    events.receive(house.room.database, [event], clock=house.clock)
    events.apply_due(house.room.database, clock=house.clock)


def test_a_published_article_is_told_signed_and_in_the_standards_form(
    either_house: House, receiver: Subscriber
) -> None:
    house = either_house
    secret = house.add(receiver.callback(), *ARTICLES).secret

    [article_id] = house.articles("How Jeonse Works")
    house.tell(settled=False)

    [got] = receiver.got
    [said] = told([got])
    assert said["type"] == "article.published"
    assert (said["data"]["article_id"], said["data"]["title"]) == (article_id, "How Jeonse Works")
    assert said["data"]["url"] == f"{SITE}/articles/how-jeonse-works"
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert got.headers["content-type"] == "application/json"
    assert house.tell() is False


def test_an_article_is_published_once_however_often_it_changes(house: House, receiver: Subscriber) -> None:
    house.add(receiver.callback(), *ARTICLES)
    [article_id] = house.articles("News")
    for number in range(2):
        revised = a_draft(external_id="News", title="News", summary=f"Revised {number} times.")
        assert handed_in(house.room.database, [revised], clock=house.clock)[0].article_id == article_id
        relate_due(house.room.database, house.clock)
        house.tell()
    archive.withdraw(house.room.database, ArticleId(article_id), clock=house.clock)
    relate_due(house.room.database, house.clock)
    house.tell()
    archive.restore(house.room.database, ArticleId(article_id), clock=house.clock)
    relate_due(house.room.database, house.clock)
    house.tell()

    assert types(receiver) == ["article.published", "article.withdrawn", "article.published"]
    assert len({each.headers["webhook-id"] for each in receiver.got}) == 3


def test_nothing_is_told_of_what_was_before_the_endpoint(house: House, receiver: Subscriber) -> None:
    house.articles("Before")
    house.confirm("before@readers.example")
    house.add(receiver.callback())

    house.tell()
    house.articles("After")
    house.tell()

    assert [each["data"]["title"] for each in told(receiver.got)] == ["After"]


def test_an_issue_is_told_when_it_is_approved_and_when_it_is_sent(either_house: House, receiver: Subscriber) -> None:
    house = either_house
    house.add(receiver.callback(), Happening.ISSUE_APPROVED, Happening.ISSUE_SENT)

    issue_id = a_sent_issue(house, "ann@readers.example", "ben@readers.example")
    house.tell(settled=False)

    approved, sent = sorted(told(receiver.got), key=lambda each: str(each["type"]))
    assert (approved["type"], sent["type"]) == ("issue.approved", "issue.sent")
    assert approved["data"]["issue_id"] == issue_id
    assert approved["data"]["subject"] == "Jeonse and Kimjang"
    assert sent["data"]["deliveries"]["sent"] == 2
    assert sent["data"]["url"] == f"{SITE}/issues/weekly/1"


def test_bounces_and_complaints_are_told_without_the_address(either_house: House, receiver: Subscriber) -> None:
    house = either_house
    issue_id = a_sent_issue(house, "ann@readers.example")
    house.add(receiver.callback(), Happening.DELIVERY_BOUNCED, Happening.DELIVERY_COMPLAINED)

    for kind in (EventKind.DELIVERED, EventKind.BOUNCED, EventKind.COMPLAINED):
        hear(house, issue_id, kind)
    house.tell()

    bounced, complained = sorted(told(receiver.got), key=lambda each: str(each["type"]))
    assert (bounced["type"], complained["type"]) == ("delivery.bounced", "delivery.complained")
    assert bounced["data"]["issue_id"] == issue_id
    assert (bounced["data"]["delivery"], bounced["data"]["status"], bounced["data"]["is_permanent"]) == (
        1,
        "5.1.1",
        True,
    )
    assert b"@" not in b"".join(each.body for each in receiver.got)


def test_a_reader_who_comes_and_goes_is_told_by_number(either_house: House, receiver: Subscriber) -> None:
    """Whoever needs the address has to be set up to have it."""
    house = either_house
    house.add(receiver.callback(), Happening.SUBSCRIBER_CONFIRMED, Happening.SUBSCRIBER_UNSUBSCRIBED)
    subscription_id = house.confirm("ann@readers.example")
    house.add_reader("imported@readers.example")
    house.tell()
    audience.unsubscribe(house.room.database, SubscriptionId(subscription_id), clock=house.clock)
    house.tell()

    came, went = told(receiver.got)
    assert (came["type"], went["type"]) == ("subscriber.confirmed", "subscriber.unsubscribed")
    assert came["data"]["mailing_list"] == "readers"
    assert came["data"]["subscriber_id"] == went["data"]["subscriber_id"]
    assert "email" not in came["data"]


def test_an_address_is_told_only_where_it_may_be_and_never_kept(house: House, receiver: Subscriber) -> None:
    endpoint = house.add(receiver.callback(), Happening.SUBSCRIBER_CONFIRMED, with_addresses=True).endpoint
    house.confirm("ann@readers.example")
    house.tell()

    [came] = told(receiver.got)
    assert came["data"]["email"] == "ann@readers.example"
    assert "ann@" not in str(house.webhooks(endpoint.id))


def test_what_fails_is_told_again_later_with_the_same_id(house: House, receiver: Subscriber) -> None:
    endpoint = house.add(receiver.callback(), *ARTICLES).endpoint
    receiver.status = 500
    house.articles("News")
    house.tell()
    assert len(receiver.got) == 1
    receiver.status = 204
    house.clock.pass_by(rules.WAITS[0] * 1.2)
    house.tell()

    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    [found] = house.webhooks(endpoint.id)
    assert (found.state, [each.status for each in found.attempts]) == (WebhookState.DELIVERED, [500, 204])


def test_after_three_days_without_success_an_endpoint_is_switched_off(house: House, receiver: Subscriber) -> None:
    endpoint = house.add(receiver.callback(), *ARTICLES).endpoint
    receiver.status = 503
    house.articles("News")
    for _ in range(400):
        house.tell(settled=False)
        if not house.endpoint(endpoint.id).is_on:
            break
        house.clock.pass_by(timedelta(hours=1))

    found = house.endpoint(endpoint.id)
    assert not found.is_on
    assert "3 days" in found.off_reason
    assert found.failing_since
    assert rules.OFF_AFTER <= house.clock.now - found.failing_since <= rules.OFF_AFTER + timedelta(hours=26)
    assert len(receiver.got) <= 10

    receiver.status = 200
    flow.switch(house.room.database, endpoint.id, on=True)
    house.articles("Later")
    house.clock.pass_by(timedelta(hours=27))
    house.tell()
    assert types(receiver)[-1] == "article.published"


def test_gone_is_gone(house: House, receiver: Subscriber) -> None:
    endpoint = house.add(receiver.callback(), *ARTICLES).endpoint
    receiver.status = 410
    house.articles("One", "Two", "Three", "Four", "Five", "Six")
    house.tell()
    before = len(receiver.got)
    house.clock.pass_by(timedelta(days=1))
    house.tell()

    assert not house.endpoint(endpoint.id).is_on
    assert "410" in house.endpoint(endpoint.id).off_reason
    assert len(receiver.got) == before <= 4


def test_an_endpoint_that_asks_for_time_has_it(house: House, receiver: Subscriber) -> None:
    endpoint = house.add(receiver.callback(), *ARTICLES).endpoint
    receiver.status, receiver.headers = 429, {"Retry-After": "3600"}
    house.articles("News")
    house.tell()
    receiver.status = 200
    house.clock.pass_by(timedelta(minutes=50))
    house.tell()
    assert len(receiver.got) == 1
    assert house.endpoint(endpoint.id).rest_until
    house.clock.pass_by(timedelta(minutes=15))
    house.tell()

    assert len(receiver.got) == 2


def test_a_redirect_is_not_followed(house: House, receiver: Subscriber, other: Subscriber) -> None:
    endpoint = house.add(receiver.callback(), *ARTICLES).endpoint
    receiver.status, receiver.headers = 307, {"Location": other.callback()}
    house.articles("News")
    house.tell()

    assert other.got == []
    [found] = house.webhooks(endpoint.id)
    assert found.attempts[0].said == "It redirects, and redirects are not followed."


def test_no_address_in_our_own_network_is_spoken_to(house: House, receiver: Subscriber) -> None:
    """Neither when it is set up, nor when the name leads there later."""
    endpoint = house.add(receiver.callback(), *ARTICLES).endpoint
    wanted = Wanted(url=receiver.callback().replace("http:", "https:"), happenings=ARTICLES)
    with pytest.raises(InputError, match="private network"):
        flow.add_endpoint(house.room.database, wanted, clock=house.clock, allow_private=False)
    house.articles("News")
    tell_due(house.room.database, base_url=SITE, clock=house.clock, pause=house.clock.pause)

    assert receiver.got == []
    assert "private network" in house.webhooks(endpoint.id)[0].attempts[0].said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://crm.example.org/", "https://"),
        ("", "web address"),
        ("https://user:secret@crm.example.org/", "password"),
        ("https://crm.example.org/a b", "web address"),
        ("https://[::1]/", "private"),
        ("https://2130706433/", "private"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_a_reason(house: House, url: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        flow.add_endpoint(
            house.room.database, Wanted(url=url, happenings=ARTICLES), clock=house.clock, allow_private=False
        )


def test_for_a_day_after_a_change_both_secrets_sign(house: House, receiver: Subscriber) -> None:
    added = house.add(receiver.callback(), *ARTICLES)
    new = flow.rotate_secret(house.room.database, added.endpoint.id, clock=house.clock)
    house.articles("First")
    house.tell()
    house.clock.pass_by(rules.FORMER_SECRET_FOR)
    house.articles("Second")
    house.tell()

    for got, secrets in zip(receiver.got, ([new, added.secret], [new]), strict=True):
        made = rules.signatures(
            secrets,
            message_id=got.headers["webhook-id"],
            timestamp=int(got.headers["webhook-timestamp"]),
            body=got.body,
        )
        assert got.headers["webhook-signature"] == made


def test_a_slow_endpoint_keeps_nobody_waiting(house: House, receiver: Subscriber, other: Subscriber) -> None:
    house.add(receiver.callback(), *ARTICLES)
    house.add(other.callback(), *ARTICLES)
    house.articles(*(f"News {number}" for number in range(8)))
    receiver.delay_s = 0.4
    house.tell()

    assert len(other.got) == len(receiver.got) == 8
    assert max(each.at for each in other.got) < sorted(each.at for each in receiver.got)[4]


def test_a_slow_endpoint_keeps_no_queue_empty(
    house: House, receiver: Subscriber, other: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens while one endpoint is being told slowly is told to the others all the same."""
    monkeypatch.setattr(sending, "REFILL_EVERY_S", 0.05)
    house.add(receiver.callback(), *ARTICLES)
    house.add(other.callback(), *ARTICLES)
    house.articles(*(f"News {number}" for number in range(6)))
    receiver.delay_s = 0.3
    telling = threading.Thread(target=house.tell, kwargs={"settled": False})
    telling.start()
    other.wait_for(6)
    house.articles("Later")
    other.wait_for(7)
    told_at = other.got[-1].at
    telling.join(20)

    assert told(other.got)[-1]["data"]["title"] == "Later"
    assert told_at < receiver.got[-1].at


def test_a_flood_waits_where_it_is(either_house: House, receiver: Subscriber) -> None:
    """However many bounce, an endpoint's queue holds a thousand; the rest follows as those are told."""
    house = either_house
    issue_id = a_sent_issue(house, "ann@readers.example")
    flooded = house.add(receiver.callback("flooded"), Happening.DELIVERY_BOUNCED).endpoint
    calm = house.add(receiver.callback("calm"), *ARTICLES).endpoint
    now, number = house.clock(), QUEUE + 300
    row = {"provider": "test", "received_at": now, "kind": "bounced", "issue_id": issue_id, "seq": 1, "at": now}
    row |= {"address": "", "status": "5.1.1", "is_dead": True, "reason": "", "raw": "", "applied_at": now}
    with house.room.database.transaction() as connection:
        reader = connection.scalar(sa.select(subscriber.c.id))
        rows = [row | {"provider_event_id": str(each), "subscriber_id": reader} for each in range(number)]
        connection.execute(sa.insert(delivery_event), rows)
    house.clock.pass_by(SETTLED)
    gather_due(house.room.database, base_url=SITE, clock=house.clock)
    gather_due(house.room.database, base_url=SITE, clock=house.clock)
    with house.room.database.reading() as connection:
        assert store.waiting(connection, flooded.id) == QUEUE
    first = {each.message_id for each in house.webhooks(flooded.id)}

    with house.room.database.transaction() as connection:
        told_all = sa.update(webhook).values(due_at=None, state="delivered")
        connection.execute(told_all.where(webhook.c.endpoint_id == flooded.id))
    house.articles("News")
    gather_due(house.room.database, base_url=SITE, clock=house.clock)

    rest = {each.message_id for each in house.webhooks(flooded.id) if each.state is WebhookState.WAITING}
    assert len(rest) == 300
    assert not rest & first
    assert len(house.webhooks(calm.id)) == 1


def test_a_backlog_of_readers_who_left_at_one_instant_is_told_whole(house: House, receiver: Subscriber) -> None:
    house.room.readers(450)
    endpoint = house.add(receiver.callback(), Happening.SUBSCRIBER_UNSUBSCRIBED).endpoint
    with house.room.database.transaction() as connection:
        now = house.clock()
        connection.execute(sa.update(subscription).values(state="unsubscribed", ended_at=now))
    house.clock.pass_by(SETTLED)
    gather_due(house.room.database, base_url=SITE, clock=house.clock)
    gather_due(house.room.database, base_url=SITE, clock=house.clock)

    found = house.webhooks(endpoint.id)
    assert len({each.facts["subscriber_id"] for each in found}) == len(found) == 450


def test_what_has_been_told_is_kept_for_a_while_only(house: House, receiver: Subscriber) -> None:
    endpoint = house.add(receiver.callback(), *ARTICLES).endpoint
    now = house.clock()
    with house.room.database.transaction() as connection:
        rows = [
            {"endpoint_id": endpoint.id, "message_id": f"msg_{each}", "kind": "webhook.test", "at": now, "facts": {}}
            for each in range(store.KEPT + 50)
        ]
        store.put(connection, rows, now=now)
        connection.execute(sa.update(webhook).values(due_at=None, state="delivered"))
    house.articles("News")
    gather_due(house.room.database, base_url=SITE, clock=house.clock)

    assert len(house.webhooks(endpoint.id)) == store.KEPT + 1


def test_a_test_is_told_at_once_and_again_when_asked(house: House, receiver: Subscriber) -> None:
    database = house.room.database
    endpoint = house.add(receiver.callback(), *ARTICLES).endpoint
    flow.send_test(database, endpoint.id, clock=house.clock)
    house.tell(settled=False)
    [found] = house.webhooks(endpoint.id)
    flow.send_again(database, endpoint.id, found.id, clock=house.clock)
    house.tell(settled=False)

    assert types(receiver) == ["webhook.test", "webhook.test"]
    assert len({each.headers["webhook-id"] for each in receiver.got}) == 1
    assert [each.status for each in house.webhooks(endpoint.id)[0].attempts] == [200, 200]


def test_what_is_switched_off_or_gone_can_be_asked_for_nothing(house: House, receiver: Subscriber) -> None:
    database = house.room.database
    endpoint = house.add(receiver.callback(), *ARTICLES).endpoint
    flow.switch(database, endpoint.id, on=False)
    house.articles("News")
    house.tell()
    assert receiver.got == []
    with pytest.raises(ConflictError):
        flow.send_test(database, endpoint.id, clock=house.clock)
    flow.switch(database, endpoint.id, on=True)
    house.tell()
    assert types(receiver) == ["article.published"]

    flow.remove_endpoint(database, endpoint.id)
    with pytest.raises(NotFoundError):
        flow.send_test(database, endpoint.id, clock=house.clock)
    with pytest.raises(NotFoundError):
        flow.send_again(database, EndpointId(99), WebhookId(1), clock=house.clock)


def test_a_late_worker_changes_nothing(either_house: House, receiver: Subscriber) -> None:
    """It stood still for longer than its lease; another has told the webhook meanwhile."""
    house = either_house
    endpoint = house.add(receiver.callback(), *ARTICLES).endpoint
    flow.send_test(house.room.database, endpoint.id, clock=house.clock)
    with house.room.database.transaction() as connection:
        [late] = store.lease(connection, endpoint.id, house.clock(), 4)
        assert store.lease(connection, endpoint.id, house.clock(), 4) == []
    house.clock.pass_by(store.LEASE)
    house.tell()
    with house.room.database.transaction() as connection:
        settle(connection, endpoint, late, Ending(status=410, took_ms=1), now=utc_now())

    [found] = house.webhooks(endpoint.id)
    assert (found.state, len(found.attempts)) == (WebhookState.DELIVERED, 1)
    assert house.endpoint(endpoint.id).is_on


def test_an_archive_that_moves_in_is_told_to_nobody(house: House, receiver: Subscriber) -> None:
    """Thousands of articles of years ago are no news to the programs of today."""
    house.add(receiver.callback(), *ARTICLES)
    old = a_draft(external_id="old", title="Old", published_at=house.clock.now - timedelta(days=400))
    handed_in(house.room.database, [old], clock=house.clock)
    relate_due(house.room.database, house.clock)
    house.tell()

    house.articles("News")
    house.tell()

    assert [each["data"]["title"] for each in told(receiver.got)] == ["News"]

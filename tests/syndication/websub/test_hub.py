import hashlib
import hmac
import statistics
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from publisher.clock import utc_now
from publisher.related.flow import relate_due
from publisher.syndication.flow import syndicate_due
from publisher.syndication.websub.flow import push_due
from publisher.syndication.websub.rules import GIVE_UP_AFTER
from publisher.syndication.websub.tables import websub_request, websub_subscription
from tests.builders import a_draft, handed_in
from tests.syndication.newsroom import SITE, House
from tests.syndication.websub.conftest import ALL, HUB, Hub
from tests.syndication.websub.subscriber import Subscriber

TOPIC = f"{SITE.base_url}/feeds/topics/society.json"


def subscriptions(house: House) -> int:
    return int(house.rows(sa.select(sa.func.count()).select_from(websub_subscription))[0][0])


def test_a_feed_says_where_its_hub_is(hub: Hub) -> None:
    answer = hub.house.reader.get("/feeds/all.atom")

    assert answer.link("hub") == HUB
    assert f'<{HUB}>; rel="hub"' in answer.headers["link"]


def test_a_callback_is_asked_before_anything_is_sent_to_it(hub: Hub, subscriber: Subscriber) -> None:
    """Else anybody could send our articles to anybody."""
    answer = hub.ask(subscriber.callback("cb?id=7"), lease_seconds="86400")
    hub.house.articles("Before")
    assert (answer.status, subscriber.got) == (202, [])

    hub.push()

    [asked] = subscriber.asked
    assert asked.pop("hub.challenge")
    assert asked == {"id": "7", "hub.mode": "subscribe", "hub.topic": ALL, "hub.lease_seconds": "86400"}
    assert subscriptions(hub.house) == 1


def test_a_new_article_is_pushed_whole_and_signed(either_hub: Hub, subscriber: Subscriber) -> None:
    either_hub.subscribe(subscriber.callback(), secret="s3cret")

    either_hub.house.articles("News")
    either_hub.push()

    [got] = subscriber.got
    served = either_hub.house.reader.get("/feeds/all.atom")
    assert got.body == served.body
    assert got.headers["content-type"] == served.headers["content-type"]
    assert got.headers["link"] == f'<{HUB}>; rel="hub", <{ALL}>; rel="self"'
    signed = hmac.new(b"s3cret", got.body, hashlib.sha256).hexdigest()
    assert got.headers["x-hub-signature"] == f"sha256={signed}"
    assert either_hub.push() is False


def test_who_has_no_secret_gets_no_signature(hub: Hub, subscriber: Subscriber) -> None:
    hub.subscribe(subscriber.callback())
    hub.house.articles("News")
    hub.push()

    assert "x-hub-signature" not in subscriber.got[0].headers


def test_who_says_no_gets_nothing(hub: Hub, subscriber: Subscriber) -> None:
    subscriber.agrees = False
    hub.subscribe(subscriber.callback())
    hub.house.articles("News")
    hub.push()

    assert (len(subscriber.asked), subscriber.got) == (1, [])
    assert hub.house.rows(sa.select(websub_request)) == []


def test_only_the_feeds_that_changed_are_pushed(hub: Hub, subscriber: Subscriber, other: Subscriber) -> None:
    hub.house.articles("Before", topics=("society",))
    hub.subscribe(subscriber.callback(), TOPIC)
    hub.subscribe(other.callback())

    hub.house.articles("Film", topics=("film",))
    hub.push()

    assert subscriber.got == []
    assert len(other.got) == 1


def test_a_subscription_keeps_its_feed_rendered(hub: Hub, subscriber: Subscriber) -> None:
    """Nobody ever read the feed over the web; its subscriber gets it nevertheless."""
    hub.house.articles("Before", topics=("society",))
    hub.subscribe(subscriber.callback(), TOPIC)

    hub.house.articles("News", topics=("society",))
    hub.push()

    assert b'"News"' in subscriber.got[0].body


def test_a_subscription_is_not_ended_by_a_stranger(hub: Hub, subscriber: Subscriber) -> None:
    hub.subscribe(subscriber.callback())
    subscriber.agrees = False
    hub.ask(subscriber.callback(), mode="unsubscribe")
    hub.push()
    assert subscriptions(hub.house) == 1

    subscriber.agrees = True
    hub.ask(subscriber.callback(), mode="unsubscribe")
    hub.push()

    assert subscriptions(hub.house) == 0
    assert subscriber.asked[-1]["hub.mode"] == "unsubscribe"
    assert "hub.lease_seconds" not in subscriber.asked[-1]


def test_a_renewal_that_is_refused_leaves_the_subscription_as_it_was(hub: Hub, subscriber: Subscriber) -> None:
    hub.subscribe(subscriber.callback(), secret="first")
    subscriber.agrees = False
    hub.subscribe(subscriber.callback(), secret="forged")

    hub.house.articles("News")
    hub.push()

    [got] = subscriber.got
    assert got.headers["x-hub-signature"] == f"sha256={hmac.new(b'first', got.body, hashlib.sha256).hexdigest()}"


def test_a_lease_ends_unless_it_is_renewed(either_hub: Hub, subscriber: Subscriber, other: Subscriber) -> None:
    for each in (subscriber, other):
        either_hub.subscribe(each.callback(), lease_seconds="86400")
    either_hub.house.clock.pass_by(timedelta(hours=20))
    either_hub.subscribe(other.callback(), lease_seconds="86400")
    either_hub.house.clock.pass_by(timedelta(hours=5))

    either_hub.house.articles("News")
    either_hub.push()

    assert subscriber.got == []
    assert len(other.got) == 1
    assert subscriptions(either_hub.house) == 1


def test_a_subscriber_that_was_down_gets_the_newest_once_it_is_back(hub: Hub, subscriber: Subscriber) -> None:
    hub.subscribe(subscriber.callback())
    subscriber.status = 503
    hub.house.articles("One")
    hub.push()
    hub.house.articles("Two")
    hub.push()
    assert len(subscriber.got) == 2  # an article came a minute later, when the second attempt was due

    subscriber.status = 200
    hub.house.clock.pass_by(timedelta(minutes=5))
    hub.push()

    assert len(subscriber.got) == 3
    assert b"<title>Two</title>" in subscriber.got[-1].body
    assert hub.push() is False


def test_a_subscriber_that_is_gone_is_dropped_at_once(hub: Hub, subscriber: Subscriber) -> None:
    hub.subscribe(subscriber.callback())
    subscriber.status = 410

    hub.house.articles("News")
    hub.push()

    assert subscriptions(hub.house) == 0


def test_a_subscriber_that_stays_down_is_dropped_after_days(hub: Hub, subscriber: Subscriber) -> None:
    hub.subscribe(subscriber.callback())
    subscriber.status = 500
    hub.house.articles("News")
    for _ in range(30):
        hub.push()
        hub.house.clock.pass_by(GIVE_UP_AFTER / 20)

    assert subscriptions(hub.house) == 0
    assert 5 < len(subscriber.got) < 25


def test_a_callback_that_does_not_answer_is_asked_a_few_times(hub: Hub) -> None:
    hub.subscribe("http://127.0.0.1:9/nobody")
    for _ in range(5):
        hub.house.clock.pass_by(timedelta(minutes=5))
        hub.push()

    assert hub.house.rows(sa.select(websub_request)) == []
    assert subscriptions(hub.house) == 0


def test_the_slowness_of_one_delays_nobody_else(hub: Hub, subscriber: Subscriber, other: Subscriber) -> None:
    for number in range(6):
        hub.subscribe(subscriber.callback(f"slow{number}"))
    for number in range(10):
        hub.subscribe(other.callback(f"quick{number}"))
    subscriber.delay_s = 1.2
    hub.house.articles("First")
    hub.push()  # from now on it is known who is slow

    hub.house.articles("Second")
    start = time.monotonic()
    hub.push()

    waits = [got.at - start for got in other.got[10:]]
    assert len(waits) == 10
    assert max(waits) < 1.2
    assert len(subscriber.got) == 12


def test_other_hubs_are_told_of_every_document_that_changed(hub: Hub, subscriber: Subscriber) -> None:
    """And not before it is served: what they fetch must be the new one."""
    house = hub.house
    site = type(house.site)(**vars(house.site) | {"hubs": (HUB, subscriber.callback("hub"))})
    relate_due(house.database, house.clock)
    house.hand_in(a_draft(title="News"))
    relate_due(house.database, house.clock)

    syndicate_due(house.database, site, clock=house.clock, pause=house.clock.pause)
    push_due(house.database, site, clock=house.clock, pause=house.clock.pause)

    urls = sorted(f"{SITE.base_url}/feeds/all.{each}" for each in ("atom", "rss", "json"))
    bodies = sorted(got.body.decode() for got in subscriber.got)
    assert bodies == sorted(f"hub.mode=publish&hub.url={url.replace(':', '%3A').replace('/', '%2F')}" for url in urls)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "application/json"}, b"{}"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"hub.mode=subscribe&" + b"x" * 20_000),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"\xff\xfe"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"&".join(b"a=1" for _ in range(30))),
        ({}, b""),
    ],
)
def test_what_is_no_form_is_refused_with_a_sentence(hub: Hub, headers: dict[str, str], body: bytes) -> None:
    answer = hub.house.reader.get("/hub", headers, method="POST", body=body)

    assert answer.status == 400
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_feed_that_never_was_cannot_be_subscribed_to(hub: Hub, subscriber: Subscriber) -> None:
    answer = hub.ask(subscriber.callback(), f"{SITE.base_url}/feeds/topics/nothing.atom")

    assert answer.status == 400
    assert b"no such feed" in answer.body


def test_people_who_look_at_the_hub_are_told_what_it_is(hub: Hub) -> None:
    answer = hub.house.reader.get("/hub")

    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_a_newsroom_without_a_hub_leaves_the_address_to_its_pages(house: House) -> None:
    assert house.reader.get("/hub", method="POST").body == b"another page"


def test_from_hand_in_to_push_takes_less_than_two_seconds(hub: Hub, subscriber: Subscriber) -> None:
    """By the real clock; the worker's steps run one after the other, as after bells."""
    hub.house.clock.now = utc_now()
    hub.subscribe(subscriber.callback())
    database, site, waits = hub.house.database, hub.house.site, []
    for number in range(5):
        start = time.monotonic()
        handed_in(database, [a_draft(title=f"News {number}", external_id=str(number))], clock=utc_now)
        relate_due(database, utc_now)
        syndicate_due(database, site, clock=utc_now)
        push_due(database, site, clock=utc_now, allow_private=True)
        waits.append(subscriber.wait_for(number + 1)[-1].at - start)

    assert statistics.median(waits) < 2

import json
import random
from datetime import timedelta

import pytest

from publisher.archive import flow as archive
from publisher.syndication import flow
from tests.builders import TUESDAY, a_draft
from tests.stock import related_up_to_now, stock
from tests.syndication.newsroom import ATOM, SITE, House, walked

HOUR = timedelta(hours=1)


def titles(first: int, last: int) -> list[str]:
    return [f"Article {each}" for each in range(first, last + 1)]


def test_the_subscription_document_has_25_entries_and_the_archives_have_the_others(house: House) -> None:
    house.articles(*titles(1, 80))

    answer = house.reader.get("/feeds/all.atom")
    first = house.reader.get(answer.link("prev-archive") or "")
    second = house.reader.get(first.link("prev-archive") or "")
    third = house.reader.get(second.link("prev-archive") or "")

    assert answer.titles == titles(56, 80)[::-1]
    assert first.titles == titles(51, 55)[::-1]
    assert second.titles == titles(26, 50)[::-1]
    assert third.titles == titles(1, 25)[::-1]
    assert third.link("prev-archive") is None


def test_an_archive_says_so_and_knows_its_neighbours(house: House) -> None:
    """RFC 5005, section 4."""
    house.articles(*titles(1, 80))

    middle = house.reader.get("/feeds/all/archive/50.atom")
    newest = house.reader.get("/feeds/all/archive/55.atom")

    assert b"<fh:archive/>" in middle.data
    assert middle.link("current") == "https://news.example/feeds/all.atom"
    assert middle.link("prev-archive") == "https://news.example/feeds/all/archive/25.atom"
    assert house.reader.get("/feeds/all/archive/25.atom").link("next-archive") == middle.link("self")
    assert newest.link("next-archive") is None
    assert middle.link("hub") is None
    assert 'rel="hub"' not in middle.headers["link"]
    assert b"fh:archive" not in house.reader.get("/feeds/all.atom").data


def test_json_feed_walks_the_same_way(house: House) -> None:
    house.articles(*titles(1, 60))
    found, path = [], "/feeds/topics/society.json"

    while path:
        document = json.loads(house.reader.get(path).data)
        found += [each["title"] for each in document["items"]]
        path = document.get("next_url", "")

    assert found == titles(1, 60)[::-1]


def test_a_full_archive_never_changes_but_for_the_link_to_the_one_after_it(house: House) -> None:
    house.articles(*titles(1, 50))
    before = house.reader.get("/feeds/all/archive/25.atom")

    house.articles(*titles(51, 70))
    meanwhile = house.reader.get("/feeds/all/archive/25.atom")
    house.articles(*titles(71, 75))
    followed = house.reader.get("/feeds/all/archive/25.atom")
    house.articles(*titles(76, 130))

    assert (meanwhile.headers, meanwhile.data) == (before.headers, before.data)
    assert followed.link("next-archive") == "https://news.example/feeds/all/archive/50.atom"
    assert followed.titles == before.titles
    assert house.reader.get("/feeds/all/archive/25.atom").data == followed.data


def test_a_correction_and_a_withdrawal_reach_the_archives_that_were_read_before(either: House) -> None:
    ids = either.articles(*titles(1, 55), authors=("Kim Minji",))
    paths = ("/feeds/all/archive/25.atom", "/feeds/authors/kim-minji/archive/30.rss", "/feeds/all/archive/30.json")
    before = {path: either.reader.get(path) for path in paths}

    either.publish(a_draft(external_id="Article 3", title="Article 3, corrected"))
    either.withdraw(ids[27])
    after = {path: either.reader.get(path) for path in paths}

    assert "Article 3, corrected" in after[paths[0]].titles
    assert b"Article 28" not in after[paths[1]].data + after[paths[2]].data
    for path in paths:
        assert after[path].headers["etag"] != before[path].headers["etag"]
        assert after[path].headers["last-modified"] > before[path].headers["last-modified"]


def test_an_archive_that_does_not_exist_yet_is_not_found(house: House) -> None:
    house.articles(*titles(1, 30))

    assert house.reader.get("/feeds/all/archive/5.atom").status == 200
    assert house.reader.get("/feeds/all/archive/6.atom").status == 404


@pytest.mark.parametrize("seed", range(2))
def test_a_walk_meets_every_article_once_while_others_arrive_and_go(either: House, seed: int) -> None:
    """
    The walk begins with what the feed shows, and yields all of that; what was withdrawn on the way may be missing.
    """
    chance = random.Random(seed)
    numbers = iter(range(1, 1_000))
    live = {}

    def arrive() -> None:
        number = next(numbers)
        at = TUESDAY - chance.choice((0, 0, 0, 50)) * HOUR + timedelta(minutes=number)
        [added] = either.hand_in(a_draft(title=f"Article {number}", external_id=str(number), published_at=at))
        live[either.uri(added)] = added

    for _ in range(90):
        either.clock.pass_by(timedelta(minutes=2))
        arrive()
    either.catch_up()
    begun, withdrawn, met = set(live), set(), list[str]()
    next_path: str | None = "/feeds/all.atom"
    while next_path:
        answer = either.reader.get(next_path)
        met += [entry.findtext(f"{ATOM}id", "") for entry in answer.entries]
        next_path = answer.link("prev-archive")
        for _ in range(chance.randrange(12)):
            arrive()
        for uri in chance.sample(sorted(live), 4):
            archive.withdraw(either.database, live.pop(uri), clock=either.clock)
            withdrawn.add(uri)
        either.catch_up()

    assert len(met) == len(set(met))
    assert begun - withdrawn <= set(met) <= begun
    assert sorted(walked(either.reader, "/feeds/all.atom")) == sorted(live)


def test_archives_whose_bytes_were_dropped_come_back_with_the_same_validators(either: House) -> None:
    stock(either.database, 130, newest_at=TUESDAY)
    with either.database.transaction() as connection:
        related_up_to_now(connection)
    either.syndicate()
    paths = [f"/feeds/all/archive/{place}.atom" for place in (25, 50, 75, 100)]
    before = [either.reader.get(path).headers for path in paths]

    dropped = flow.forget_archives(either.database, kept=1)
    again = flow.forget_archives(either.database, kept=1)

    assert (dropped, again) == (3, 0)
    assert [either.reader.get(path, address="198.51.100.1").headers for path in paths] == before
    assert SITE.base_url in before[0]["link"]

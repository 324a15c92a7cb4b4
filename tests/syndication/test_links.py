from publisher.archive import flow as archive
from publisher.intake.model import Teaser
from publisher.related.flow import arrange
from tests.builders import a_draft
from tests.syndication.newsroom import House

TITLES = ("Night trains return", "The price of kimchi", "A bridge for Ulleung", "Winter on Halla")


def linked(house: House, title: str) -> list[str]:
    """The titles that an article's entry links to, in the feed of its own topic."""
    house.reader.get(f"/feeds/topics/{title.lower()}.atom")
    entries = house.reader.get("/feeds/all.atom").entries
    [content] = [each.findtext("{*}content", "") for each in entries if each.findtext("{*}title") == title]
    more = content.partition("Discover More")[2]
    return [other for other in TITLES if f">{other}<" in more]


def test_an_entry_with_few_links_gains_those_to_newer_articles(house: House) -> None:
    """The first articles of a newsroom have nothing to link to on the day they appear."""
    house.articles("Hub", teasers=tuple(Teaser(title=each) for each in TITLES))
    before = linked(house, "Hub")

    house.articles(TITLES[2])

    assert before == []
    assert linked(house, "Hub") == [TITLES[2]]


def test_an_entry_keeps_the_links_that_it_was_published_with(house: House) -> None:
    """Else every new article would change older entries, and readers would show them as changed."""
    house.articles(*TITLES[1:])
    [hub] = house.articles("Hub", teasers=tuple(Teaser(title=each) for each in TITLES[1:]))
    before = linked(house, "Hub")

    house.articles(TITLES[0], teasers=(Teaser(title="Hub"),))
    arrange(house.database, hub, pinned=(), banned=house.articles("Something else"), clock=house.clock)

    assert sorted(before) == sorted(TITLES[1:])
    assert linked(house, "Hub") == before


def test_a_revised_article_gets_its_links_anew(house: House) -> None:
    house.articles(*TITLES)
    house.articles("Hub", teasers=(Teaser(title=TITLES[0]),), sections=a_draft().sections[:1])
    assert linked(house, "Hub")[0] == TITLES[0]

    house.publish(a_draft(title="Hub", external_id="Hub", teasers=(Teaser(title=TITLES[3]),)))

    assert TITLES[3] in linked(house, "Hub")


def test_a_link_comes_back_with_its_target(house: House) -> None:
    [target] = house.articles(TITLES[0])
    house.articles("Hub", teasers=(Teaser(title=TITLES[0]),))
    assert linked(house, "Hub") == [TITLES[0]]

    house.withdraw(target)
    withdrawn = linked(house, "Hub")
    archive.restore(house.database, target, clock=house.clock)
    house.catch_up()

    assert withdrawn == []
    assert linked(house, "Hub") == [TITLES[0]]

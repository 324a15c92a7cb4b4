import pytest

from publisher.intake.model import Teaser
from publisher.related.teasers import keys_of, names_of

ARTICLE = {
    "title": "Kim’s “Party” Keeps Its Seat: What This Means",
    "slug": "kims-party-keeps-its-seat",
    "canonical_url": "https://news.example/politics/kims-seat/",
}


def names(teaser: Teaser) -> bool:
    return not set(keys_of(teaser)).isdisjoint(names_of(**ARTICLE))


@pytest.mark.parametrize(
    "title",
    [
        "Kim’s “Party” Keeps Its Seat: What This Means",
        'Kim\'s "Party" keeps its seat - what this means',
        "  KIM'S PARTY KEEPS ITS SEAT;\nWHAT THIS MEANS!  ",
    ],
)
def test_a_title_is_known_again_in_another_dress(title: str) -> None:
    assert names(Teaser(title=title))


def test_another_title_names_nothing() -> None:
    assert not names(Teaser(title="Kim's party keeps its seat"))


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://news.example/politics/kims-seat", True),
        ("http://www.NEWS.example/politics/kims-seat/?from=mail#top", True),
        ("https://publisher.example/articles/kims-party-keeps-its-seat", True),
        ("/articles/kims-party-keeps-its-seat", True),
        ("https://news.example/politics/", False),
        ("https://news.example/", False),
        ("http://[broken", False),
        ("", False),
    ],
)
def test_an_address_names_an_article_however_it_is_written(url: str, *, known: bool) -> None:
    assert names(Teaser(title="Another headline", url=url)) is known


def test_an_address_that_ends_in_one_word_names_a_page_of_many() -> None:
    assert set(keys_of(Teaser(title="x", url="https://a.example/news"))).isdisjoint(
        names_of(title="y", slug="news", canonical_url="")
    )


def test_no_title_names_nothing() -> None:
    """Two titles of punctuation only are not the same title."""
    assert keys_of(Teaser(title="…")) == ()
    assert names_of(title="!!!", slug="", canonical_url="") == ()

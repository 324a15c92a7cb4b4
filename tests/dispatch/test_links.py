"""Which links of a letter go by our site, and what stands in them."""

import re

import pytest

from publisher.audience.tokens import Signer
from publisher.compose.model import IssueId, Tracking
from publisher.compose.slots import Slot, marker
from publisher.dispatch import links

SIGNER = Signer("a secret key of the newsroom")
UNSUBSCRIBE = marker(Slot.UNSUBSCRIBE_URL)
LETTER = f"""<html><head><link href="https://a.example/x.css"></head><body>
<a class="x" href="https://a.example/one?a=1&amp;b=2">One</a> <a href="https://b.example/">Two</a>
<a href="https://a.example/one?a=1&amp;b=2">One again</a> <a href="mailto:a@b.example">Write</a>
<a href="{UNSUBSCRIBE}">Unsubscribe</a> <a href="https://n.example/x/{UNSUBSCRIBE}">Unsubscribe</a></body></html>"""


def led_round(tracking: Tracking) -> tuple[str, tuple[str, ...]]:
    return links.with_tracked_links(
        LETTER, tracking, link=lambda number: f"https://n.example/l/{number}", pixel="https://n.example/o/"
    )


def hrefs(html: str) -> list[str]:
    return re.findall(r'<a [^>]*href="([^"]*)"', html)


def test_each_address_has_one_number_however_often_it_stands_there() -> None:
    html, urls = led_round(Tracking.TOTALS)

    assert urls == ("https://a.example/one?a=1&b=2", "https://b.example/")
    assert hrefs(html)[:3] == [
        "https://n.example/l/1/one",
        "https://n.example/l/2/b.example",
        "https://n.example/l/1/one",
    ]


def test_unsubscribe_and_preferences_are_never_tracked() -> None:
    """Nobody may be counted for leaving, and a mail program must find the address itself (RFC 8058)."""
    for tracking in Tracking:
        html, _ = led_round(tracking)

        assert hrefs(html)[3:] == ["mailto:a@b.example", UNSUBSCRIBE, f"https://n.example/x/{UNSUBSCRIBE}"]


def test_totals_are_the_same_bytes_for_every_reader() -> None:
    html, _ = led_round(Tracking.TOTALS)

    assert marker(Slot.READER) not in html
    assert "<img" not in html
    assert 'href="https://a.example/x.css"' in html


def test_tracking_by_reader_has_a_slot_in_every_link_and_a_picture_at_the_end() -> None:
    html, _ = led_round(Tracking.PER_READER)

    assert hrefs(html)[0] == f"https://n.example/l/1.{marker(Slot.READER)}/one"
    assert html.endswith(
        f'<img src="https://n.example/o/{marker(Slot.READER)}" width="1" height="1" alt=""></body></html>'
    )


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("https://n.example/articles/the-bakery/", "the-bakery"),
        ("https://n.example/feeds/topics/food.atom?x=1#y", "food.atom"),
        ("https://b.example", "b.example"),
        ("https://b.example/%EC%86%8C/..", "b.example"),
        (f"https://b.example/{'x' * 500}", "x" * 80),
    ],
)
def test_a_link_shows_where_it_leads(url: str, where: str) -> None:
    assert links.where(url) == where


def test_an_edition_that_tracks_nothing_leaves_its_letter_alone() -> None:
    assert led_round(Tracking.OFF) == (LETTER, ())


def test_tokens_name_what_they_were_made_for() -> None:
    link = links.link_token(SIGNER, IssueId(12), 3)
    reader = links.reader_tokens(SIGNER, IssueId(12))(1_000_000)

    assert links.link_behind(SIGNER, link) == (12, 3)
    assert links.reader_behind(SIGNER, reader) == (12, 1_000_000)


@pytest.mark.parametrize("forged", ["", "x" * 32, links.reader_tokens(SIGNER, IssueId(12))(3)])
def test_a_token_that_is_not_ours_names_nothing(forged: str) -> None:
    assert links.link_behind(SIGNER, forged) is None

from datetime import UTC, datetime

import pytest

from publisher.errors import SubmissionError
from publisher.intake.html import read_html
from publisher.intake.model import Image, Section, Teaser

PAGE = """<!DOCTYPE html>
<html lang="en-GB"><head>
<title>A Quiet Stadium | The Coast Paper</title>
<meta property="og:title" content="A Quiet Stadium &amp; Its Crowd">
<meta name="description" content="How a club won back its crowd.">
<meta name="author" content="Kim Min-ji"><meta name="author" content="Park Ji-won">
<meta property="article:author" content="https://social.example/kim">
<meta property="article:tag" content="sport"><meta property="article:tag" content="coast">
<meta property="article:published_time" content="2026-03-31T09:00:00+09:00">
<meta property="og:image" content="/pictures/stand.jpg"><meta property="og:image:alt" content="The stand">
<meta property="og:image:width" content="1200"><meta property="og:image:height" content="800">
<link rel="canonical" href="https://coast.example/2026/stadium">
<script>track()</script><style>p { color: red }</style>
</head><body>
<header><nav><a href="/">Home</a></nav>The Coast Paper</header>
<main>
<article>
<h1>A Quiet Stadium &amp; Its Crowd</h1>
<p onclick="evil()">The opening, <a href="map?x=1">a map</a>.</p>
<h2>The Numbers</h2>
<div><p>6,300 people.</p><figure><img src="//cdn.example/p.png" alt="p" onerror="evil()"></figure></div>
<p><strong>Foreign Fans’ Guide</strong></p><p>Take the KTX.</p>
<h3>Discover More</h3>
<a href="/trains"><h4>Night Trains</h4><p>They return.</p></a>
<p><a href="/haenyeo">Haenyeo School</a></p><p>Its doors open.</p>
</article>
<article>A card that leads to another article.</article>
</main>
<footer>Imprint</footer></body></html>"""


def test_a_page_gives_its_article_and_what_it_says_about_itself() -> None:
    draft = read_html(PAGE)

    assert draft.title == "A Quiet Stadium & Its Crowd"
    assert (draft.language, draft.summary) == ("en-GB", "How a club won back its crowd.")
    assert (draft.authors, draft.topics) == (("Kim Min-ji", "Park Ji-won"), ("sport", "coast"))
    assert draft.published_at == datetime(2026, 3, 31, tzinfo=UTC)
    assert draft.canonical_url == "https://coast.example/2026/stadium"
    assert draft.image == Image(url="https://coast.example/pictures/stand.jpg", alt="The stand", width=1200, height=800)


def test_a_page_is_cut_into_sections_guide_and_teasers() -> None:
    draft = read_html(PAGE)

    assert draft.sections == (
        Section(heading="", html='<p>The opening, <a href="https://coast.example/2026/map?x=1">a map</a>.</p>'),
        Section(
            heading="The Numbers",
            html='<p>6,300 people.</p>\n<figure><img src="https://cdn.example/p.png" alt="p"></figure>',
        ),
    )
    assert draft.guide == Section(heading="Foreign Fans’ Guide", html="<p>Take the KTX.</p>")
    assert draft.teasers == (
        Teaser(title="Night Trains", summary="They return.", url="https://coast.example/trains"),
        Teaser(title="Haenyeo School", summary="Its doors open.", url="https://coast.example/haenyeo"),
    )


def test_a_fragment_is_enough() -> None:
    draft = read_html("<h1>Title</h1>loose text<p>more")

    assert draft.title == "Title"
    assert draft.sections == (Section(heading="", html="<p>loose text</p>\n<p>more</p>"),)


def test_the_title_is_looked_for_in_the_page_then_in_its_head() -> None:
    assert read_html("<title>Head</title><h1>Page</h1><p>x").title == "Page"
    assert read_html("<title>Head</title><p>x").title == "Head"


def test_a_heading_that_is_not_the_title_stays() -> None:
    draft = read_html('<meta property="og:title" content="Short"><h1>Short, and More</h1><p>x')

    assert [section.heading for section in draft.sections] == ["Short, and More"]


def test_a_heading_on_two_lines_is_one_heading() -> None:
    draft = read_html("<h1>One<br>Title</h1><p>x<h2>A <b>Bold<br>New</b> Day</h2><p>y")

    assert (draft.title, draft.sections[1].heading) == ("One Title", "A Bold New Day")


def test_a_card_is_not_taken_for_the_article() -> None:
    """Many pages mark up their links to other articles as articles, and their own text as nothing."""
    page = f"<h1>T</h1><div>{'<p>The whole long text.</p>' * 9}</div><article>A card.</article><footer>Imprint</footer>"

    html = read_html(page).sections[0].html

    assert html.count("whole long text") == 9
    assert "Imprint" not in html


def test_links_are_resolved_against_where_the_page_came_from() -> None:
    page = '<base href="/sub/"><h1>T</h1><p><a href="x">x</a></p>'

    assert 'href="https://a.example/sub/x"' in read_html(page, base_url="https://a.example/b").sections[0].html
    assert read_html(page).sections[0].html == "<p>x</p>"


def test_a_page_with_careless_extras_is_still_an_article() -> None:
    """Keywords and sizes are written by machines; an editor could not mend them."""
    extras = f'<meta name="keywords" content="{",".join(f"k{number}" for number in range(300))}">'
    extras += '<meta property="og:image" content="https://a.example/p"><meta property="og:image:width" content="wide">'

    draft = read_html(f"<h1>T</h1><p>x{extras}")

    assert len(draft.topics) == 100
    assert draft.image == Image(url="https://a.example/p")


def test_a_language_that_is_none_is_left_to_the_archive() -> None:
    assert not read_html('<html lang="english, please"><h1>T</h1><p>x').language


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("<p>x", "title: The article has no title; give it an h1, og:title or title element."),
        ("<h1>T</h1><script>x()</script>", "The article has a title, but no text below it."),
        ("", "title: The article has no title; give it an h1, og:title or title element."),
        (
            '<h1>T</h1><p>x<link rel=canonical href="http://localhost:3000/a">',
            "canonical: “http://localhost:3000/a” leads into a private network.",
        ),
        (
            '<h1>T</h1><p>x<meta property="og:image" content="http://[::1]/a.png">',
            "og:image: “http://[::1]/a.png” leads into a private network.",
        ),
        (
            '<h1>T</h1><p>x<meta property="article:published_time" content="yesterday">',
            "article:published_time: “yesterday” is not a date; write it like 2026-03-31 or 2026-03-31T09:00:00+09:00.",
        ),
        ("<h1>T</h1>" + "<div>" * 400 + "x", "The HTML has more than 256 elements inside each other."),
    ],
)
def test_a_page_that_is_no_article_is_told_why(page: str, sentence: str) -> None:
    with pytest.raises(SubmissionError) as refused:
        read_html(page)

    assert str(refused.value) == sentence

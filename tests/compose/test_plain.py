import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.compose.body import parse
from publisher.compose.plain import WIDTH, Links, columns, from_html, underlined, wrap


def plain(html: str, links: Links | None = None) -> str:
    return from_html(parse(html), links or Links())


def test_hangul_counts_double() -> None:
    """In a terminal a syllable is as wide as two letters; counted once, Korean lines would be twice too long."""
    assert columns("서울 Seoul") == 10
    assert columns("e\u0301") == 1

    lines = wrap("서울은 넓다. " * 12).splitlines()

    assert all(columns(line) <= WIDTH for line in lines)
    assert len(lines) == 3


@given(st.text(alphabet="ab ,서울강한漢字ー。 \n", max_size=300), st.sampled_from(["", "* ", "12. ", "> "]))
def test_wrapping_loses_no_word_and_passes_no_margin(text: str, sign: str) -> None:
    wrapped = wrap(text, first=sign, rest=" " * len(sign))

    assert "".join(wrapped.removeprefix(sign.rstrip() or sign).split()) == "".join(text.split())
    for line in wrapped.splitlines():
        assert columns(line) <= WIDTH or " " not in line.strip().removeprefix(sign)


def test_an_address_is_never_broken() -> None:
    url = f"https://news.example/{'a' * 100}"

    assert wrap(f"See {url} today") == f"See\n{url}\ntoday"


def test_a_heading_is_underlined_to_its_width() -> None:
    assert underlined("서울 오늘", "-") == "서울 오늘\n---------"


def test_links_are_numbered_at_the_end_and_one_address_has_one_number() -> None:
    links = Links()

    text = plain(
        '<p>A <a href="https://a.example/">river</a>, a <a href="https://b.example/">road</a>, '
        'the <a href="https://a.example/">river</a> and <a href="https://c.example/">https://c.example/</a>.</p>',
        links,
    )

    assert text == "A river [1], a road [2], the river [1] and https://c.example/."
    assert links.lines() == ["[1] https://a.example/", "[2] https://b.example/"]


def test_the_structure_of_an_article_can_be_seen_without_html() -> None:
    text = plain(
        "<h3>In numbers</h3><p>One<br>two</p>"
        "<ul><li>a</li><li><p>b</p><ol start='3'><li>c</li><li>d</li></ol></li></ul>"
        "<blockquote><p>Yes.</p><p>No.</p></blockquote><hr>"
        "<figure><img src='https://x.example/a.jpg' alt='A gate'><figcaption>Seen in May</figcaption></figure>"
        "<table><caption>Rent</caption><tr><th>Home</th><th>Won</th></tr><tr><td>한강</td><td>9</td></tr></table>"
        "<pre>x = 1\n  y</pre>loose <b>words</b>"
    )

    assert text == (
        "In numbers\n~~~~~~~~~~\n\n"
        "One\ntwo\n\n"
        "* a\n* b\n  3. c\n  4. d\n\n"
        "> Yes.\n>\n> No.\n\n"
        "* * *\n\n"
        "[A gate]\n\n"
        "Seen in May\n\n"
        "Rent\nHome | Won\n한강 | 9\n\n"
        "    x = 1\n      y\n\n"
        "loose words"
    )


@pytest.mark.parametrize("html", ["", "<p> </p>", "<ul></ul>", "<p><img src='https://x.example/a.jpg'></p>"])
def test_what_says_nothing_leaves_no_hole(html: str) -> None:
    assert plain(html) == ""


def test_entities_are_characters_in_plain_text() -> None:
    assert plain("<p>Rent &amp; won &lt;b&gt; &quot;x&quot;</p>") == 'Rent & won <b> "x"'

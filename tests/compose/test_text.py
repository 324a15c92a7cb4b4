import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.compose.text import SLOTS, check_introduction, check_subject, fill_subject, introduction_html
from publisher.errors import TemplateTextError

VALUES: dict[str, str | int] = {
    "name": "NAME",
    "edition_name": "Morning alert",
    "issue_number": 3,
    "article_count": 2,
    "lead_title": "Rain",
    "date": "3 November 2026",
}


def test_an_editor_may_use_every_documented_slot() -> None:
    for slot in SLOTS:
        check_subject(f"About {{{{ {slot} }}}}")
        check_introduction(f"About {{{{ {slot} }}}}")

    assert fill_subject("{{ lead_title }} and more, no. {{ issue_number }}", VALUES) == "Rain and more, no. 3"


@pytest.mark.parametrize("check", [check_subject, check_introduction])
def test_an_unknown_slot_is_named_when_the_draft_is_made(check: object) -> None:
    """At nine in the evening, when the issue goes out, it is too late to hear of it."""
    assert callable(check)
    with pytest.raises(TemplateTextError) as caught:
        check("Hello {{ nmae }}")

    assert "there is no slot 'nmae'; there are name, edition_name" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["Hello {{ name", "{{ }}", "{% if name %}", "{% fi %}", "{{ date date }}", "{{ date|nofilter }}", "{# open"],
)
def test_a_broken_text_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(TemplateTextError) as caught:
        check_subject(text)

    assert str(caught.value).startswith("subject: ")


@pytest.mark.parametrize(
    "text",
    [
        "{{ date.__class__ }}",
        "{{ date['x'] }}",
        "{{ date() }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ 'a' * 999999999 }}",
        "{% for x in date %}{% endfor %}",
        "{% set x = 1 %}",
        "{% include 'email/alert.mjml' %}",
        "{% macro x() %}{% endmacro %}",
        "{{ date|center(999999999) }}",
        "{{ self }}",
        "{{ cycler }}",
    ],
)
def test_an_editors_text_is_no_program(text: str) -> None:
    """A stolen password of the desk must not open the server, or stop it."""
    with pytest.raises(TemplateTextError):
        check_introduction(text)


@pytest.mark.parametrize("text", ["{{ name|upper }}", "{% if name %}x{% endif %}", "{{ lead_title|default(name) }}"])
def test_the_readers_name_is_shown_and_nothing_else_is_done_with_it(text: str) -> None:
    """It is filled in for each reader after all this; changed here, it would be the same odd word for all."""
    with pytest.raises(TemplateTextError, match="filled for each reader"):
        check_subject(text)


def test_a_text_may_depend_on_the_number_of_articles() -> None:
    text = (
        "{{ lead_title|upper }}{% if article_count > 1 %} and {{ article_count - 1 if false else 'more' }}{% endif %}"
    )

    with pytest.raises(TemplateTextError, match="only slots, filters and if"):
        check_subject(text)
    assert (
        fill_subject("{{ lead_title|upper }}{% if article_count > 1 %} and more{% endif %}", VALUES) == "RAIN and more"
    )


def test_comparing_a_word_with_a_number_is_refused() -> None:
    with pytest.raises(TemplateTextError, match="comparison"):
        check_subject("{% if lead_title > 3 %}x{% endif %}")


def test_a_subject_is_one_line() -> None:
    """A line break in a header field would begin another field."""
    assert fill_subject("One\r\nBcc: {{ lead_title }}\n", VALUES | {"lead_title": "a\nb"}) == "One Bcc: a b"


def test_an_introduction_is_markdown_without_html() -> None:
    text = (
        "# Hello {{ name }}\n\nA *new* [week](https://news.example/w?a=1&b=2)\n\n<script>x</script> <b onclick=x>no</b>"
    )

    assert introduction_html(text, VALUES) == (
        "<h3>Hello NAME</h3>\n"
        '<p>A <em>new</em> <a href="https://news.example/w?a=1&amp;b=2">week</a></p>\n'
        "<p>&lt;script&gt;x&lt;/script&gt; &lt;b onclick=x&gt;no&lt;/b&gt;</p>"
    )


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "JaVaScript:x", "/relative", "vbscript:x"])
def test_a_link_of_an_introduction_goes_to_the_web(url: str) -> None:
    assert "href" not in introduction_html(f"[x]({url})", VALUES)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40))
def test_what_a_slot_brings_in_is_text(title: str) -> None:
    """A title with asterisks, brackets or tags stays what it is; only the editor writes Markdown."""
    shown = introduction_html("About {{ lead_title }}!", VALUES | {"lead_title": title})

    assert shown.startswith("<p>About ")
    assert html.unescape(re.sub(r"^<p>About |!</p>$", "", shown)) == title.replace("\xa0", " ")
    assert "<" not in shown.removeprefix("<p>").removesuffix("</p>")


def test_plain_words_cost_no_template() -> None:
    assert fill_subject("100 % rain } today", {}) == "100 % rain } today"

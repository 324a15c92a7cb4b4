from datetime import date
from pathlib import Path

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from publisher import rendering
from publisher.rendering import Templates, furniture_language, templates, themed, translations


def test_the_templates_are_beside_the_packages() -> None:
    """True in the source tree and, by pyproject.toml, in the wheel."""
    assert Path(rendering.__file__).resolve().parent.parent / "templates" == rendering.FOLDER
    assert (rendering.FOLDER / "email" / "theme.toml").is_file()


def test_html_is_escaped_and_plain_text_is_not() -> None:
    link = {"url": "https://news.example/?a=1&b=2", "title": "<b>", "summary": ""}
    page = Templates("en", filters={"wrap": lambda text, **_: text})

    assert '<a href="https://news.example/?a=1&amp;b=2">&lt;b&gt;</a>' in page.render(
        "email/parts/discover.html", related=[link]
    )
    assert page.render("email/parts/rows.txt", related=[link]) == "<b>\n  https://news.example/?a=1&b=2\n"


def test_mjml_becomes_html_before_any_value_is_in_it() -> None:
    """No title can be MJML: it comes when the MJML is gone."""
    source = rendering._source("email/alert.mjml")

    assert source is not None
    assert source.startswith("<!doctype html>")
    assert "{{ article.title }}" in source
    assert "<mj-" not in source


def test_an_unknown_name_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(UndefinedError, match="related"):
        Templates("en").render("email/parts/discover.html")


def test_a_template_that_is_not_there_is_named() -> None:
    with pytest.raises(TemplateNotFound, match="email/nothing"):
        Templates("en").render("email/nothing.txt")


@pytest.mark.parametrize(
    ("tag", "language"), [("ko", "ko"), ("ko-KR", "ko"), ("EN-gb", "en"), ("fi", "en"), ("", "en")]
)
def test_a_language_that_we_do_not_have_is_english(tag: str, language: str) -> None:
    assert furniture_language(tag) == language


def test_words_come_from_the_catalogue_and_dates_from_the_locale() -> None:
    assert translations("ko").gettext("Unsubscribe") == "구독 해지"
    assert (
        translations("ko").ngettext("%(title)s, and %(count)d more", "%(title)s, and %(count)d more", 1).endswith("건")
    )
    assert templates("ko").long_date(date(2026, 11, 4)) == "2026년 11월 4일"
    assert templates("en") is templates("en")


def test_the_theme_leaves_no_bracket_open() -> None:
    for name in ("email/alert.mjml", "email/digest.mjml", "guide/guide.mjml", "email/article.css"):
        assert "[[" not in themed(name)
        assert "[%" not in themed(name)

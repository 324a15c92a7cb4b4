"""The templates in `templates/`: where they are, how MJML becomes HTML, in which language they speak."""

import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, FunctionLoader, StrictUndefined, select_autoescape
from mjml import mjml2html

from publisher.languages import closest

FOLDER = Path(__file__).resolve().parent.parent / "templates"
"""Beside the packages, in the source tree and in an installed wheel alike."""
DOMAIN = "publisher.po"
DEFAULT_LANGUAGE = "en"
ESCAPED = ("html", "mjml", "xml")


class Templates:
    """
    The templates in one language.

    HTML, MJML and XML are escaped, plain text is not. `_` and `ngettext` speak the language,
    `|long_date` writes dates in it, and an unknown name is an error rather than a gap.
    """

    def __init__(self, language: str, filters: Mapping[str, Callable[..., Any]] | None = None) -> None:
        self.language = furniture_language(language)
        self.translations = translations(self.language)
        self._environment = Environment(
            loader=FunctionLoader(_source),
            autoescape=select_autoescape(enabled_extensions=ESCAPED),
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        self._environment.install_gettext_translations(self.translations, newstyle=True)  # type: ignore[attr-defined]  # by the extension
        self._environment.filters.update({"long_date": self.long_date, **(filters or {})})

    def render(self, name: str, /, **values: object) -> str:
        """Return a template, named from the templates folder, with its values."""
        return self._environment.get_template(name).render(values)

    def long_date(self, day: date) -> str:
        return format_date(day, format="long", locale=self.language)


@cache
def templates(language: str) -> Templates:
    """Return the templates in a language, made once."""
    return Templates(language)


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that have a catalogue; a further one is one more file."""
    return tuple(sorted(path.parent.parent.name for path in FOLDER.glob(f"locale/*/LC_MESSAGES/{DOMAIN}")))


def furniture_language(language: str) -> str:
    """Return the catalogue's language for a BCP 47 tag: itself, its primary part, or English."""
    return closest(language, languages()) or DEFAULT_LANGUAGE


@cache
def translations(language: str) -> NullTranslations:
    """Return the words of a language, read from its .po file: no compiled file has to be kept in step."""
    found = furniture_language(language)
    with (FOLDER / "locale" / found / "LC_MESSAGES" / DOMAIN).open("rb") as file:
        catalogue = read_po(file, locale=found)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


@cache
def theme() -> dict[str, dict[str, str]]:
    """Return the colours, type and spacing of all mail, from the one place where they are written."""
    return tomllib.loads((FOLDER / "email" / "theme.toml").read_text(encoding="utf-8"))


@cache
def themed(name: str) -> str:
    """
    Return a template with its parts put in and its `[[ theme ]]` words filled, ready for values.

    The first of two steps: it runs once for each file, with brackets for what the theme knows, and
    leaves the braces of what only an issue knows.
    """
    return _drafting_table().get_template(name).render(theme())


@cache
def _drafting_table() -> Environment:
    return Environment(  # noqa: S701 -- it sees our own files only; what comes from outside is filled in later, escaped
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _source(name: str) -> str | None:
    """
    Return the text of a template for Jinja, None if there is none.

    MJML becomes HTML here, once, while the braces are still empty: it costs nothing per issue, and no
    article's text ever passes through it.
    """
    if not (FOLDER / name).is_file():
        return None
    if not name.endswith(".mjml"):
        return (FOLDER / name).read_text(encoding="utf-8")
    # No font of the list is ever fetched: by default MJML links Google's fonts where it sees their names.
    return mjml2html(themed(name), disable_comments=True, fonts={})

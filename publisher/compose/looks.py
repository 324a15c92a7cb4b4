"""How an edition looks: what of it an editor may set, and what is wrong with what was set."""

from urllib.parse import urlsplit

from publisher.audience.rules import language_tag
from publisher.compose import colour
from publisher.compose.model import Edition
from publisher.compose.text import check_subject
from publisher.errors import InputError
from publisher.rendering import languages

FOOTER_AT_MOST = 2_000
SUBJECT_AT_MOST = 500
LOGO_AT_MOST = 500
LOGO_PX = 180
"""How wide a logo stands in a mail; a picture twice as wide is sharp on every screen."""


def check_look(found: Edition) -> None:
    """
    Raise InputError with the field where an edition could not be shown as it is set.

    A subject that names an unknown slot is a TemplateTextError.
    """
    if found.language not in languages():
        raise InputError(f"There is no {found.language!r}; mails speak {', '.join(languages())}.", "language")
    if not colour.HEX.fullmatch(found.accent):
        raise InputError("This is not a colour; write it like #b5332e.", "accent")
    if len(found.footer) > FOOTER_AT_MOST:
        raise InputError(f"A footer has at most {FOOTER_AT_MOST:,} characters.", "footer")
    if len(found.subject) > SUBJECT_AT_MOST:
        raise InputError(f"A subject has at most {SUBJECT_AT_MOST} characters.", "subject")
    _check_logo(found.logo)
    _check_languages(found.languages)
    check_subject(found.subject)


def _check_logo(logo: str) -> None:
    if logo and not _is_address(logo):
        raise InputError("This takes the address of a picture, such as https://news.example.org/logo.png.", "logo")


def _is_address(text: str) -> bool:
    if len(text) > LOGO_AT_MOST or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    is_ours = text.startswith("/") and not text.startswith("//")
    return is_ours or (parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc)


def _check_languages(tags: tuple[str, ...]) -> None:
    for tag in tags:
        try:
            language_tag(tag)
        except InputError:
            raise InputError(f"{tag!r} is not a language tag, such as en or ko or pt-BR.", "languages") from None

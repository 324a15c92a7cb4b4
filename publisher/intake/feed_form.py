import calendar
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

import feedparser

from publisher.errors import SubmissionError
from publisher.intake.blocks import absolute_link, parse_html, text_of
from publisher.intake.body import body_of_html, checked
from publisher.intake.clean import clean_text, one_line, without_forbidden_references
from publisher.intake.fields import FIRST_YEAR, LANGUAGE, LAST_YEAR, LONGEST_NAME, cut_names, language, quoted, title_of
from publisher.intake.model import Draft, Image
from publisher.outbound import address_problem

LONGEST_FEED_SUMMARY = 1_000
"""Characters; a longer description is the article itself, or a piece of it."""
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")


@dataclass(frozen=True, kw_only=True)
class FeedReading:
    """What a feed holds: the drafts that can be used, and a sentence for each entry that cannot."""

    drafts: tuple[tuple[str, Draft], ...]
    """External id and draft, in the feed's order."""
    problems: tuple[SubmissionError, ...] = ()


def read_feed(data: bytes, *, url: str = "") -> FeedReading:
    """
    Read RSS 0.9-2.0 or Atom: a bad entry costs itself only.

    An entry's link becomes the canonical address if readers elsewhere could open it. The external
    id is the entry's own, else its link, else a hash of its title and date.

    Args:
        data: The document as it came; its XML declaration or byte order mark tells the encoding.
        url: Where it came from, for relative links.

    Raises:
        SubmissionError: No feed at all.

    """
    found = _parsed(data, url)
    if not found.get("version") and not found.entries:
        raise SubmissionError("This is not a feed: RSS or Atom was expected.", url)
    drafts: dict[str, Draft] = {}
    problems = list(_damage(found, url))
    for place, entry in enumerate(found.entries, start=1):
        try:
            draft = _draft(entry, url, _language(found.feed))
            drafts.setdefault(draft.external_id, draft)
        except SubmissionError as error:
            problems.append(SubmissionError(error.problem, _where(entry, place, error.where)))
    return FeedReading(drafts=tuple(drafts.items()), problems=tuple(problems))


def _parsed(data: bytes, url: str) -> Any:
    # One forbidden character would cost the whole feed. Latin-1 keeps every other byte as it is; the bytes
    # that mark UTF-16 and ISO-2022 tell that single bytes are no characters there.
    text = without_forbidden_references(data.decode("latin-1"))
    legal = (text if b"\x00" in data or b"\x1b" in data else clean_text(text)).encode("latin-1")
    try:
        # As a stream: feedparser would take bytes or text for a path or an address to open.
        return feedparser.parse(io.BytesIO(legal), resolve_relative_uris=False, sanitize_html=False)
    except (
        ValueError,
        LookupError,
        AssertionError,
        RecursionError,
    ):  # what it raises for damaged declarations and names
        raise SubmissionError("This feed is too damaged to be read.", url) from None


def _damage(found: Any, url: str) -> Iterator[SubmissionError]:
    reason = found.get("bozo_exception")
    if found.get("bozo") and not isinstance(
        reason, feedparser.CharacterEncodingOverride | feedparser.NonXMLContentType
    ):
        yield SubmissionError("The feed is damaged, so that entries may be missing.", url)


def _draft(entry: Any, url: str, feed_language: str) -> Draft:
    link = absolute_link(_text(entry.get("link")), url)
    link = "" if address_problem(link) or " " in link else link
    title = title_of(_title(entry), hint="the entry needs one")
    html, summary = _content(entry)
    body = body_of_html(html, title=title, base_url=link or url)
    published_at = _instant(entry, "published") or _instant(entry, "updated")
    return checked(
        Draft(
            title=title,
            sections=body.sections,
            guide=body.guide,
            teasers=body.teasers,
            summary=summary,
            language=_language(entry) or feed_language,
            authors=cut_names(each.get("name") for each in entry.get("authors", [])),
            topics=cut_names(each.get("label") or each.get("term") for each in entry.get("tags", [])),
            image=_image(entry, link or url),
            canonical_url=link,
            external_id=_external_id(entry, link, f"{title}\n{published_at}"),
            published_at=published_at,
        )
    )


def _external_id(entry: Any, link: str, otherwise: str) -> str:
    given = one_line(_text(entry.get("id"))) or link
    return given or f"sha256:{hashlib.sha256(otherwise.encode()).hexdigest()}"


def _title(entry: Any) -> str:
    detail = entry.get("title_detail") or {}
    return _plain(_text(entry.get("title")), is_html=detail.get("type") != "text/plain")


def _content(entry: Any) -> tuple[str, str]:
    """Return the fullest text as HTML, and a plain summary where the entry has one beside it."""
    described = entry.get("summary_detail") or {}
    texts = [_html(each) for each in entry.get("content", []) if _text(each.get("value")).strip()]
    summary = _html(described)
    if not texts:
        return summary, ""
    line = _plain(summary, is_html=True)
    return max(texts, key=len), line if len(line) <= LONGEST_FEED_SUMMARY and summary not in texts else ""


def _html(detail: Any) -> str:
    value = _text(detail.get("value"))
    return f"<p>{escape(value, quote=False)}</p>" if detail.get("type") == "text/plain" and value else value


def _plain(value: str, *, is_html: bool) -> str:
    return text_of(parse_html(value)) if is_html and ("<" in value or "&" in value) else one_line(value)


def _instant(entry: Any, name: str) -> datetime | None:
    given = one_line(_text(entry[name])) if name in entry else ""
    if not given:
        return None
    parsed = entry.get(f"{name}_parsed")
    try:
        found = datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError, TypeError):
        found = None
    if found is None or not FIRST_YEAR <= found.year < LAST_YEAR:
        raise SubmissionError(f"{quoted(given)} is not a date.", name)
    return found


def _language(holder: Any) -> str:
    tag = one_line(_text(holder.get("language"))).replace("_", "-")
    return language(tag, "language") if LANGUAGE.fullmatch(tag) else ""


def _image(entry: Any, base: str) -> Image | None:
    pictures = [each for each in entry.get("media_content", []) if _is_picture(each)]
    enclosed = [each for each in entry.get("enclosures", []) if each.get("type") in IMAGE_TYPES]
    for each in (*pictures, *entry.get("media_thumbnail", []), *enclosed):
        address = absolute_link(_text(each.get("url") or each.get("href")), base)
        if not address_problem(address):
            return Image(url=address)
    return None


def _is_picture(media: Any) -> bool:
    return media.get("medium") == "image" or media.get("type") in IMAGE_TYPES


def _text(value: Any) -> str:
    return clean_text(value) if isinstance(value, str) else ""


def _where(entry: Any, place: int, field: str) -> str:
    name = one_line(_text(entry.get("id")) or _text(entry.get("link")))[:LONGEST_NAME]
    return ", ".join(part for part in (f"entry {place}", name, field) if part)

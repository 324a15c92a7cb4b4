"""HTML pages: templates with what every page knows, and the conditional answers that spare sending them twice."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_timedelta
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup, escape

from feeds.formats import FeedFormat
from publisher.rendering import DEFAULT_LANGUAGE, Templates
from publisher.syndication.discovery import Offer, head_links
from publisher.syndication.model import FeedAddress, FeedKey, FeedKind, Site
from publisher.syndication.names import home_url, titled
from publisher.web.static import static_url
from publisher.wiring import Newsroom

REVALIDATE = "public, no-cache"
"""An article that is withdrawn, or corrected, must be so at once: keep a page, but ask each time."""
PRIVATE = "private, no-store"
A_MINUTE = timedelta(minutes=1)
HYPHENED = re.compile(r"\b[A-Z][a-z]*-[a-z]{2,}\b")
IN_SCRIPT = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def page(request: Request, room: Newsroom, template: str, /, *, status: int = 200, **values: Any) -> HTMLResponse:
    """
    Return a page that nobody may keep: forms, answers, errors, the desk.

    Args:
        request: Asked for it.
        room: Whose it is.
        template: Named from the templates folder.
        status: Of the answer.
        values: What the template needs; `feeds`, the discovery links, is empty where not given.

    """
    html = render(request, room, template, **values)
    return HTMLResponse(html, status_code=status, headers={"Cache-Control": PRIVATE})


def kept_page(request: Request, room: Newsroom, template: str, /, **values: Any) -> Response:
    """Return a page that everybody sees alike: with an ETag, and 304 for who has it already."""
    html = render(request, room, template, **values)
    return conditional(request, HTMLResponse(html, headers={"Cache-Control": REVALIDATE}))


def conditional(request: Request, response: Response) -> Response:
    """
    Give a response its ETag, and send 304 in its place where the client has just that (RFC 9110, section 13.1.2).

    Weak, because the same page goes out compressed and plain.
    """
    etag = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    response.headers["ETag"] = etag
    if not _has(request.headers.get("If-None-Match", ""), etag):
        return response
    kept = {name: response.headers[name] for name in ("ETag", "Cache-Control")}
    return Response(status_code=304, headers=kept | {"Vary": "Accept-Encoding"})


def render(request: Request, room: Newsroom, template: str, /, **values: Any) -> str:
    """Return a template's HTML with its values and what every page knows; `frame` of the public pages adds more."""
    common = {
        "site": room.settings,
        "path": request.url.path,
        "canonical": f"{room.settings.base_url}{request.url.path}",
        "feeds": head_links([everything(room.site)]),
        "topic_bar": (),
        "mailing_lists": (),
    }
    time_zone = values.pop("time_zone", "UTC")
    return _templates(time_zone).render(template, **(common | values))


def fragment(template: str, /, **values: Any) -> str:
    """Return a part of a page, in which no time stands."""
    return _templates("UTC").render(template, **values)


@lru_cache(maxsize=8)
def everything(site: Site) -> Offer:
    """Return the feed of all articles, which even a page without a database can offer."""
    key = FeedKey(kind=FeedKind.ALL)
    urls = {each: f"{site.base_url}{FeedAddress(key=key, feed_format=each).path}" for each in FeedFormat}
    name = site.site_name
    return Offer(key=key, name=name, title=titled(key, name, site), home_url=home_url(key, site), urls=urls)


def language_name(tag: str) -> str:
    """Return a language's own name, `한국어` for `ko`; the tag itself where nobody knows it."""
    try:
        return (Locale.parse(tag, sep="-").get_display_name() or tag).capitalize()
    except (UnknownLocaleError, ValueError):
        return tag


def _has(if_none_match: str, etag: str) -> bool:
    wanted = etag.removeprefix("W/")
    return if_none_match.strip() == "*" or wanted in re.findall(r'"[^"]*"', if_none_match)


@cache
def _templates(time_zone: str) -> Templates:
    """Return the templates that write dates as they are in a time zone."""
    filters: dict[str, Callable[..., Any]] = {
        "static": static_url,
        "iso": _iso,
        "day": partial(_day, zone=ZoneInfo(time_zone)),
        "moment": partial(_moment, zone=ZoneInfo(time_zone)),
        "clock_time": partial(_clock_time, zone=ZoneInfo(time_zone)),
        "weekday": partial(_weekday, zone=ZoneInfo(time_zone)),
        "duration": _duration,
        "in_script": _in_script,
        "language_name": language_name,
        "listed": _listed,
        "clean": Markup,
        "unbroken": _unbroken,
        "marked": _marked,
        "coded": _coded,
    }
    return Templates(DEFAULT_LANGUAGE, filters=filters)


def _iso(instant: datetime) -> str:
    """RFC 3339, to the second, for <time datetime> and metadata."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(instant: datetime, zone: ZoneInfo) -> str:
    return format_date(instant.astimezone(zone).date(), format="long", locale=DEFAULT_LANGUAGE)


def _moment(instant: datetime, zone: ZoneInfo) -> str:
    """Return date and time with the zone that they are in: "Jun 2, 2026, 17:00 KST"."""
    local = instant.astimezone(zone)
    name = local.strftime("%Z")
    shown = format_datetime(local, "MMM d, y, HH:mm", locale=DEFAULT_LANGUAGE)
    return f"{shown} {name if name[:1].isalpha() else f'UTC{name}'}"


def _clock_time(instant: datetime, zone: ZoneInfo, *, to: str = "minute") -> str:
    """Return a time of day, to the minute or to the second; or with its date, to the day: "Jun 2, 17:00"."""
    pattern = {"second": "HH:mm:ss", "minute": "HH:mm", "day": "MMM d, HH:mm"}[to]
    return format_datetime(instant.astimezone(zone), pattern, locale=DEFAULT_LANGUAGE)


def _weekday(instant: datetime, zone: ZoneInfo) -> str:
    return format_date(instant.astimezone(zone).date(), "EEEE", locale=DEFAULT_LANGUAGE)


def _duration(time: timedelta) -> str:
    """Return a time in its largest unit: "1.3 seconds", "4 minutes"."""
    if time < A_MINUTE:
        return f"{time.total_seconds():.1f} seconds"
    return format_timedelta(time, threshold=1.5, locale=DEFAULT_LANGUAGE)


def _unbroken(title: str) -> Markup:
    """Return a title in which no line ends inside a name such as Jae-myung, nor inside K-pop."""
    return Markup(HYPHENED.sub(r'<span class="nb">\g<0></span>', str(escape(title))))  # noqa: S704 -- escaped just there


def _marked(text: str, name: str) -> Markup:
    """Return a sentence in which a name stands out wherever it is."""
    parts = (str(escape(part)) for part in text.split(name))
    return Markup(f"<mark>{escape(name)}</mark>".join(parts))  # noqa: S704 -- escaped just there


def _coded(text: str) -> Markup:
    """Return a sentence of a docstring with its `names` as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 -- escaped just there


def _listed(names: Sequence[str]) -> str:
    """Return names as people list them: one, two and three."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _in_script(value: Any) -> Markup:
    """Return JSON for a data block: no text in it can end the script element (HTML, section 4.12.1.3)."""
    return Markup(json.dumps(value, ensure_ascii=False).translate(IN_SCRIPT))  # noqa: S704 -- what HTML reads is escaped

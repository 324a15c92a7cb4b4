"""What a feed is called, and the page that shows people the same articles."""

from babel import Locale, UnknownLocaleError
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.compose import store as compose
from publisher.syndication.model import FeedKey, FeedKind, Site

_PAGES = {FeedKind.TOPIC: "/topics/", FeedKind.AUTHOR: "/authors/", FeedKind.LANGUAGE: "/languages/"}
GUIDE_NAME = "Foreign fans’ guide"
_DESCRIPTIONS = {
    FeedKind.ALL: "All articles from {house}.",
    FeedKind.GUIDE: "The guide for readers abroad from {house}.",
    FeedKind.EDITION: "Back issues of {name} from {house}.",
    FeedKind.TOPIC: "Articles about {name} from {house}.",
    FeedKind.COMBINED: "Articles about {name} from {house}.",
    FeedKind.AUTHOR: "Articles by {name} from {house}.",
    FeedKind.LANGUAGE: "Articles in {name} from {house}.",
    FeedKind.SEARCH: "Articles from {house} that have the words “{name}”.",
}


def short_name(connection: Connection, key: FeedKey, site: Site) -> str | None:
    """Return what a feed is called in a list; None where there is no such topic, author or edition."""
    match key.kind:
        case FeedKind.ALL:
            return site.site_name
        case FeedKind.GUIDE:
            return GUIDE_NAME
        case FeedKind.LANGUAGE:
            return language_name(key.slug)
        case FeedKind.SEARCH:
            return key.slug
        case _:
            named = [_named(connection, key.kind, slug) for slug in key.slug.split("+")]
            return ", ".join(filter(None, named)) if all(named) else None


def titled(key: FeedKey, name: str, site: Site) -> str:
    """Return a feed's title. A topic, an author and an edition may share a name, their feeds no title."""
    match key.kind:
        case FeedKind.ALL:
            return site.site_name
        case FeedKind.LANGUAGE:
            return f"{site.site_name} in {name}"
        case FeedKind.AUTHOR:
            return f"{site.site_name}: by {name}"
        case FeedKind.EDITION:
            return f"{site.site_name}: {name} (back issues)"
        case FeedKind.SEARCH:
            return f"{site.site_name}: “{name}”"
        case _:
            return f"{site.site_name}: {name}"


def description(key: FeedKey, name: str, site: Site) -> str:
    return _DESCRIPTIONS[key.kind].format(name=name, house=site.site_name)


def home_url(key: FeedKey, site: Site) -> str:
    """Return the page that shows people what a feed has."""
    if key.kind is FeedKind.ALL:
        return f"{site.base_url}/"
    page = _PAGES.get(key.kind)
    if page:
        return f"{site.base_url}{page}{key.slug}"
    return f"{site.base_url}/feeds" if key.kind is FeedKind.SEARCH else f"{site.base_url}{key.path}/"


def language_name(tag: str) -> str:
    """Return a language's name in English, `Korean` for `ko`; the tag itself where nobody knows it."""
    try:
        return Locale.parse(tag, sep="-").get_display_name("en") or tag
    except (UnknownLocaleError, ValueError):
        return tag


def _named(connection: Connection, kind: FeedKind, slug: str) -> str | None:
    if kind is FeedKind.EDITION:
        return next((each.name for each in compose.editions(connection) if each.slug == slug), None)
    find = archive.author_named if kind is FeedKind.AUTHOR else archive.topic_named
    found = find(connection, slug)
    return found.name if found else None

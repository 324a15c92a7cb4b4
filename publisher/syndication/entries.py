import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from pathlib import PurePosixPath
from urllib.parse import urljoin, urlsplit

from feeds.document import Entry, FeedAuthor, FeedImage
from publisher.archive.model import Article, Lead
from publisher.compose.model import Edition, Issue, Rendering
from publisher.intake.model import Image, Section
from publisher.syndication.model import Site

MEDIA_TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
LIKELIEST_TYPE = "image/jpeg"

_TAG = re.compile(r'<[A-Za-z](?:[^>"]|"[^"]*")*>')
_ADDRESS = re.compile(r'(?<=\s)(href|src|poster|cite)="([^"]*)"')
_IS_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def of_article(article: Article, related: Sequence[Lead], site: Site) -> Entry:
    """Return an article as an entry: its picture, all sections, the guide section, and what to read next."""
    url = article_url(article, site)
    parts = [_figure(article.image, site), *map(_section, article.all_sections), _discover_more(related, site)]
    return Entry(
        id=article.uri,
        url=url,
        title=article.title,
        summary=article.summary,
        content_html=absolute("\n".join(filter(None, parts)), url),
        published_at=article.published_at,
        updated_at=article.updated_at,
        authors=tuple(
            FeedAuthor(name=each.name, url=f"{site.base_url}/authors/{each.slug}") for each in article.authors
        ),
        topics=tuple(each.name for each in article.topics),
        language=article.language,
        image=_image(article.image, site),
    )


def of_issue(
    issue: Issue,
    rendering: Rendering,
    *,
    edition: Edition,
    left: Sequence[Lead] | None,
    left_at: datetime | None,
    uri: str,
    site: Site,
) -> Entry:
    """
    Return an approved issue as an entry; it is frozen, so it was updated when it was published, or lost an article.

    Args:
        issue: Approved; its subject speaks to no reader in particular, unlike the frozen one.
        rendering: What was frozen.
        edition: The issue's.
        left: Where articles of it were withdrawn since, those that were not: then the entry only names these.
        left_at: When the last of them was withdrawn.
        uri: The entry's id.
        site: The house.

    """
    assert issue.approved_at is not None
    url = f"{site.base_url}/issues/{edition.slug}/{issue.number}"
    return Entry(
        id=uri,
        url=url,
        title=issue.subject if left is None else f"{edition.name} {issue.number}",
        summary=issue.preheader if left is None else "",
        content_html=absolute(rendering.web_html, url) if left is None else _teasers(left, site),
        published_at=issue.approved_at,
        updated_at=max(issue.approved_at, left_at or issue.approved_at),
        language=edition.language,
    )


def article_url(lead: Lead, site: Site) -> str:
    return f"{site.base_url}/articles/{lead.slug}"


def absolute(clean_html: str, base: str) -> str:
    """Return cleaned HTML with every address in full: readers show it far from where it was published."""
    return _TAG.sub(lambda tag: _ADDRESS.sub(lambda found: _in_full(found, base), tag[0]), clean_html)


def _in_full(found: re.Match[str], base: str) -> str:
    name, address = found.groups()
    if _IS_ABSOLUTE.match(address):
        return found[0]
    try:
        return f'{name}="{urljoin(base, address)}"'
    except ValueError:  # such as http://[, which only a browser forgives
        return f'{name}="{base}"'


def _section(section: Section) -> str:
    heading = f"<h2>{escape(section.heading, quote=False)}</h2>\n" if section.heading else ""
    return f"{heading}{section.html}"


def _figure(image: Image | None, site: Site) -> str:
    if image is None:
        return ""
    size = f' width="{image.width}" height="{image.height}"' if image.width and image.height else ""
    caption = f"<figcaption>{escape(image.credit, quote=False)}</figcaption>" if image.credit else ""
    source = escape(urljoin(f"{site.base_url}/", image.url))
    return f'<figure><img src="{source}" alt="{escape(image.alt)}"{size}>{caption}</figure>'


def _image(image: Image | None, site: Site) -> FeedImage | None:
    if image is None:
        return None
    suffix = PurePosixPath(urlsplit(image.url).path).suffix.lower()
    return FeedImage(
        url=urljoin(f"{site.base_url}/", image.url),
        media_type=MEDIA_TYPES.get(suffix, LIKELIEST_TYPE),
        alt=image.alt,
        width=image.width,
        height=image.height,
    )


def _discover_more(related: Iterable[Lead], site: Site) -> str:
    teasers = _teasers(related, site)
    return f"<h2>Discover More</h2>\n{teasers}" if teasers else ""


def _teasers(leads: Iterable[Lead], site: Site) -> str:
    lines = "".join(f"<li>{_teaser(lead, site)}</li>" for lead in leads)
    return f"<ul>{lines}</ul>" if lines else ""


def _teaser(lead: Lead, site: Site) -> str:
    link = f'<a href="{escape(article_url(lead, site))}">{escape(lead.title, quote=False)}</a>'
    return f"{link}<br>{escape(lead.summary, quote=False)}" if lead.summary else link

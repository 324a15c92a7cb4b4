from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

SubmissionId = NewType("SubmissionId", int)
SourceId = NewType("SourceId", int)


class SubmissionState(StrEnum):
    """Where a submission stands. It is on disk from `RECEIVED` on."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    """Handed in again with nothing new."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading with its paragraphs. The opening of an article may have no heading."""

    heading: str
    """Plain text; empty where the article opens without one."""
    html: str
    """Clean HTML: paragraphs, lists, quotations, figures, sub-headings from h3 down."""


@dataclass(frozen=True, kw_only=True)
class Teaser:
    """A related article as the newsroom named it: title, and a summary that may be empty."""

    title: str
    summary: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Image:
    """
    A picture: an absolute http(s) URL, or a path of ours below /media/.

    A draft fresh from a Markdown file may hold a path beside that file, until the picture is stored.
    """

    url: str
    alt: str = ""
    credit: str = ""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, kw_only=True)
class Draft:
    """
    A submission's content, read from any outside form and cleaned: what the archive is asked to accept.

    Texts hold no character that XML 1.0 forbids. Empty means absent.
    """

    title: str
    sections: tuple[Section, ...]
    guide: Section | None = None
    teasers: tuple[Teaser, ...] = ()
    summary: str = ""
    language: str = ""
    """BCP 47 tag, lower-case primary part (`en`, `ko`); empty: the archive detects it."""
    authors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    image: Image | None = None
    slug: str = ""
    canonical_url: str = ""
    external_id: str = ""
    importance: int | None = None
    """1 (leads everything) to 5; None: 3."""
    published_at: datetime | None = None
    publish_at: datetime | None = None
    """Embargo: nothing is visible before."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture handed in as a file beside an article; stored under the hash of its bytes."""

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int

"""What tests look for in pages, and articles to fill them with."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import html5lib

from publisher.archive.glossary import keep
from publisher.archive.model import ArticleId, GlossaryTerm
from publisher.archive.proposals import count_due
from publisher.audience.store import mailing_list_named, subscriber_with_email, subscriptions_of
from publisher.compose import flow as compose
from publisher.compose import store as compose_store
from publisher.compose.cadence import parse
from publisher.compose.model import Edition, EditionId, EditionKind
from publisher.intake.model import Image, Section
from publisher.related.flow import arrange, relate_due
from publisher.syndication.flow import syndicate_due
from publisher.wiring import Newsroom
from tests.builders import a_draft, handed_in

XHTML = "{http://www.w3.org/1999/xhtml}"
SUBJECTS = ("jeonse deposits", "kimchi refrigerators", "light sticks", "subway lines", "film ratings", "temple stays")


@dataclass(frozen=True, kw_only=True)
class Links:
    """The addresses in one reader's mails."""

    unsubscribe: str
    preferences: str


def parsed(html: str) -> Element:
    """Return a page's tree; whatever the HTML standard calls a parse error fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), strict=True)
        found: Element = parser.parse(html)
    return found


def elements(html: str, tag: str, **attributes: str) -> list[Element]:
    """Return a page's elements of one kind with these attributes; `rel_` stands for `rel`, and so on."""
    wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return [
        each
        for each in parsed(html).iter(f"{XHTML}{tag}")
        if all(each.get(name) == value for name, value in wanted.items())
    ]


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def addresses(html: str) -> Iterator[str]:
    """Yield all addresses in a page that a browser would open or load from our own site."""
    for each in parsed(html).iter():
        for name in ("href", "src", "action"):
            address = each.get(name) or ""
            if address.startswith(("/", "http://127.0.0.1:8000")):
                yield re.sub("^http://127.0.0.1:8000", "", address).partition("#")[0] or "/"


def an_archive(room: Newsroom, number: int = 6, **values: Any) -> list[ArticleId]:
    """Put articles into the archive, every second one with a picture; an editor links the first to the next three."""
    drafts = [
        a_draft(
            external_id=f"{place}",
            title=f"All About {SUBJECTS[place % len(SUBJECTS)].title()} {place}",
            sections=(
                Section(heading="", html=f"<p>In Seoul everybody talks of {SUBJECTS[place % len(SUBJECTS)]}.</p>"),
                Section(heading="Why It Lasts", html="<p>The landlord, the tenant and the city council agree.</p>"),
            ),
            topics=("society", "seoul") if place % 2 else ("food",),
            image=Image(url=f"https://pictures.example/{place}.jpg", alt="A street", width=1200, height=675)
            if place % 2
            else None,
            **values,
        )
        for place in range(number)
    ]
    ids = [each.article_id for each in handed_in(room.database, drafts, clock=room.now)]
    arrange(room.database, ids[0], pinned=ids[1:4], banned=(), clock=room.now)
    return ids


def fill(room: Newsroom) -> None:
    """Give a newsroom articles, an edition with two back issues, a glossary, and feeds of all that."""
    ids = an_archive(room)
    with room.database.transaction() as connection:
        mailing_list = mailing_list_named(connection, "readers")
        weekly = Edition(
            id=EditionId(0),
            slug="weekly",
            name="The Weekly",
            kind=EditionKind.DIGEST,
            mailing_list_id=mailing_list.id,
            cadence=parse("fri 07:00 Asia/Seoul"),
        )
        compose_store.add_edition(connection, weekly, now=room.now())
        term = GlossaryTerm(slug="jeonse", name="Jeonse", hangul="전세", explanation="A deposit instead of rent.")
        keep(connection, [term], now=room.now())
    for chosen in (ids[:3], ids[3:]):
        draft = compose.draft_issue(room.database, room.settings, "weekly", article_ids=chosen, clock=room.now)
        compose.approve(room.database, room.settings, draft.id, clock=room.now)
    relate_due(room.database, room.now)
    count_due(room.database, clock=room.now)
    syndicate_due(room.database, room.site, clock=room.now)


def standing(room: Newsroom, email: str = "reader@readers.example") -> dict[int, str]:
    """Return the state of a reader's subscriptions, by mailing list; empty for somebody unknown."""
    with room.database.reading() as connection:
        found = subscriber_with_email(connection, email)
        if found is None:
            return {}
        return {each.mailing_list_id: each.state for each in subscriptions_of(connection, [found.id]).get(found.id, [])}

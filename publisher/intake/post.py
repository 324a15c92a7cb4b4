"""A post of another system, before it is known whether it can be an article."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from publisher.errors import SubmissionError
from publisher.intake.blocks import absolute_link, parse_html, text_of
from publisher.intake.body import body_of_html, checked
from publisher.intake.clean import one_line
from publisher.intake.fields import (
    LANGUAGE,
    LONGEST_NAME,
    LONGEST_SUMMARY,
    SLUG,
    cut_names,
    instant,
    language,
    title_of,
)
from publisher.intake.model import Draft, Image
from publisher.outbound import address_problem

NO_DATE = re.compile(r"0000-00-00")


@dataclass(frozen=True, kw_only=True)
class Post:
    """What a post says of itself, as it is written there."""

    name: str
    external_id: str = ""
    left_out: str = ""
    """Why it is not taken along; empty: it is."""
    is_missed: bool = True
    title: str = ""
    html: str = ""
    slug: str = ""
    published_at: str = ""
    summary: str = ""
    language: str = ""
    authors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    image: str = ""
    image_alt: str = ""
    image_credit: str = ""
    canonical_url: str = ""
    base_url: str = ""

    def draft(self) -> Draft:
        """Return the draft of an article that was published long ago. Raises SubmissionError."""
        title = title_of(_plain(self.title), hint="it needs one")
        body = body_of_html(self.html, title=title, base_url=self.base_url)
        return checked(
            Draft(
                title=title,
                sections=body.sections,
                guide=body.guide,
                teasers=body.teasers,
                summary=_plain(self.summary)[:LONGEST_SUMMARY],
                language=language(self.language, "language") if LANGUAGE.fullmatch(self.language) else "",
                authors=cut_names(self.authors),
                topics=cut_names(self.topics),
                image=self._image(),
                slug=_slug(self.slug),
                canonical_url=_address(self.canonical_url, ""),
                external_id=self.external_id,
                published_at=_published_at(self.published_at),
            )
        )

    def _image(self) -> Image | None:
        url = _address(self.image, self.base_url)
        credit = _plain(self.image_credit)[:LONGEST_NAME]
        return Image(url=url, alt=one_line(self.image_alt)[:LONGEST_NAME], credit=credit) if url else None


def names_of(values: Iterable[str]) -> tuple[str, ...]:
    """Return topics as they are shown: what only the system itself uses goes."""
    return tuple(each for each in values if each and not each.startswith("#") and each.lower() != "uncategorized")


def _plain(text: str) -> str:
    return text_of(parse_html(text)) if "<" in text or "&" in text else one_line(text)


def _slug(text: str) -> str:
    """WordPress writes letters beyond ASCII in per cents."""
    found = one_line(unquote(text)).lower()
    return found if SLUG.fullmatch(found) and len(found) <= LONGEST_NAME else ""


def _address(text: str, base_url: str) -> str:
    found = absolute_link(one_line(text), base_url) if text else ""
    return "" if not found or address_problem(found) or " " in found else found


def _published_at(text: str) -> datetime:
    found = None if NO_DATE.match(text) else instant(text, "published_at")
    if found is None:
        raise SubmissionError("It does not tell when it was published.")
    return found

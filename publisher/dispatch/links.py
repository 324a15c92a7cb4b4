"""
Tracked links: a way round by our own site, which counts and leads on.

    https://news.example.org/l/LINK/WHERE            which link of which issue
    https://news.example.org/l/LINK.READER/WHERE     and by whom, where an edition tracks by reader

Both are signed tokens, and the address that a link leads to stands in the database: nobody can make our site lead
anywhere else. WHERE is for the eyes of who looks at a link before following it, and counts for nothing. What has a
slot in it (unsubscribe, preferences) is never tracked.
"""

import re
from collections.abc import Callable, Iterable
from html import escape, unescape
from urllib.parse import urlsplit

from publisher.audience.tokens import Purpose, Signer
from publisher.compose.model import IssueId, Tracking
from publisher.compose.slots import Slot, marker

LINKS_AT_MOST = 1 << 12
LINKS_OF_SUBJECT = 1 << 10
"""Numbers that the links of each subject have to themselves where subjects are on trial: clicks tell them apart."""
_DELIVERIES_AT_MOST = 1 << 32
_LINK = re.compile(r'(<a\b[^>]*?\shref=")(https?://[^"]+)(")', re.IGNORECASE)
_SLOTS = tuple(marker(slot) for slot in Slot)
_END = re.compile(r"</body>", re.IGNORECASE)
_UNUSUAL = re.compile(r"[^A-Za-z0-9.-]+")
_WHERE_AT_MOST = 80


def link_token(signer: Signer, issue_id: IssueId, number: int) -> str:
    return signer.sign(Purpose.LINK, issue_id * LINKS_AT_MOST + number)


def link_behind(signer: Signer, token: str) -> tuple[IssueId, int] | None:
    """Return the issue and the number of the link that a token stands for; None: it is not ours."""
    found = signer.read(Purpose.LINK, token)
    return None if found is None else (IssueId(found // LINKS_AT_MOST), found % LINKS_AT_MOST)


def reader_tokens(signer: Signer, issue_id: IssueId) -> Callable[[int], str]:
    """Return the maker of the tokens of an issue's deliveries, by their numbers."""
    sign, first = signer.tokens(Purpose.READER), issue_id * _DELIVERIES_AT_MOST
    return lambda seq: sign(first + seq)


def reader_behind(signer: Signer, token: str) -> tuple[IssueId, int] | None:
    """Return the issue and the number of the delivery that a token stands for; None: it is not ours."""
    found = signer.read(Purpose.READER, token)
    return None if found is None else (IssueId(found // _DELIVERIES_AT_MOST), found % _DELIVERIES_AT_MOST)


def with_tracked_links(
    html: str,
    tracking: Tracking,
    *,
    link: Callable[[int], str],
    pixel: str,
    known: Iterable[str] = (),
    at_most: int = LINKS_AT_MOST - 1,
) -> tuple[str, tuple[str, ...]]:
    """
    Return a letter whose links go by our site, and where they lead, each address once, in their order.

    Args:
        html: The letter, with its slots.
        tracking: What the edition wants to know.
        link: Returns the address of our site for a link's number, from 1.
        pixel: The address before the reader's token of the picture that tells of an opened mail.
        known: Addresses that have numbers already, in their order; they keep them, and stand first in the answer.
        at_most: Tracked links; what is beyond leads straight to where it leads.

    """
    if tracking is Tracking.OFF:
        return html, ()
    by_reader = tracking is Tracking.PER_READER
    reader = f".{marker(Slot.READER)}" if by_reader else ""
    numbers = {url: number for number, url in enumerate(known, start=1)}

    def lead_round(found: re.Match[str]) -> str:
        url = unescape(found[2])
        is_full = url not in numbers and len(numbers) >= at_most
        if is_full or any(each in url for each in _SLOTS):
            return found[0]
        number = numbers.setdefault(url, len(numbers) + 1)
        return f"{found[1]}{escape(link(number))}{reader}/{where(url)}{found[3]}"

    html = _LINK.sub(lead_round, html)
    if by_reader:
        picture = f'<img src="{escape(pixel)}{marker(Slot.READER)}" width="1" height="1" alt="">'
        html = _END.sub(lambda end: picture + end[0], html, count=1)
    return html, tuple(numbers)


def where(url: str) -> str:
    """Return what tells a reader where a link leads: the last part of its path that has a name, else its host."""
    parts = urlsplit(url)
    last = parts.path.rstrip("/").rpartition("/")[2]
    return _UNUSUAL.sub("-", last.strip(".") or parts.hostname or "").strip("-")[:_WHERE_AT_MOST]

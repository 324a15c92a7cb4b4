"""Conditional requests: has the reader got these bytes already?"""

import re
from calendar import timegm
from email.utils import formatdate, parsedate_tz

_TAGS = re.compile(r'\s*(?:(?:W/)?"([^"]*)")\s*(?:,|$)')


def is_fresh(etag: str, modified_s: int | None, *, if_none_match: str | None, if_modified_since: str | None) -> bool:
    """
    Tell whether a reader's copy is still good, so that 304 is the answer.

    Args:
        etag: The document's own, without quotes.
        modified_s: Its Last-Modified; None if it has none.
        if_none_match: The header; where it is there the other one does not count.
        if_modified_since: The header; one that is no date is ignored, a date in the future is as good as any.

    Source:
        RFC 9110, sections 13.1.2 (weak comparison), 13.1.3 and 13.2.2.

    """
    if if_none_match is not None:
        return if_none_match.strip() == "*" or etag in _TAGS.findall(if_none_match)
    if if_modified_since is None or modified_s is None:
        return False
    since_s = _seconds(if_modified_since)
    return since_s is not None and since_s >= modified_s


def http_date(seconds: int) -> str:
    """Return an instant the way HTTP writes it (RFC 9110, section 5.6.7)."""
    return formatdate(seconds, usegmt=True)


def _seconds(date: str) -> int | None:
    found = parsedate_tz(date)
    if found is None:
        return None
    try:
        return timegm((*found[:6], 0, 1, 0)) - (found[9] or 0)
    except (ValueError, OverflowError):
        return None

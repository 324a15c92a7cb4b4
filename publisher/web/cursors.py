"""Places in a list for the next page: short opaque words that stand in an address."""

import base64
import binascii
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from publisher.archive.model import ArticleId, Lead
from publisher.errors import InputError

Row = TypeVar("Row")
Place = tuple[datetime, ArticleId]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def cursor_after(lead: Lead) -> str:
    """Return the word for the place after an article in a list that is newest first."""
    return cursor_at((lead.published_at, lead.id))


def cursor_at(place: tuple[datetime, int]) -> str:
    """Return the word for the place after an instant and a number in a list that is newest first."""
    return written(f"{(place[0] - EPOCH) // MICROSECOND}.{place[1]}")


def place_of(cursor: str) -> Place | None:
    """Return the place that a word stands for; None for no word. Raises InputError."""
    if not cursor:
        return None
    at, _, article_id = read(cursor).partition(".")
    try:
        return EPOCH + int(at) * MICROSECOND, ArticleId(int(article_id))
    except (ValueError, OverflowError):
        raise _refusal() from None


def written(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(cursor: str) -> str:
    """Raises InputError."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        raise _refusal() from None


def page_of(rows: Iterable[Row], key: Callable[[Row], str], *, limit: int, cursor: str) -> tuple[list[Row], str | None]:
    """Return a page of a list that is short enough to be read whole, by key, and the word for the next one."""
    after = read(cursor)
    left = sorted((each for each in rows if not after or key(each) > after), key=key)
    return left[:limit], written(key(left[limit - 1])) if len(left) > limit else None


def _refusal() -> InputError:
    return InputError("This is no place in the list; begin with its first page.", "cursor")

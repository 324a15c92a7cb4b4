from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from sqlalchemy.engine import Connection

from publisher.archive import store as archive

T = TypeVar("T")


class Shelf:
    """
    Keeps what is slow to count over the whole archive until the archive changes.

    With 10,000 articles the topics with their numbers take 20 ms to count, and every page names them.
    """

    def __init__(self) -> None:
        self._kept: dict[Callable[[Connection], Any], tuple[int, Any]] = {}

    def get(self, connection: Connection, read: Callable[[Connection], T]) -> T:
        """Return what `read` finds in the archive, from here where nothing has changed since."""
        stamp = archive.last_change(connection)
        kept = self._kept.get(read)
        if kept is None or kept[0] != stamp:
            kept = self._kept[read] = (stamp, read(connection))
        found: T = kept[1]
        return found


async def _shelf_of(request: Request) -> Shelf:
    found: Shelf = request.app.state.shelf
    return found


OnShelf = Annotated[Shelf, Depends(_shelf_of)]

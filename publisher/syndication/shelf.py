from collections import OrderedDict
from collections.abc import Iterable

from publisher.syndication.encodings import Encoding
from publisher.syndication.responses import Sheet

BYTES_AT_MOST = 48 * 1024 * 1024

Place = tuple[str, Encoding]
"""Where a document stands: its path, with the query if that counts, and its coding."""


class Shelf:
    """Documents at hand, bounded in bytes; the longest unread goes first."""

    def __init__(self, bytes_at_most: int = BYTES_AT_MOST) -> None:
        self._bytes_at_most = bytes_at_most
        self._sheets: OrderedDict[Place, Sheet] = OrderedDict()
        self.size_bytes = 0

    def get(self, place: Place) -> Sheet | None:
        found = self._sheets.get(place)
        if found is not None:
            self._sheets.move_to_end(place)
        return found

    def put(self, place: Place, sheet: Sheet) -> None:
        self._take(place)
        self._sheets[place] = sheet
        self.size_bytes += sheet.size_bytes
        while self.size_bytes > self._bytes_at_most:
            self._take(next(iter(self._sheets)))

    def drop(self, paths: Iterable[str]) -> None:
        for path in paths:
            for encoding in Encoding:
                self._take((path, encoding))

    def clear(self) -> None:
        self._sheets.clear()
        self.size_bytes = 0

    def _take(self, place: Place) -> None:
        taken = self._sheets.pop(place, None)
        if taken is not None:
            self.size_bytes -= taken.size_bytes

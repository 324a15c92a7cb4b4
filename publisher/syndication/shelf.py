from collections import OrderedDict
from collections.abc import Iterable

from publisher.syndication.encodings import Encoding
from publisher.syndication.responses import Sheet

SHEETS_AT_MOST = 20_000
"""Each takes about 1 kB."""
BYTES_AT_MOST = 24 * 1024 * 1024
"""Of bodies."""

Place = tuple[str, Encoding]
"""Where a document stands: its path, with the query if that counts, and its coding."""


class Shelf:
    """Documents at hand, bounded in number and their bodies in bytes; the longest unread goes first."""

    def __init__(self, bytes_at_most: int = BYTES_AT_MOST, sheets_at_most: int = SHEETS_AT_MOST) -> None:
        self._bytes_at_most = bytes_at_most
        self._sheets_at_most = sheets_at_most
        self._sheets: OrderedDict[Place, Sheet] = OrderedDict()
        self._bodies: OrderedDict[Place, bytes] = OrderedDict()
        self.size_bytes = 0

    def sheet(self, place: Place) -> Sheet | None:
        found = self._sheets.get(place)
        if found is not None:
            self._sheets.move_to_end(place)
        return found

    def body(self, place: Place) -> bytes | None:
        found = self._bodies.get(place)
        if found is not None:
            self._bodies.move_to_end(place)
        return found

    def put(self, place: Place, sheet: Sheet, body: bytes) -> None:
        self._take(place)
        self._sheets[place] = sheet
        if len(self._sheets) > self._sheets_at_most:
            self._take(next(iter(self._sheets)))
        self.put_body(place, body)

    def put_body(self, place: Place, body: bytes) -> None:
        """Keep the bytes of a document whose sheet is here."""
        self._take_body(place)
        self._bodies[place] = body
        self.size_bytes += len(body)
        while self.size_bytes > self._bytes_at_most:
            self._take_body(next(iter(self._bodies)))

    def drop(self, paths: Iterable[str]) -> None:
        for path in paths:
            for encoding in Encoding:
                self._take((path, encoding))

    def clear(self) -> None:
        self._sheets.clear()
        self._bodies.clear()
        self.size_bytes = 0

    def _take(self, place: Place) -> None:
        self._sheets.pop(place, None)
        self._take_body(place)

    def _take_body(self, place: Place) -> None:
        body = self._bodies.pop(place, None)
        if body is not None:
            self.size_bytes -= len(body)

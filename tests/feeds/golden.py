"""
The golden feeds: bytes that were looked at and found right.

After a change that is meant to change them: `.venv/bin/python -m tests.feeds.golden`, then read the
difference (`git diff --word-diff tests/golden/feeds`) before committing it.
"""

from pathlib import Path

from feeds import opml
from feeds.formats import FeedFormat, render
from tests.feeds.documents import GOLDEN, OUTLINES

FOLDER = Path(__file__).parent.parent / "golden" / "feeds"


def rendered() -> dict[str, bytes]:
    """Every golden file's name with the bytes that we render now."""
    feeds = {
        f"{name}{feed_format.suffix}": render(document, feed_format)
        for name, document in GOLDEN.items()
        for feed_format in FeedFormat
    }
    return feeds | {"outlines.opml": opml.render(OUTLINES)}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in rendered().items():
        (FOLDER / name).write_bytes(data)
        print(f"{len(data):>7} bytes  {FOLDER / name}")

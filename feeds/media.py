from collections.abc import Iterator

from feeds.document import FeedImage
from feeds.feedgen_adapter import Extra


def media_extras(image: FeedImage | None) -> Iterator[Extra]:
    """
    Yield an entry's picture as `media:content` and `media:thumbnail`, nothing for None.

    They stand straight below the entry: a `media:group` is for one thing in several versions.
    The alternative text stays out: several readers show a `media:description` as the article's
    own summary (feedparser 6 puts it in the place of the body).

    Source:
        Media RSS 1.5.1, `<media:content>` and `<media:thumbnail>`.

    """
    if image is None:
        return
    size = _given(width=image.width, height=image.height)
    described = _given(type=image.media_type, fileSize=image.length_bytes)
    yield Extra(name="media:content", attributes={"url": image.url, "medium": "image", **described, **size})
    yield Extra(name="media:thumbnail", attributes={"url": image.url, **size})


def _given(**attributes: str | int | None) -> dict[str, str]:
    return {name: str(value) for name, value in attributes.items() if value}

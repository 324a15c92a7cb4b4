"""
Ghost's export of a site: one JSON file.

Source:
    Ghost's exporter: {"db": [{"data": {"posts", "posts_meta", "posts_authors", "posts_tags", "users", "tags"}}]}.
    Addresses within the site begin with __GHOST_URL__.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from publisher.errors import SubmissionError
from publisher.intake.post import Post, names_of

MOST_BYTES = 256 * 1024 * 1024
SITE = "__GHOST_URL__"
Row = Mapping[str, Any]


def posts_of_ghost(source: BinaryIO, address: str) -> Iterator[Post]:
    """Yield a site's posts. Raises SubmissionError."""
    data = _data(source)
    posts = _rows(data, "posts")
    if not address and any(SITE in str(each.get("html")) + str(each.get("feature_image")) for each in posts):
        raise SubmissionError("A file of Ghost does not tell where the site was: give its address, https://…")
    users = {each.get("id"): _text(each, "name") for each in _rows(data, "users")}
    tags = {each.get("id"): _text(each, "name") for each in _rows(data, "tags")}
    authors, topics = _joined(data, "posts_authors", "author_id"), _joined(data, "posts_tags", "tag_id")
    meta = {each.get("post_id"): each for each in _rows(data, "posts_meta")}
    for row in posts:
        post_id = row.get("id")
        written_by = authors.get(post_id) or [row.get("author_id")]
        more: Row = {**row, **meta.get(post_id, {})}
        yield _post(
            more,
            row,
            address,
            authors=tuple(filter(None, (users.get(each, "") for each in written_by))),
            topics=names_of(tags.get(each, "") for each in topics.get(post_id, [])),
        )


def _post(more: Row, row: Row, address: str, *, authors: tuple[str, ...], topics: tuple[str, ...]) -> Post:
    name = _text(row, "title") or str(row.get("id"))
    left_out, is_missed = _left_out(row)
    return Post(
        name=name,
        external_id=f"ghost:{_text(row, 'uuid') or row.get('id')}",
        left_out=left_out,
        is_missed=is_missed,
        title=_text(row, "title"),
        html=_text(row, "html").replace(SITE, address),
        slug=_text(row, "slug"),
        published_at=_text(row, "published_at"),
        summary=_text(row, "custom_excerpt") or _text(more, "meta_description"),
        language=_text(row, "locale"),
        authors=authors,
        topics=topics,
        image=_text(row, "feature_image").replace(SITE, address),
        image_alt=_text(more, "feature_image_alt"),
        image_credit=_text(more, "feature_image_caption"),
        canonical_url=_text(row, "canonical_url").replace(SITE, address),
        base_url=f"{address}/" if address else "",
    )


def _left_out(row: Row) -> tuple[str, bool]:
    if row.get("type", "post") != "post" or row.get("page"):
        return "This is a page.", False
    if row.get("status") != "published":
        return "This was not published.", False
    if row.get("visibility", "public") != "public":
        return (
            "This is for members only, and here everybody could read it. Hand it in by itself if that is right.",
            True,
        )
    return "", True


def _data(source: BinaryIO) -> Row:
    content = source.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise SubmissionError(f"It has more than {MOST_BYTES:,} bytes.")
    try:
        found = json.loads(content)["db"][0]["data"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("posts"), list):
        raise SubmissionError("This is no export of Ghost, or is damaged. Export it there once more: Settings, Export.")
    return found


def _rows(data: Row, table: str) -> list[Row]:
    found = data.get(table)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _joined(data: Row, table: str, column: str) -> dict[Any, list[Any]]:
    found = defaultdict(list)
    for each in sorted(_rows(data, table), key=lambda row: str(row.get("sort_order", "")).rjust(6)):
        found[each.get("post_id")].append(each.get(column))
    return found


def _text(row: Row, name: str) -> str:
    found = row.get(name)
    return found if isinstance(found, str) else ""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.engine import Connection

from publisher.database import insert_or_ignore
from publisher.intake.model import Draft, Picture, SubmissionId, SubmissionState
from publisher.intake.tables import picture, submission

_drafts = TypeAdapter(Draft)
_ADD = sa.insert(submission).returning(submission.c.id)
SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}


@dataclass(frozen=True, kw_only=True)
class Submission:
    """An article as it arrived, before the archive took it."""

    id: SubmissionId
    identity: str
    content_hash: str
    draft: Draft
    plain: dict[str, Any]
    """The draft as plain JSON values."""
    received_at: datetime


def as_json(draft: Draft) -> dict[str, Any]:
    """Return a draft as plain JSON values; `from_json` is the way back."""
    found: dict[str, Any] = _drafts.dump_python(draft, mode="json")
    return found


def from_json(values: dict[str, Any]) -> Draft:
    return _drafts.validate_python(values)


def content_hash(plain: dict[str, Any]) -> str:
    """Return the hash of everything that a reader could see of a draft (as plain JSON values), and of nothing else."""
    seen = plain | {"external_id": "", "publish_at": None}
    return hashlib.sha256(json.dumps(seen, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def identity(plain: dict[str, Any], origin: str) -> str:
    """
    Return what makes two hand-ins the same article.

    The newsroom's own id where it gives one; else its source, title and text, so that the same text with
    another topic or author is a revision. A source's ids count within that source, for two newsrooms
    may both number their articles from 1; command line, API and desk are one source, the newsroom itself.
    """
    scope = f"{origin}/" if origin.startswith("source:") else ""
    if plain["external_id"]:
        return f"id:{scope}{plain['external_id']}"
    text = json.dumps([scope, plain["title"], plain["sections"], plain["guide"]], ensure_ascii=False)
    return "hash:" + hashlib.sha256(text.encode()).hexdigest()


def add(connection: Connection, draft: Draft, *, origin: str, same_as: str | None, now: datetime) -> SubmissionId:
    """Store a submission; `same_as` is the identity of the article that it revises, where that is known."""
    plain = as_json(draft)
    row = {
        "origin": origin,
        "identity": same_as or identity(plain, origin),
        "content_hash": content_hash(plain),
        "draft": plain,
        "state": SubmissionState.RECEIVED,
        "received_at": now,
    }
    added = connection.scalar(_ADD, row)
    return SubmissionId(cast("int", added))


def received(
    connection: Connection, *, at_most: int | None, ids: Sequence[SubmissionId] = (), identity: str = ""
) -> list[Submission]:
    """Return submissions that wait for the archive, oldest first: all, or these, or those of one article."""
    wanted = sa.select(submission).where(submission.c.state == SubmissionState.RECEIVED)
    if ids:
        wanted = wanted.where(submission.c.id.in_(ids))
    if identity:
        wanted = wanted.where(submission.c.identity == identity)
    rows = connection.execute(wanted.order_by(submission.c.id).limit(at_most))
    return [_submission(row, from_json(row.draft)) for row in rows]


def _submission(row: Any, draft: Draft) -> Submission:
    return Submission(
        id=SubmissionId(row.id),
        identity=row.identity,
        content_hash=row.content_hash,
        draft=draft,
        plain=as_json(draft),
        received_at=row.received_at,
    )


def has_any(connection: Connection) -> bool:
    """Tell whether anything was ever handed in."""
    return connection.scalar(sa.select(submission.c.id).limit(1)) is not None


def settle(connection: Connection, ids: Sequence[SubmissionId], state: SubmissionState, *, now: datetime) -> None:
    """Write what the archive made of submissions, in its transaction."""
    if ids:
        connection.execute(sa.update(submission).where(submission.c.id.in_(ids)).values(state=state, settled_at=now))


def add_picture(connection: Connection, found: Picture, *, now: datetime) -> str:
    """Store a picture under the hash of its bytes and return its path below the site; the same one twice is one."""
    name = f"{hashlib.sha256(found.data).hexdigest()[:32]}.{SUFFIXES[found.media_type]}"
    connection.execute(
        insert_or_ignore(connection, picture).values(
            name=name,
            media_type=found.media_type,
            width=found.width,
            height=found.height,
            data=found.data,
            stored_at=now,
        )
    )
    return f"/media/{name}"


def picture_bytes(connection: Connection, name: str) -> tuple[str, bytes] | None:
    """Return media type and bytes of a stored picture."""
    found = connection.execute(sa.select(picture.c.media_type, picture.c.data).where(picture.c.name == name)).first()
    return (found.media_type, found.data) if found else None

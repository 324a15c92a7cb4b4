from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.engine import Connection

from publisher import acts
from publisher.clock import Clock
from publisher.database import Database
from publisher.intake import store
from publisher.intake.model import Draft, Picture, SubmissionId


@dataclass(frozen=True, kw_only=True)
class HandIn:
    """One article to hand in: its draft, and its picture where that came as a file."""

    draft: Draft
    picture: Picture | None = None


def hand_in(
    database: Database, articles: Sequence[HandIn], *, origin: str, clock: Clock, same_as: str | None = None
) -> list[SubmissionId]:
    """
    Put submissions on disk, all or none, and return their ids.

    When this returns they are safe: whatever breaks afterwards, the archive will take them.

    Args:
        database: Where to.
        articles: In the order in which the archive is to take them.
        origin: Who hands in: "cli", "api", "desk", "samples" or "source:ID".
        clock: Tells the time.
        same_as: The identity of the article that is corrected, where the caller knows it.

    """
    with database.transaction() as connection:
        return handed_in(connection, articles, origin=origin, now=clock(), same_as=same_as)


def handed_in(
    connection: Connection, articles: Sequence[HandIn], *, origin: str, now: datetime, same_as: str | None = None
) -> list[SubmissionId]:
    """Hand in within a transaction that does more."""
    if articles:
        first = articles[0].draft.title
        more = f" and {len(articles) - 1} more" if len(articles) > 1 else ""
        acts.note(connection, "articles handed in", f"“{first}”{more}")
    return [
        store.add(connection, _with_picture(connection, each, now), origin=origin, same_as=same_as, now=now)
        for each in articles
    ]


def _with_picture(connection: Connection, each: HandIn, now: datetime) -> Draft:
    if each.picture is None or each.draft.image is None:
        return each.draft
    path = store.add_picture(connection, each.picture, now=now)
    image = replace(each.draft.image, url=path, width=each.picture.width, height=each.picture.height)
    return replace(each.draft, image=image)

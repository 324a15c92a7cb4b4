from datetime import datetime
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.audience import store as audience
from publisher.compose import cadence
from publisher.compose import store as compose
from publisher.compose.model import Edition, IssueId, IssueState
from publisher.dispatch import notices
from publisher.dispatch.model import SendState
from publisher.dispatch.tables import send
from publisher.editors.model import Role
from publisher.intake.polling import sources
from publisher.web.desk.issues import ShownIssue, shown_issues
from publisher.web.desk.seat import AtDesk, desk_page
from publisher.web.parts import Room
from publisher.webhooks import store as webhooks

router = APIRouter()

NEXT_SLOTS = 6
LATELY = 6
MOST = 20
"""Drafts and stopped issues; more than these on one page is no help."""


@router.get("/desk", include_in_schema=False)
def today(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show what waits for a decision, what goes out next, what went out, and what has come in."""
    with room.database.reading() as connection:
        editions = compose.editions(connection, active_only=True)
        drafts = compose.issues(connection, at_most=MOST, states=[IssueState.DRAFT])
        scheduled = compose.scheduled(connection, at_most=MOST)
        recent = compose.issues(connection, at_most=LATELY, states=[IssueState.APPROVED])
        values: dict[str, Any] = {
            "upcoming": _upcoming(editions, room.now()),
            "drafts": shown_issues(connection, drafts),
            "scheduled": shown_issues(connection, scheduled),
            "recent": shown_issues(connection, recent),
            "paused": _paused(connection),
            "articles": archive.listed(connection, at_most=LATELY, state=None),
            "readers": sum(audience.confirmed_counts(connection).values()),
            "troubled": webhooks.troubled(connection) if seat.may(Role.OPERATOR) else [],
            "confirmations": len(notices.pending(connection)),
        }
    values["failing"] = [each for each in sources(room.database) if each.problem]
    values["is_beating"] = room.pulse.is_beating()
    return desk_page(request, room, seat, "desk/today.html", **values)


def _upcoming(editions: list[Edition], now: datetime) -> list[tuple[datetime, Edition]]:
    slots = [(cadence.next_slot(each.cadence, now), each) for each in editions if each.cadence]
    return sorted(slots, key=lambda slot: (slot[0], slot[1].id))[:NEXT_SLOTS]


def _paused(connection: Connection) -> list[tuple[ShownIssue, str]]:
    wanted = sa.select(send.c.issue_id, send.c.reason).where(
        send.c.finished_at.is_(None), send.c.state == SendState.PAUSED
    )
    rows = connection.execute(wanted.order_by(send.c.issue_id.desc()).limit(MOST)).all()
    found = shown_issues(connection, [compose.issue_of(connection, IssueId(row.issue_id)) for row in rows])
    return list(zip(found, [row.reason for row in rows], strict=True))

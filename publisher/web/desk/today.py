from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.audience import store as audience
from publisher.compose import store as compose
from publisher.compose import timetable
from publisher.compose.model import Edition, IssueId, IssueState
from publisher.disk import disk_of
from publisher.dispatch import notices, tallies
from publisher.dispatch.model import DeliveryState, SendState
from publisher.dispatch.tables import send
from publisher.editors.model import Role
from publisher.events import clicks
from publisher.intake.polling import sources
from publisher.web.desk.issue import zone_of
from publisher.web.desk.issues import ShownIssue, shown_issues
from publisher.web.desk.seat import AtDesk, desk_page
from publisher.web.parts import Room
from publisher.webhooks import store as webhooks

router = APIRouter()

NEXT = 6
LATELY = 6
MOST = 20
"""Drafts and stopped issues; more than these on one page is no help."""


@dataclass(frozen=True, kw_only=True)
class Coming:
    """Something that goes out, and when: by the editor's clock, and by the edition's."""

    at: datetime
    edition: Edition
    zone: ZoneInfo
    issue: ShownIssue | None
    """None: of a slot of the edition's cadence."""


@dataclass(frozen=True, kw_only=True)
class Gone:
    """An issue that was approved, and how it went."""

    shown: ShownIssue
    counts: dict[DeliveryState, int]
    clicks: int | None
    """None where no link is tracked."""


@router.get("/desk", include_in_schema=False)
def today(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show what needs a decision, what goes out next, what went out, and what has come in."""
    with room.database.reading() as connection:
        drafts = compose.issues(connection, at_most=MOST, states=[IssueState.DRAFT])
        recent = compose.issues(connection, at_most=LATELY, states=[IssueState.APPROVED])
        gone = _gone(connection, shown_issues(connection, recent))
        values: dict[str, Any] = {
            "coming": _coming(connection, room.now()),
            "drafts": shown_issues(connection, drafts),
            "gone": gone,
            "uncertain": [each for each in gone if _is_undecided(each)],
            "paused": _paused(connection),
            "articles": archive.listed(connection, at_most=LATELY, state=None),
            "readers": sum(audience.confirmed_counts(connection).values()),
            "troubled": webhooks.troubled(connection) if seat.may(Role.OPERATOR) else [],
            "confirmations": len(notices.pending(connection)),
        }
    values["failing"] = [each for each in sources(room.database) if each.problem]
    values["is_beating"] = room.pulse.is_beating()
    values["disk"] = disk_of(room.settings.data_dir)
    return desk_page(request, room, seat, "desk/today.html", **values)


def _coming(connection: Connection, now: datetime) -> list[Coming]:
    """Return what goes out next, the soonest first: issues that were approved for a time, and slots."""
    editions = compose.editions(connection, active_only=True)
    found = [
        Coming(at=at, edition=each, zone=ZoneInfo(each.cadence.time_zone), issue=None)
        for each in editions
        if each.cadence and (at := timetable.next_slot(connection, each, now))
    ]
    scheduled = shown_issues(connection, compose.scheduled(connection, at_most=MOST))
    found += [
        Coming(
            at=each.issue.goes_at or now,
            edition=each.edition,
            zone=ZoneInfo(zone_of(connection, each.edition)),
            issue=each,
        )
        for each in scheduled
    ]
    return sorted(found, key=lambda each: (each.at, each.edition.id))[: NEXT + len(scheduled)]


def _gone(connection: Connection, shown: Sequence[ShownIssue]) -> list[Gone]:
    totals = clicks.totals(connection, [each.issue.id for each in shown])
    return [
        Gone(
            shown=each,
            counts=tallies.of_issue(connection, each.issue.id).states,
            clicks=totals.get(each.issue.id),
        )
        for each in shown
    ]


def _is_undecided(gone: Gone) -> bool:
    """Tell whether mails whose answer never came wait for somebody to say whether they are sent again."""
    return gone.shown.state == SendState.SENT and gone.counts[DeliveryState.UNCERTAIN] > 0


def _paused(connection: Connection) -> list[tuple[ShownIssue, str]]:
    wanted = sa.select(send.c.issue_id, send.c.reason).where(
        send.c.finished_at.is_(None), send.c.state == SendState.PAUSED
    )
    rows = connection.execute(wanted.order_by(send.c.issue_id.desc()).limit(MOST)).all()
    found = shown_issues(connection, [compose.issue_of(connection, IssueId(row.issue_id)) for row in rows])
    return list(zip(found, [row.reason for row in rows], strict=True))

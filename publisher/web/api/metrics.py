"""How the newsroom stands, for Prometheus (text format 0.0.4, or OpenMetrics for who asks for it)."""

from collections.abc import Iterator
from shutil import disk_usage

import redis
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.engine import Connection

from publisher.archive.model import ArticleState
from publisher.archive.tables import article
from publisher.audience.tables import is_confirmed, subscription
from publisher.bell import QUEUE_OF, Job, Queue
from publisher.compose.model import IssueState
from publisher.compose.tables import edition, issue
from publisher.dispatch import ledger
from publisher.dispatch.model import SendState
from publisher.dispatch.tables import notice, send
from publisher.intake.model import SubmissionState
from publisher.intake.tables import submission
from publisher.pulse import client
from publisher.web.api.access import MAY_READ_METRICS
from publisher.web.parts import Room
from publisher.wiring import Newsroom

router = APIRouter()

Gauge = GaugeMetricFamily


@router.get("/metrics", include_in_schema=False, dependencies=[MAY_READ_METRICS])
def metrics(request: Request, room: Room) -> Response:
    """Show the gauges, each counted now. What a gauge means stands in docs/operators.md."""
    registry = CollectorRegistry()
    registry.register(_Gauges(room))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), headers={"Content-Type": content_type, "Cache-Control": "no-store"})


class _Gauges(Collector):
    """Counts when it is asked, so that every web process says the same."""

    def __init__(self, room: Newsroom) -> None:
        self._room = room

    def collect(self) -> Iterator[Gauge]:
        yield from _processes(self._room)
        yield from _disk(self._room)
        with self._room.database.reading() as connection:
            yield from _articles(connection)
            yield from _issues(connection)
            yield _sends(connection)
            yield from _readers(connection)


def _processes(room: Newsroom) -> Iterator[Gauge]:
    silent = room.pulse.silent(QUEUE_OF[Job.TICK])
    alive = Gauge("publisher_up", "1: it has shown itself in the last 15 s.", labels=["part"])
    for part in ("worker", "beat"):
        alive.add_metric([part], float(part not in silent))
    yield alive
    waiting = Gauge("publisher_queue_messages", "Messages that wait for a worker.", labels=["queue"])
    try:
        broker = client(room.settings.redis_url)
        for queue in Queue:
            waiting.add_metric([queue], float(broker.llen(queue)))
    except redis.RedisError:
        return  # `publisher_up` says so
    yield waiting


def _disk(room: Newsroom) -> Iterator[Gauge]:
    folder = room.settings.data_dir
    if folder.exists():
        yield Gauge("publisher_disk_free_bytes", "Room left where the data is.", value=disk_usage(folder).free)


def _articles(connection: Connection) -> Iterator[Gauge]:
    found = Gauge("publisher_articles", "Articles in the archive.", labels=["state"])
    rows = connection.execute(sa.select(article.c.state, sa.func.count()).group_by(article.c.state))
    counted = {ArticleState(state): number for state, number in rows}
    for state in ArticleState:
        found.add_metric([state], counted.get(state, 0))
    yield found
    received = submission.c.state == sa.literal_column(f"'{SubmissionState.RECEIVED}'")
    waiting = connection.scalar(sa.select(sa.func.count()).where(received))
    yield Gauge("publisher_submissions_waiting", "Handed in, and not in the archive yet.", value=waiting or 0)


def _issues(connection: Connection) -> Iterator[Gauge]:
    drafts = sa.select(sa.func.count()).where(issue.c.state == IssueState.DRAFT)
    yield Gauge("publisher_issues_draft", "Issues that wait for an editor.", value=connection.scalar(drafts) or 0)
    open_sends = (
        sa.select(issue.c.id, edition.c.slug, send.c.state, send.c.reason)
        .join(issue, issue.c.id == send.c.issue_id)
        .join(edition, edition.c.id == issue.c.edition_id)
        .where(send.c.finished_at.is_(None))
        .order_by(issue.c.id)
    )
    going = Gauge("publisher_issue_sending", "An issue under way.", labels=["issue", "edition"])
    paused = Gauge(
        "publisher_issue_paused", "An issue that stands still, and why.", labels=["issue", "edition", "reason"]
    )
    for row in connection.execute(open_sends):
        if row.state == SendState.PAUSED:
            paused.add_metric([str(row.id), row.slug, row.reason], 1)
        else:
            going.add_metric([str(row.id), row.slug], 1)
    yield from (going, paused)


def _sends(connection: Connection) -> Gauge:
    """Count the deliveries of what is under way; what has ended is in its report."""
    found = Gauge("publisher_deliveries", "Deliveries of issues under way.", labels=["issue", "state"])
    under_way = connection.execute(sa.select(send.c.issue_id).where(send.c.finished_at.is_(None)))
    for issue_id in under_way.scalars().all():
        for state, number in ledger.counts(connection, issue_id).items():
            found.add_metric([str(issue_id), state], number)
    return found


def _readers(connection: Connection) -> Iterator[Gauge]:
    confirmed = connection.scalar(sa.select(sa.func.count()).select_from(subscription).where(is_confirmed))
    yield Gauge("publisher_subscriptions_confirmed", "Subscriptions that issues go to.", value=confirmed or 0)
    waiting = connection.scalar(sa.select(sa.func.count()).where(notice.c.due_at.is_not(None)))
    yield Gauge("publisher_notices_waiting", "Confirmations and the like that are to be sent.", value=waiting or 0)

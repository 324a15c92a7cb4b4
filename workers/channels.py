"""The tasks of the queue `channels`: from articles to feeds and issues."""

from publisher.bell import Job
from publisher.compose.flow import compose_due
from publisher.syndication.flow import syndicate_due
from publisher.wiring import newsroom
from workers.app import app


@app.task(name=Job.SYNDICATE)
def syndicate() -> None:
    """Render the feeds that something has touched."""
    room = newsroom()
    if syndicate_due(room.database, room.site, clock=room.now):
        room.bell.ring(Job.PUSH)


@app.task(name=Job.COMPOSE)
def compose() -> None:
    """Make the issues that are due."""
    room = newsroom()
    if compose_due(room.database, room.settings, clock=room.now):
        room.bell.ring(Job.PLAN, Job.SYNDICATE, Job.TELL)

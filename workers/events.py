"""The tasks of the queue `events`: what is heard of deliveries after the send."""

from publisher.bell import Job
from publisher.events import flow as events
from publisher.events.fetching import fetch_due
from publisher.wiring import newsroom, stopping
from workers.app import app


@app.task(name=Job.EVENTS)
def hear() -> None:
    """Fetch what came back by mail, and draw the conclusions from all that was told of deliveries."""
    room = newsroom()
    fetch_due(room.database, room.bounces, clock=room.now)
    events.apply_due(room.database, clock=room.now, should_stop=stopping.is_set)

"""The tasks of the queue `articles`: from a submission to an article with its links."""

from publisher.archive import flow as archive
from publisher.bell import Job
from publisher.related.flow import relate_due
from publisher.wiring import newsroom
from workers.app import app


@app.task(name=Job.ACCEPT)
def accept() -> None:
    """Take submissions into the archive."""
    room = newsroom()
    if archive.accept_due(room.database, domain=room.settings.domain, clock=room.now):
        room.bell.ring(Job.RELATE)


@app.task(name=Job.RELATE)
def relate() -> None:
    """Attach related links to what is new."""
    room = newsroom()
    if relate_due(room.database, clock=room.now, embed=room.embed):
        room.bell.ring(Job.COMPOSE, Job.SYNDICATE, Job.TELL)

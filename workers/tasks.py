from threading import Lock

from publisher.archive import flow as archive
from publisher.bell import Job
from publisher.compose.flow import compose_due
from publisher.dispatch import flow as dispatch
from publisher.dispatch.notices import notify_due
from publisher.events import flow as events
from publisher.events.fetching import fetch_due
from publisher.intake.polling import poll_due
from publisher.related.flow import relate_due
from publisher.syndication.flow import syndicate_due
from publisher.syndication.websub.flow import push_due
from publisher.wiring import newsroom, stopping
from workers.app import app

_sending = Lock()
"""One sender a process: a second thread would only wait for the same interpreter."""
_pushing = Lock()
"""One round of pushes a process: it has threads of its own, and takes up what comes meanwhile."""


@app.task(name=Job.TICK)
def tick() -> None:
    """Lift embargoes to the second, and show that beat and a worker are alive."""
    room = newsroom()
    room.pulse.mark()
    if archive.publish_due(room.database, clock=room.now):
        room.bell.ring(Job.RELATE)


@app.task(name=Job.SLOW_TICK)
def slow_tick() -> None:
    """Ring every stage: whatever a lost bell left behind is found now."""
    room = newsroom()
    if dispatch.upkeep(room.database, clock=room.now):
        room.bell.ring(Job.DISPATCH)
    room.bell.ring(Job.ACCEPT, Job.RELATE, Job.SYNDICATE, Job.PUSH, Job.COMPOSE, Job.PLAN, Job.NOTIFY, Job.POLL)
    room.bell.ring(Job.EVENTS)


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
    if relate_due(room.database, clock=room.now):
        room.bell.ring(Job.COMPOSE, Job.SYNDICATE)


@app.task(name=Job.SYNDICATE)
def syndicate() -> None:
    """Render the feeds that something has touched."""
    room = newsroom()
    if syndicate_due(room.database, room.site, clock=room.now):
        room.bell.ring(Job.PUSH)


@app.task(name=Job.PUSH)
def push() -> None:
    """Send changed feeds to their subscribers, and tell other hubs."""
    if not _pushing.acquire(blocking=False):
        return
    try:
        room = newsroom()
        push_due(room.database, room.site, clock=room.now, allow_private=room.settings.allow_private_fetch)
    finally:
        _pushing.release()


@app.task(name=Job.COMPOSE)
def compose() -> None:
    """Make the issues that are due."""
    room = newsroom()
    if compose_due(room.database, room.settings, clock=room.now):
        room.bell.ring(Job.PLAN, Job.SYNDICATE)


@app.task(name=Job.PLAN)
def plan() -> None:
    """Turn approved issues into deliveries, ringing the senders as soon as the first ones stand."""
    room = newsroom()
    dispatch.plan_due(room.database, room.settings, clock=room.now, planned=lambda: room.bell.ring(Job.DISPATCH))


@app.task(name=Job.DISPATCH)
def send() -> None:
    """Send for one turn, and ring again where more is due."""
    if not _sending.acquire(blocking=False):
        return
    try:
        room = newsroom()
        more = dispatch.send_due(room.dispatcher)
    finally:
        _sending.release()
    if more and not stopping.is_set():
        room.bell.ring(Job.DISPATCH)


@app.task(name=Job.NOTIFY)
def notify() -> None:
    """Send confirmation mails to those who asked to subscribe."""
    room = newsroom()
    notify_due(room.database, room.transport, room.signer, room.settings, clock=room.now)


@app.task(name=Job.EVENTS)
def hear() -> None:
    """Fetch what came back by mail, and draw the conclusions from all that was told of deliveries."""
    room = newsroom()
    fetch_due(room.database, room.bounces, clock=room.now)
    events.apply_due(room.database, clock=room.now, should_stop=stopping.is_set)


@app.task(name=Job.POLL)
def poll() -> None:
    """Read the newsrooms' own feeds that are due."""
    room = newsroom()
    if poll_due(room.database, room.settings, clock=room.now):
        room.bell.ring(Job.ACCEPT)

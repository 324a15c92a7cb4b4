"""The tasks of the queue `upkeep`: beat's ticks, and what can wait a little."""

from threading import Lock

from publisher.archive import flow as archive
from publisher.archive.proposals import count_due
from publisher.audience.imports import import_due
from publisher.bell import Job
from publisher.compose import flow as compose
from publisher.dispatch import figures
from publisher.dispatch import flow as dispatch
from publisher.dispatch.notices import notify_due
from publisher.events.subject_tests import choose_due
from publisher.intake.polling import poll_due
from publisher.syndication.flow import forget_archives
from publisher.syndication.websub.flow import push_due
from publisher.webhooks.flow import tell_due
from publisher.wiring import newsroom, stopping
from workers.app import app

_pushing = Lock()
"""One round of pushes a process: it has threads of its own, and takes up what comes meanwhile."""
_telling = Lock()
"""One round of webhooks a process, as with pushes."""


@app.task(name=Job.TICK)
def tick() -> None:
    """Lift embargoes and let scheduled issues go, both to the second, and show that beat and a worker are alive."""
    room = newsroom()
    room.pulse.mark()
    if archive.publish_due(room.database, clock=room.now):
        room.bell.ring(Job.RELATE)
    if compose.is_any_due(room.database, clock=room.now):
        room.bell.ring(Job.COMPOSE)


@app.task(name=Job.SLOW_TICK)
def slow_tick() -> None:
    """Ring every stage: whatever a lost bell left behind is found now."""
    room = newsroom()
    choose_due(room.database, clock=room.now)
    if dispatch.upkeep(room.database, clock=room.now):
        room.bell.ring(Job.DISPATCH)
    room.bell.ring(Job.ACCEPT, Job.RELATE, Job.SYNDICATE, Job.PUSH, Job.COMPOSE, Job.PLAN, Job.NOTIFY, Job.POLL)
    room.bell.ring(Job.EVENTS, Job.PROPOSE, Job.COUNT, Job.TELL, Job.IMPORT)
    forget_archives(room.database)


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


@app.task(name=Job.NOTIFY)
def notify() -> None:
    """Send confirmation mails to those who asked to subscribe."""
    room = newsroom()
    notify_due(room.database, room.transport, room.signer, room.settings, clock=room.now)


@app.task(name=Job.POLL)
def poll() -> None:
    """Read the newsrooms' own feeds that are due."""
    room = newsroom()
    if poll_due(room.database, room.settings, clock=room.now):
        room.bell.ring(Job.ACCEPT)


@app.task(name=Job.PROPOSE)
def propose() -> None:
    """Count the names in what changed: those that recur are proposed to the glossary."""
    room = newsroom()
    count_due(room.database, clock=room.now)


@app.task(name=Job.COUNT)
def count() -> None:
    """Count what the reports of sends show in figures."""
    room = newsroom()
    figures.count_due(room.database, clock=room.now, should_stop=stopping.is_set)


@app.task(name=Job.IMPORT)
def import_people() -> None:
    """Take in the files of people that were handed in at the desk."""
    room = newsroom()
    if import_due(room.database, clock=room.now, should_stop=stopping.is_set):
        room.bell.ring(Job.NOTIFY)


@app.task(name=Job.TELL)
def tell() -> None:
    """Send webhooks to those who want to know what happens here."""
    if not _telling.acquire(blocking=False):
        return
    try:
        room = newsroom()
        settings = room.settings
        tell_due(room.database, base_url=settings.base_url, clock=room.now, allow_private=settings.allow_private_fetch)
    finally:
        _telling.release()

"""The tasks of the queue `dispatch`. Only what a send needs is imported here: of this worker there are many."""

from threading import Event, Lock

from publisher.bell import Job
from publisher.dispatch.flow import plan_due
from publisher.dispatch.sending import send_due
from publisher.wiring import newsroom, stopping
from workers.app import app

_sending = Lock()
"""One sender a process: a second thread would only wait for the same interpreter."""
_rung = Event()
"""Whether a bell was heard while that one was busy: what it rang for may have come too late for it."""


@app.task(name=Job.PLAN)
def plan() -> None:
    """Turn approved issues into deliveries, ringing the senders as soon as the first ones stand."""
    room = newsroom()
    plan_due(room.database, room.settings, clock=room.now, planned=lambda: room.bell.ring(Job.DISPATCH))


@app.task(name=Job.DISPATCH)
def send() -> None:
    """Send for one turn, and ring again where more is due."""
    _rung.set()
    if not _sending.acquire(blocking=False):
        return
    try:
        _rung.clear()
        room = newsroom()
        more = send_due(room.dispatcher)
    finally:
        _sending.release()
    if (more or _rung.is_set()) and not stopping.is_set():
        room.bell.ring(Job.DISPATCH)

from typing import Any

from publisher.bell import QUEUE_OF, Job

TICK_S = 1.0
"""Lifts embargoes, and finds what a lost bell left behind."""
SLOW_TICK_S = 5.0
"""Takes back what a vanished worker had in hand; polls sources that are due."""

TIMETABLE: dict[str, dict[str, Any]] = {
    job.value: {
        "task": job.value,
        "schedule": every_s,
        "options": {"queue": QUEUE_OF[job].value, "expires": 10 * every_s, "ignore_result": True},
    }
    for job, every_s in ((Job.TICK, TICK_S), (Job.SLOW_TICK, SLOW_TICK_S))
}
"""Static and idempotent: cadences stand in the database, and any number of beats may tick."""

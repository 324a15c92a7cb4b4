from datetime import UTC, datetime
from typing import Any

from publisher.bell import QUEUE_OF, Job

TICK_S = 1.0
"""Lifts embargoes, and shows that beat and a worker are alive."""
SLOW_TICK_S = 5.0
"""Finds what a lost bell left behind, takes back what a vanished worker had in hand, polls sources that are due."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""When beat last ran, as far as it knows: so the first ticks come at once."""

TIMETABLE: dict[str, dict[str, Any]] = {
    job.value: {
        "task": job.value,
        "schedule": every_s,
        "options": {"queue": QUEUE_OF[job].value, "expires": 10 * every_s, "ignore_result": True},
        "last_run_at": LONG_AGO,
    }
    for job, every_s in ((Job.TICK, TICK_S), (Job.SLOW_TICK, SLOW_TICK_S))
}
"""Static and idempotent: cadences stand in the database, and any number of beats may tick."""

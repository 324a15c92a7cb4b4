"""
A Celery worker whose waits are seconds: leases, and the time until another attempt.

    python tests/dispatch/faults/worker.py dispatch upkeep
"""

import sys
from datetime import timedelta

from publisher import database
from publisher.dispatch import ledger, rules

LEASE = timedelta(seconds=3)
AGAIN = timedelta(seconds=1)


def main() -> None:
    ledger.LEASE = LEASE
    database.IDLE_AT_MOST_MS = int(LEASE.total_seconds() * 1000)
    rules.BUSY_WAIT = rules.FIRST_WAIT = AGAIN
    from publisher.dispatch import sending  # after the lease, which it reads when it is imported

    sending.UNCERTAIN_WAIT = AGAIN
    from celery.__main__ import main as celery

    from workers.run_worker import arguments_for

    sys.argv = arguments_for(sys.argv[1:])
    celery()


if __name__ == "__main__":
    main()

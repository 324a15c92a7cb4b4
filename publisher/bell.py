import socket
from collections.abc import Collection
from enum import StrEnum
from functools import cached_property

import structlog
from celery import Celery
from kombu.exceptions import OperationalError

log = structlog.get_logger()

BROKER_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 5,
}
"""Measured reasons stand in docs/decisions/0003."""


class Job(StrEnum):
    """The fixed names of all tasks: moving a function breaks no message in flight."""

    ACCEPT = "publisher.accept"
    RELATE = "publisher.relate"
    SYNDICATE = "publisher.syndicate"
    PUSH = "publisher.push"
    COMPOSE = "publisher.compose"
    PLAN = "publisher.plan"
    DISPATCH = "publisher.dispatch"
    NOTIFY = "publisher.notify"
    EVENTS = "publisher.events"
    POLL = "publisher.poll"
    PROPOSE = "publisher.propose"
    COUNT = "publisher.count"
    TELL = "publisher.tell"
    IMPORT = "publisher.import"
    TICK = "publisher.tick"
    SLOW_TICK = "publisher.slow_tick"


class Queue(StrEnum):
    """Kinds of work, each with workers of its own in production."""

    ARTICLES = "articles"
    CHANNELS = "channels"
    DISPATCH = "dispatch"
    UPKEEP = "upkeep"
    EVENTS = "events"


QUEUE_OF = {
    Job.ACCEPT: Queue.ARTICLES,
    Job.RELATE: Queue.ARTICLES,
    Job.SYNDICATE: Queue.CHANNELS,
    Job.COMPOSE: Queue.CHANNELS,
    Job.PLAN: Queue.DISPATCH,
    Job.DISPATCH: Queue.DISPATCH,
    Job.PUSH: Queue.UPKEEP,
    Job.NOTIFY: Queue.UPKEEP,
    Job.EVENTS: Queue.EVENTS,
    Job.POLL: Queue.UPKEEP,
    Job.PROPOSE: Queue.UPKEEP,
    Job.COUNT: Queue.UPKEEP,
    Job.TELL: Queue.UPKEEP,
    Job.IMPORT: Queue.UPKEEP,
    Job.TICK: Queue.UPKEEP,
    Job.SLOW_TICK: Queue.UPKEEP,
}


def worker_name(queues: Collection[str]) -> str:
    """Return what a worker for these queues on this machine is called, to tell it from those beside it."""
    return f"{'-'.join(sorted(queues)) or 'all'}@{socket.gethostname()}"


class Bell:
    """
    Rings a worker after a commit.

    A message is a doorbell, never the record: if Redis cannot be reached the bell is dropped
    with a line in the log, and the next tick finds what was committed.
    """

    def __init__(self, redis_url: str, *, timeout_s: float = 2) -> None:
        self._redis_url = redis_url
        self._timeout_s = timeout_s

    @cached_property
    def _app(self) -> Celery:
        app = Celery("publisher", broker=self._redis_url, set_as_current=False)
        app.conf.update(
            broker_transport_options=BROKER_OPTIONS | self._impatience,
            task_ignore_result=True,
            broker_connection_retry=False,
            task_publish_retry=False,
        )
        return app

    @property
    def _impatience(self) -> dict[str, float]:
        """The broker's options for a process that must not wait: kombu would else try again for four seconds."""
        waits = ("socket_timeout", "socket_connect_timeout", "connect_retries_timeout")
        return dict.fromkeys(waits, self._timeout_s) | {"max_retries": 1, "interval_start": 0, "interval_max": 0}

    def ring(self, *jobs: Job) -> None:
        """Send one message for each job; never fails, never waits long."""
        for job in jobs:
            try:
                self._app.send_task(job, queue=QUEUE_OF[job], ignore_result=True, retry=False)
            except (OperationalError, OSError) as problem:
                log.warning("bell_dropped", job=job, reason=type(problem).__name__)
                return

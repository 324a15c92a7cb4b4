import gc
import os
import sys
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from typing import Any

import sqlalchemy as sa
import structlog
from celery import Celery, Task
from celery.signals import task_failure, worker_init, worker_process_init, worker_ready, worker_shutting_down
from kombu.entity import Exchange
from kombu.entity import Queue as BrokerQueue
from redis import RedisError

from publisher import logs
from publisher.bell import BROKER_OPTIONS, QUEUE_OF, Queue
from publisher.database import first_line
from publisher.dispatch.rules import clean_reason
from publisher.pulse import Worker
from publisher.wiring import newsroom, stopping

NEW_OBJECTS = 50_000
SWITCH_S = 0.001
"""A thread in a transaction holds others up, so it does not wait five milliseconds for one that computes."""

SHOWN_EVERY_S = 5.0

DATABASE_GONE = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError)
"""The server is away, or has ended a transaction that stood still: nothing of that is the task's own fault."""

log = structlog.get_logger()


def _said(problem: BaseException) -> str:
    """Return what a problem says without what it was given: no statement, no values, no reader's address."""
    told = first_line(problem) if isinstance(problem, sa.exc.SQLAlchemyError) else str(problem)
    return clean_reason(f"{type(problem).__name__}: {told}")


class Ticked(Task):  # type: ignore[misc]  # celery's stubs know it by halves
    """A task that the beat rings again anyway, so one line says that the database was not there."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except DATABASE_GONE as problem:
            log.error("database_gone", task=self.name, said=first_line(problem))  # noqa: TRY400
            newsroom().troubles.note(self.name, _said(problem), at=newsroom().now())


app = Celery("publisher", broker=newsroom().settings.redis_url, task_cls=Ticked)
app.conf.update(
    broker_connection_max_retries=None,  # the default gives up after 100
    broker_connection_retry_on_startup=True,
    broker_transport_options=BROKER_OPTIONS,
    enable_utc=True,
    task_acks_late=True,
    task_create_missing_queues=False,
    task_ignore_result=True,
    task_queues=[BrokerQueue(name, Exchange(name), routing_key=name) for name in Queue],
    task_default_queue=Queue.UPKEEP,
    task_reject_on_worker_lost=True,
    task_routes={job: {"queue": queue} for job, queue in QUEUE_OF.items()},
    task_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
)


@worker_init.connect
@worker_process_init.connect
def _set_up_logs(**_: Any) -> None:
    logs.set_up()


@worker_ready.connect
@worker_process_init.connect
def _tune_the_interpreter(**_: Any) -> None:
    """
    Keep the garbage collector off what lives as long as the process, and let threads change places sooner.

    It looks for cycles after every 700 new objects, and a send makes a dozen for each mail, without a cycle: that
    was a fifth of its time.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_S)
    gc.set_threshold(NEW_OBJECTS, 20, 20)


@worker_ready.connect
def _show_that_it_lives(sender: Any, **_: Any) -> None:
    """Show every few seconds that this worker is alive; a thread, so that no task can hold it up."""
    worker = Worker(
        name=f"{sender.hostname}/{os.getpid()}",
        queues=tuple(sorted(app.amqp.queues.consume_from)),
        began_at=newsroom().now(),
        seen_at=newsroom().now(),
    )
    Thread(target=_keep_showing, args=(worker,), name="presence", daemon=True).start()


def _keep_showing(worker: Worker) -> None:
    pulse = newsroom().pulse
    while not stopping.is_set():
        with suppress(RedisError):
            pulse.show(replace(worker, seen_at=newsroom().now()))
        stopping.wait(SHOWN_EVERY_S)
    with suppress(RedisError):
        pulse.leave(worker.name)


@task_failure.connect
def _note_trouble(sender: Any, exception: BaseException, **_: Any) -> None:
    """Keep what went wrong for the desk; the whole story stands in the log."""
    newsroom().troubles.note(sender.name, _said(exception), at=newsroom().now())


@worker_shutting_down.connect
def _stop_cleanly(sig: str, **_: Any) -> None:
    """Let a send end after the load on the wire, so that nothing is left in doubt."""
    del sig
    stopping.set()

import os
import sys

from publisher.bell import Queue, worker_name

THREADS = "6"


def arguments_for(queues: list[str]) -> list[str]:
    """
    Return Celery's arguments: threads, because they stop in a third of a second and lose nothing (docs/decisions/0003).

    The tasks of a queue stand in the module of its name, and a worker imports only its own. Gossip, mingling and
    heartbeats between workers are off: our state is in the database.
    """
    name = worker_name(queues)
    queues = queues or [queue.value for queue in Queue]
    arguments = ["celery", "-A", "workers.app", "worker", "--pool", "threads", "--concurrency", THREADS]
    arguments += ["--queues", ",".join(queues), "--include", ",".join(f"workers.{queue}" for queue in queues)]
    arguments += ["--loglevel", "WARNING"]
    arguments += ["--hostname", name, "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return arguments


def main(queues: list[str]) -> None:
    """Become a worker."""
    os.execv(sys.executable, [sys.executable, "-m", *arguments_for(queues)])  # noqa: S606 -- our own command


if __name__ == "__main__":
    main(sys.argv[1:])

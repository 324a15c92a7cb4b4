import os
import sys
from typing import Annotated

import typer

from publisher.up.web_server import WEB_SERVER

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Queues = Annotated[str, typer.Option(help="Such as articles,upkeep; all if left out.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]


SERVERS = ("up", "web", "worker", "beat")
"""Commands that become a server, which sets up its own logs."""


def register(app: typer.Typer) -> None:
    """Add the commands that run and look after the service."""
    for command in (up, web, worker, beat, migrate, doctor, health):
        app.command(command.__name__)(command)


def up(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    samples: Annotated[bool, typer.Option(help="Load the sample articles into an empty archive.")] = True,
) -> None:
    """Run everything on this machine: web, worker, beat and a Redis of its own."""
    from publisher.up.run import run

    sys.exit(run(host=host, port=port, samples=samples))


def web(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    processes: Annotated[int, typer.Option(min=1, help="Web processes.")] = 1,
) -> None:
    """Run the web server alone."""
    _check_settings()
    arguments = [*WEB_SERVER, "--host", host, "--port", str(port), "--no-access-log"]
    arguments += ["--log-level", "warning", "--timeout-graceful-shutdown", "5", "--workers", str(processes)]
    os.execv(sys.executable, [sys.executable, "-m", *arguments])  # noqa: S606 -- our own command


def worker(
    queues: Queues = "",
) -> None:
    """Run a Celery worker; any number on any number of machines."""
    wanted = _queues(queues)
    _check_settings()
    _check_model(wanted)
    os.execv(sys.executable, [sys.executable, "-m", "workers.run_worker", *wanted])  # noqa: S606 -- our own command


def beat() -> None:
    """Run beat, which makes the stages look for what a lost bell left behind; more than one does no harm."""
    _check_settings()
    os.execv(sys.executable, [sys.executable, "-m", "workers.run_beat"])  # noqa: S606 -- our own command


def migrate() -> None:
    """Bring the database to the form that this version needs."""
    from publisher.migrations.migrate import migrate as bring
    from publisher.wiring import newsroom

    print("The database was brought up to date." if bring(newsroom().database) else "The database is up to date.")


def doctor() -> None:
    """Look at everything that Publisher leans on, and say what to do about what is wrong."""
    from publisher.cli.doctor import examine

    sys.exit(examine())


def health(
    part: Annotated[str, typer.Argument(help="web, worker, beat or mail")],
    port: Annotated[int, typer.Option(help="Of the web server or the mail catcher on this machine.")] = 8000,
    queues: Queues = "",
) -> None:
    """Tell a container's keeper by the exit code whether this part is alive."""
    from publisher.cli.health import is_healthy

    sys.exit(0 if is_healthy(part, port, _queues(queues)) else 1)


def _queues(text: str) -> list[str]:
    from publisher.bell import Queue
    from publisher.errors import InputError

    wanted = [name.strip() for name in text.split(",") if name.strip()]
    for name in wanted:
        if name not in set(Queue):
            raise InputError(f"{name!r} is no queue; there are {', '.join(Queue)}.")
    return wanted


def _check_settings() -> None:
    """Say what is wrong with the settings now, in one sentence, rather than from inside a server."""
    from publisher import settings
    from publisher.dispatch.transports.choose import transport_for

    found = settings.load()
    transport_for(found.mail_url, found.data_dir)


def _check_model(queues: list[str]) -> None:
    """Say now that a sentence model cannot be loaded, where this worker would relate articles."""
    from publisher import settings
    from publisher.bell import QUEUE_OF, Job
    from publisher.related.sense import embedder

    if not queues or QUEUE_OF[Job.RELATE] in queues:
        embedder(settings.load().embeddings)

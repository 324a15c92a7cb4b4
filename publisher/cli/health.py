import smtplib
import urllib.error
import urllib.request
from collections.abc import Collection

from publisher import settings
from publisher.errors import InputError

OK = 200
PATIENCE_S = 5


def is_healthy(part: str, port: int, queues: Collection[str]) -> bool:
    """Ask one part of Publisher on this machine whether it is alive, the way it is used."""
    match part:
        case "web":
            return _web_answers(port)
        case "worker":
            return _worker_answers(queues)
        case "beat":
            return _ticks_come()
        case "mail":
            return _mail_answers(port)
    raise InputError(f"{part!r} is no part that can be asked; there are web, worker, beat and mail.")


def _web_answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE_S) as answer:
            return bool(answer.status == OK)
    except (urllib.error.URLError, OSError):
        return False


def _worker_answers(queues: Collection[str]) -> bool:
    """Ping the worker of this very machine through the broker, the way its work comes."""
    from celery import Celery
    from kombu.exceptions import OperationalError

    from publisher.bell import BROKER_OPTIONS, worker_name

    app = Celery("publisher", broker=settings.load().redis_url)
    app.conf.broker_transport_options = BROKER_OPTIONS | {"max_retries": 1, "interval_start": 0}
    try:
        return bool(app.control.inspect(destination=[worker_name(queues)], timeout=PATIENCE_S).ping())
    except (OSError, OperationalError):
        return False


def _ticks_come() -> bool:
    from publisher.pulse import Pulse

    return Pulse(settings.load().redis_url).is_beating()


def _mail_answers(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE_S) as server:
            return bool(server.noop()[0] == 250)  # noqa: PLR2004 -- RFC 5321, section 4.1.1.9
    except (OSError, smtplib.SMTPException):
        return False

from celery import Celery

from publisher import settings
from publisher.bell import BROKER_OPTIONS
from workers.timetable import TIMETABLE

app = Celery("publisher", broker=settings.load().redis_url)
"""What beat runs: the timetable alone. It imports no task, so it is small and starts at once."""

app.conf.update(
    beat_max_loop_interval=1,
    beat_schedule=TIMETABLE,
    broker_connection_max_retries=None,
    broker_connection_retry_on_startup=True,
    broker_transport_options=BROKER_OPTIONS,
    enable_utc=True,
    task_ignore_result=True,
    timezone="UTC",
)

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from publisher.clock import utc_now
from publisher.webhooks.model import Happening
from publisher.webhooks.store import LEASE
from tests.syndication.websub.subscriber import Subscriber
from tests.webhooks.conftest import SITE, House

HOME = Path(__file__).resolve().parents[2]
WORKER = f"""
import sys
from publisher.clock import utc_now
from publisher.database import Database
from publisher.migrations import all_tables
from publisher.webhooks.flow import tell_due
tell_due(Database(sys.argv[1]), base_url={SITE!r}, clock=utc_now, allow_private=True)
"""


def test_no_webhook_is_lost_when_the_worker_is_killed(house: House, receiver: Subscriber) -> None:
    """The first worker dies while the endpoint reads; the second tells again all that was not answered."""
    house.clock.now = utc_now() - timedelta(minutes=5)
    endpoint = house.add(receiver.callback(), Happening.ARTICLE_PUBLISHED).endpoint
    house.articles(*(f"News {number}" for number in range(12)))
    receiver.delay_s = 30
    with subprocess.Popen([sys.executable, "-c", WORKER, str(house.room.database.url)], cwd=HOME) as worker:
        try:
            receiver.wait_for(3, within_s=30)
        finally:
            worker.kill()
    receiver.delay_s = 0
    before = time.monotonic()
    house.clock.now = utc_now() + 2 * LEASE
    house.tell()

    wanted = {each.message_id for each in house.webhooks(endpoint.id)}
    after = {got.headers["webhook-id"] for got in receiver.got if got.at > before}
    assert len(wanted) == 12
    assert after == wanted
    assert house.tell() is False

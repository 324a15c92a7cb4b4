import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from publisher.clock import utc_now
from publisher.syndication.websub.errands import LEASE
from publisher.syndication.websub.flow import push_due
from tests.syndication.newsroom import SITE
from tests.syndication.websub.conftest import HUB, Hub
from tests.syndication.websub.subscriber import Subscriber

HOME = Path(__file__).resolve().parents[3]
WORKER = f"""
import sys
from publisher.clock import utc_now
from publisher.database import Database
from publisher.migrations import all_tables
from publisher.syndication.model import Site
from publisher.syndication.websub.flow import push_due
site = Site(base_url={SITE.base_url!r}, site_name={SITE.site_name!r}, domain={SITE.domain!r}, hubs=({HUB!r},))
push_due(Database(sys.argv[1]), site, clock=utc_now, allow_private=True)
"""


def test_no_push_is_lost_when_the_worker_is_killed(hub: Hub, subscriber: Subscriber) -> None:
    """The first worker dies while the subscriber reads; the second sends again to all who have not answered."""
    house = hub.house
    house.clock.now = utc_now() - timedelta(minutes=5)
    for number in range(20):
        hub.subscribe(subscriber.callback(f"reader{number}"))
    house.articles("News")
    subscriber.delay_s = 30
    with subprocess.Popen([sys.executable, "-c", WORKER, str(house.database.url)], cwd=HOME) as worker:
        try:
            subscriber.wait_for(3, within_s=30)
        finally:
            worker.kill()
    subscriber.delay_s = 0
    before = time.monotonic()
    house.clock.now = utc_now() + 2 * LEASE
    push_due(house.database, house.site, clock=house.clock, allow_private=True, pause=house.clock.pause)

    after = {got.path for got in subscriber.got if got.at > before}
    assert after == {f"/reader{number}" for number in range(20)}
    assert hub.push() is False

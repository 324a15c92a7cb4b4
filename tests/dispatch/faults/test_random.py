"""Every fault, at random moments, in any order, for a minute."""

import random
import signal
import threading
import time
from contextlib import suppress

import pytest

from publisher.dispatch import flow
from publisher.errors import ConflictError
from tests.dispatch.faults.conftest import OnStage
from tests.dispatch.faults.harness import LEASE_S, Process, Stage, seeded

QUEUES = ("dispatch", "upkeep")
CHAOS_S = 60.0
WORKERS = 2
SERVER_FAULTS = (
    (),
    ("step=connect,do=421 4.3.2 closing,every=3",),
    ("step=rcpt,do=451 4.3.0 later,every=9",),
    ("step=body,do=cut,every=200",),
    ("step=final,do=421 4.3.2 closing,every=200",),
    ("step=rcpt,do=stall,after=200,times=1",),
)


class Chaos:
    """Does harm, and keeps the newsroom staffed."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self._stage = stage
        self._chance = chance
        self._workers: list[Process] = []
        self.done: list[str] = []

    def reign(self, seconds: float) -> None:
        """Do one harm after the other; then put everything in order."""
        until = time.monotonic() + seconds
        deeds = (self.kill, self.ask_to_end, self.freeze, self.lose_redis, self.change_server, self.pause)
        while time.monotonic() < until:
            self.staff()
            deed = self._chance.choice(deeds)
            self.done.append(deed.__name__)
            deed()
            self.resume()
            time.sleep(self._chance.uniform(0.2, 2.0))
        self._stage.sink()
        self.staff()

    def staff(self) -> None:
        self._workers = [each for each in self._workers if each.poll() is None]
        while len(self._workers) < WORKERS:
            self._workers.append(self._stage.worker(*QUEUES))

    def kill(self) -> None:
        self._stage.kill(self._chance.choice(self._workers))

    def ask_to_end(self) -> None:
        self._stage.end(self._chance.choice(self._workers), signal.SIGTERM)

    def freeze(self) -> None:
        frozen = self._chance.choice(self._workers)
        frozen.send_signal(signal.SIGSTOP)
        self._stage.crashes += 1
        time.sleep(self._chance.uniform(0.5, 2 * LEASE_S))
        frozen.send_signal(signal.SIGCONT)

    def lose_redis(self) -> None:
        self._stage.lose_redis()

    def change_server(self) -> None:
        """Put another server in the place of the one that runs, whose connections end where they are."""
        self._stage.crashes += 1
        self._stage.sink(*self._chance.choice(SERVER_FAULTS), latency_ms=self._chance.choice((2, 5)))

    def pause(self) -> None:
        room = self._stage.room
        with suppress(ConflictError):  # it is over, or paused by itself
            flow.pause(room.database, room.settings, self._stage.issue_id, reason="chaos", clock=room.clock)

    def resume(self) -> None:
        """Whoever mends something resumes; also after the brake."""
        with suppress(ConflictError):
            flow.resume(self._stage.room.database, self._stage.issue_id, clock=self._stage.room.clock)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_minute_of_chaos_loses_nobody(staged: OnStage) -> None:
    with staged(readers=30_000) as stage:
        stage.sink(latency_ms=5)
        stage.beat()
        chaos = Chaos(stage, seeded())

        chaos.reign(CHAOS_S)
        over = threading.Event()
        mender = threading.Thread(target=resume_until, args=(chaos, over))
        mender.start()
        try:
            stage.judge(within_s=180)
        finally:
            over.set()
            mender.join()
            print(chaos.done)


def resume_until(chaos: Chaos, over: threading.Event) -> None:
    """What the brake stopped at the end of the chaos goes on."""
    while not over.wait(1):
        chaos.resume()

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import sqlalchemy as sa

from publisher.clock import Clock
from publisher.database import Database, Instant, Queue, insert_or_ignore, metadata
from publisher.errors import LeaseLostError

LEASE = timedelta(seconds=15)
"""How long a stage stands still after its worker was killed; long against one step of any stage."""

_turns = count()
_steps = Queue()
"""
The stages of one process take their steps one after the other.

They compute, and Python computes in one thread at a time: three stages side by side were measured to take half as
long again as one after the other.
"""

stage_turn = sa.Table(
    "stage_turn",
    metadata,
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),  # every article_change up to here is done
    sa.Column("owner", sa.Text),
    sa.Column("leased_until", Instant),
    sa.Column("rung_again", sa.Boolean, nullable=False),
)
_here = threading.local()
"""Whether this thread is in a step: one within another waits for nobody."""


class Turn:
    """
    The right to run one stage, and the stage's place in the archive's changes.

    One worker at a time runs a stage. Who rings while it runs leaves a note, and the runner
    goes round once more before it gives the turn back, so no bell is lost in between.
    """

    def __init__(self, database: Database, stage: str, owner: str, clock: Clock) -> None:
        self._database = database
        self.stage = stage
        self._owner = owner
        self._clock = clock

    def advance(self, connection: sa.Connection, seq: int) -> None:
        """
        Move the stage's place to `seq` and renew the lease, in the transaction that writes the results.

        Raises:
            LeaseLostError: Another worker has the turn; the transaction must not commit.

        """
        self._hold(connection, seq=seq)

    def renew(self) -> None:
        """Renew the lease in a step that writes nothing. Raises LeaseLostError."""
        with self._database.transaction() as connection:
            self._hold(connection)

    def hold(self, connection: sa.Connection) -> None:
        """Renew the lease in a transaction that writes results but moves no place. Raises LeaseLostError."""
        self._hold(connection)

    def _hold(self, connection: sa.Connection, **values: int) -> None:
        held = connection.execute(
            sa.update(stage_turn)
            .where(stage_turn.c.stage == self.stage, stage_turn.c.owner == self._owner)
            .values(leased_until=self._clock() + LEASE, **values)
        )
        if held.rowcount != 1:
            raise LeaseLostError(self.stage)

    def again(self) -> bool:
        """Give the turn back, or, when someone rang meanwhile, keep it and return True."""
        mine = sa.and_(stage_turn.c.stage == self.stage, stage_turn.c.owner == self._owner)
        with self._database.transaction() as connection:
            kept = connection.execute(
                sa.update(stage_turn).where(mine, stage_turn.c.rung_again.is_(True)).values(rung_again=False)
            )
            if kept.rowcount:
                return True
            connection.execute(sa.update(stage_turn).where(mine).values(owner=None, leased_until=None))
            return False


def place(connection: sa.Connection, stage: str) -> int:
    """Return the last change that a stage has finished; 0 before its first."""
    found = connection.scalar(sa.select(stage_turn.c.seq).where(stage_turn.c.stage == stage))
    return found or 0


def take_turns(database: Database, stage: str, clock: Clock, step: Callable[[Turn], bool]) -> None:
    """
    Run a stage until nothing is left to do, unless another worker is at it already.

    Args:
        database: Where the stage keeps its place.
        stage: The stage's fixed name.
        clock: Tells the time.
        step: Does one bounded piece of work; returns whether there may be more.

    """
    with _turn(database, stage, clock) as turn:
        if turn is None:
            return
        while _stepped(step, turn) or turn.again():
            continue


def rest(seconds: float) -> None:
    """Wait in the middle of a step, and let the other stages of this process go on meanwhile."""
    with _steps.left():
        time.sleep(seconds)


def _stepped(step: Callable[[Turn], bool], turn: Turn) -> bool:
    if getattr(_here, "is_stepping", False):
        return step(turn)
    with _steps:
        _here.is_stepping = True
        try:
            return step(turn)
        finally:
            _here.is_stepping = False


@contextmanager
def _turn(database: Database, stage: str, clock: Clock) -> Iterator[Turn | None]:
    owner = f"{socket.gethostname()}/{os.getpid()}/{threading.get_ident()}/{next(_turns)}"
    turn = Turn(database, stage, owner, clock) if _take(database, stage, owner, clock) else None
    try:
        yield turn
    except BaseException:
        if turn is not None:
            _give_back(database, turn.stage, owner)
        raise


def _take(database: Database, stage: str, owner: str, clock: Clock) -> bool:
    now = clock()
    free = sa.or_(stage_turn.c.owner.is_(None), stage_turn.c.leased_until < now)
    with database.transaction() as connection:
        connection.execute(insert_or_ignore(connection, stage_turn).values(stage=stage, seq=0, rung_again=False))
        taken = connection.execute(
            sa.update(stage_turn)
            .where(stage_turn.c.stage == stage, free)
            .values(owner=owner, leased_until=now + LEASE, rung_again=False)
        )
        if not taken.rowcount:
            connection.execute(sa.update(stage_turn).where(stage_turn.c.stage == stage).values(rung_again=True))
        return taken.rowcount == 1


def _give_back(database: Database, stage: str, owner: str) -> None:
    with database.transaction() as connection:
        connection.execute(
            sa.update(stage_turn)
            .where(stage_turn.c.stage == stage, stage_turn.c.owner == owner)
            .values(owner=None, leased_until=None)
        )

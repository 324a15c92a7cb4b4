from datetime import UTC, datetime, timedelta

MORNING = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


class SetClock:
    """Tells the time that a test sets."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, time: timedelta) -> None:
        self.now += time

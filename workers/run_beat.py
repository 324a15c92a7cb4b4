import os
import sys


def main() -> None:
    """Become beat, with a timetable in memory: it has nothing to remember, so nothing to lose or to lock."""
    arguments = ["celery", "-A", "workers.beat_app", "beat", "--scheduler", "celery.beat:Scheduler"]
    arguments += ["--loglevel", "WARNING", "--pidfile", ""]
    os.execv(sys.executable, [sys.executable, "-m", *arguments])  # noqa: S606 -- our own command


if __name__ == "__main__":
    main()

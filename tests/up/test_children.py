"""What `make run` keeps alive."""

import signal
import sys
import time
from pathlib import Path

import pytest

from publisher.pulse import KEY
from publisher.up import children
from publisher.up.children import Child, keep_running, stop
from publisher.up.redis_server import PULSE

NOTES_ITS_END = """
import signal, sys, time
def end(*_):
    open({file!r}, "a").write({name!r})
    sys.exit()
signal.signal(15, end)
print("up", flush=True)
time.sleep(60)
"""
DEAF = """
import signal, time
signal.signal(15, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""


def a_child(folder: Path, code: str, name: str = "worker") -> Child:
    return Child(name=name, command=(sys.executable, "-c", code), environment={}, log=folder / f"{name}.log")


def ended(child: Child) -> None:
    assert child.process is not None
    child.process.wait(timeout=10)


def test_a_crash_is_told_loudly_and_mended(tmp_path: Path) -> None:
    said: list[str] = []
    child = a_child(tmp_path, "raise SystemExit(3)")
    child.start()
    ended(child)

    keep_running([child], said.append, now=time.monotonic())
    keep_running([child], said.append, now=time.monotonic() + child.wait_s)

    assert child.is_running or child.process is not None
    assert said == [
        f"!! worker ended by itself (exit code 3); starting it again. Its last words are in {tmp_path}/worker.log"
    ]
    ended(child)


def test_a_kill_is_told_by_its_name(tmp_path: Path) -> None:
    said: list[str] = []
    child = a_child(tmp_path, "import time; time.sleep(60)")
    child.start()
    child.signal(signal.SIGKILL)
    ended(child)

    keep_running([child], said.append, now=0)

    assert said[0].startswith("!! worker was ended by SIGKILL; starting it again.")


def test_what_crashes_at_once_is_not_started_all_the_time(tmp_path: Path) -> None:
    """Each time it waits twice as long, or a broken setting would eat a core and fill a disk."""
    child = a_child(tmp_path, "pass")
    waits = []
    for _ in range(8):
        child.start()
        ended(child)
        keep_running([child], lambda _: None, now=0)
        waits.append(child.wait_s)

    assert waits == [1, 2, 4, 8, 15, 15, 15, 15]


def test_what_ran_well_for_long_starts_again_at_once(tmp_path: Path) -> None:
    child = a_child(tmp_path, "pass")
    child.wait_s = 15
    child.start()
    ended(child)
    child.started_at -= children.STEADY_S + 1

    keep_running([child], lambda _: None, now=0)

    assert child.wait_s == children.FIRST_WAIT_S


def test_what_the_others_lean_on_is_stopped_last(tmp_path: Path) -> None:
    """A worker that ends its micro-batch still rings; its Redis must be there."""
    names = ("web", "worker", "redis")
    found = [
        a_child(tmp_path, NOTES_ITS_END.format(file=str(tmp_path / "order"), name=f"{name} "), name) for name in names
    ]
    for each in found:
        each.start()
    until = time.monotonic() + 10
    while any("up" not in (tmp_path / f"{name}.log").read_text() for name in names) and time.monotonic() < until:
        time.sleep(0.01)

    stop(found, lambda _: None, within_s=10)

    order = (tmp_path / "order").read_text().split()
    assert sorted(order) == sorted(names)
    assert order[-1] == "redis"


def test_what_does_not_listen_is_killed_in_time(tmp_path: Path) -> None:
    said: list[str] = []
    deaf = a_child(
        tmp_path, "import signal, time\nsignal.signal(15, 1)\nprint('up', flush=True)\ntime.sleep(60)", "web"
    )
    deaf.start()
    other = a_child(tmp_path, "import time; time.sleep(60)", "redis")
    other.start()
    until = time.monotonic() + 10
    while "up" not in (tmp_path / "web.log").read_text() and time.monotonic() < until:
        time.sleep(0.01)

    began = time.monotonic()
    stop([deaf, other], said.append, within_s=2)

    assert time.monotonic() - began < 3
    assert said == ["!! web does not stop; killing it."]
    assert not deaf.is_running
    assert not other.is_running


def test_a_log_that_has_grown_long_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "LOG_BYTES", 10)
    (tmp_path / "worker.log").write_text("an old log that is long\n")
    child = a_child(tmp_path, "print('new')")

    child.start()
    ended(child)

    assert (tmp_path / "worker.log").read_text() == "new\n"
    assert (tmp_path / "worker.log.1").read_text() == "an old log that is long\n"


def test_the_supervisor_forgets_the_pulse_that_the_workers_mark() -> None:
    assert PULSE == KEY

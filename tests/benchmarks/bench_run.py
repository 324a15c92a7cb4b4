"""
How long `make run` takes until it is ready, and what it costs while it does nothing.

    python -m tests.benchmarks.bench_run [seconds of idleness]

Memory is PSS, as the kernel counts it in /proc/PID/smaps_rollup: shared pages are divided among who shares them.
"""

import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.service import Service, running

IDLE_S = 20


def main(idle_s: int = IDLE_S) -> None:
    with tempfile.TemporaryDirectory(prefix="publisher-bench-") as name:
        folder = Path(name) / "data"
        print(f"make run: to ready and idle for {idle_s} s")
        for kind in ("cold start", "warm start", "warm start"):
            _start(folder, kind)
        with running(folder) as service:
            service.wait_until_ready()
            time.sleep(5)  # what a start leaves to be done is done
            _idle(service, idle_s)


def _start(folder: Path, kind: str) -> None:
    began = time.monotonic()
    with running(folder) as service:
        service.wait_until_ready()
        ready_s = time.monotonic() - began
        cpu_s = sum(sum(each.cpu_times()[:2]) for each in service.everyone())
        stop_s = service.stop()
    print(f"  {kind:12} ready after {ready_s:5.2f} s, stopped in {stop_s:4.2f} s; {cpu_s:4.1f} s of CPU in what runs")


def _idle(service: Service, seconds: int) -> None:
    everyone = service.everyone()
    names = {process.pid: name for name, process in service.children().items()} | {service.process.pid: "supervisor"}
    before = {each.pid: sum(each.cpu_times()[:2]) for each in everyone}
    time.sleep(seconds)
    total_mb, total_cpu = 0.0, 0.0
    for each in everyone:
        pss_mb, cpu = _pss_mb(each), (sum(each.cpu_times()[:2]) - before[each.pid]) / seconds * 100
        print(f"  {names.get(each.pid, each.name()):12} PSS {pss_mb:6.1f} MB   CPU {cpu:5.2f} %")
        total_mb, total_cpu = total_mb + pss_mb, total_cpu + cpu
    print(f"  {'together':12} PSS {total_mb:6.1f} MB   CPU {total_cpu:5.2f} %")


def _pss_mb(process: psutil.Process) -> float:
    lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))

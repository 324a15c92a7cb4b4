"""
How fast subscribers come in from a CSV file and go out again, and how much memory that takes.

    python -m tests.benchmarks.bench_import [rows]

The addresses stand in no order, as in a list that grew over years: the worst case for an index.
"""

import csv
import hashlib
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

from publisher.audience import flow
from publisher.audience.csv_form import export_csv, import_csv
from publisher.audience.model import How
from publisher.clock import utc_now
from publisher.database import Database, metadata
from tests.postgresql import AbsentError, new_database, running_server

ROWS = 200_000


def main(rows: int = ROWS) -> None:
    with tempfile.TemporaryDirectory(prefix="publisher-bench-") as name:
        folder = Path(name)
        file = folder / "subscribers.csv"
        write_csv(file, rows)
        print(f"import: {rows:,} confirmed subscribers, {file.stat().st_size / 1e6:.0f} MB of CSV")
        _measured_apart("SQLite", f"sqlite:///{folder / 'publisher.db'}", file)
        try:
            with running_server() as socket, new_database(socket, "newsroom") as url:
                _measured_apart("PostgreSQL", url, file)
        except AbsentError as problem:
            print(f"  {problem}")


def write_csv(file: Path, rows: int) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["email", "name", "language", "timezone"])
        for number in range(rows):
            mark = hashlib.blake2b(str(number).encode(), digest_size=5).hexdigest()
            writer.writerow([f"{mark}.reader{number}@example{number % 50}.org", f"Reader {number}", "en", "Asia/Seoul"])


def _measured_apart(kind: str, url: str, file: Path) -> None:
    """Measure in a process of its own, whose peak of memory is the import's."""
    process = multiprocessing.get_context("spawn").Process(target=_measure, args=(kind, url, file))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


def _measure(kind: str, url: str, file: Path) -> None:
    database = Database(url)
    metadata.create_all(database.engine)
    flow.add_mailing_list(database, slug="weekly", name="Weekly", clock=utc_now)
    for attempt in ("new", "again"):
        start = time.perf_counter()
        report = import_csv(database, file, mailing_list="weekly", confirmed=True, how=How.CLI, clock=utc_now)
        _show(kind, f"import, {attempt}", report.added + report.unchanged, time.perf_counter() - start)
    with (file.parent / "exported.csv").open("w", encoding="utf-8", newline="") as stream:
        start = time.perf_counter()
        export_csv(database, stream)
        _show(kind, "export", report.unchanged, time.perf_counter() - start)
    database.close()


def _show(kind: str, what: str, rows: int, seconds: float) -> None:
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {kind:10} {what:14} {rows / seconds:9,.0f} rows/s  {seconds:6.2f} s  peak {peak_mb:.0f} MB", flush=True)


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))

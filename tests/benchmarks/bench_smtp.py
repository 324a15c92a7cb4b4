"""
How fast one process hands a personalised letter to an SMTP server on this machine.

    python -m tests.benchmarks.bench_smtp --mails 60000 --connections 4

Prints mails a second, and what each mail costs the sender in processor time: splicing is included, the ledger and the
making of envelopes are not.
The server is tests/dispatch/sink.py in a process of its own; it writes down every recipient before it answers.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from publisher.compose.model import IssueId
from publisher.compose.slots import Slot, marker
from publisher.dispatch.compiling import compile_message
from publisher.dispatch.headers import Letterhead
from publisher.dispatch.message import CompiledMessage
from publisher.dispatch.model import Envelope, Sent
from publisher.dispatch.transports.smtp import SmtpTransport
from publisher.dispatch.transports.smtp_url import smtp_settings

SINK = Path(__file__).resolve().parents[1] / "dispatch" / "sink.py"
MICRO_BATCH = 1_000
LETTER_BYTES = 20_000
ENGLISH = "The away end sang until the lights went out, and then it sang some more. "
KOREAN = "원정 응원석은 불이 꺼질 때까지 노래했고, 그 뒤에도 노래했다. "


def letter(sentence: str) -> CompiledMessage:
    """Return a letter of about 20 KB with five slots, ten times in the body."""
    name, read = marker(Slot.NAME), marker(Slot.READ_URL)
    unsubscribe, preferences, address = (
        marker(Slot.UNSUBSCRIBE_URL),
        marker(Slot.PREFERENCES_URL),
        marker(Slot.ADDRESS),
    )
    paragraph = sentence * 6
    size = len(paragraph.encode()) * (4 / 3 if sentence is KOREAN else 1.03)
    count = int(LETTER_BYTES / (size + 80))
    rows = "\n".join(
        f'<tr><td style="padding:10px 25px;font-size:16px">{paragraph}</td></tr>' for _ in range(count - 2)
    )
    links = f'<a href="{unsubscribe}">Unsubscribe</a> <a href="{preferences}">Preferences</a>'
    opening = f'<p>Dear {name},</p><p><a href="{read}">Read this in your browser</a></p>'
    html = f"{opening}<table>{rows}</table>{links} {address}"
    foot = f"Unsubscribe: {unsubscribe}\nPreferences: {preferences}\nOnline: {read}\nSent to {address}\n"
    return compile_message(
        subject="The Tuesday letter",
        text=f"Dear {name},\n\n{paragraph}\n\n{paragraph}\n\n{foot}",
        html=f'<!doctype html><html lang="en"><body>{html}</body></html>',
        letterhead=Letterhead(
            sender="The Gazette <news@example.org>",
            list_name="The Tuesday letter",
            list_id="tuesday.example.org",
            feedback_id="17:tuesday:digest:publisher",
        ),
        fallbacks={Slot.NAME: "reader"},
    )


def envelope(seq: int, date: str) -> Envelope:
    token = f"{seq:08d}" * 6
    address = f"reader{seq}@example.com"
    return Envelope(
        issue_id=IssueId(17),
        seq=seq,
        sender=f"bounce+17.{seq}@example.org",
        address=address,
        values={
            Slot.ADDRESS: address,
            Slot.NAME: "Minji Kim",
            Slot.UNSUBSCRIBE_URL: f"https://news.example.org/u/{token}",
            Slot.PREFERENCES_URL: f"https://news.example.org/p/{token}",
            Slot.ONE_CLICK_URL: f"https://news.example.org/o/{token}",
            Slot.READ_URL: f"https://news.example.org/r/{token}",
            Slot.MESSAGE_ID: f"17.{seq}@example.org",
            Slot.DATE: date,
        },
    )


@contextmanager
def sink(log: Path) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    process = subprocess.Popen([sys.executable, str(SINK), "--log", str(log)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield json.loads(process.stdout.readline())["port"], process
    finally:
        process.terminate()
        process.wait(10)


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def splice_us(message: CompiledMessage) -> float:
    values = envelope(1, "Tue, 01 Dec 2026 07:00:00 +0000").values
    best = 1e9
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(2_000):
            message.splice(values)
        best = min(best, (time.perf_counter() - start) / 2_000 * 1e6)
    return best


def send(message: CompiledMessage, *, mails: int, connections: int) -> dict[str, float]:
    date = "Tue, 01 Dec 2026 07:00:00 +0000"
    with tempfile.TemporaryDirectory() as folder, sink(Path(folder) / "log") as (port, server):
        settings = smtp_settings(f"smtp://127.0.0.1:{port}?connections={connections}")
        with SmtpTransport(settings) as transport:
            transport.send_all(message, [envelope(0, date)])
            took = cpu = 0.0
            sent = 0
            for first in range(1, mails + 1, MICRO_BATCH):
                batch = [envelope(seq, date) for seq in range(first, min(first + MICRO_BATCH, mails + 1))]
                start, start_cpu = time.perf_counter(), cpu_s()
                outcomes = transport.send_all(message, batch)
                took, cpu = took + time.perf_counter() - start, cpu + cpu_s() - start_cpu
                sent += sum(isinstance(outcome, Sent) for outcome in outcomes)
        server.terminate()
        assert server.stdout
        summary = json.loads(server.stdout.readline())
    assert sent == mails, f"{mails - sent} were not sent"
    assert summary["distinct"] == mails + 1, summary
    return {
        "mails_per_s": round(mails / took),
        "sender_cpu_us_per_mail": round(cpu / mails * 1e6, 1),
        "sink_cpu_us_per_mail": round(summary["cpu_s"] / mails * 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=40_000)
    parser.add_argument("--connections", type=int, default=4)
    given = parser.parse_args()
    for language, sentence in (("English", ENGLISH), ("Korean", KOREAN)):
        message = letter(sentence)
        size = len(message.splice(envelope(1, "Tue, 01 Dec 2026 07:00:00 +0000").values))
        figures = {"letter": language, "size_bytes": size, "splice_us": round(splice_us(message), 1)}
        figures |= send(message, mails=given.mails, connections=given.connections)
        figures["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()

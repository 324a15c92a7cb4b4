"""
How fast one web process serves feeds, beside nginx that serves the same bytes from disk, and in how much memory.

    python -m tests.benchmarks.bench_feeds [articles] [topics]

The web process is the real one (`publisher.web.app`, uvicorn); wrk asks with 8 connections for 10 seconds each.
"""

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import psutil
import sqlalchemy as sa

from feeds.formats import FeedFormat
from publisher.clock import utc_now
from publisher.database import Database
from publisher.migrations.migrate import migrate
from publisher.related.flow import relate_due
from publisher.syndication.encodings import Encoding
from publisher.syndication.flow import syndicate_due
from publisher.syndication.making import Made, make
from publisher.syndication.model import FeedAddress, FeedKey, FeedKind, Site
from publisher.syndication.websub.model import HUB_PATH
from publisher.turn import stage_turn
from tests.builders import DOMAIN, a_draft, handed_in
from tests.stock import related_up_to_now, stock

ARTICLES = 100_000
TOPICS = 10_000
SECONDS = 10
CONNECTIONS = 8
LONG = 25
PUBLISHED = 20
FILED_AT = 1_790_000_000
"""When every file of nginx was changed, so that one date asks for a 304 of any."""

ENTRIES = """
    INSERT INTO feed_entry (feed_id, entry_id, at, place)
    SELECT feed_id, entry_id, at, CASE WHEN behind > 0 THEN place END FROM (
        SELECT feed.id AS feed_id, article.id AS entry_id, article.published_at AS at,
            row_number() OVER (PARTITION BY feed.id ORDER BY article.published_at, article.id) AS place,
            count(*) OVER (PARTITION BY feed.id) - 25
                - row_number() OVER (PARTITION BY feed.id ORDER BY article.published_at, article.id) + 1 AS behind
        FROM {source} WHERE feed.kind = :kind
    )
"""
SOURCES = {
    FeedKind.ALL: "feed CROSS JOIN article",
    FeedKind.TOPIC: "feed JOIN topic ON topic.slug = feed.slug JOIN article_topic ON article_topic.topic_id = topic.id"
    " JOIN article ON article.id = article_topic.article_id",
}
"""What the worker would put into the feeds, article by article; here it is put there at once."""

RANDOM_TOPIC = """
    local head = {{ ["Accept-Encoding"] = "gzip" }}
    local etags = {{}}
    for line in io.lines("{etags}") do etags[#etags + 1] = line end
    math.randomseed(7)
    request = function()
        local topic = math.random(1, {topics})
        if {conditional} then head["If-None-Match"] = etags[topic] end
        if {dated} then head["If-Modified-Since"] = "{date}" end
        return wrk.format("GET", "/feeds/topics/topic-" .. topic .. ".atom", head)
    end
"""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What wrk says."""

    per_second: float
    p99_ms: float
    failures: int
    cpu_us: float
    """Of the server, for each answer: what does not depend on who else uses the machine."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Who is measured."""

    url: str
    pid: int


def main(articles: int = ARTICLES, topics: int = TOPICS) -> None:
    missing = [program for program in ("wrk", "nginx") if shutil.which(program, path=_PATH) is None]
    if missing:
        print(f"  not measured: {' and '.join(missing)} not installed")
        return
    with tempfile.TemporaryDirectory(prefix="publisher-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_server(("127.0.0.1", 0)) as other:
            port, nginx_port = listening.getsockname()[1], other.getsockname()[1]
            other.close()
            base_url = f"http://127.0.0.1:{port}"
            hubs = (f"{base_url}{HUB_PATH}",)  # as the web process has it, or it would make every document again
            site = Site(base_url=base_url, site_name="Publisher", domain=DOMAIN, hubs=hubs)
            url = f"sqlite:///{folder / 'publisher.db'}"
            with closing(Database(url)) as database:
                sa.event.listen(database.engine, "connect", _trust_the_power)
                _fill(database, articles, topics)
                etags = _make_documents(database, site, topics, folder / "files")
                (folder / "etags").write_text("".join(f"{etag}\n" for etag in etags))
            with _web_process(folder, site, listening) as pid, _nginx(folder, nginx_port) as nginx_pid:
                publisher = Server(url=site.base_url, pid=pid)
                _measure(folder, topics, publisher, Server(url=f"http://127.0.0.1:{nginx_port}", pid=nginx_pid))
                with closing(Database(url)) as database:
                    _publish(database, site)


def _trust_the_power(connection: Any, _record: Any) -> None:
    """While the archive is filled nothing has to survive a power cut."""
    connection.execute("PRAGMA synchronous=OFF")


def _fill(database: Database, articles: int, topics: int) -> None:
    start = time.perf_counter()
    migrate(database)
    now = utc_now()
    each = articles - LONG
    stock(database, each, newest_at=now, topics=topics, topics_each=1, authors=50, paragraphs=2)
    stock(database, LONG, newest_at=now, topics=topics, topics_each=1, authors=50, paragraphs=16, first=each + 1)
    with database.transaction() as connection:
        related_up_to_now(connection)
        place = connection.execute(sa.select(stage_turn.c.seq).where(stage_turn.c.stage == "relate")).scalar_one()
        connection.execute(sa.insert(stage_turn).values(stage="syndicate", seq=place, rung_again=False))
        feeds = (
            "INSERT INTO feed (kind, slug, uri, state, version, last_place, rank, created_at)"
            " SELECT 'topic', slug, 'tag:bench:' || slug, 'live', 1, 0, 3, :now FROM topic"
            " UNION ALL SELECT 'all', '', 'tag:bench:all', 'live', 1, 0, 0, :now"
        )
        connection.execute(sa.text(feeds), {"now": now.replace(tzinfo=None).isoformat(" ")})
        for kind, source in SOURCES.items():
            connection.execute(sa.text(ENTRIES.format(source=source)), {"kind": kind})
        last = "(SELECT coalesce(max(place), 0) FROM feed_entry WHERE feed_id = feed.id)"
        connection.execute(sa.text(f"UPDATE feed SET last_place = {last}"))
    print(
        f"  {articles:,} articles in {topics:,} topics, put in place in {time.perf_counter() - start:.0f} s", flush=True
    )


def _make_documents(database: Database, site: Site, topics: int, folder: Path) -> list[str]:
    """Make the feed of all and every topic's, give nginx the same bytes, and return the topics' ETags in order."""
    start, etags, sizes = time.perf_counter(), [], []
    (folder / "feeds" / "topics").mkdir(parents=True)
    everything = FeedKey(kind=FeedKind.ALL)
    for key in (everything, *(FeedKey(kind=FeedKind.TOPIC, slug=f"topic-{each}") for each in range(1, topics + 1))):
        address = FeedAddress(key=key, feed_format=FeedFormat.ATOM)
        made = make(database, site, address, Encoding.GZIP, clock=utc_now)
        assert isinstance(made, Made), key
        file = folder / address.path.removeprefix("/")
        for path, data in ((file, b""), (file.with_name(f"{file.name}.gz"), made.body(Encoding.GZIP))):
            path.write_bytes(data)
            os.utime(path, (FILED_AT, FILED_AT))
        if key is everything:
            plain, packed = len(made.body(Encoding.IDENTITY)), len(made.body(Encoding.GZIP))
            print(f"  the feed of all: {plain:,} bytes, {packed:,} with gzip")
        else:
            etags.append(f'"{made.etag}{Encoding.GZIP.etag_suffix}"')
            sizes.append(len(made.body(Encoding.GZIP)))
    each_ms = (time.perf_counter() - start) / len(sizes) * 1000
    print(
        f"  a topic's feed: {statistics.mean(sizes):,.0f} bytes with gzip, made and stored in {each_ms:.1f} ms",
        flush=True,
    )
    return etags


def _measure(folder: Path, topics: int, ours: Server, nginx: Server) -> None:
    answer = httpx.get(f"{ours.url}/feeds/all.atom", headers={"Accept-Encoding": "gzip"})
    same = httpx.get(f"{nginx.url}/feeds/all.atom", headers={"Accept-Encoding": "gzip"})
    assert answer.content == same.content, "nginx does not serve the same bytes"
    date = formatdate(FILED_AT, usegmt=True)
    gzip = ["-H", "Accept-Encoding: gzip"]
    print(f"  {'':34}{'Publisher':>34}{'nginx':>34}{'share':>8}")
    _compare("all.atom, gzip", ours, nginx, [*gzip], [*gzip])
    conditions = ["-H", f"If-None-Match: {answer.headers['etag']}"], ["-H", f"If-Modified-Since: {date}"]
    _compare("all.atom, 304", ours, nginx, [*gzip, *conditions[0]], [*gzip, *conditions[1]])
    print(f"  memory of the web process: {_pss_mb(ours.pid):.0f} MB (PSS)")
    for name, conditional in ((f"{topics:,} topics, gzip", False), (f"{topics:,} topics, 304", True)):
        scripts = []
        for kind in ("etags", "dates"):
            text = RANDOM_TOPIC.format(
                etags=folder / "etags",
                topics=topics,
                conditional=str(conditional and kind == "etags").lower(),
                dated=str(conditional and kind == "dates").lower(),
                date=date,
            )
            (folder / f"{kind}.lua").write_text(text)
            scripts.append(["-s", str(folder / f"{kind}.lua")])
        _compare(name, ours, nginx, *scripts)
    print(f"  memory of the web process: {_pss_mb(ours.pid):.0f} MB (PSS)", flush=True)


def _compare(name: str, ours: Server, nginx: Server, our_options: Sequence[str], nginx_options: Sequence[str]) -> None:
    first, second = _wrk(ours, our_options), _wrk(nginx, nginx_options)
    shown = [
        f"{run.per_second:>10,.0f}/s p99 {run.p99_ms:>5.2f} ms CPU {run.cpu_us:>3.0f} µs" for run in (first, second)
    ]
    print(f"  {name:34}{shown[0]}{shown[1]}{first.per_second / second.per_second:>8.2f}", flush=True)
    assert not first.failures, f"{first.failures} answers were neither 200 nor 304"


def _wrk(server: Server, options: Sequence[str]) -> Run:
    url = f"{server.url}/feeds/all.atom"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", *options, url]
    process = psutil.Process(server.pid)
    before = _cpu_s(process)
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    used_s = _cpu_s(process) - before
    rate, late = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    number = re.search(r"(\d+) requests in", said)
    assert rate
    assert late
    assert number
    unit = {"us": 0.001, "ms": 1.0, "s": 1000.0}[late[2]]
    return Run(
        per_second=float(rate[1]),
        p99_ms=float(late[1]) * unit,
        failures=int(bad[1]) if bad else 0,
        cpu_us=used_s / int(number[1]) * 1e6,
    )


def _cpu_s(process: psutil.Process) -> float:
    processes = [process, *process.children(recursive=True)]
    return sum(times.user + times.system for times in (each.cpu_times() for each in processes))


def _publish(database: Database, site: Site) -> None:
    """From handing an article in until another process serves the new bytes; the worker's part is done here."""
    waits = []
    with httpx.Client(base_url=site.base_url) as client:
        for number in range(PUBLISHED):
            before = client.get("/feeds/all.atom").headers["etag"]
            start = time.perf_counter()
            draft = a_draft(title=f"News {number}", external_id=f"news {number}", topics=(f"topic-{number + 1}",))
            handed_in(database, [draft], clock=utc_now)
            relate_due(database, utc_now)
            syndicate_due(database, site, clock=utc_now)
            while client.get("/feeds/all.atom", headers={"If-None-Match": before}).status_code == 304:
                time.sleep(0.005)
            waits.append((time.perf_counter() - start) * 1000)
    median = statistics.median(waits)
    print(f"  published → served: median {median:.0f} ms, most {max(waits):.0f} ms ({len(waits)} articles)")


@contextmanager
def _web_process(folder: Path, site: Site, listening: socket.socket) -> Iterator[int]:
    environment = os.environ | {"PUBLISHER_DATA_DIR": str(folder), "PUBLISHER_BASE_URL": site.base_url}
    fd = listening.fileno()
    serve = (
        "import socket, uvicorn;"
        "from publisher.syndication.protocol import FeedProtocol;"
        "config = uvicorn.Config('publisher.web.app:app', loop='uvloop', http=FeedProtocol, access_log=False);"
        f"uvicorn.Server(config).run(sockets=[socket.socket(fileno={fd})])"
    )
    process = subprocess.Popen([sys.executable, "-c", serve], pass_fds=[fd], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def _nginx(folder: Path, port: int) -> Iterator[int]:
    configuration = f"""
        daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
        {"user nobody nogroup;" if os.getuid() == 0 else ""}
        events {{ worker_connections 64; }}
        http {{
            access_log off; sendfile on; tcp_nopush on; open_file_cache max=20000; types {{ }}
            default_type application/atom+xml; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
            fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
            server {{
                listen 127.0.0.1:{port}; root {folder}/files; gzip_static on; keepalive_requests 1000000;
                add_header Cache-Control "public, max-age=900"; add_header Access-Control-Allow-Origin "*";
            }}
        }}
    """
    (folder / "nginx.conf").write_text(configuration)
    command = ["nginx", "-e", str(folder / "nginx.log"), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, env=os.environ | {"PATH": _PATH})
    try:
        _wait_for(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(port)


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


_PATH = f"{os.environ['PATH']}:/usr/sbin"

if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

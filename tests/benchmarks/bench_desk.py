"""
How quick the desk's pages are in a large newsroom: 100,000 articles, 1,000,000 subscribers, an issue sent to them all.

    python -m tests.benchmarks.bench_desk [articles subscribers]

Each page is asked of a web process of its own, over loopback, by an operator who is signed in. No worker runs.
"""

import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from publisher.archive.model import ArticleId
from publisher.audience import flow as audience
from publisher.audience.csv_form import import_csv
from publisher.audience.model import How
from publisher.audience.store import subscriber_with_email
from publisher.compose import flow as compose
from publisher.compose.model import IssueId
from publisher.database import Database, Instant
from publisher.dispatch import figures
from publisher.dispatch.flow import plan_due
from publisher.dispatch.tables import batch, delivery, send
from publisher.editors import flow as editors
from publisher.wiring import Newsroom
from tests.benchmarks.bench_import import write_csv
from tests.benchmarks.large_archive import load, settle
from tests.postgresql import AbsentError, new_database, running_server
from tests.redis_server import running_redis
from tests.web.conftest import a_newsroom
from tests.web.desk.visits import hire
from tests.web.pages import fill
from tests.web.served import served

ARTICLES, SUBSCRIBERS = 100_000, 1_000_000
SAMPLES, WARM = 40, 3
FIRST = ArticleId(1_000)
"""Of the articles that are added; those with something in them have smaller numbers."""
ARTICLE = (
    *("id", "identity", "uri", "slug", "state", "title", "summary", "language", "importance"),
    *("canonical_url", "external_id", "published_at", "updated_at", "revision", "content_hash", "body", "accepted_at"),
)
SECTION = '{"heading": "", "html": "<p>Some words of an article on the river.</p>"}'
BODY = f'{{"sections": [{SECTION}], "guide": null, "teasers": []}}'
WORDS = ("seoul", "river", "market", "deposit", "concert", "election", "kimchi", "harbour", "festival", "typhoon")
LATE_MS = 100
FEW = """
    INSERT INTO subscription (mailing_list_id, subscriber_id, state, asked_from, confirmed_at)
    SELECT mailing_list.id, subscriber.id, 'confirmed', '', :now FROM subscriber, mailing_list
    WHERE mailing_list.slug = 'few' AND subscriber.id % 100000 = 7
"""


def main() -> None:
    sizes = [int(each) for each in sys.argv[1:3]]
    articles, subscribers = sizes if len(sizes) == 2 else (ARTICLES, SUBSCRIBERS)
    with running_redis() as redis_url:
        _measure("SQLite", redis_url, {}, articles, subscribers)
        try:
            with running_server() as socket, new_database(socket, "newsroom") as url:
                _measure("PostgreSQL", redis_url, {"DATABASE_URL": url}, articles, subscribers)
        except AbsentError as problem:
            print(f"  {problem}")


def _measure(name: str, redis_url: str, variables: dict[str, str], articles: int, subscribers: int) -> None:
    with tempfile.TemporaryDirectory(prefix="publisher-bench-") as folder:
        began = time.perf_counter()
        room = a_newsroom(Path(folder), redis_url, **variables)
        fill(room)
        _add_articles(room.database, articles)
        _add_subscribers(room, Path(folder), subscribers)
        issue_id = _sent_to_all(room)
        settle(room.database)
        token = editors.make_sign_in_link(room.database, hire(room), clock=room.now)
        pages = list(_pages(room, issue_id, subscribers))
        room.database.close()
        made = time.perf_counter() - began
        print(f"desk: {name}, {articles:,} articles, {subscribers:,} subscribers, made in {made:.0f} s")
        with served(Path(folder), redis_url, **variables) as address, httpx.Client(base_url=address, timeout=60) as web:
            assert web.get(f"/desk/sign-in/{token}").status_code == 303
            for path in pages:
                _report(path, [_asked(web, path) for _ in range(WARM + SAMPLES)][WARM:])


def _pages(room: Newsroom, issue_id: IssueId, subscribers: int) -> Iterator[str]:
    with room.database.reading() as connection:
        address = connection.scalar(sa.text("SELECT max(email) FROM subscriber"))
        found = subscriber_with_email(connection, address)
        middle = connection.scalar(
            sa.text("SELECT email FROM subscriber ORDER BY email_key LIMIT 1 OFFSET :half"), {"half": subscribers // 2}
        )
    assert found
    yield from ("/desk", "/desk/system", "/desk/articles", "/desk/articles?q=typhoon", "/desk/articles?topic=culture")
    yield from ("/desk/articles/1", f"/desk/articles/{FIRST}", "/desk/articles/new", "/desk/issues")
    yield from (f"/desk/issues/{issue_id}", f"/desk/issues/{issue_id}/deliveries?after=500000")
    yield from ("/desk/editions", "/desk/editions/weekly", "/desk/editions/new", "/desk/mailing-lists", "/desk/sources")
    yield from ("/desk/subscribers", f"/desk/subscribers?after={middle}", "/desk/subscribers?q=ab")
    yield from ("/desk/subscribers?q=reader 77", "/desk/subscribers?list=few", "/desk/subscribers?list=few&q=r")
    yield from (f"/desk/subscribers?state={each}" for each in ("confirmed", "pending", "unsubscribed"))
    yield from ("/desk/subscribers?state=pending&q=r", "/desk/subscribers?state=unsubscribed&list=few")
    yield from (f"/desk/suppressions?q={address}", f"/desk/suppressions?q={address[:3]}")
    yield from (f"/desk/subscribers/{found.id}", "/desk/suppressions", "/desk/segments", "/desk/glossary")
    yield from ("/desk/glossary/jeonse", "/desk/glossary/proposals", "/desk/webhooks", "/desk/outbox", "/desk/me")


def _add_articles(database: Database, number: int) -> None:
    ids = range(FIRST, FIRST + number)
    rows = (_article(database, each) for each in ids)
    load(database, "article", ARTICLE, rows)
    with database.transaction() as connection:
        topic = connection.execute(
            sa.text("INSERT INTO topic (slug, name) VALUES ('river', 'River') RETURNING id")
        ).scalar_one()
    load(database, "article_topic", ("article_id", "position", "topic_id"), ((each, 0, topic) for each in ids))
    tokens = ((each, " ".join(WORDS[(each + step) % len(WORDS)] for step in range(6))) for each in ids)
    _add_search(database, tokens)


def _article(database: Database, number: int) -> tuple[Any, ...]:
    at = datetime(2026, 6, 2, tzinfo=UTC) - timedelta(minutes=number)
    told = f"{at:%Y-%m-%d %H:%M:%S.%f}" if database.is_sqlite else at.isoformat()
    name = f"other-{number:08}"
    words = ("en", 3, "", "", told, told, 1, name, BODY, told)
    return number, name, name, name, "published", f"Article {number} on the river", "Summary.", *words


def _add_search(database: Database, tokens: Iterable[tuple[int, str]]) -> None:
    if database.is_sqlite:
        load(database, "article_search", ("rowid", "tokens"), tokens)
        return
    put = sa.text(
        "INSERT INTO article_search SELECT id, to_tsvector('simple', t) "
        "FROM unnest(CAST(:ids AS bigint[]), CAST(:texts AS text[])) AS x (id, t)"
    )
    ids, texts = zip(*tokens, strict=True)
    with database.transaction() as connection:
        connection.execute(put, {"ids": list(ids), "texts": list(texts)})


def _add_subscribers(room: Newsroom, folder: Path, number: int) -> None:
    file = folder / "subscribers.csv"
    write_csv(file, number)
    import_csv(room.database, file, mailing_list="readers", confirmed=True, how=How.IMPORT, clock=room.now)
    file.unlink()
    _make_some_rare(room)


def _make_some_rare(room: Newsroom) -> None:
    """Let one reader in a thousand have left, one have not said yes yet, and ten be on another mailing list as well."""
    audience.add_mailing_list(room.database, slug="few", name="Few", clock=room.now)
    now = {"now": room.now()}
    with room.database.transaction() as connection:
        for sql in (
            "UPDATE subscription SET state = 'unsubscribed', ended_at = :now WHERE id % 1000 = 1",
            "UPDATE subscription SET state = 'pending', asked_at = :now, confirmed_at = NULL WHERE id % 1000 = 2",
            FEW,
        ):
            connection.execute(sa.text(sql).bindparams(sa.bindparam("now", type_=Instant)), now)


def _sent_to_all(room: Newsroom) -> IssueId:
    """Send an issue to everybody, as far as the tables tell: what a worker would have written stands there."""
    draft = compose.draft_issue(room.database, room.settings, "weekly", article_ids=[FIRST], clock=room.now)
    compose.approve(room.database, room.settings, draft.id, clock=room.now)
    plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    now = room.now()
    with room.database.transaction() as connection:
        mine = delivery.c.issue_id == draft.id
        connection.execute(sa.update(delivery).where(mine).values(state="sent", attempts=1, tried_at=now))
        connection.execute(sa.update(batch).where(batch.c.issue_id == draft.id).values(state="done"))
        ended = sa.update(send).where(send.c.issue_id == draft.id)
        connection.execute(ended.values(state="sent", finished_at=now, is_planned=True))
    figures.count_due(room.database, clock=room.now)
    return draft.id


def _asked(web: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    answer = web.get(path)
    took = time.perf_counter() - began
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return took


def _report(path: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    middle, late = (1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99))
    shown = path if len(path) < 50 else f"{path[:47]}..."
    print(
        f"  {shown:<50} p50 {middle:6.1f} ms  p99 {late:6.1f} ms{'   above 100 ms' if late > LATE_MS else ''}",
        flush=True,
    )


if __name__ == "__main__":
    main()

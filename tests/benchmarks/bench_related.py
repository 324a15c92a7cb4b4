"""
How good related links are and what they cost.

    python -m tests.benchmarks.bench_related [--even] [articles ...]

Quality is measured on the sets in ../shared/related, where there are any: real news with known
events, beside plain BM25 and TF-IDF over all words in the same run. Parameters were chosen on the
articles whose md5(id) is even (`--even`); the figures are for the odd ones. Cost is measured in archives of
several sizes (`tests/benchmarks/large_archive.py`), by a worker's process of its own, on both databases.
"""

import gzip
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import md5
from pathlib import Path

from publisher import words
from publisher.archive.model import ArticleId
from publisher.database import Database, metadata
from publisher.errors import SettingsError
from publisher.intake.read import read
from publisher.markup import text_of
from publisher.related import rules, store
from publisher.related.index import asked as looked_up_by
from publisher.related.sense import PACKAGED, Embed, embedder, nothing
from tests.benchmarks.large_archive import fill, size_mb
from tests.postgresql import AbsentError, new_database, running_server
from tests.related.newsroom import Piece, archive, relate

SETS = Path(__file__).parents[3] / "shared" / "related"
SET_NAMES = ("stories_en", "bbc")
OWN = Path(__file__).parents[2] / "publisher" / "samples" / "articles"
SIZES = (10_000, 100_000)
"""A million as well takes ten minutes more: `make bench-related ARGS="10000 100000 1000000"`."""
PLACES = 5
COPY_SHARE = 0.3

Ranking = dict[str, list[str]]
"""For each article that was asked for, the ids of those shown, best first."""
Grade = Callable[["Sample", "Sample"], int]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One article of a set, with what is known to be true of it."""

    id: str
    title: str
    text: str
    cluster: str | None
    topic: str

    @property
    def is_reported(self) -> bool:
        return int(md5(self.id.encode(), usedforsecurity=False).hexdigest(), 16) % 2 == 1


def main(sizes: Sequence[int] | None = None) -> None:
    """Print quality, then cost for each size; sizes are also read from the command line."""
    stories, bbc = (_samples(name) for name in SET_NAMES)
    if stories and bbc:
        _quality(stories, bbc, reported="--even" not in sys.argv)
    else:
        print(f"related: no sets in {SETS}, so quality is measured on our own {len(_own())} articles by their topics")
        _compare("same topic", _own(), _own(), _same_section)
    for articles in sizes or [int(each) for each in sys.argv[1:] if each.isdecimal()] or SIZES:
        with tempfile.TemporaryDirectory(prefix="publisher-bench-") as folder:
            _cost("SQLite", f"sqlite:///{folder}/publisher.db", articles)
        try:
            with running_server() as socket, new_database(socket, "newsroom") as url:
                _cost("PostgreSQL", url, articles)
        except AbsentError as problem:
            print(f"  {problem}")


# --- quality


def _quality(stories: list[Sample], bbc: list[Sample], *, reported: bool) -> None:
    originals, others = _without_copies(stories), _without_copies(bbc)
    print(f"related, quality: {len(originals):,} articles on events, {len(others):,} others; the best {PLACES} links")
    events = [each for each in originals if each.is_reported is reported]
    pool = [*originals, *others]
    _compare("same event", pool, events, _same_event)
    short = {each.id: replace(each, text=" ".join(each.text.split()[:40])) for each in pool}
    _compare("same event, 40 words", list(short.values()), [short[each.id] for each in events], _same_event)
    _compare("same section", others, [each for each in others if each.is_reported is reported], _same_section)
    _copies_shown([*stories, *bbc])


def _compare(name: str, pool: list[Sample], asked: list[Sample], grade: Grade) -> None:
    rankings = {**_ours(pool, asked), **_with_model(pool, asked)}
    for method, ranking in {**rankings, "BM25": _bm25(pool, asked), "TF-IDF": _tf_idf(pool, asked)}.items():
        three, five, precision, shown = _figures(ranking, pool, asked, grade)
        print(
            f"  {name:<21} {method:<18} nDCG@3 {three:.3f}  nDCG@5 {five:.3f}"
            f"  precision@5 {precision:.3f}  {shown:.1f} of 5 places filled"
        )


def _figures(ranking: Ranking, pool: list[Sample], asked: list[Sample], grade: Grade) -> tuple[float, ...]:
    """Return nDCG@3, nDCG@5, the relevant share of five places, and how many are filled; for who has relatives."""
    by_id = {each.id: each for each in pool}
    figures = []
    for each in asked:
        best = sorted((grade(each, other) for other in pool if other is not each), reverse=True)[:PLACES]
        if best and best[0]:
            grades = [grade(each, by_id[other]) for other in ranking[each.id][:PLACES]]
            gains = [_gain(grades[:places]) / _gain(best[:places]) for places in (rules.SHOWN, PLACES)]
            figures.append((*gains, sum(found > 0 for found in grades) / PLACES, len(grades)))
    return tuple(_mean(column) for column in zip(*figures, strict=True))


def _gain(grades: Iterable[int]) -> float:
    return sum(float(2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def _same_event(one: Sample, other: Sample) -> int:
    if one.cluster is None or other.cluster is None:
        return 0
    return 2 if one.cluster == other.cluster else int(one.topic == other.topic)


def _same_section(one: Sample, other: Sample) -> int:
    return int(one.topic == other.topic)


def _copies_shown(pool: list[Sample]) -> None:
    """Of the articles that have a near-copy in the archive, how many show one?"""
    copies = _copies(pool)
    asked = [each for each in pool if each.id in copies]
    for method, ranking in {**_ours(pool, asked), **_with_model(pool, asked), "BM25": _bm25(pool, asked)}.items():
        showing = sum(not copies[each.id].isdisjoint(ranking[each.id][:PLACES]) for each in asked)
        print(f"  near-copies           {method:<18} shown by {showing} of {len(asked)} articles that have one")


# --- methods


def _with_model(pool: list[Sample], asked: list[Sample]) -> dict[str, Ranking]:
    """Return the same of a newsroom with PUBLISHER_EMBEDDINGS=on; nothing, where the model is not installed."""
    try:
        embed = embedder(PACKAGED)
    except SettingsError as problem:
        print(f"  without a model: {problem}")
        return {}
    return {name.replace("ours", "model"): ranking for name, ranking in _ours(pool, asked, embed).items()}


def _ours(pool: list[Sample], asked: list[Sample], embed: Embed = nothing) -> dict[str, Ranking]:
    """
    Return what a newsroom shows that took the articles in one after the other, in no order.

    "As stored" are the links that readers see, chosen as the articles came; "looked up" is what
    each would choose in the end.
    """
    order = list(pool)
    random.Random(1).shuffle(order)
    with tempfile.TemporaryDirectory(prefix="publisher-bench-") as folder:
        database = _empty(f"sqlite:///{folder}/publisher.db")
        ids = archive(database, [Piece(title=each.title, text=each.text) for each in order])
        relate(database, embed)
        name = dict(zip(ids, (each.id for each in order), strict=True))
        number = {sample_id: article_id for article_id, sample_id in name.items()}
        wanted = [number[each.id] for each in asked]
        with database.reading() as connection:
            stored = store.links_of(connection, wanted, at_most=PLACES)
        looked_up = {each: _look_up(database, each) for each in wanted}
        database.close()
    return {
        "ours, as stored": {name[each]: [name[link.lead.id] for link in links] for each, links in stored.items()},
        "ours, looked up": {name[each]: [name[other] for other in found] for each, found in looked_up.items()},
    }


def _bm25(pool: list[Sample], asked: list[Sample], k1: float = 1.2, b: float = 0.75) -> Ranking:
    """Return the best by BM25, with the whole article as the query."""
    tokens = {each.id: Counter(words.tokens(f"{each.title}\n{each.text}")) for each in pool}
    average = _mean([sum(counts.values()) for counts in tokens.values()])
    holding = Counter(token for counts in tokens.values() for token in counts)
    weights: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for each, counts in tokens.items():
        norm = k1 * (1 - b + b * sum(counts.values()) / average)
        for token, count in counts.items():
            idf = math.log(1 + (len(pool) - holding[token] + 0.5) / (holding[token] + 0.5))
            weights[token].append((each, idf * count * (k1 + 1) / (count + norm)))
    return {each.id: _best(each.id, dict.fromkeys(tokens[each.id], 1.0), weights) for each in asked}


def _tf_idf(pool: list[Sample], asked: list[Sample]) -> Ranking:
    """Return the best by the cosine of whole TF-IDF vectors."""
    tokens = {each.id: Counter(words.tokens(f"{each.title}\n{each.text}")) for each in pool}
    holding = Counter(token for counts in tokens.values() for token in counts)
    vectors = {}
    weights: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for each, counts in tokens.items():
        vector = {
            token: (1 + math.log(count)) * math.log(len(pool) / holding[token]) for token, count in counts.items()
        }
        length = math.sqrt(sum(weight**2 for weight in vector.values())) or 1.0
        vectors[each] = {token: weight / length for token, weight in vector.items()}
        for token, weight in vectors[each].items():
            weights[token].append((each, weight))
    return {each.id: _best(each.id, vectors[each.id], weights) for each in asked}


def _best(own: str, query: dict[str, float], weights: dict[str, list[tuple[str, float]]]) -> list[str]:
    scores: dict[str, float] = defaultdict(float)
    for token, asked in query.items():
        for each, weight in weights[token]:
            scores[each] += asked * weight
    del scores[own]
    return sorted(scores, key=lambda each: (-scores[each], each))[:PLACES]


# --- near-copies, told exactly


def _without_copies(pool: list[Sample]) -> list[Sample]:
    copies, kept = _copies(pool), set[str]()
    for each in pool:
        if copies[each.id].isdisjoint(kept):
            kept.add(each.id)
    return [each for each in pool if each.id in kept]


def _copies(pool: list[Sample]) -> dict[str, set[str]]:
    """Return for each article those that share 30 % of all runs of three words with it."""
    runs = {each.id: _runs(f"{each.title}. {each.text}") for each in pool}
    holders: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for each, found in runs.items():
        for run in found:
            holders[run].append(each)
    copies: dict[str, set[str]] = defaultdict(set)
    for each, found in runs.items():
        common = Counter(other for run in found for other in holders[run] if other != each)
        for other, number in common.items():
            if number >= COPY_SHARE * len(found | runs[other]):
                copies[each].add(other)
    return copies


def _runs(text: str) -> set[tuple[str, str, str]]:
    spelled = words.spelled(text.lower())
    return set(zip(spelled, spelled[1:], spelled[2:], strict=False))


# --- cost


def _cost(name: str, url: str, articles: int) -> None:
    database = _empty(url)
    began = time.perf_counter()
    fill(database, recombined(all_texts(), articles), articles)
    spent = time.perf_counter() - began
    print(f"related, cost: {name}, {articles:,} articles, {size_mb(database):,.0f} MB of tables, made in {spent:.0f} s")
    report("an idle tick", [timed(partial(relate, database)) for _ in range(200)])
    last = _measured_in_a_worker(url)
    with database.reading() as connection:
        profile = store.profiles(connection, [last])[last]
        is_found = last in store.candidates(connection, looked_up_by(connection, profile), at_most=rules.CANDIDATES)
    print(f"  the last article is {'' if is_found else 'NOT '}found by this process right after that one's commit")
    database.close()


def _measured_in_a_worker(url: str) -> ArticleId:
    command = (sys.executable, "-m", "tests.benchmarks.related_cost", url)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    *told, last = done.stdout.splitlines()
    print("\n".join(told))
    return ArticleId(int(last.removeprefix("last ")))


def _look_up(database: Database, article_id: ArticleId) -> list[ArticleId]:
    with database.reading() as connection:
        profile = store.profiles(connection, [article_id])[article_id]
        found = store.candidates(connection, looked_up_by(connection, profile), at_most=rules.CANDIDATES)
        chosen = rules.choose(profile, rules.matches(profile, store.profiles(connection, found).values()))
    return [each.profile.id for each in chosen]


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def report(what: str, seconds: Sequence[float]) -> None:
    ordered = sorted(seconds)
    middle, late = (1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99))
    print(f"  {what:<50} p50 {middle:6.2f} ms  p99 {late:6.2f} ms", flush=True)


def all_texts() -> list[str]:
    """Return the texts of the sets, or made-up ones where there are none."""
    return [each.text for name in SET_NAMES for each in _samples(name)] or _made_up_texts()


def recombined(texts: Sequence[str], number: int, *, seed: int = 3) -> Iterator[Piece]:
    """Make articles of about 380 words, each of sentences from three texts."""
    chance = random.Random(seed)
    sentences = [found for found in (words.sentences(text) for text in texts) if len(found) > 3]
    for _ in range(number):
        sources = chance.sample(sentences, 3)
        parts = [sentence for source in sources for sentence in chance.sample(source, min(len(source), 6))]
        yield Piece(title=" ".join(parts[0].split()[:10]), text="\n".join(parts))


def _made_up_texts() -> list[str]:
    chance = random.Random(4)
    vocabulary = ["".join(chance.choices("aeioubcdfglmnprst", k=chance.randint(4, 9))) for _ in range(30_000)]
    weights = [1 / (place + 10) for place in range(len(vocabulary))]
    return [
        " ".join(f"{' '.join(chance.choices(vocabulary, weights, k=21)).capitalize()}." for _ in range(18))
        for _ in range(2_000)
    ]


# --- small things


def _samples(name: str) -> list[Sample]:
    path = SETS / f"{name}.jsonl.gz"
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    fields = ("id", "title", "text", "cluster", "topic")
    return [Sample(**{name: each[name] for name in fields}) for each in found]


def _own() -> list[Sample]:
    """Return the articles that come with Publisher; those with one first topic are relatives."""
    drafts = [(path.stem, read(path.read_bytes(), name=path.name)) for path in sorted(OWN.glob("*.md"))]
    return [
        Sample(
            id=name,
            title=draft.title,
            text="\n".join(text_of(section.html) for section in draft.sections),
            cluster=None,
            topic=draft.topics[0] if draft.topics else name,
        )
        for name, draft in drafts
        if draft.language in {"", "en", None}
    ]


def _empty(url: str) -> Database:
    database = Database(url)
    metadata.create_all(database.engine)
    return database


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


if __name__ == "__main__":
    main()

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from publisher.archive.model import ArticleId, ArticleState
from publisher.database import Database
from publisher.errors import InputError, NotFoundError
from publisher.related import flow, store, tables
from publisher.related.model import Choice, Origin
from publisher.related.shown import links_shown
from publisher.turn import place, stage_turn
from tests.related.newsroom import TUESDAY, Piece, archive, body, clock, note, relate, related, revise, targets, teaser
from tests.related.pieces import ALLIANCE, ALLIANCE_KO, BASEBALL, EVERYTHING, KIMCHI, KIMCHI_KO

TABLES = (
    tables.related_signature,
    tables.posting,
    tables.term_frequency,
    tables.related_name,
    tables.related_teaser,
    tables.related_link,
)


def everything(database: Database) -> dict[str, list[Sequence[Any]]]:
    """Return all that the stage has written."""
    with database.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in TABLES
        }


def begin_again(database: Database) -> None:
    """Make the stage forget its place, as after a restore from an old copy."""
    with database.transaction() as connection:
        connection.execute(sa.update(stage_turn).values(seq=0))


# --- what is linked


def test_an_article_gets_links_to_its_relatives_only(either_database: Database) -> None:
    ids = archive(either_database, EVERYTHING)
    alliance, kimchi, baseball = ids[:4], ids[4:6], ids[6]

    relate(either_database)

    assert set(targets(either_database, alliance[0])) == set(alliance[1:])
    assert targets(either_database, kimchi[0]) == [kimchi[1]]
    assert targets(either_database, baseball) == []


def test_an_article_is_never_linked_to_itself(database: Database) -> None:
    ids = archive(database, [*EVERYTHING, Piece(title="Twice", text="Twice told", teasers=[teaser("Twice")])])

    relate(database)

    assert all(each not in targets(database, each, at_most=9) for each in ids)


def test_a_near_copy_is_no_related_link(database: Database) -> None:
    """The wire's first and second version of one report must not stand under each other."""
    first = ALLIANCE[0]
    again = replace(first, title=f"UPDATE: {first.title}", text=f"{first.text} More follows.")
    ids = archive(database, [first, again, *ALLIANCE[1:]])

    relate(database)

    assert ids[1] not in targets(database, ids[0], at_most=9)
    assert ids[0] not in targets(database, ids[1], at_most=9)
    assert not {ids[0], ids[1]} <= set(targets(database, ids[2], at_most=9))


@pytest.mark.parametrize("hidden", [ArticleState.EMBARGOED, ArticleState.WITHDRAWN])
def test_only_a_published_article_is_linked(either_database: Database, hidden: ArticleState) -> None:
    ids = archive(either_database, [*ALLIANCE[:2], replace(ALLIANCE[2], state=hidden)])

    relate(either_database)

    assert targets(either_database, ids[0]) == [ids[1]]
    assert targets(either_database, ids[2]) == []


def test_a_lifted_embargo_brings_the_links(database: Database) -> None:
    ids = archive(database, [*ALLIANCE[:2], replace(ALLIANCE[2], state=ArticleState.EMBARGOED)])
    relate(database)

    revise(database, ids[2], state=ArticleState.PUBLISHED)
    relate(database)

    assert set(targets(database, ids[0])) == {ids[1], ids[2]}
    assert set(targets(database, ids[2])) == {ids[0], ids[1]}


def test_korean_finds_korean_and_english_finds_english(either_database: Database) -> None:
    """Scores of two languages cannot be compared, so they never share a list."""
    ids = archive(either_database, [*ALLIANCE, *ALLIANCE_KO, *KIMCHI_KO])
    korean = ids[4:6]

    relate(either_database)

    assert targets(either_database, korean[0], at_most=9) == [korean[1]]
    assert targets(either_database, korean[1], at_most=9) == [korean[0]]
    assert set(targets(either_database, ids[0], at_most=9)) == set(ids[1:4])


def test_a_regional_language_is_the_same_language(database: Database) -> None:
    ids = archive(database, [replace(ALLIANCE[0], language="en-GB"), replace(ALLIANCE[1], language="en")])

    relate(database)

    assert targets(database, ids[0]) == [ids[1]]


def test_three_links_are_shown(database: Database) -> None:
    more = [
        replace(ALLIANCE[0], title=f"Kursk, day {day}", text=_scrambled(ALLIANCE[0].text, day)) for day in (1, 2, 3)
    ]
    ids = archive(database, [*ALLIANCE, *more])

    relate(database)

    assert len(targets(database, ids[0])) == 3


def test_an_older_article_gets_a_link_to_a_newer_one(either_database: Database) -> None:
    old = archive(either_database, ALLIANCE[:1])
    relate(either_database)
    assert targets(either_database, old[0]) == []

    new = archive(either_database, [replace(ALLIANCE[1], published_at=TUESDAY + timedelta(days=9))])
    relate(either_database)

    assert targets(either_database, old[0]) == new
    assert targets(either_database, new[0]) == old


def test_a_fresh_article_stands_before_a_stale_one_that_is_as_much_alike(database: Database) -> None:
    stale = replace(ALLIANCE[1], published_at=TUESDAY - timedelta(days=400))
    fresh = replace(ALLIANCE[1], text=_scrambled(ALLIANCE[1].text, 5), published_at=TUESDAY - timedelta(days=1))
    ids = archive(database, [ALLIANCE[0], stale, fresh])

    relate(database)

    assert targets(database, ids[0]) == [ids[2], ids[1]]


# --- changes


def test_a_revision_finds_new_relatives_and_loses_the_old_ones(either_database: Database) -> None:
    ids = archive(either_database, [*ALLIANCE[:2], *KIMCHI])
    relate(either_database)
    assert targets(either_database, ids[1]) == [ids[0]]

    revise(either_database, ids[1], title="Salted cabbage", body=body(f"{KIMCHI[0].text[:60]} {KIMCHI[1].text[60:]}"))
    relate(either_database)

    assert ids[0] not in targets(either_database, ids[1])
    assert targets(either_database, ids[0]) == []
    assert targets(either_database, ids[1]) != []


def test_a_withdrawn_article_disappears_at_once_and_then_for_good(either_database: Database) -> None:
    ids = archive(either_database, ALLIANCE[:3])
    relate(either_database)
    assert ids[1] in targets(either_database, ids[0])

    revise(either_database, ids[1], state=ArticleState.WITHDRAWN)

    assert ids[1] not in targets(either_database, ids[0]), "before the stage has heard of it"
    relate(either_database)
    assert ids[1] not in targets(either_database, ids[0])
    with either_database.reading() as connection:
        for table, column in ((tables.posting, "article_id"), (tables.related_link, "target_id")):
            assert connection.scalar(sa.select(sa.func.count()).where(table.c[column] == ids[1])) == 0


def test_a_withdrawn_link_is_replaced(database: Database) -> None:
    """Whoever had it among three links chooses again from the whole archive."""
    ids = archive(database, ALLIANCE)
    relate(database)
    with database.transaction() as connection:
        connection.execute(sa.delete(tables.related_link).where(tables.related_link.c.target_id == ids[3]))
    assert ids[3] not in targets(database, ids[0])

    revise(database, ids[1], state=ArticleState.WITHDRAWN)
    relate(database)

    assert set(targets(database, ids[0])) == {ids[2], ids[3]}


def test_a_restored_article_is_linked_again_and_counted_once(database: Database) -> None:
    ids = archive(database, ALLIANCE[:3])
    relate(database)
    before = everything(database)

    revise(database, ids[1], state=ArticleState.WITHDRAWN)
    relate(database)
    revise(database, ids[1], state=ArticleState.PUBLISHED)
    relate(database)

    assert everything(database)["term_frequency"] == before["term_frequency"]
    assert ids[1] in targets(database, ids[0])


def test_running_twice_changes_nothing(either_database: Database) -> None:
    archive(either_database, EVERYTHING[:5])
    relate(either_database)
    archive(either_database, EVERYTHING[5:])
    relate(either_database)
    once = everything(either_database)

    begin_again(either_database)
    relate(either_database)

    assert everything(either_database) == once


def test_many_changes_are_done_in_steps(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "CHANGES_AT_ONCE", 2)
    ids = archive(database, EVERYTHING)

    relate(database)

    assert set(targets(database, ids[0])) == set(ids[1:4])
    with database.reading() as connection:
        assert place(connection, flow.STAGE) == len(EVERYTHING)


# --- teasers


def test_what_the_newsroom_named_stands_first(either_database: Database) -> None:
    """However its title was copied."""
    named = teaser("“the bears” WIN the opening game!")
    ids = archive(either_database, [*BASEBALL, *ALLIANCE[1:], replace(ALLIANCE[0], teasers=[named])])

    relate(either_database)

    links = related(either_database, ids[-1])
    assert links[0].lead.id == ids[0]
    assert [link.origin for link in links] == [Origin.TEASER, Origin.COMPUTED, Origin.COMPUTED]


def test_a_teaser_waits_for_an_article_that_comes_later(either_database: Database) -> None:
    early = archive(either_database, [replace(ALLIANCE[0], teasers=[teaser(BASEBALL[0].title)]), *ALLIANCE[1:]])
    relate(either_database)

    late = archive(either_database, BASEBALL)
    relate(either_database)

    assert targets(either_database, early[0])[0] == late[0]


@pytest.mark.parametrize(
    "url",
    [
        "https://www.news.example/sport/opening/?utm_source=mail",
        "http://news.example/sport/opening",
        "https://publisher.example/articles/the-bears-win#comments",
    ],
)
def test_a_teaser_may_name_an_article_by_its_address(database: Database, url: str) -> None:
    bears = replace(BASEBALL[0], slug="the-bears-win", canonical_url="https://news.example/sport/opening")
    ids = archive(database, [bears, replace(ALLIANCE[0], teasers=[teaser("Quite another headline", url)])])

    relate(database)

    assert targets(database, ids[1]) == [ids[0]]


def test_of_two_articles_with_one_title_the_newer_is_meant(database: Database) -> None:
    weekly = replace(BASEBALL[0], title="The week in baseball")
    later = replace(weekly, text="Rain stopped the second game.", published_at=TUESDAY + timedelta(days=7))
    ids = archive(database, [weekly, later, replace(ALLIANCE[0], teasers=[teaser("The week in baseball")])])

    relate(database)

    assert targets(database, ids[2], at_most=1) == [ids[1]]


def test_a_teaser_names_nothing_that_is_not_published(database: Database) -> None:
    ids = archive(database, [replace(BASEBALL[0], state=ArticleState.EMBARGOED), _naming(BASEBALL[0])])
    relate(database)
    assert targets(database, ids[1]) == []

    revise(database, ids[0], state=ArticleState.PUBLISHED)
    relate(database)
    assert targets(database, ids[1]) == [ids[0]]

    revise(database, ids[0], state=ArticleState.WITHDRAWN)
    relate(database)
    assert targets(database, ids[1]) == []


def test_a_named_article_keeps_its_place_when_news_come(database: Database) -> None:
    ids = archive(database, [BASEBALL[0], _naming(BASEBALL[0])])
    relate(database)

    archive(database, ALLIANCE[1:])
    relate(database)

    assert related(database, ids[1])[0].lead.id == ids[0]
    assert len(related(database, ids[1])) == 3


# --- editors


def arrange(
    database: Database, article_id: ArticleId, *, pinned: Sequence[ArticleId] = (), banned: Sequence[ArticleId] = ()
) -> None:
    flow.arrange(database, article_id, pinned=pinned, banned=banned, clock=clock)


def test_an_editor_pins_a_link(either_database: Database) -> None:
    ids = archive(either_database, [*ALLIANCE, *BASEBALL])
    relate(either_database)

    arrange(either_database, ids[0], pinned=[ids[4]])

    links = related(either_database, ids[0])
    assert links[0].lead.id == ids[4]
    assert links[0].origin is Origin.PINNED
    assert links[0].reason == "Pinned by an editor."
    assert len(links) == 3


def test_pinned_links_stand_in_the_editors_order_whatever_is_computed(either_database: Database) -> None:
    ids = archive(either_database, [*ALLIANCE, *BASEBALL])
    relate(either_database)
    wanted = [ids[4], ids[1], ids[3]]

    arrange(either_database, ids[0], pinned=sorted(wanted))
    arrange(either_database, ids[0], pinned=wanted)
    revise(either_database, ids[0], title="A year of the treaty")
    relate(either_database)

    assert targets(either_database, ids[0]) == wanted


def test_what_an_editor_bans_is_not_shown_and_does_not_come_back(database: Database) -> None:
    ids = archive(database, ALLIANCE)
    relate(database)

    arrange(database, ids[0], banned=[ids[1]])

    assert set(targets(database, ids[0])) == {ids[2], ids[3]}
    revise(database, ids[0], title="A year of the treaty")
    relate(database)
    assert set(targets(database, ids[0])) == {ids[2], ids[3]}
    assert ids[0] in targets(database, ids[1]), "the other direction was not banned"


def test_what_is_banned_does_not_fill_a_gap_either(database: Database) -> None:
    ids = archive(database, [ALLIANCE[0], KIMCHI[0]])
    relate(database)
    with database.reading() as connection:
        assert [link.lead.id for link in links_shown(connection, [ids[0]])[ids[0]]] == [ids[1]], "as the newest"

    arrange(database, ids[0], banned=[ids[1]])

    with database.reading() as connection:
        assert links_shown(connection, [ids[0]])[ids[0]] == ()


def test_a_decision_can_be_taken_back(database: Database) -> None:
    ids = archive(database, ALLIANCE)
    relate(database)
    computed = targets(database, ids[0])

    arrange(database, ids[0], banned=computed[:1])
    arrange(database, ids[0], pinned=computed[:1])
    assert related(database, ids[0])[0].origin is Origin.PINNED
    arrange(database, ids[0])

    assert targets(database, ids[0]) == computed


def test_what_was_decided_can_be_read_the_pinned_ones_first(either_database: Database) -> None:
    ids = archive(either_database, [*ALLIANCE, *BASEBALL])

    arrange(either_database, ids[0], pinned=[ids[4], ids[2]], banned=[ids[1], ids[3]])

    with either_database.reading() as connection:
        found = store.choices(connection, ids[0])
    assert list(found) == [ids[4], ids[2], ids[1], ids[3]]
    assert list(found.values()) == [Choice.PINNED] * 2 + [Choice.BANNED] * 2


def test_a_pinned_article_that_is_withdrawn_is_not_shown(database: Database) -> None:
    ids = archive(database, [ALLIANCE[0], BASEBALL[0]])
    arrange(database, ids[0], pinned=[ids[1]])

    revise(database, ids[1], state=ArticleState.WITHDRAWN)

    assert targets(database, ids[0]) == []


def test_what_an_editor_cannot_decide(database: Database) -> None:
    ids = archive(database, [*ALLIANCE, *BASEBALL])

    with pytest.raises(InputError, match="itself"):
        arrange(database, ids[0], pinned=[ids[0]])
    with pytest.raises(NotFoundError, match="no article 99"):
        arrange(database, ids[0], banned=[ArticleId(99)])
    with pytest.raises(InputError, match="3 links"):
        arrange(database, ids[0], pinned=ids[1:5])
    with pytest.raises(InputError, match="once"):
        arrange(database, ids[0], pinned=[ids[1], ids[1]])
    with pytest.raises(InputError, match="both"):
        arrange(database, ids[0], pinned=[ids[1]], banned=[ids[1]])


# --- what goes wrong


def test_a_lost_bell_is_made_good_by_the_next_tick(database: Database) -> None:
    """Nobody rang for the second article; the tick for a third finds both."""
    first = archive(database, ALLIANCE[:1])
    relate(database)
    second = archive(database, ALLIANCE[1:2])

    assert flow.relate_due(database, clock)

    assert targets(database, first[0]) == second
    assert not flow.relate_due(database, clock)


def test_an_idle_tick_writes_nothing(database: Database) -> None:
    archive(database, ALLIANCE)
    relate(database)
    writes: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda _c, _k, sql, *_: writes.append(sql))

    assert not flow.relate_due(database, clock)

    assert writes
    assert all(sql.startswith(("SELECT", "BEGIN")) and "IMMEDIATE" not in sql for sql in writes)


@pytest.mark.parametrize("poison", [{}, {"sections": [{"heading": "", "html": None}], "guide": None, "teasers": []}])
def test_a_poison_article_does_not_block_the_others(either_database: Database, poison: dict[str, Any]) -> None:
    ids = archive(either_database, [ALLIANCE[0], Piece(title="Poison", body={"x": 1, **poison}), *ALLIANCE[1:]])

    relate(either_database)

    assert set(targets(either_database, ids[0])) == set(ids[2:])
    assert targets(either_database, ids[1]) == []
    with either_database.reading() as connection:
        assert place(connection, flow.STAGE) == len(ids)


def test_a_database_that_is_away_is_no_fault_of_an_article(database: Database) -> None:
    """Passing an article over because the disk was full would lose its links."""
    archive(database, ALLIANCE)
    with database.transaction() as connection:
        connection.execute(sa.text("ALTER TABLE posting RENAME TO posting_away"))

    with pytest.raises(sa.exc.OperationalError):
        relate(database)

    with database.transaction() as connection:
        connection.execute(sa.text("ALTER TABLE posting_away RENAME TO posting"))
        assert place(connection, flow.STAGE) == 0
    assert flow.relate_due(database, clock)


def test_two_workers_at_once_do_everything_once(either_database: Database) -> None:
    pieces = [replace(piece, title=f"{piece.title} ({copy})") for copy in range(6) for piece in EVERYTHING]
    archive(either_database, pieces)

    with ThreadPoolExecutor(2) as pool:
        for ended in [pool.submit(flow.relate_due, either_database, clock) for _ in range(4)]:
            ended.result()
    archive(either_database, ALLIANCE[:1])
    relate(either_database)

    with either_database.reading() as connection:
        counted = sa.select(sa.func.max(tables.term_frequency.c.articles))
        assert connection.scalar(counted) == len([piece for piece in pieces if piece.language == "en"]) + 1
        assert place(connection, flow.STAGE) == len(pieces) + 1


def test_an_article_that_changed_twice_is_related_once(database: Database) -> None:
    ids = archive(database, ALLIANCE[:2])
    with database.transaction() as connection:
        note(connection, *ids, *ids)

    relate(database)

    assert targets(database, ids[0]) == [ids[1]]


def test_an_article_without_words_has_no_links(database: Database) -> None:
    ids = archive(database, [Piece(title="…", text=""), Piece(title="!!!", text="—"), *ALLIANCE])

    relate(database)

    assert targets(database, ids[0]) == []
    assert len(targets(database, ids[2])) == 3


def test_a_whole_book_is_related_like_any_article(database: Database) -> None:
    book = replace(ALLIANCE[0], text=f"{ALLIANCE[0].text} " * 3_000)
    ids = archive(database, [book, *ALLIANCE[1:]])

    relate(database)

    assert set(targets(database, ids[0])) == set(ids[1:])


def test_links_of_many_articles_take_few_queries(database: Database) -> None:
    ids = archive(database, EVERYTHING)
    relate(database)
    queries: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda _c, _k, sql, *_: queries.append(sql))

    with database.reading() as connection:
        found = store.links_of(connection, ids)

    assert list(found) == ids
    assert len([sql for sql in queries if sql.startswith("SELECT")]) <= 5


def test_links_are_found_without_going_through_the_archive(database: Database) -> None:
    ids = archive(database, EVERYTHING)
    relate(database)
    asked: list[tuple[str, Any]] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda _c, _k, sql, found, *_: asked.append((sql, found)))

    with database.reading() as connection:
        store.links_of(connection, [*ids, *map(ArticleId, range(1_000, 1_050))])
        selects = [each for each in asked if each[0].startswith("SELECT")]
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", found).all() for sql, found in selects]

    steps = [row[-1] for plan in plans for row in plan]
    assert len(plans) > 1
    assert not [step for step in steps if "article_state" in step or step.startswith("SCAN article")]


def _naming(piece: Piece) -> Piece:
    return replace(ALLIANCE[0], teasers=[teaser(piece.title)])


def _scrambled(text: str, seed: int) -> str:
    """Return the same words in another order: as much alike, and no copy."""
    words = text.replace(".", "").split()
    return " ".join(words[(place * (2 * seed + 5)) % len(words)] for place in range(len(words)))

"""Names that recur in the archive and are no glossary term: counted as articles change, whatever happens."""

import subprocess
import sys
import time
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from publisher.archive import flow, glossary, proposals
from publisher.archive.accept import Accepted
from publisher.archive.model import GlossaryTerm
from publisher.archive.tables import glossary_proposal, glossary_proposal_article
from publisher.database import Database
from publisher.errors import LeaseLostError, NotFoundError
from publisher.intake.model import Section
from publisher.turn import Turn, place
from tests.audience.clocks import SetClock
from tests.builders import TUESDAY, a_draft, handed_in

COUNT = """
import sys
from publisher.archive import proposals
from publisher.clock import utc_now
from publisher.database import Database
proposals.CHANGES_AT_ONCE = 5
database = Database(sys.argv[1])
print("ready", flush=True)
proposals.count_due(database, clock=utc_now)
"""
"""What another process does: in small steps, so that it is in the middle of one when it is killed."""


def free_the_turn(database: Database) -> None:
    """Take the turn from a worker that was killed, as the end of its lease would."""
    with database.transaction() as connection:
        connection.execute(sa.text("UPDATE stage_turn SET owner = NULL, leased_until = NULL"))


def hand_in(
    database: Database, clock: SetClock, texts: Sequence[str], *, first: int = 1, language: str = "en"
) -> list[Accepted]:
    """Articles that say these texts; the same number again is a revision."""
    drafts = [
        a_draft(
            external_id=str(number),
            title=f"Piece {number}",
            sections=(Section(heading="Why The Big Seoul Gate", html=f"<p>{text}</p>"),),
            guide=None,
            language=language,
        )
        for number, text in enumerate(texts, first)
    ]
    return handed_in(database, drafts, clock=clock)


def proposed(database: Database, clock: SetClock) -> dict[str, int]:
    proposals.count_due(database, clock=clock)
    with database.reading() as connection:
        return {each.name: each.articles for each in proposals.proposals(connection, at_most=50)}


def must_add_up(database: Database) -> None:
    """Every number is that of the rows that it stands for, and no row is idle."""
    table, rows = glossary_proposal.c, glossary_proposal_article.c
    number = sa.select(sa.func.count()).where(rows.name == table.name).scalar_subquery()
    with database.reading() as connection:
        found = connection.execute(sa.select(table.name, table.articles, number.label("counted"), table.dismissed_at))
        for row in found:
            assert row.articles == row.counted, row.name
            assert row.articles > 0 or row.dismissed_at, row.name


def test_a_name_in_three_articles_is_proposed(database: Database, clock: SetClock) -> None:
    hand_in(
        database,
        clock,
        ["Then users of Theqoo and Theqoo wrote on Tuesday.", "He reads Theqoo.", "Not Theqoo, but Daum."],
    )

    with database.reading() as connection:
        assert proposals.proposals(connection, at_most=50) == []
    assert proposed(database, clock) == {"Theqoo": 3}
    with database.reading() as connection:
        (found,) = proposals.proposals(connection, at_most=50)
    assert (found.newest.title, found.sentence) == ("Piece 3", "Not Theqoo, but Daum.")


def test_latin_names_in_korean_articles_count_too(database: Database, clock: SetClock) -> None:
    hand_in(database, clock, ["네티즌은 Theqoo에서 말했다."] * 3, language="ko")

    assert proposed(database, clock) == {"Theqoo": 3}


def test_a_term_is_never_proposed_and_one_that_was_removed_is(database: Database, clock: SetClock) -> None:
    hand_in(database, clock, ["He reads Theqoo and The Qoo, or QOO."] * 3)
    term = GlossaryTerm(slug="", name="Theqoo", explanation="x", aliases=("The Qoo", "Qoo"))
    with database.transaction() as connection:
        added = glossary.add(connection, term, now=TUESDAY)

    before = proposed(database, clock)
    with database.transaction() as connection:
        glossary.remove(connection, added.slug)

    assert before == {}
    assert proposed(database, clock) == {"Theqoo": 3, "The Qoo": 3, "QOO": 3}


def test_revision_withdrawal_and_return_are_followed(database: Database, clock: SetClock) -> None:
    accepted = hand_in(database, clock, ["He reads Theqoo."] * 4)
    assert proposed(database, clock) == {"Theqoo": 4}

    hand_in(database, clock, ["He reads Daum."])
    assert proposed(database, clock) == {"Theqoo": 3}
    must_add_up(database)

    flow.withdraw(database, accepted[3].article_id, clock=clock)
    assert proposed(database, clock) == {}
    must_add_up(database)

    flow.restore(database, accepted[3].article_id, clock=clock)
    assert proposed(database, clock) == {"Theqoo": 3}
    must_add_up(database)


def test_what_no_article_holds_any_more_leaves_nothing(database: Database, clock: SetClock) -> None:
    accepted = hand_in(database, clock, ["He reads Theqoo."] * 3)
    proposed(database, clock)

    for each in accepted:
        flow.withdraw(database, each.article_id, clock=clock)
    proposed(database, clock)

    with database.reading() as connection:
        for table in (glossary_proposal, glossary_proposal_article):
            assert connection.execute(sa.select(table)).all() == []


def test_a_dismissed_name_never_comes_back(database: Database, clock: SetClock) -> None:
    hand_in(database, clock, ["He reads Theqoo."] * 3)
    proposed(database, clock)

    with database.transaction() as connection:
        proposals.dismiss(connection, "Theqoo", now=TUESDAY)
    hand_in(database, clock, ["She reads Theqoo."] * 3, first=4)

    assert proposed(database, clock) == {}
    must_add_up(database)
    with database.transaction() as connection:
        assert proposals.dismissed(connection, at_most=5) == ["Theqoo"]
        proposals.propose_again(connection, "Theqoo")
    assert proposed(database, clock) == {"Theqoo": 6}


def test_a_name_that_nobody_proposed_cannot_be_dismissed(database: Database) -> None:
    with database.transaction() as connection, pytest.raises(NotFoundError):
        proposals.dismiss(connection, "Nobody", now=TUESDAY)


def test_counting_again_from_the_beginning_changes_nothing(database: Database, clock: SetClock) -> None:
    """So it is after a crash between two steps, or when the place was put back by hand."""
    hand_in(database, clock, ["He reads Theqoo."] * 3)
    before = proposed(database, clock)

    with database.transaction() as connection:
        connection.execute(sa.text("UPDATE stage_turn SET seq = 0 WHERE stage = 'propose'"))

    assert proposed(database, clock) == before == {"Theqoo": 3}
    must_add_up(database)


def test_a_worker_that_lost_its_turn_writes_nothing(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(database, clock, ["He reads Theqoo."] * 3)

    def lost(turn: Turn, *_: object) -> None:
        raise LeaseLostError(turn.stage)

    with monkeypatch.context() as patched:
        patched.setattr(Turn, "advance", lost)
        with pytest.raises(LeaseLostError):
            proposals.count_due(database, clock=clock)
    must_add_up(database)

    assert proposed(database, clock) == {"Theqoo": 3}


@pytest.mark.slow
def test_a_worker_that_is_killed_at_any_moment_counts_nothing_twice(database: Database, clock: SetClock) -> None:
    texts = ["He reads Theqoo, then Daum."] * 40
    accepted = [each for first in range(1, 801, 40) for each in hand_in(database, clock, texts, first=first)]
    for each in accepted[::2]:
        flow.withdraw(database, each.article_id, clock=clock)
    url = database.engine.url.render_as_string(hide_password=False)

    places = [_killed_while_counting(database, url, after_s=0.04 * number) for number in range(1, 13)]

    assert len(set(places)) > 2, "some were killed in the middle"
    assert places == sorted(places)
    must_add_up(database)
    free_the_turn(database)
    assert proposed(database, clock) == {"Theqoo": 400, "Daum": 400}
    must_add_up(database)


def _killed_while_counting(database: Database, url: str, *, after_s: float) -> int:
    """Let another process count from where the last one was killed, kill it, and return where it was."""
    free_the_turn(database)
    command = [sys.executable, "-c", COUNT, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        time.sleep(after_s)
        process.kill()
    with database.reading() as connection:
        return place(connection, proposals.STAGE)


def test_more_changes_than_one_step_takes(database: Database, clock: SetClock) -> None:
    hand_in(database, clock, ["He reads Theqoo."] * (2 * proposals.CHANGES_AT_ONCE + 1))

    assert proposed(database, clock) == {"Theqoo": 2 * proposals.CHANGES_AT_ONCE + 1}
    must_add_up(database)


def test_the_most_frequent_come_first_and_no_more_than_asked_for(database: Database, clock: SetClock) -> None:
    hand_in(
        database,
        clock,
        [
            "He reads Daum, and Naver.",
            "He reads Daum, and Naver.",
            "He reads Daum, or Naver, or Zum.",
            "He reads Zum.",
            "He reads Zum, and Zum, then Naver.",
        ],
    )
    proposals.count_due(database, clock=clock)

    with database.reading() as connection:
        found = proposals.proposals(connection, at_most=2)
        number = proposals.number_open(connection, at_most=2)

    assert [(each.name, each.articles) for each in found] == [("Naver", 4), ("Daum", 3)]
    assert number == 2


def test_a_long_sentence_is_cut_around_the_name(database: Database, clock: SetClock) -> None:
    hand_in(database, clock, [f"So {'very ' * 100} many of them read Theqoo {'often ' * 100}."] * 3)
    proposals.count_due(database, clock=clock)

    with database.reading() as connection:
        (found,) = proposals.proposals(connection, at_most=2)

    assert found.sentence.startswith("… very")
    assert "Theqoo often" in found.sentence
    assert len(found.sentence) <= proposals.SENTENCE_CHARS

import pytest

from publisher.archive import flow, search
from publisher.archive.model import ArticleId
from publisher.database import Database
from publisher.intake.model import Section
from tests.audience.clocks import SetClock
from tests.builders import a_draft, handed_in


def find(database: Database, query: str) -> list[ArticleId]:
    with database.reading() as connection:
        return search.find(connection, query, at_most=10)


def test_words_are_found_in_title_text_and_byline(database: Database, clock: SetClock) -> None:
    [jeonse] = handed_in(database, [a_draft(external_id="1")], clock=clock)
    body = (Section(heading="", html="<p>Cabbage, salt and patience.</p>"),)
    [kimjang] = handed_in(
        database,
        [
            a_draft(
                external_id="2", title="Kimjang", sections=body, guide=None, authors=("Park Jun",), summary="Winter."
            )
        ],
        clock=clock,
    )

    assert find(database, "deposits") == [jeonse.article_id], "another form of the word"
    assert find(database, "PATIENCE cabbage") == [kimjang.article_id]
    assert find(database, "park") == [kimjang.article_id]
    assert find(database, "cabbage deposit") == [], "all words count"


def test_hangul_is_found_whatever_particle_follows(database: Database, clock: SetClock) -> None:
    body = (Section(heading="", html="<p>전세는 보증금을 맡기는 제도다.</p>"),)
    [accepted] = handed_in(database, [a_draft(title="전세", sections=body, language="ko")], clock=clock)

    assert find(database, "보증금") == [accepted.article_id]


def test_a_withdrawn_article_is_not_found(database: Database, clock: SetClock) -> None:
    [accepted] = handed_in(database, [a_draft()], clock=clock)
    flow.withdraw(database, accepted.article_id, clock=clock)

    assert find(database, "jeonse") == []


def test_a_correction_is_found_by_its_new_words_only(database: Database, clock: SetClock) -> None:
    handed_in(database, [a_draft(external_id="1")], clock=clock)
    [revised] = handed_in(database, [a_draft(external_id="1", title="Wolse", summary="Rent.")], clock=clock)

    assert find(database, "wolse") == [revised.article_id]
    assert find(database, "jeonse") == []


@pytest.mark.parametrize("query", ["", "'", '"', "a OR b", "NEAR(", "* & |", "title:x", "-", "\x00", "🙂"])
def test_no_query_breaks_the_search(database: Database, clock: SetClock, query: str) -> None:
    handed_in(database, [a_draft()], clock=clock)

    assert isinstance(find(database, query), list)

import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from publisher.archive.model import GlossaryTerm
from publisher.compose.glossary import Matcher


def a_term(name: str, **details: Any) -> GlossaryTerm:
    return GlossaryTerm(slug=name.lower(), name=name, **details)


def names(matcher: Matcher, text: str) -> list[str]:
    return [occurrence.term.name for occurrence in matcher.find(text)]


def test_each_term_is_found_once_in_the_order_of_first_occurrence() -> None:
    matcher = Matcher([a_term("Blue House"), a_term("chaebol"), a_term("Jeju")])

    found = matcher.find("A chaebol on Jeju asked the Blue House; the chaebol waited on Jeju.")

    assert [occurrence.term.name for occurrence in found] == ["chaebol", "Jeju", "Blue House"]
    assert [(occurrence.start, occurrence.end) for occurrence in found] == [(2, 9), (13, 17), (28, 38)]


def test_a_term_inside_a_longer_word_is_another_word() -> None:
    matcher = Matcher([a_term("Seoul"), a_term("han")])

    assert names(matcher, "Seoulites shake hands; Hanover_han2 is far.") == []
    assert names(matcher, "“Seoul”, (Seoul’s) and Seoul-based han.") == ["Seoul", "han"]


def test_of_overlapping_terms_the_longer_one_is_meant() -> None:
    """Seoul National University must not be explained as a city."""
    matcher = Matcher([a_term("Seoul"), a_term("Seoul National University"), a_term("National University")])

    assert names(matcher, "She studied at Seoul National University.") == ["Seoul National University"]
    assert names(matcher, "At Seoul National University in Seoul.") == ["Seoul National University", "Seoul"]


def test_a_longer_term_that_is_not_whole_does_not_hide_the_shorter_one() -> None:
    matcher = Matcher([a_term("Seoul"), a_term("Seoul Nation")])

    assert names(matcher, "Seoul Nationals") == ["Seoul"]


def test_hangul_is_found_before_its_particles() -> None:
    matcher = Matcher([a_term("Seoul", hangul="서울"), a_term("Lee Jae-myung", hangul="이재명")])

    for text in ("서울은 넓다", "서울에서는", "서울로부터의 소식", "“서울”의", "서울까지도", "서울"):
        assert names(matcher, text) == ["Seoul"], text
    assert names(matcher, "이재명이라는 이름, 서울에서") == ["Lee Jae-myung", "Seoul"]


def test_hangul_inside_another_hangul_word_is_another_word() -> None:
    """서울시 is the city's government, 대통령실 an office, 북서울 a district."""
    matcher = Matcher([a_term("Seoul", hangul="서울"), a_term("president", hangul="대통령")])

    for text in ("서울시가", "북서울은", "대통령실은", "서울2", "부대통령"):
        assert names(matcher, text) == [], text


def test_a_name_of_one_syllable_must_stand_alone() -> None:
    """정도 means "degree"; it is not the feeling 정 with a particle."""
    matcher = Matcher([a_term("jeong", hangul="정")])

    assert names(matcher, "어느 정도 알려진") == []
    assert names(matcher, "한국의 정 문화") == ["jeong"]


def test_a_latin_name_takes_korean_particles_too() -> None:
    matcher = Matcher([a_term("KTX")])

    assert names(matcher, "서울에서 KTX를 타고") == ["KTX"]
    assert names(matcher, "KTX역 앞") == []


def test_case_counts_unless_the_term_says_otherwise() -> None:
    matcher = Matcher([a_term("SEA"), a_term("kimchi", case_sensitive=False)])

    assert names(matcher, "By the sea: Kimchi, KIMCHI.") == ["kimchi"]
    assert names(matcher, "SEA Games") == ["SEA"]


def test_a_term_goes_by_all_its_names() -> None:
    matcher = Matcher([a_term("Han River", hangul="한강", romanisation="Hangang", aliases=("the Han",))])

    for text in ("Han River", "한강의 기적", "Hangang Park", "along the Han."):
        assert names(matcher, text) == ["Han River"], text


def test_typographic_apostrophes_and_decomposed_hangul_make_no_difference() -> None:
    """Text that was typed on a Mac may have its syllables in pieces."""
    matcher = Matcher([a_term("People's House", hangul="국회")])

    assert names(matcher, "the People’s House") == ["People's House"]
    assert names(matcher, "\u1100\u116e\u11a8\u1112\u116c에서") == ["People's House"]


def test_letters_that_grow_in_lower_case_do_not_shift_positions() -> None:
    """İ is one character and its lower case two."""
    matcher = Matcher([a_term("seoul", case_sensitive=False)])

    (found,) = matcher.find("İİİ Seoul")

    assert (found.start, found.end) == (4, 9)


def test_a_spelling_that_two_terms_share_belongs_to_the_earlier_term() -> None:
    matcher = Matcher([a_term("Kim (politician)", aliases=("Kim",)), a_term("Kim (singer)", aliases=("Kim",))])

    assert names(matcher, "Kim said no.") == ["Kim (politician)"]


def test_an_empty_glossary_finds_nothing() -> None:
    assert Matcher([]).find("Seoul") == []
    assert Matcher([GlossaryTerm(slug="x", name=" ")]).find("Seoul") == []


words = st.text(alphabet="abAB 서울은이", min_size=1, max_size=5)


@given(st.lists(words, max_size=8), st.text(alphabet="abAB 서울은이-", max_size=60))
def test_what_is_found_is_there_and_never_overlaps(spellings: list[str], text: str) -> None:
    matcher = Matcher(GlossaryTerm(slug=str(n), name=name, case_sensitive=False) for n, name in enumerate(spellings))

    found = matcher.find(text)

    assert len({occurrence.term.slug for occurrence in found}) == len(found)
    reached = 0
    for occurrence in found:
        assert occurrence.start >= reached
        reached = occurrence.end
        assert text[occurrence.start : occurrence.end].lower() == " ".join(occurrence.term.name.split()).lower()


def test_five_thousand_terms_over_a_long_article_take_milliseconds() -> None:
    """Every article of every issue goes through it: the time must grow with the text, not with the glossary."""
    matcher = Matcher(a_term(f"Name{n} of House{n}", hangul=f"이름{n}", aliases=(f"alias{n}",)) for n in range(5_000))
    text = " ".join(f"word{n} Name{n * 7} of House{n * 7} met alias{n} at 서울 with kimchi" for n in range(400))
    assert len(text.encode()) > 20_000

    times = []
    for _ in range(5):
        began = time.perf_counter()
        found = matcher.find(text)
        times.append(time.perf_counter() - began)

    assert len(found) > 700
    assert min(times) < 0.05  # 10 ms is the aim; a busy machine gets room

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.words import detect_language, first_sentences, sentences, spelled, tokens

TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=300)


def test_forms_of_an_english_word_meet() -> None:
    assert tokens("Relations") == tokens("relation's") == tokens("RELATION") == ["relat"]


def test_words_that_tell_nothing_are_left_out() -> None:
    assert tokens("It is said that he would be there, and we were.") == []


def test_the_united_states_are_found_however_they_are_written() -> None:
    assert tokens("U.S. troops") == tokens("US troops") == ["us", "troop"]


def test_hangul_becomes_overlapping_pairs_so_that_particles_do_not_hide_a_name() -> None:
    """서울에서 (in Seoul) and 서울은 (Seoul, as subject) must meet in 서울."""
    assert tokens("서울에서") == ["서울", "울에", "에서"]
    assert "서울" in tokens("서울은")


def test_a_single_syllable_and_a_number_stay() -> None:
    assert tokens("북 2024년 7") == ["북", "2024", "년"]


def test_decomposed_hangul_is_the_same_word() -> None:
    """Files from a Mac hold Hangul as single letters (NFD)."""
    assert tokens(unicodedata.normalize("NFD", "한국은행")) == tokens("한국은행") == ["한국", "국은", "은행"]


def test_text_without_spaces_is_cut_into_pairs_too() -> None:
    assert tokens("東京大学") == ["東京", "京大", "大学"]


def test_a_word_keeps_its_spelling_for_the_desk() -> None:
    assert spelled("Pyongyang's “blood-forged” U.S. alliance") == ["Pyongyang", "blood", "forged", "US", "alliance"]


@given(TEXTS)
def test_tokens_hold_letters_and_digits_only(text: str) -> None:
    """The archive's search puts them between quotation marks."""
    assert all(token.isalnum() for token in tokens(text))


def test_threads_may_read_at_once() -> None:
    """A stemmer shared by two threads would mix their words."""
    text = "Running relations between generous nations were repeatedly emphasized " * 50
    alone = tokens(text)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(tokens, [text] * 40))

    assert all(each == alone for each in together)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("One year of deepening ties", "en"),
        ("서울에서 KTX Samsung Galaxy 발표", "ko"),
        (unicodedata.normalize("NFD", "북한과 러시아의 조약"), "ko"),
        ("これは日本語の文章です", "ja"),
        ("朝鲜和俄罗斯的条约", "zh"),
        ("Договор между странами", "ru"),
        ("العلاقات بين البلدين", "ar"),
        ("The word 한국 means Korea, and hanja 韓國 is the older way to write it", "en"),
        ("", "en"),
        ("2024: 100 %", "en"),
    ],
)
def test_a_language_is_told_by_its_script(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He left. She stayed! Why? Nobody knows.", ["He left.", "She stayed!", "Why?", "Nobody knows."]),
        ("Mr. Kim met J. K. Park on Monday. They spoke.", ["Mr. Kim met J. K. Park on Monday.", "They spoke."]),
        ("Prices rose 3.5 percent. That is No. 5 of 9.", ["Prices rose 3.5 percent.", "That is No. 5 of 9."]),
        ("“We won.” Then he left.", ["“We won.”", "Then he left."]),
        ("The U.S. Army is there. So is Russia's.", ["The U.S. Army is there.", "So is Russia's."]),
        ("그는 서울에 갔다. 그리고 돌아왔다.", ["그는 서울에 갔다.", "그리고 돌아왔다."]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("A heading\nA paragraph. Its end", ["A heading", "A paragraph.", "Its end"]),
        ("They waited ... and waited. Gone.", ["They waited ... and waited.", "Gone."]),
        ("  \n ", []),
    ],
)
def test_a_text_falls_into_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(TEXTS)
def test_no_letter_is_lost_between_sentences(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


def test_a_summary_is_made_of_whole_sentences() -> None:
    assert first_sentences("One here. Two there. Three.", 20) == "One here. Two there."


def test_a_long_first_sentence_is_cut_between_words() -> None:
    assert first_sentences("The alliance, signed in June, has deepened.", 20) == "The alliance…"
    assert first_sentences("일년동안깊어진동맹관계", 6) == "일년동안깊…"


@given(TEXTS, st.integers(min_value=0, max_value=120))
def test_a_summary_never_outgrows_its_room(text: str, at_most_chars: int) -> None:
    assert len(first_sentences(text, at_most_chars)) <= at_most_chars

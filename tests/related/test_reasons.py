import pytest

from publisher.related import rules, signatures
from publisher.related.model import Frequency, Origin, Reason, Text
from publisher.related.reasons import SHARED, Spelling, sentence
from tests.related.newsroom import TUESDAY, Piece
from tests.related.pieces import ALLIANCE, ALLIANCE_KO
from tests.related.test_signatures import a_text


def reason(one: Piece, other: Piece) -> Reason:
    texts = [a_text(piece.title, piece.text, piece.language) for piece in (one, other)]
    readings = [signatures.read(text) for text in texts]
    common = dict.fromkeys({term for each in readings for term in each.counts}, Frequency(articles=1, posted=0))
    first, second = (signatures.sign(reading, common, articles=100) for reading in readings)
    return Spelling(texts[0]).reason(rules.shared(first, second, at_most=SHARED))


def test_a_reason_tells_subjects_and_names() -> None:
    found = reason(ALLIANCE[0], ALLIANCE[1])

    assert found == Reason(about=("treaty", "troops"), names=("North Korean", "Kursk"))


def test_a_reason_is_told_in_whole_korean_words_without_particles() -> None:
    found = reason(ALLIANCE_KO[0], ALLIANCE_KO[1])

    assert set(found.about) == {"북한", "러시아"}
    assert found.names == ()


@pytest.mark.parametrize(
    ("about", "names", "expected"),
    [
        (("military", "alliance"), ("Pyongyang",), "Both about military, alliance; both name Pyongyang."),
        (("cabbage",), (), "Both about cabbage."),
        ((), ("Seoul", "Tokyo"), "Both name Seoul, Tokyo."),
        ((), (), "Both use much the same words."),
    ],
)
def test_a_reason_is_a_sentence_for_the_desk(about: tuple[str, ...], names: tuple[str, ...], expected: str) -> None:
    assert sentence(Reason(about=about, names=names), Origin.COMPUTED) == expected


def test_what_people_chose_needs_no_words_in_common() -> None:
    assert sentence(Reason(about=("x",)), Origin.TEASER) == "Named by the newsroom under the article."
    assert sentence(Reason(), Origin.PINNED) == "Pinned by an editor."


def test_a_day_of_the_week_and_a_number_are_no_reason() -> None:
    text: Text = a_text("", "On Tuesday and Friday 2024 brought a treaty.")
    terms = list(signatures.read(text).counts)

    found = Spelling(text).reason(terms)

    assert found == Reason(about=("brought", "treaty"))
    assert text.published_at == TUESDAY

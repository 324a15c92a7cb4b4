from hypothesis import given
from hypothesis import strategies as st

from publisher.archive.model import ArticleId
from publisher.related import signatures
from publisher.related.model import Frequency, Profile, Signature, Text, terms
from publisher.related.signatures import Reading
from tests.related.newsroom import TUESDAY

HASHES = st.integers(-(2**31), 2**31 - 1)


def a_text(title: str, body: str, language: str = "en") -> Text:
    return Text(
        id=ArticleId(1),
        language=language,
        title=title,
        body=body,
        published_at=TUESDAY,
        names=(),
        teasers=(),
        digest=b"",
    )


def signed(reading: Reading, *, articles: int = 1_000, **common: int) -> Signature:
    frequencies = dict.fromkeys(reading.counts, Frequency(articles=1, posted=0))
    for word, holding in common.items():
        (term,) = terms([word], "en").values()
        frequencies[term] = Frequency(articles=holding, posted=0)
    return signatures.sign(reading, frequencies, articles=articles)


def term(word: str, language: str = "en") -> int:
    return terms([word], language)[word]


@given(st.dictionaries(HASHES, st.integers(1, 255), max_size=200))
def test_a_signature_survives_being_stored(weights: dict[int, int]) -> None:
    signature = Signature(terms=tuple(weights), weights=bytes(weights.values()))

    assert signatures.unpack_signature(signatures.pack_signature(signature)) == signature


@given(st.frozensets(st.integers(0, 2**32 - 1), max_size=64))
def test_a_sketch_survives_being_stored(sketch: frozenset[int]) -> None:
    profile = Profile(
        id=ArticleId(1),
        language="en",
        published_at=TUESDAY,
        signature=Signature(terms=(), weights=b""),
        packed_sketch=signatures.pack_sketch(sketch),
    )

    assert profile.sketch == sketch


def test_one_word_in_two_languages_is_two_terms() -> None:
    """ "Gift" is poison in German."""
    assert term("gift", "en") != term("gift", "de")


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    signature = signed(signatures.read(a_text("", "treaty summit")), treati=3, summit=100)

    assert signature.terms == (term("treati"), term("summit"))
    assert signature.weights[0] == 255


def test_a_word_of_the_title_weighs_more() -> None:
    signature = signed(signatures.read(a_text("Treaty", "summit summit")))

    assert signature.weight_of[term("treati")] < signature.weight_of[term("summit")]
    in_title = signed(signatures.read(a_text("Treaty", "treaty summit summit")))
    assert in_title.weight_of[term("treati")] > in_title.weight_of[term("summit")]


def test_a_word_of_a_fifth_of_the_archive_says_nothing() -> None:
    assert term("korea") not in signed(signatures.read(a_text("", "Korea treaty")), korea=201).terms
    assert term("korea") in signed(signatures.read(a_text("", "Korea treaty")), korea=200).terms


def test_in_a_small_archive_no_word_is_too_common() -> None:
    """Four of five articles name Korea on the first day, and are related."""
    assert term("korea") in signed(signatures.read(a_text("", "Korea treaty")), articles=5, korea=4).terms


def test_a_signature_has_a_bounded_size() -> None:
    long = " ".join(f"word{number}" for number in range(900))

    assert len(signed(signatures.read(a_text("", long))).terms) == 192
    assert len(signed(signatures.read(a_text("", long, "ko"))).terms) == 192


def test_an_article_is_found_by_its_best_terms_only() -> None:
    signature = Signature(terms=tuple(range(96)), weights=bytes(range(255, 159, -1)))

    posted = signatures.posted(signature, language="en")

    assert list(posted) == list(range(24))
    assert len(signatures.posted(signature, language="ko")) == 48
    assert sum(weight**2 for weight in posted.values()) < 1000**2


def test_terms_that_find_half_the_archive_are_not_looked_up() -> None:
    frequencies = {1: Frequency(articles=900, posted=301), 2: Frequency(articles=900, posted=300)}

    assert signatures.asked({1: 500, 2: 400}, frequencies, articles=1_000) == {2: 400}
    assert signatures.asked({1: 500, 2: 400}, frequencies, articles=20_000) == {1: 500, 2: 400}


def test_a_look_up_in_a_huge_archive_reads_the_rarest_terms_only() -> None:
    frequencies = {
        term: Frequency(articles=posted, posted=posted) for term, posted in ((1, 40_000), (2, 25_000), (3, 9))
    }

    assert signatures.asked({1: 9, 2: 8, 3: 7}, frequencies, articles=5_000_000) == {3: 7, 2: 8}
    assert signatures.asked({1: 9}, {1: Frequency(articles=90_000, posted=90_000)}, articles=5_000_000) == {1: 9}


def test_an_article_without_words_has_an_empty_signature() -> None:
    reading = signatures.read(a_text("…", ""))

    assert signed(reading) == Signature(terms=(), weights=b"")
    assert reading.sketch == frozenset()


def test_the_sketch_tells_the_order_of_words() -> None:
    straight, turned = (signatures.read(a_text("", text)).sketch for text in ("one two three", "three two one"))

    assert len(straight) == len(turned) == 1
    assert straight != turned

import io
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from publisher.words import sentences

SAMPLES = Path(__file__).resolve().parents[2] / "publisher" / "samples"
DRAWINGS = SAMPLES.parents[1] / "docs" / "pictures"
ARTICLES = sorted((SAMPLES / "articles").glob("*.md"))
MAIN_TOPICS = ("politics", "society", "music", "film", "food", "sport")
OTHER_TOPICS = {
    "architecture",
    "education",
    "everyday-life",
    "fandom",
    "history",
    "jeju",
    "language",
    "north-korea",
    "seoul",
    "travel",
}
TERM_FIELDS = {"name", "aliases", "hangul", "romanisation", "kind", "explanation", "link", "case_sensitive"}
TERM_KINDS = {"person", "place", "organisation", "word", "outlet", "event"}
OUTLETS_AND_NAMES = {
    "Theqoo",
    "DCInside",
    "FM Korea",
    "Naver",
    "Tistory",
    "Lee Jae-myung",
    "National Intelligence Service",
    "Pyongyang",
    "Kursk",
}
HANGUL = re.compile("[가-힣]")
GUIDE = re.compile(r"(the |a )?foreign fan[’']?s?[’']? guide\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Sample:
    path: Path
    front: dict[str, Any]
    body: str

    @property
    def headings(self) -> list[str]:
        return re.findall(r"^## (.+)$", self.body, re.MULTILINE)

    @property
    def teasers(self) -> list[str]:
        """Titles named below "Discover More": each stands above its summary."""
        _, _, below = self.body.partition("\n## Discover More\n")
        return below.strip().split("\n\n")[::2] if below else []

    @property
    def picture(self) -> Path:
        return self.path.parent / str(self.front["image"])


@cache
def sample(path: Path) -> Sample:
    opening, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    assert opening == ""
    return Sample(path=path, front=yaml.safe_load(front), body=body)


def samples() -> list[Sample]:
    return [sample(path) for path in ARTICLES]


def glossary() -> list[dict[str, Any]]:
    terms: list[dict[str, Any]] = yaml.safe_load((SAMPLES / "glossary.yaml").read_text(encoding="utf-8"))
    return terms


def spellings(term: dict[str, Any]) -> set[str]:
    return {term["name"], term["hangul"], term["romanisation"], *term["aliases"]}


def names(term: dict[str, Any], text: str) -> bool:
    flags = re.NOFLAG if term["case_sensitive"] else re.IGNORECASE
    return any(re.search(rf"(?<!\w){re.escape(each)}(?![a-z])", text, flags) for each in spellings(term))


each_sample = pytest.mark.parametrize("path", ARTICLES, ids=lambda path: path.stem)
each_term = pytest.mark.parametrize("term", glossary(), ids=lambda term: str(term["name"]))


def test_there_are_four_articles_for_each_of_six_topics() -> None:
    found = Counter(each.front["topics"][0] for each in samples())

    assert found == dict.fromkeys(MAIN_TOPICS, 4)


def test_two_articles_are_in_korean_and_the_rest_in_english() -> None:
    found = Counter(each.front["language"] for each in samples())

    assert found == {"en": 22, "ko": 2}


def test_no_two_articles_share_a_name() -> None:
    for field in ("title", "slug", "external_id", "image"):
        assert len({each.front[field] for each in samples()}) == len(ARTICLES)


def test_six_authors_write_all_articles() -> None:
    assert len({author for each in samples() for author in each.front["authors"]}) == 6


@each_sample
def test_an_article_says_everything_the_archive_wants_to_know(path: Path) -> None:
    front = sample(path).front

    assert set(front) - {"importance"} == {
        *("title", "slug", "language", "authors", "topics", "published_at"),
        *("summary", "image", "image_alt", "external_id"),
    }
    assert front["slug"] == path.stem
    assert front["external_id"] == f"sample-{path.stem}"
    assert set(front["topics"][1:]) <= OTHER_TOPICS | set(MAIN_TOPICS)


@each_sample
def test_an_article_was_published_in_the_four_weeks_of_the_samples(path: Path) -> None:
    published_at = sample(path).front["published_at"]

    assert published_at.tzinfo is not None
    assert datetime(2026, 10, 19, 15, tzinfo=UTC) <= published_at < datetime(2026, 11, 15, 15, tzinfo=UTC)


@each_sample
def test_a_summary_is_one_short_text(path: Path) -> None:
    """It stands on a card, in a feed and as an email's preview."""
    summary = sample(path).front["summary"]

    assert "\n" not in summary
    assert summary.endswith(".")
    assert 50 <= len(summary) <= 200


@each_sample
def test_an_article_has_four_to_seven_sections_of_reading_length(path: Path) -> None:
    body = sample(path).body

    assert 4 <= len(sample(path).headings) <= 7
    assert 450 <= len(body.split()) <= 900
    assert not re.search(r"^#(?!# )", body, re.MULTILINE), "only headings of the second level"


@each_sample
def test_an_article_links_nowhere(path: Path) -> None:
    """Samples are shown on machines without a network, and no stranger's page may change under them."""
    assert not re.search(r"\]\(|https?://|<[a-z]", sample(path).body)


@each_sample
def test_typographic_quotes_are_used_in_texts(path: Path) -> None:
    """Headings may have the typewriter's: guide sections come under either spelling."""
    paragraphs = re.sub(r"^## .+$", "", sample(path).body, flags=re.MULTILINE)
    texts = (sample(path).front["title"], sample(path).front["summary"], paragraphs)

    assert not any(re.search(r'"|\w\'\w', text) for text in texts)


def test_most_articles_have_a_guide_section_under_slightly_different_names() -> None:
    """The guide digest is made of these, and desks do not always type the same words."""
    found = [heading for each in samples() for heading in each.headings if GUIDE.match(heading)]

    assert len(found) >= 16
    assert len(set(found)) >= 4


def test_some_articles_give_context_and_look_ahead() -> None:
    headings = [heading for each in samples() for heading in each.headings]

    assert sum(heading.startswith("Cultural and Historical Context") for heading in headings) >= 4
    assert sum(heading.startswith("What’s Next? ") for heading in headings) >= 4


def test_many_english_articles_show_words_in_hangul() -> None:
    assert sum(bool(HANGUL.search(each.body)) for each in samples() if each.front["language"] == "en") >= 8


def test_teasers_name_two_other_articles_by_their_titles() -> None:
    titles = {each.front["title"] for each in samples()}
    with_teasers = [each for each in samples() if each.teasers]

    assert len(with_teasers) >= 6
    for each in with_teasers:
        assert len(set(each.teasers)) == 2
        assert set(each.teasers) <= titles - {each.front["title"]}
        assert each.headings[-1] == "Discover More"


@each_sample
def test_a_picture_is_a_described_jpeg_of_the_size_for_cards(path: Path) -> None:
    data = sample(path).picture.read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        image.load()

        assert image.format == "JPEG"
        assert image.size == (1200, 675)
    assert 20 * 1024 <= len(data) <= 70 * 1024
    assert 40 <= len(sample(path).front["image_alt"]) <= 160


def test_the_pictures_are_light_and_none_is_left_over() -> None:
    """They ship with the package."""
    pictures = sorted((SAMPLES / "articles" / "pictures").iterdir())

    assert {each.stem for each in pictures} == {each.front["slug"] for each in samples()}
    assert sum(each.stat().st_size for each in pictures) < 1_400_000


def test_every_picture_has_its_drawing() -> None:
    assert {each.stem for each in DRAWINGS.glob("*.svg")} >= {path.stem for path in ARTICLES}


def test_the_glossary_has_sixty_terms_with_spellings_of_their_own() -> None:
    """A spelling that two terms share would explain the wrong one."""
    owners = Counter(each.casefold() for term in glossary() for each in {s.casefold() for s in spellings(term)})

    assert len(glossary()) == 60
    assert [spelling for spelling, count in owners.items() if count > 1] == []


def test_the_glossary_knows_the_outlets_and_names_of_the_news() -> None:
    assert {term["name"] for term in glossary()} >= OUTLETS_AND_NAMES


@each_term
def test_a_glossary_term_explains_itself_in_one_sentence(term: dict[str, Any]) -> None:
    assert set(term) == TERM_FIELDS
    assert term["kind"] in TERM_KINDS
    assert 30 <= len(term["explanation"]) <= 220
    assert re.search(r"[.”]$", term["explanation"])
    assert len(sentences(term["explanation"])) == 1
    assert term["link"] == ""
    assert isinstance(term["case_sensitive"], bool)


@each_term
def test_a_glossary_term_is_written_in_hangul_and_in_latin_letters(term: dict[str, Any]) -> None:
    assert re.fullmatch("[가-힣 ]+", term["hangul"])
    assert re.fullmatch("[A-Za-z ]+", term["romanisation"])


def test_most_articles_name_at_least_three_glossary_terms() -> None:
    counts = {each.path.stem: sum(names(term, each.body) for term in glossary()) for each in samples()}

    assert min(counts.values()) >= 2
    assert sum(count >= 3 for count in counts.values()) >= 20

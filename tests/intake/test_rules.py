import pytest

from publisher.intake import rules
from publisher.intake.model import Teaser
from publisher.intake.rules import Role, TeaserLine


@pytest.mark.parametrize(
    "heading",
    [
        "Foreign Fans’ Guide: What You Should Know",
        "Foreign Fans' Guide: What You Should Know",
        "FOREIGN FANS´ GUIDE",
        "Foreign Fan's Guide",
        "Foreigner’s Guide: What to Know",
        "Foreigners’ Guide",
        "The Foreign Fan’s Guide to the K League",
        "A Guide for Foreign Readers",
        "Guide for Readers Abroad: What You Need to Know",
        "International Fans: What You Should Know",
        "What You Should Know: A Guide for Global Fans",
        "What Foreign Fans Should Know",
        "Things to Know for Overseas Visitors",
        "외국 팬을 위한 안내",
        "외국인 팬을 위한 가이드: 알아두면 좋은 점",
        "해외 독자를 위한 안내",
        "해외 팬 가이드",
        "외국인을 위한 안내",
    ],
)
def test_the_guide_is_known_however_a_desk_words_its_heading(heading: str) -> None:
    assert rules.opens_guide(heading)


@pytest.mark.parametrize(
    "heading",
    [
        "Foreign Ministry Issues a Guide to Sanctions",
        "Why Foreign Fans Love the K League",
        "What the Foreign Minister Should Know",
        "A Guide to Seoul",
        "What You Should Know About the New Law",
        "해외 여행 안내",
        "외국인 투자 증가",
        "",
    ],
)
def test_other_headings_do_not_open_the_guide(heading: str) -> None:
    assert not rules.opens_guide(heading)


@pytest.mark.parametrize(
    "heading",
    [
        "Discover More",
        "DISCOVER MORE:",
        "Read more →",
        "Related",
        "Related Articles",
        "You May Also Like",
        "더 알아보기",
    ],
)
def test_the_teasers_are_known_however_a_desk_words_their_heading(heading: str) -> None:
    assert rules.opens_teasers(heading)


@pytest.mark.parametrize("heading", ["Discover More About Seoul", "Related Laws", "More", "Reading More Books", ""])
def test_other_headings_do_not_open_teasers(heading: str) -> None:
    assert not rules.opens_teasers(heading)


def test_a_bare_what_you_should_know_is_the_guide_only_where_nothing_better_is() -> None:
    """It may stand above any section; the last one is nearest to where guides stand."""
    assert rules.guide_place(["Intro", "What You Should Know", "More", "What to Know"]) == 3
    assert rules.guide_place(["What You Should Know", "Foreign Fans’ Guide", "End"]) == 1
    assert rules.guide_place(["Intro", "End"]) is None


@pytest.mark.parametrize(
    ("line", "is_heading"),
    [
        ("The Numbers Behind the Noise", True),
        ("What’s Next? Prospects for the Korean Peninsula", True),
        ("Who Pays?", True),
        ("What we know:", True),
        ("3. The third year", True),
        ("It rained all night.", False),
        ("“It rained all night.”", False),
        ("“Will it rain?”", False),
        ("밤새 비가 왔다.", False),
        ("雨が降った。", False),
        ("Dear readers,", False),
        ("- a bullet", False),
        ("* * *", False),
        ("https://news.example.com/a", False),
        ("word " * 30, False),
    ],
)
def test_a_heading_is_short_and_is_no_sentence(line: str, *, is_heading: bool) -> None:
    assert rules.could_be_heading(line.strip()) is is_heading


@pytest.mark.timeout(10)
@pytest.mark.parametrize("words", ["해외 팬 ", "foreign fans ", "what you ", "Word. "])
def test_no_text_keeps_the_rules_busy_for_long(words: str) -> None:
    """Five megabytes of one phrase: a rule that looks back for each of them would need days."""
    endless = words * (5_000_000 // len(words))

    assert not rules.opens_guide(endless)
    assert len(rules.pair(TeaserLine(text="A sentence.") for _ in range(200_000))) == 1


def test_a_heading_stands_before_a_paragraph() -> None:
    lines = ["A Heading", "", "A paragraph.", "Another Heading", "A paragraph.", "A signature"]

    assert rules.headings(lines) == {0, 3}


def test_a_numbered_list_is_no_row_of_headings() -> None:
    assert rules.headings(["1. One", "2. Two", "A paragraph."]) == frozenset()


def test_a_line_before_a_row_of_stars_is_no_heading() -> None:
    assert rules.headings(["Nobody knows", "* * *", "A paragraph."]) == frozenset()


def test_a_guide_without_text_is_no_guide() -> None:
    assert rules.headings(["A paragraph.", "Foreign Fans’ Guide"]) == frozenset()


def test_poems_and_addresses_are_not_unfolded() -> None:
    poem = ["Short line", "another line", "a third line", "the last of them"]

    assert rules.unfolded(poem) == poem


def test_an_address_below_a_teaser_is_its_link() -> None:
    lines = [TeaserLine(text="A title"), TeaserLine(text="https://a.example/1"), TeaserLine(text="A summary.")]

    assert rules.pair(lines) == (Teaser(title="A title", summary="A summary.", url="https://a.example/1"),)


def test_a_summary_without_a_title_is_kept_as_one() -> None:
    assert rules.pair([TeaserLine(text="Only this.", role=Role.SUMMARY)]) == (Teaser(title="Only this."),)

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from publisher.intake.model import Draft

Words = Callable[[Draft], list[str]]


@pytest.fixture
def own_article() -> str:
    return Path(__file__).with_name("own_article.txt").read_text(encoding="utf-8")


@pytest.fixture
def words_of() -> Words:
    """Every word of a draft that a reader would see, tags taken away."""

    def words(draft: Draft) -> list[str]:
        sections = [*draft.sections, *([draft.guide] if draft.guide else [])]
        texts = [draft.title, *draft.authors]
        texts += [text for section in sections for text in (section.heading, re.sub("<[^>]+>", " ", section.html))]
        texts += [text for teaser in draft.teasers for text in (teaser.title, teaser.summary, teaser.url)]
        return " ".join(texts).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").split()

    return words

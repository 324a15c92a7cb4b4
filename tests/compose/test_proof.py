from collections.abc import Sequence
from dataclasses import replace

import pytest

from publisher.archive.model import ArticleState, Lead
from publisher.compose.model import Edition, EditionKind, Rendering
from publisher.compose.proof import remarks
from publisher.compose.render import HTML_AT_MOST_BYTES
from publisher.intake.model import Image
from tests.compose.issues import an_article, an_edition

FINE = Rendering(subject="Autumn", preheader="In short", text="", html="<p>Hello</p>", web_html="", reader="reader")
A_PICTURE = Image(url="/media/a.jpg", alt="A street")
LEADS = [an_article(number, image=A_PICTURE) for number in (1, 2, 3)]
DIGEST = an_edition()


def said(edition: Edition = DIGEST, *, leads: Sequence[Lead] = LEADS, rendering: Rendering = FINE) -> list[str]:
    return list(remarks(edition, leads, rendering))


def test_a_good_draft_needs_no_remark() -> None:
    assert said() == []


def test_too_few_articles_are_remarked() -> None:
    assert said(replace(DIGEST, at_least=4)) == ["3 articles in the mail; the edition asks for at least 4."]
    assert said(replace(DIGEST, at_least=3)) == []


@pytest.mark.parametrize("state", [ArticleState.WITHDRAWN, ArticleState.EMBARGOED])
def test_an_article_that_readers_will_not_see_is_remarked(state: ArticleState) -> None:
    gone = replace(LEADS[0], state=state)

    assert said(leads=[gone, *LEADS[1:]]) == [f"“{gone.title}” is {state}, so the mail leaves it out."]


def test_an_alert_of_two_articles_is_remarked() -> None:
    alert = replace(DIGEST, kind=EditionKind.ALERT)

    assert said(alert) == ["An alert is about one article: the mail shows only the first."]
    assert said(alert, leads=LEADS[:1]) == []


def test_a_missing_preheader_is_remarked() -> None:
    assert "preheader" in said(rendering=replace(FINE, preheader=""))[0]


def test_a_mail_that_gmail_would_cut_is_remarked() -> None:
    whole = replace(FINE, html="x" * HTML_AT_MOST_BYTES)

    assert said(rendering=whole) == []
    assert said(rendering=replace(whole, html=f"{whole.html}가")) == [
        "The mail is 90 kB long; Gmail cuts off what is near 102 kB."
    ]


def test_a_picture_without_words_is_remarked() -> None:
    silent = replace(LEADS[0], image=replace(A_PICTURE, alt=""))

    assert said(leads=[silent, *LEADS[1:]]) == [f"The picture of “{silent.title}” has no alternative text."]

"""
How long the rendering of an issue takes, and the finding of glossary terms; CPU time of one process.

    python -m tests.benchmarks.bench_compose
"""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from publisher.archive.model import ArticleId, GlossaryTerm
from publisher.compose.glossary import Matcher
from publisher.compose.model import EditionKind, Piece
from publisher.compose.render import render_confirmation
from publisher.intake.model import Section
from tests.compose.issues import RENT, a_piece, furniture, rendered

ROUNDS = 60
TERMS = 5_000
PARAGRAPH = (
    "<p>A tenant in Seoul hands over a <em>deposit</em> and pays no rent; 전세라고 부르는 계약이다. It comes back.</p>"
)


def main() -> None:
    pieces = [_a_news_piece(number) for number in range(1, 13)]
    size = sum(len(section.html.encode()) for section in pieces[0].article.all_sections)
    print(f"compose: subject, preheader, text, mail and page at once; articles of {size / 1e3:.1f} kB")
    _show("alert, first in a process", lambda: rendered(EditionKind.ALERT, pieces[0]), rounds=1)
    _show("alert", lambda: rendered(EditionKind.ALERT, pieces[0]))
    _show("digest of 12", lambda: rendered(EditionKind.DIGEST, *pieces))
    _show("guide of 12", lambda: rendered(EditionKind.GUIDE, *pieces))
    house = furniture()
    _show(
        "confirmation",
        lambda: render_confirmation(furniture=house, mailing_list="Readers", confirm_url="https://news.example/c"),
    )
    terms = [
        GlossaryTerm(slug=str(n), name=f"Name{n} of House{n}", hangul=f"이름{n}", aliases=(f"alias{n}",))
        for n in range(TERMS)
    ]
    _show(f"matcher of {TERMS:,} terms, made", lambda: Matcher(terms), rounds=5)
    matcher = Matcher(terms)
    text = " ".join(f"word{n} Name{n * 7} of House{n * 7} met alias{n} in 서울에서 with kimchi" for n in range(300))
    found = len(matcher.find(text))
    _show(f"{found} terms found in {len(text.encode()) / 1e3:.0f} kB", lambda: matcher.find(text))


def _a_news_piece(number: int) -> Piece:
    body = tuple(Section(heading=f"Part {part}", html=PARAGRAPH * 8) for part in range(5))
    article = replace(RENT, id=ArticleId(number), slug=f"article-{number}", sections=(*RENT.sections, *body))
    return a_piece(article)


def _show(what: str, work: Callable[[], object], rounds: int = ROUNDS) -> None:
    took = sorted(_measured(work) for _ in range(rounds))
    print(f"  {what:<36} {median(took):8.2f} ms (best {took[0]:.2f})")


def _measured(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1e3


if __name__ == "__main__":
    main()

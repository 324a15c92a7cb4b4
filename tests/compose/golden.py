"""
The golden mails and pages: bytes that were looked at, light and dark, on a phone and on a desk.

After a change that is meant to change them: `.venv/bin/python -m tests.compose.golden`, then read the
difference (`git diff --word-diff tests/golden/email`) and look at the files before committing it.
"""

from pathlib import Path

from publisher.compose.model import EditionKind, Piece, Rendering
from publisher.compose.render import render_confirmation, render_issue, render_welcome
from tests.compose.issues import (
    INTRODUCTION,
    KOREAN_PIECE,
    RENT_PIECE,
    RIVER_PIECE,
    VOTE_PIECE,
    an_edition,
    an_issue,
    furniture,
)

FOLDER = Path(__file__).parent.parent / "golden" / "email"
LANGUAGES = ("en", "ko")
PIECES: dict[EditionKind, dict[str, tuple[Piece, ...]]] = {
    EditionKind.ALERT: {"en": (RENT_PIECE,), "ko": (KOREAN_PIECE,)},
    EditionKind.DIGEST: {"en": (RENT_PIECE, RIVER_PIECE, VOTE_PIECE), "ko": (KOREAN_PIECE, RENT_PIECE)},
    EditionKind.GUIDE: {
        "en": (RENT_PIECE, RIVER_PIECE, VOTE_PIECE, KOREAN_PIECE),
        "ko": (KOREAN_PIECE, RENT_PIECE, VOTE_PIECE),
    },
}


def rendered() -> dict[str, str]:
    """Every golden file's name with the text that we render now."""
    files: dict[str, str] = {}
    lines: dict[str, str] = {}
    for language in LANGUAGES:
        for kind in EditionKind:
            issue = an_issue_of(kind, language)
            name = f"{kind}.{language}"
            files |= {f"{name}.html": issue.html, f"{name}.txt": issue.text, f"{name}.page.html": issue.web_html}
            lines[name] = f"{issue.subject}\n    {issue.preheader}"
        for name, (subject, text, html) in letters(language).items():
            files |= {f"{name}.{language}.html": html, f"{name}.{language}.txt": text}
            lines[f"{name}.{language}"] = subject
    files["subjects.txt"] = "".join(f"{name}: {line}\n" for name, line in lines.items())
    return files


def an_issue_of(kind: EditionKind, language: str) -> Rendering:
    return render_issue(
        edition=an_edition(kind),
        issue=an_issue(introduction="" if kind is EditionKind.ALERT else INTRODUCTION),
        pieces=PIECES[kind][language],
        furniture=furniture(language, footer="Words explained by the glossary desk.\nPrinted on nothing."),
    )


def letters(language: str) -> dict[str, tuple[str, str, str]]:
    house = furniture(language)
    confirmation = render_confirmation(
        furniture=house,
        mailing_list="Morning alert",
        confirm_url="https://news.example/confirm/eyJzIjo0Mn0.a-b_c",
        name="Jun & Ko",
        days_valid=7,
    )
    editions = [an_edition(kind) for kind in EditionKind]
    welcome = render_welcome(
        furniture=house, mailing_list="Readers", editions=editions, archive_url="https://news.example/issues"
    )
    return {"confirmation": confirmation, "welcome": welcome}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in rendered().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"{len(text.encode()):>7} bytes  {FOLDER / name}")

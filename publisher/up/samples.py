"""What a newcomer finds: sample articles with their pictures, and glossary terms."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from publisher.archive import glossary
from publisher.archive.flow import accept_due
from publisher.archive.glossary_file import read_terms
from publisher.clock import Clock
from publisher.database import Database
from publisher.intake.flow import HandIn, hand_in
from publisher.intake.pictures import read_picture
from publisher.intake.read import read
from publisher.settings import Settings

SAMPLES = Path(__file__).resolve().parent.parent / "samples"


def load_samples(database: Database, settings: Settings, *, clock: Clock) -> None:
    """
    Hand in the sample articles and glossary terms.

    Their dates move by whole days so that the newest is from yesterday: a first look shows a
    living site, and no sample is news enough for an alert.
    """
    terms = read_terms((SAMPLES / "glossary.yaml").read_text(encoding="utf-8"))
    with database.transaction() as connection:
        glossary.import_all(connection, terms, now=clock())
    found = [_sample(file) for file in sorted((SAMPLES / "articles").glob("*.md"))]
    newest = max(each.draft.published_at for each in found if each.draft.published_at)
    shift = timedelta(days=(clock() - newest).days - 1)
    hand_in(database, [_moved(each, shift) for each in found], origin="samples", clock=clock)
    accept_due(database, domain=settings.domain, clock=clock)


def _sample(file: Path) -> HandIn:
    draft = read(file.read_bytes(), name=file.name)
    assert draft.image is not None, f"{file.name} names no picture"
    return HandIn(draft=draft, picture=read_picture(file.parent / draft.image.url))


def _moved(each: HandIn, shift: timedelta) -> HandIn:
    assert each.draft.published_at is not None
    return replace(each, draft=replace(each.draft, published_at=each.draft.published_at + shift))

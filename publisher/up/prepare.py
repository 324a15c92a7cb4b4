"""What must stand before the first process starts: tables, editions, samples, a way to sign in."""

import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from slugify import slugify

from publisher.archive import glossary
from publisher.archive.flow import accept_due
from publisher.archive.model import GlossaryTerm
from publisher.audience import store as audience
from publisher.compose import cadence
from publisher.compose import store as compose
from publisher.compose.model import Edition, EditionId, EditionKind
from publisher.editors import store as editors
from publisher.editors.flow import add_editor, make_sign_in_link
from publisher.editors.model import EditorId, Role
from publisher.errors import PublisherError
from publisher.intake import store as intake
from publisher.intake.flow import HandIn, hand_in
from publisher.intake.pictures import read_picture
from publisher.intake.read import read
from publisher.migrations.migrate import migrate
from publisher.wiring import Newsroom, open_newsroom

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
READERS = "readers"
FIRST_EDITOR = "editor@localhost"
"""Has no password: the link that `make run` prints is the way in."""
FIRST_EDITIONS = (
    ("alert", "Morning alert", EditionKind.ALERT, "", timedelta(hours=12)),
    ("weekly", "The Weekly", EditionKind.DIGEST, "mon 08:00 Asia/Seoul", timedelta(hours=24)),
    ("guide", "Foreign Fans’ Guide", EditionKind.GUIDE, "fri 08:00 Asia/Seoul", timedelta(hours=24)),
)
"""What a newcomer finds: one edition of each kind."""


def prepare(room: Newsroom, *, samples: bool) -> None:
    """Make everything ready; a second time nothing changes."""
    migrate(room.database)
    with room.database.reading() as connection:
        has_editions = bool(compose.editions(connection) or audience.mailing_lists(connection))
        is_empty = not intake.has_any(connection)
    if not has_editions:
        _add_editions(room)
    if is_empty and samples:
        _load_samples(room)
    if room.settings.is_local:
        _write_sign_in_link(room)


def _add_editions(room: Newsroom) -> None:
    """Add the mailing list and its editions in one transaction: there are all of them or none."""
    now = room.now()
    with room.database.transaction() as connection:
        text = "New articles, the weekly issue and the guide."
        list_id = audience.add_mailing_list(connection, slug=READERS, name="Readers", description=text, now=now)
        assert list_id is not None
        for slug, name, kind, rhythm, stale_after in FIRST_EDITIONS:
            edition = Edition(
                id=EditionId(0),
                slug=slug,
                name=name,
                kind=kind,
                mailing_list_id=list_id,
                cadence=cadence.parse(rhythm) if rhythm else None,
                stale_after=stale_after,
            )
            compose.add_edition(connection, edition, now=now)


def _load_samples(room: Newsroom) -> None:
    """
    Hand in the sample articles and glossary terms.

    Their dates move by whole days so that the newest is from yesterday: a first look shows a
    living site, and no sample is news enough for an alert.
    """
    terms = yaml.safe_load((SAMPLES / "glossary.yaml").read_text(encoding="utf-8"))
    with room.database.transaction() as connection:
        glossary.keep(connection, (_term(each) for each in terms), now=room.now())
    found = [_sample(file) for file in sorted((SAMPLES / "articles").glob("*.md"))]
    newest = max(each.draft.published_at for each in found if each.draft.published_at)
    shift = timedelta(days=(room.now() - newest).days - 1)
    hand_in(room.database, [_moved(each, shift) for each in found], origin="samples", clock=room.now)
    accept_due(room.database, domain=room.settings.domain, clock=room.now)


def _sample(file: Path) -> HandIn:
    draft = read(file.read_bytes(), name=file.name)
    assert draft.image is not None, f"{file.name} names no picture"
    return HandIn(draft=draft, picture=read_picture(file.parent / draft.image.url))


def _moved(each: HandIn, shift: timedelta) -> HandIn:
    assert each.draft.published_at is not None
    return replace(each, draft=replace(each.draft, published_at=each.draft.published_at + shift))


def _term(values: dict[str, Any]) -> GlossaryTerm:
    return GlossaryTerm(slug=slugify(values["name"]), **{**values, "aliases": tuple(values["aliases"])})


def _write_sign_in_link(room: Newsroom) -> None:
    """Leave a link for the person who typed `make run`; the file can be read by nobody else."""
    path = room.settings.data_dir / "sign-in-link"
    token = make_sign_in_link(room.database, _somebody(room), clock=room.now)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{room.settings.base_url}/desk/sign-in/{token}")


def _somebody(room: Newsroom) -> EditorId:
    """Return who signs in by the link: the first operator, made here where there is none."""
    with room.database.reading() as connection:
        for editor in editors.editors(connection):
            if editor.role is Role.OPERATOR and editor.disabled_at is None:
                return editor.id
    return add_editor(room.database, email=FIRST_EDITOR, name="Editor", role=Role.OPERATOR, clock=room.now)


if __name__ == "__main__":
    try:
        prepare(open_newsroom(), samples="--no-samples" not in sys.argv)
    except PublisherError as problem:
        print(f"publisher: {problem}", file=sys.stderr)  # noqa: T201 -- the supervisor shows it
        sys.exit(1)

"""What must stand before the first process starts: tables, editions, samples, a way to sign in."""

import os
import sys
from datetime import timedelta

from sqlalchemy.exc import DBAPIError

from publisher.audience import store as audience
from publisher.clock import Clock, utc_now
from publisher.compose import cadence
from publisher.compose import store as compose
from publisher.compose.model import Edition, EditionId, EditionKind
from publisher.database import Database, first_line
from publisher.editors import store as editors
from publisher.editors.flow import add_editor, make_sign_in_link
from publisher.editors.model import EditorId, Role
from publisher.errors import PublisherError, SettingsError
from publisher.intake import store as intake
from publisher.migrations.migrate import migrate
from publisher.settings import Settings, load
from publisher.up.prepared import note_prepared

READERS = "readers"
FIRST_EDITOR = "editor@localhost"
"""Has no password: the link that `make run` prints is the way in."""
FIRST_EDITIONS = (
    ("alert", "Morning alert", EditionKind.ALERT, "", timedelta(hours=12), ()),
    ("weekly", "The Weekly", EditionKind.DIGEST, "mon 08:00 Asia/Seoul", timedelta(hours=24), ()),
    ("guide", "Foreign Fans’ Guide", EditionKind.GUIDE, "fri 08:00 Asia/Seoul", timedelta(hours=24), ("en",)),
)
"""What a newcomer finds: one edition of each kind; the guide in the language of its readers."""


def prepare(database: Database, settings: Settings, *, samples: bool, clock: Clock = utc_now) -> None:
    """Make everything ready; a second time nothing changes."""
    migrate(database)
    with database.reading() as connection:
        has_editions = bool(compose.editions(connection) or audience.mailing_lists(connection))
        is_empty = not intake.has_any(connection)
    if not has_editions:
        _add_editions(database, clock)
    if is_empty and samples:
        # What reads articles takes as long to import as all the rest; only a first start needs it.
        from publisher.up.samples import load_samples

        load_samples(database, settings, clock=clock)
    if settings.is_local:
        _write_sign_in_link(database, settings, clock)


def _add_editions(database: Database, clock: Clock) -> None:
    """Add the mailing list and its editions in one transaction: there are all of them or none."""
    now = clock()
    with database.transaction() as connection:
        text = "New articles, the weekly issue and the guide."
        list_id = audience.add_mailing_list(connection, slug=READERS, name="Readers", description=text, now=now)
        assert list_id is not None
        for slug, name, kind, rhythm, stale_after, languages in FIRST_EDITIONS:
            edition = Edition(
                id=EditionId(0),
                slug=slug,
                name=name,
                kind=kind,
                mailing_list_id=list_id,
                cadence=cadence.parse(rhythm) if rhythm else None,
                stale_after=stale_after,
                languages=languages,
            )
            compose.add_edition(connection, edition, now=now)


def _write_sign_in_link(database: Database, settings: Settings, clock: Clock) -> None:
    """Leave a link for the person who typed `make run`; the file can be read by nobody else."""
    path = settings.data_dir / "sign-in-link"
    path.unlink(missing_ok=True)
    somebody = _somebody(database, clock)
    if somebody is None:
        return
    token = make_sign_in_link(database, somebody, clock=clock)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{settings.base_url}/desk/sign-in/{token}")


def _somebody(database: Database, clock: Clock) -> EditorId | None:
    """Return who signs in by the link: the first operator; where there is no editor at all, one is made."""
    with database.reading() as connection:
        found = editors.editors(connection)
    if not found:
        return add_editor(database, email=FIRST_EDITOR, name="Editor", role=Role.OPERATOR, clock=clock)
    operators = [each.id for each in found if each.role is Role.OPERATOR and each.disabled_at is None]
    return min(operators, default=None)


def _check_transport(settings: Settings) -> None:
    """Refuse a wrong mail URL now, rather than when the first issue is sent. Raises SettingsError."""
    if settings.mail_url != "outbox:":
        from publisher.dispatch.transports.choose import transport_for

        transport_for(settings.mail_url, settings.data_dir)


def _check_model(settings: Settings) -> None:
    """Refuse a sentence model that cannot be loaded now, rather than in each worker. Raises SettingsError."""
    from publisher.related.sense import embedder

    embedder(settings.embeddings)


def main(arguments: list[str]) -> None:
    """Prepare for this environment. Raises PublisherError."""
    settings = load()
    _check_transport(settings)
    _check_model(settings)
    try:
        database = Database(settings.database_url)
        prepare(database, settings, samples=settings.is_local and "--no-samples" not in arguments)
    except DBAPIError as problem:
        reason = f"names a database that cannot be used ({first_line(problem)})"
        raise SettingsError("PUBLISHER_DATABASE_URL", reason) from None
    note_prepared(settings)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except PublisherError as problem:
        print(f"publisher: {problem}", file=sys.stderr)  # noqa: T201 -- the supervisor shows it
        sys.exit(1)

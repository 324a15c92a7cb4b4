"""A note in the data folder: this database had this form already, so nothing need wait for the preparation."""

import hashlib
from pathlib import Path

from publisher.settings import Settings

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations" / "versions"


def is_prepared(settings: Settings) -> bool:
    """
    Tell whether the last start has left the very database that this version needs.

    If that is wrong after all, the preparation, which runs in any case, mends it within a second.
    """
    file = settings.database_url.removeprefix("sqlite:///")
    if file != settings.database_url and not Path(file).exists():
        return False
    try:
        return _note(settings.data_dir).read_text(encoding="ascii") == _mark(settings)
    except (OSError, UnicodeDecodeError):
        return False


def note_prepared(settings: Settings) -> None:
    _note(settings.data_dir).write_text(_mark(settings), encoding="ascii")


def _note(data_dir: Path) -> Path:
    return data_dir / "prepared"


def _mark(settings: Settings) -> str:
    newest = max((each.name for each in MIGRATIONS.glob("*.py")), default="")
    return hashlib.sha256(f"{newest} {settings.database_url}".encode()).hexdigest()

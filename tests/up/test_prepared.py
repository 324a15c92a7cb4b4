"""A start waits for the preparation only where there is something to prepare."""

from pathlib import Path

import pytest

from publisher.settings import Settings
from publisher.up import prepared
from publisher.up.prepared import is_prepared, note_prepared
from tests.builders import settings_in


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a newsroom that has been started before."""
    found = settings_in(tmp_path)
    (tmp_path / "publisher.db").touch()
    note_prepared(found)
    return found


def test_a_first_start_waits(tmp_path: Path) -> None:
    assert not is_prepared(settings_in(tmp_path))


def test_a_second_start_does_not(settings: Settings) -> None:
    assert is_prepared(settings)


def test_a_database_that_was_removed_is_made_first(settings: Settings) -> None:
    (settings.data_dir / "publisher.db").unlink()

    assert not is_prepared(settings)


def test_another_database_is_looked_at_first(settings: Settings) -> None:
    assert not is_prepared(settings_in(settings.data_dir, DATABASE_URL="postgresql://db.example.org/news"))


def test_a_new_migration_runs_first(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "9999_one_more.py").touch()
    monkeypatch.setattr(prepared, "MIGRATIONS", tmp_path)

    assert not is_prepared(settings)


def test_a_damaged_note_counts_for_nothing(settings: Settings) -> None:
    (settings.data_dir / "prepared").write_bytes(b"\xff\xfe")

    assert not is_prepared(settings)

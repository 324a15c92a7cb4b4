import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from publisher.cli import main
from publisher.database import Database
from publisher.migrations.migrate import migrate
from publisher.wiring import newsroom


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


class Publisher:
    """The command `publisher`, run in this process: through the same entry, with the same words."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *words: object, typed: str = "") -> Done:
        self._monkeypatch.setattr(sys, "argv", ["publisher", *map(str, words)])
        self._monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(typed.encode()), encoding="utf-8"))
        self._capsys.readouterr()
        code = 0
        try:
            copy_context().run(main.run)  # who acts in this command acts in no other
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        said = self._capsys.readouterr()
        return Done(code=code, out=said.out, err=said.err)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that `publisher migrate` has made, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "publisher.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture
def data(tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder with an empty archive; the settings of the person who runs the tests are out of the way."""
    for name in [name for name in os.environ if name.startswith("PUBLISHER_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "data"
    folder.mkdir()
    for file in migrated.parent.iterdir():
        shutil.copy(file, folder)
    monkeypatch.setenv("PUBLISHER_DATA_DIR", str(folder))
    newsroom.cache_clear()
    yield folder
    if newsroom.cache_info().currsize:
        newsroom().database.close()
    newsroom.cache_clear()


@pytest.fixture
def publisher(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Publisher:
    assert data.exists()
    return Publisher(capsys, monkeypatch)


@pytest.fixture
def opened(publisher: Publisher) -> Publisher:
    """With a mailing list, an edition of each kind, and three articles."""
    assert publisher("mailing-list", "add", "readers").code == 0
    for slug, kind in (("alert", "alert"), ("weekly", "digest"), ("guide", "guide")):
        assert publisher("edition", "add", slug, "--kind", kind, "--mailing-list", "readers").code == 0
    for title in ("Night Markets Return", "Trams Come Back", "Rice Cakes for Spring"):
        text = f"{title}\n\nPeople came from far away. They stayed all night.\n"
        assert publisher("article", "add", "-", typed=text).code == 0
    return publisher

"""The three locks: what runs needs the first alone, and none says where packages come from."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

HERE = Path(__file__).parent.parent
IMPORT_ALL = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
for root in ("publisher", "feeds", "workers"):
    for each in pkgutil.walk_packages(importlib.import_module(root).__path__, root + "."):
        if each.name not in LEFT_OUT and ".versions." not in each.name:
            importlib.import_module(each.name)
for each in ("kombu.transport.redis", "celery.bin.celery", "celery.concurrency.thread", "aiosmtpd.main"):
    importlib.import_module(each)
"""
LEFT_OUT = {"publisher.migrations.env"}  # runs inside a migration only


def names(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", (HERE / lock).read_text(encoding="utf-8"), re.MULTILINE))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_what_runs_can_be_imported_with_the_first_lock_alone(tmp_path: Path) -> None:
    """A newcomer's `make run` installs nothing else; a package that only the tests bring would be missing there."""
    runs = names("requirements.lock")
    hidden = {
        module
        for module, distributions in packages_distributions().items()
        if not {normal(each) for each in distributions} & (runs | {"pip", "setuptools"})
    }
    code = f"HIDDEN, LEFT_OUT = {hidden!r}, {LEFT_OUT!r}\n{IMPORT_ALL}"

    done = subprocess.run(
        (sys.executable, "-c", code),
        env={"PYTHONPATH": str(HERE), "PUBLISHER_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "pytest" in hidden
    assert done.returncode == 0, done.stderr


def test_the_locks_hold_every_dependency() -> None:
    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def named(lines: list[str]) -> set[str]:
        return {normal(re.split(r"[\[<>=;, ]", line)[0]) for line in lines}

    assert named(project["dependencies"]) <= names("requirements.lock")
    assert named(project["optional-dependencies"]["dev"]) <= names("requirements-dev.lock")
    assert named(project["optional-dependencies"]["embeddings"]) <= names("requirements-embeddings.lock")
    assert names("requirements.lock") <= names("requirements-embeddings.lock") <= names("requirements-dev.lock")


def test_every_package_has_hashes_and_none_an_address() -> None:
    for lock in ("requirements.lock", "requirements-embeddings.lock", "requirements-dev.lock"):
        text = (HERE / lock).read_text(encoding="utf-8")
        entries = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in each for each in entries)
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text


def test_the_locks_agree_on_what_runs() -> None:
    def versions(lock: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9-]+==\S+", (HERE / lock).read_text(encoding="utf-8"), re.MULTILINE))

    assert (
        versions("requirements.lock") <= versions("requirements-embeddings.lock") <= versions("requirements-dev.lock")
    )

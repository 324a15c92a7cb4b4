"""
Draft a migration from what the tables say and the migrations so far do not: `make migration MESSAGE="…"`.

The draft is a beginning: read it, and let tests/test_migrations.py try it on both databases.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

from publisher.database import Database
from publisher.migrations.migrate import bring_up, configuration, newest

VERSIONS = Path(__file__).parent / "versions"
NOISE = "### "
"""How alembic begins the comments that it puts around what it wrote."""


def draft(message: str) -> Path:
    """Write the next migration, and return its file."""
    number = f"{int(newest() or '0') + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/drafted.db")
        with database.transaction() as connection:
            config = configuration(connection)
            if newest():
                bring_up(connection)
            config.set_main_option("file_template", f"{number}_%%(slug)s")
            command.revision(config, message, autogenerate=True, rev_id=number)
        database.close()
    return _tidied(next(VERSIONS.glob(f"{number}_*.py")))


def _tidied(file: Path) -> Path:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines(keepends=True) if NOISE not in line]
    file.write_text("".join(lines), encoding="utf-8")
    for order in (("format", "--quiet"), ("check", "--quiet", "--fix"), ("format", "--quiet")):
        subprocess.run((sys.executable, "-m", "ruff", *order, str(file)), check=True)  # noqa: S603 -- our own command
    return file


if __name__ == "__main__":
    print(draft(" ".join(sys.argv[1:]) or "Changes"))  # noqa: T201 -- a command

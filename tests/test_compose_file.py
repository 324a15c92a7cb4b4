"""
docker-compose.yml, service by service: each one's own command with its environment, as a process of this machine.

There need be no container engine for that: host names become 127.0.0.1, ports free ones, and the images' programs
those that are installed here. What is healthy is asked with the service's own health check.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from publisher.settings import VARIABLES
from publisher.up.redis_server import redis_command
from tests.postgresql import AbsentError, _account, _program
from tests.service import PUBLISHER, environment, free_port

HERE = Path(__file__).parent.parent
GIVEN = {"PUBLISHER_SECRET_KEY": "k" * 64, "POSTGRES_PASSWORD": "secret"}
"""What .env.example leaves to be filled in."""
HEALTHY_WITHIN_S = 60
ORDER = (
    "postgres",
    "redis",
    "mail",
    "migrate",
    "web",
    "worker-articles",
    "worker-channels",
    "worker-dispatch",
    "worker-upkeep",
    "beat",
)
OTHERS_VARIABLES = {"FORWARDED_ALLOW_IPS"}

pytestmark = pytest.mark.postgresql


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """Put variables in as Compose does: ${NAME}, ${NAME:-default}, ${NAME:?message}."""

    def value_of(found: re.Match[str]) -> str:
        name, operator, rest = found["name"], found["operator"], found["rest"]
        if values.get(name):
            return values[name]
        assert operator != ":?", f"{name} is not set: {rest}"
        return rest or ""

    return re.sub(r"\$\{(?P<name>\w+)(?:(?P<operator>:[-?])(?P<rest>[^}]*))?\}", value_of, text)


def dotenv() -> dict[str, str]:
    lines = (HERE / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name: value for name, value in pairs if value} | GIVEN


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    text = (HERE / "docker-compose.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(filled_in(text, dotenv()))["services"]
    return found


def test_only_the_web_port_is_published(services: dict[str, Any]) -> None:
    assert {name: each["ports"] for name, each in services.items() if "ports" in each} == {"web": ["8000:8000"]}


def test_what_must_be_kept_is_on_named_volumes(services: dict[str, Any]) -> None:
    text = (HERE / "docker-compose.yml").read_text(encoding="utf-8")
    named = set(yaml.safe_load(filled_in(text, dotenv()))["volumes"])

    used = {volume.split(":")[0] for each in services.values() for volume in each.get("volumes", ())}

    assert used == named == {"data", "postgres", "redis"}
    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql/data"]
    assert "--appendonly" in services["redis"]["command"]


def test_every_variable_means_something(services: dict[str, Any]) -> None:
    ours = [each["environment"] for each in services.values() if each["image"] == "publisher:latest"]

    for variables in ours:
        assert set(variables) - OTHERS_VARIABLES <= VARIABLES


def test_every_line_of_the_example_is_used() -> None:
    text = (HERE / "docker-compose.yml").read_text(encoding="utf-8")
    example = (HERE / ".env.example").read_text(encoding="utf-8")

    for name in re.findall(r"^(\w+)=", example, re.MULTILINE):
        assert f"${{{name}:" in text, name


@pytest.mark.parametrize("missing", [*GIVEN, "PUBLISHER_MAIL_URL"])
def test_a_secret_has_no_default(missing: str) -> None:
    text = (HERE / "docker-compose.yml").read_text(encoding="utf-8")

    with pytest.raises(AssertionError, match=f"{missing} is not set: set it in .env"):
        filled_in(text, {name: value for name, value in dotenv().items() if name != missing})


def test_everything_that_runs_on_has_a_health_check_and_comes_back(services: dict[str, Any]) -> None:
    lasting = {name: each for name, each in services.items() if name != "migrate"}

    assert all("healthcheck" in each for each in lasting.values())
    assert {each["restart"] for each in lasting.values()} == {"unless-stopped"}
    assert services["migrate"]["restart"] == "no"


def test_every_queue_has_a_worker(services: dict[str, Any]) -> None:
    workers = [each for name, each in services.items() if name.startswith("worker-")]
    queues = [queue for each in workers for queue in each["command"][3].split(",")]

    assert sorted(queues) == ["articles", "channels", "dispatch", "events", "upkeep"]


class Machine:
    """This machine in place of a container engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {port: free_port() for port in ("8000", "5432", "6379", "1025")}
        self.logs: dict[str, Path] = {}

    def environment(self, service: Mapping[str, Any]) -> dict[str, str]:
        """The service's own environment: hosts and ports of this machine, the volume a folder."""
        own = {name: self._local(str(value)) for name, value in service.get("environment", {}).items()}
        search = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        extra = {"PATH": search, "PGHOST": "127.0.0.1", "PGPORT": self.ports["5432"]}
        return environment(**own, **{name: str(value) for name, value in extra.items()})

    def command(self, words: list[str]) -> list[str]:
        port, home = self.ports, self.folder
        valkey = redis_command(home / "unused.sock", home)[0]
        programs: dict[str, tuple[object, ...]] = {
            "publisher": PUBLISHER,
            "python": (sys.executable,),
            "postgres": (
                *(_program("postgres"), "-D", home / "postgres", "-k", home / "run"),
                *("-c", "listen_addresses=127.0.0.1", "-p", port["5432"]),
            ),
            "pg_isready": (_program("pg_isready"),),
            "valkey-server": (valkey, "--port", port["6379"], "--bind", "127.0.0.1", "--dir", home / "redis"),
            "valkey-cli": (shutil.which("valkey-cli") or "redis-cli", "-p", port["6379"]),
        }
        program, *arguments = words
        return [*map(str, programs[program]), *(self._local(each) for each in arguments)]

    def _local(self, text: str) -> str:
        text = re.sub(r"@postgres:5432|(?<=//)redis:6379|(?<=//)mail:1025", self._address, text)
        text = re.sub(r"0\.0\.0\.0(?=:|$)", "127.0.0.1", text)
        text = re.sub(
            r"^(127\.0\.0\.1:)?(8000|1025)$", lambda found: (found[1] or "") + str(self.ports[found[2]]), text
        )
        return re.sub(r"^/data", str(self.folder / "data"), text)

    def _address(self, found: re.Match[str]) -> str:
        return ("@" if found[0][0] == "@" else "") + f"127.0.0.1:{self.ports[found[0][-4:]]}"

    @contextmanager
    def running(self, name: str, service: Mapping[str, Any]) -> Iterator[None]:
        log = self.folder / f"{name}.log"
        account = _account(self.folder / "run") if name == "postgres" else {}
        with log.open("wb") as stream:
            process = subprocess.Popen(
                self.command(service["command"]),
                env=self.environment(service),
                stdout=stream,
                stderr=stream,
                cwd=self.folder,
                **account,
            )
        try:
            if name == "migrate":
                assert process.wait(timeout=60) == 0, log.read_text()
            else:
                self._wait_until_healthy(process, name, service, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)

    def _wait_until_healthy(
        self, process: "subprocess.Popen[bytes]", name: str, service: Mapping[str, Any], log: Path
    ) -> None:
        until = time.monotonic() + HEALTHY_WITHIN_S
        while not self.is_healthy(service):
            assert process.poll() is None, f"{name} has ended:\n{log.read_text()}"
            assert time.monotonic() < until, f"{name} did not become healthy:\n{log.read_text()}"
            time.sleep(0.1)

    def is_healthy(self, service: Mapping[str, Any]) -> bool:
        kind, *words = service["healthcheck"]["test"]
        assert kind == "CMD"
        checked = subprocess.run(
            self.command(words), env=self.environment(service), capture_output=True, timeout=30, check=False
        )
        return checked.returncode == 0

    def prepare_postgres(self, service: Mapping[str, Any]) -> None:
        """What the image's entry point does: make the cluster, and the database that the environment names."""
        for part in ("postgres", "run", "redis", "data"):
            (self.folder / part).mkdir()
        account = _account(self.folder / "postgres")
        _account(self.folder / "run")
        user = service["environment"]["POSTGRES_USER"]
        init = [_program("initdb"), "--auth=trust", f"--username={user}", "--encoding=UTF8", "--no-sync"]
        init += ["-D", str(self.folder / "postgres")]
        subprocess.run(init, check=True, capture_output=True, timeout=60, cwd=self.folder, **account)

    def make_database(self, service: Mapping[str, Any]) -> None:
        of = service["environment"]
        address = {"host": "127.0.0.1", "port": self.ports["5432"], "user": of["POSTGRES_USER"]}
        with psycopg.connect(**address, dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {of['POSTGRES_DB']}")


@pytest.mark.slow
def test_every_service_becomes_healthy_and_a_mail_gets_through(services: dict[str, Any]) -> None:
    """The whole deployment at once: a reader subscribes, and the catcher gets the confirmation mail."""
    assert sorted(ORDER) == sorted(services)
    with tempfile.TemporaryDirectory(prefix="publisher-compose-") as name, ExitStack() as running:
        folder = Path(name)
        folder.chmod(0o755)
        machine = Machine(folder)
        try:
            machine.prepare_postgres(services["postgres"])
        except AbsentError as problem:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(problem))
        for each in ORDER:
            running.enter_context(machine.running(each, services[each]))
            if each == "postgres":
                machine.make_database(services[each])

        said = subprocess.run(
            [*PUBLISHER, "mailing-list", "add", "readers"],
            env=machine.environment(services["web"]),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert "readers" in said.stdout
        asked = [*PUBLISHER, "subscriber", "add", "reader@example.org", "--mailing-list", "readers"]
        subprocess.run(asked, env=machine.environment(services["web"]), timeout=60, check=True)
        caught = wait_for_mail(folder / "data" / "outbox" / "new")

        assert b"reader@example.org" in caught
        assert services["redis"]["healthcheck"]["test"][1:] == ["valkey-cli", "ping"]


def wait_for_mail(folder: Path) -> bytes:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for file in folder.glob("*.eml"):
            return file.read_bytes()
        time.sleep(0.1)
    message = "the catcher has caught nothing"
    raise AssertionError(message)


def test_a_health_check_notices_what_is_not_there(services: dict[str, Any], tmp_path: Path) -> None:
    """A check that cannot fail would keep a dead container in service."""
    machine = Machine(tmp_path)

    for name in ("web", "worker-dispatch", "beat", "mail", "redis"):
        assert not machine.is_healthy(services[name]), name

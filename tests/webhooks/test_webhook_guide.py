"""What docs/webhooks.md tells receivers to do is done here, with what a newsroom sent."""

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from publisher.clock import utc_now
from publisher.webhooks import flow
from publisher.webhooks.model import Happening
from tests.syndication.websub.subscriber import Received, Subscriber
from tests.webhooks.conftest import House

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")


def code(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(found)


@pytest.fixture
def got(house: House, receiver: Subscriber) -> tuple[str, str, Received]:
    """A webhook of this moment, with the secret of before and the one of now."""
    house.clock.now = utc_now()
    added = house.add(receiver.callback(), Happening.ARTICLE_PUBLISHED)
    new = flow.rotate_secret(house.room.database, added.endpoint.id, clock=house.clock)
    house.articles("한옥 – “Hanok”")
    house.tell(settled=False)
    return added.secret, new, receiver.got[0]


def test_the_python_of_the_guide_verifies(got: tuple[str, str, Received]) -> None:
    former, new, received = got
    space: dict[str, Any] = {}
    exec(code("python"), space)  # the guide's own text

    for secret in (former, new):
        assert space["is_genuine"](secret, received.headers, received.body)
        assert not space["is_genuine"](secret, received.headers, received.body + b" ")
    old = received.headers | {"webhook-timestamp": str(int(time.time()) - 400)}
    assert not space["is_genuine"](new, old, received.body)


def test_the_shell_of_the_guide_verifies(got: tuple[str, str, Received], tmp_path: Path) -> None:
    _, new, received = got
    named = {name.upper().replace("-", "_"): value for name, value in received.headers.items() if "webhook" in name}

    for body, said in ((received.body, "genuine\n"), (received.body + b" ", "")):
        (tmp_path / "body.json").write_bytes(body)
        ran = subprocess.run(
            ["sh", "-c", code("sh")],
            env=os.environ | named | {"SECRET": new},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.stdout, ran.stderr) == (said, "")


def test_the_guide_names_every_event() -> None:
    assert all(f"`{each}`" in GUIDE for each in Happening)

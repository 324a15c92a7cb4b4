"""What can be told of the look without looking."""

import re
import tomllib

import pytest

from publisher.compose.colour import contrast, parse
from publisher.rendering import FOLDER

STYLES = (FOLDER / "web" / "static" / "site.css").read_text(encoding="utf-8")
OF_TEXT = 4.5
"""WCAG 2.2, 1.4.3: contrast of text of ordinary size."""
OF_A_CONTROL = 3.0
"""WCAG 2.2, 1.4.11: contrast of what shows where a control is."""
TEXTS = [(text, ground) for text in ("ink", "soft", "accent") for ground in ("paper", "tint", "card")]


def scheme(name: str) -> dict[str, str]:
    """Return the colours of one scheme; the dark one stands second."""
    blocks = re.findall(r":root \{(.*?)\n\s*\}", STYLES, re.DOTALL)
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", blocks[["light", "dark"].index(name)]))


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [*TEXTS, ("accent-ink", "accent")])
def test_every_text_can_be_read_on_its_ground(name: str, text: str, ground: str) -> None:
    colours = scheme(name)

    assert contrast(parse(colours[text]), parse(colours[ground])) >= OF_TEXT


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "tint", "card"])
def test_where_the_focus_is_can_be_seen(name: str, ground: str) -> None:
    colours = scheme(name)

    assert contrast(parse(colours["focus"]), parse(colours[ground])) >= OF_A_CONTROL


def test_the_house_has_the_same_ink_in_its_mails() -> None:
    """A reader who comes from a mail should know where he is."""
    theme = tomllib.loads((FOLDER / "email" / "theme.toml").read_text(encoding="utf-8"))

    for name in ("light", "dark"):
        assert scheme(name)["ink"] == theme[name]["ink"]
        assert scheme(name)["card"] in {theme[name]["card"], "#fff"}


def test_nothing_is_fetched_for_the_look() -> None:
    assert "url(" not in STYLES
    assert "@import" not in STYLES
    assert "@font-face" not in STYLES

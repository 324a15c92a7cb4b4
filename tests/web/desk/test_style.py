"""What can be told of the desk's look without looking."""

import re

import pytest

from publisher.compose.colour import contrast, parse
from publisher.rendering import FOLDER

OF_TEXT = 4.5
"""WCAG 2.2, 1.4.3: contrast of text of ordinary size."""
OF_A_CONTROL = 3.0
"""WCAG 2.2, 1.4.11: contrast of what shows where a control is."""
GROUNDS = ("paper", "tint", "card")
TEXTS = [(text, ground) for text in ("ink", "soft", "accent", "bad") for ground in GROUNDS]
TONES = [(tone, f"{tone}-tint") for tone in ("good", "warn", "bad", "busy")]


def scheme(file: str, name: str) -> dict[str, str]:
    """Return the colours of one scheme of a style sheet; the dark one stands second."""
    styles = (FOLDER / file).read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\n\s*\}", styles, re.DOTALL)
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", blocks[["light", "dark"].index(name)]))


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), [*TEXTS, *TONES, ("accent-ink", "accent"), ("warn", "card")])
def test_every_text_can_be_read_on_its_ground(name: str, text: str, ground: str) -> None:
    colours = scheme("desk/static/desk.css", name)

    assert contrast(parse(colours[text]), parse(colours[ground])) >= OF_TEXT


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("line", ["focus", "edge"])
def test_where_a_control_is_can_be_seen(name: str, ground: str, line: str) -> None:
    colours = scheme("desk/static/desk.css", name)

    assert contrast(parse(colours[line]), parse(colours[ground])) >= OF_A_CONTROL


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_desk_is_in_the_same_house(name: str) -> None:
    house, desk = scheme("web/static/site.css", name), scheme("desk/static/desk.css", name)

    shared = ("paper", "card", "tint", "ink", "soft", "rule", "accent", "accent-ink", "focus")
    assert {each: desk[each] for each in shared} == {each: house[each] for each in shared}

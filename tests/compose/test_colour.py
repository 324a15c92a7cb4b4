import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.compose.colour import ENOUGH, accent, contrast, parse
from publisher.errors import InputError
from publisher.rendering import theme

colours = st.binary(min_size=3, max_size=3).map(lambda raw: f"#{raw.hex()}")


def test_contrast_is_what_the_guideline_says() -> None:
    """#767676 is the well-known lightest grey that passes on white."""
    assert contrast(parse("#000"), parse("#ffffff")) == pytest.approx(21)
    assert contrast(parse("#767676"), parse("#fff")) == pytest.approx(4.54, abs=0.01)
    assert contrast(parse("#777777"), parse("#fff")) < ENOUGH


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "card", "tint"])
@pytest.mark.parametrize("letters", ["ink", "muted"])
def test_every_text_of_the_theme_can_be_read_on_every_ground(scheme: str, ground: str, letters: str) -> None:
    colours = theme()[scheme]

    assert contrast(parse(colours[letters]), parse(colours[ground])) >= ENOUGH


@given(colours)
def test_any_accent_becomes_one_that_can_be_read(chosen: str) -> None:
    """An editor may choose pale yellow; links, kickers and buttons must be legible all the same."""
    light, dark = theme()["light"], theme()["dark"]

    found = accent(chosen, light_ground=light["tint"], dark_ground=dark["tint"])

    assert all(contrast(parse(found.light), parse(light[ground])) >= ENOUGH for ground in ("card", "tint"))
    assert contrast(parse(found.light), parse("#ffffff")) >= ENOUGH  # the letters on a button
    assert all(contrast(parse(found.dark), parse(dark[ground])) >= ENOUGH for ground in ("card", "tint", "page"))


def test_an_accent_that_can_be_read_is_left_alone() -> None:
    assert accent("#B5332E", light_ground="#ffffff", dark_ground="#000000").light == "#b5332e"


@pytest.mark.parametrize("text", ["", "red", "#12", "#12345g", "#fff;}body{display:none", "#fff\n", "b5332e"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a colour"):
        parse(text)

import re
from dataclasses import dataclass
from functools import lru_cache

from publisher.errors import InputError

ENOUGH = 4.5
"""WCAG 2.2, 1.4.3: contrast of text of ordinary size."""
HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
STEPS = 100
NEARLY_BLACK = 0.04045
"""Below it sRGB is linear (IEC 61966-2-1)."""

Rgb = tuple[int, int, int]
BLACK: Rgb = (0, 0, 0)
WHITE: Rgb = (255, 255, 255)


@dataclass(frozen=True, kw_only=True)
class Accent:
    """An edition's accent, as near to the chosen colour as text that can be read allows."""

    light: str
    """On the light grounds, and under white letters."""
    dark: str
    """On the dark grounds, and under nearly black letters."""


@lru_cache(maxsize=256)
def accent(chosen: str, *, light_ground: str, dark_ground: str) -> Accent:
    """
    Return an accent for both schemes.

    Args:
        chosen: The editor's colour.
        light_ground: The darkest of the light grounds that it stands on.
        dark_ground: The lightest of the dark grounds.

    Raises:
        InputError: The colour is not written as #rrggbb or #rgb.

    """
    colour = parse(chosen)
    return Accent(
        light=_hex(_readable(colour, parse(light_ground), towards=BLACK)),
        dark=_hex(_readable(colour, parse(dark_ground), towards=WHITE)),
    )


def parse(text: str) -> Rgb:
    """Read #rrggbb or #rgb. Raises InputError."""
    if not HEX.fullmatch(text):
        raise InputError(f"{text!r} is not a colour; write it like #b5332e")
    digits = text[1:] if len(text) == len("#rrggbb") else "".join(2 * digit for digit in text[1:])
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _readable(colour: Rgb, ground: Rgb, *, towards: Rgb) -> Rgb:
    for step in range(STEPS):
        mixed = _mix(colour, towards, step / STEPS)
        if contrast(mixed, ground) >= ENOUGH:
            return mixed
    return towards


def _mix(colour: Rgb, towards: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, towards, strict=True))
    return red, green, blue


def _luminance(colour: Rgb) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2, "relative luminance")."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= NEARLY_BLACK else ((channel + 0.055) / 1.055) ** 2.4


def _hex(colour: Rgb) -> str:
    return "#" + bytes(colour).hex()

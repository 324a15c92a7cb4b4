"""
The plots of a report: where each bar stands. `templates/desk/plots.html` draws them.

Jinja writes the SVG, as it writes all our pages: every word in it is escaped, and its colours are classes of the style
sheet, so that it stands under our policy (no inline style, no script) and is right in the dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, log10

from publisher.dispatch.figures import Figures, Line
from publisher.events.clicks import LinkClicks

WIDTH = 400
"""Of every plot; about as many pixels as a phone has, so that its letters are as large as they are meant to be."""
HEIGHT = 150
TOP = 8
LEFT = 46
RIGHT = 6
BELOW = 20
ROW = 22
NAMES = 150
NAME_CHARACTERS = 24
AMOUNT = 46
LINKS_AT_MOST = 20


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar that stands, or one that lies, with its number."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class TimePlot:
    """Deliveries over time."""

    bars: list[Bar]
    ticks: list[tuple[float, int]]
    """Where a line goes across, and the number that it stands for."""
    marks: list[tuple[float, str, datetime]]
    """Where a time stands below, and how it is anchored there."""
    rows: list[tuple[datetime, int]]
    """The numbers, without the empty spans."""
    span: timedelta
    precision: str
    peak: tuple[datetime, int]
    total: int
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, kw_only=True)
class BarRow:
    """One row of a plot with its numbers."""

    label: str
    short: str
    good: int
    bad: int
    good_bar: Bar
    bad_bar: Bar
    number_x: float
    text_y: float


@dataclass(frozen=True, kw_only=True)
class BarPlot:
    """Numbers by name, the largest first."""

    id: str
    title: str
    told: str
    rows: list[BarRow]
    left_out: int
    height: int
    width: int = WIDTH


@dataclass(frozen=True, kw_only=True)
class Plots:
    """Everything that a report can draw; None where there is nothing to draw."""

    counted_at: datetime | None
    time: TimePlot | None
    domains: BarPlot | None
    reasons: BarPlot | None
    links: BarPlot | None

    @property
    def is_any(self) -> bool:
        return any((self.time, self.domains, self.reasons, self.links))


def plots_of(figures: Figures | None, links: Sequence[LinkClicks]) -> Plots:
    return Plots(
        counted_at=figures.counted_at if figures else None,
        time=_time_plot(figures) if figures and figures.by_time else None,
        domains=_bars(
            "domains",
            "By domain",
            "The ends of the readers’ addresses with the most deliveries.",
            [(each.label or "All others", each.sent, each.failed) for each in figures.by_domain] if figures else [],
        ),
        reasons=_bars("reasons", "Why it failed", "As the other side’s mail servers told us.", _reasons(figures)),
        links=_bars(
            "clicks",
            "Clicks",
            "How often each link of the mail was followed, by readers and by programs that look like browsers.",
            [(each.url, each.clicks, 0) for each in sorted(links, key=lambda each: (-each.clicks, each.number))],
        ),
    )


def _reasons(figures: Figures | None) -> list[tuple[str, int, int]]:
    lines: Sequence[Line] = figures.by_reason if figures else ()
    return [(each.label or "Other reasons", 0, each.failed) for each in lines]


def _time_plot(figures: Figures) -> TimePlot:
    numbers = [number for _, number in figures.by_time]
    top, step = _scale(max(numbers))
    slot = (WIDTH - LEFT - RIGHT) / len(numbers)
    tall = HEIGHT - TOP - BELOW
    bars = [
        Bar(
            x=round(LEFT + place * slot, 2),
            y=round(TOP + tall * (1 - number / top), 2),
            width=round(max(slot - 1, slot * 0.8), 2) if len(numbers) > 1 else min(slot, 40),
            height=round(tall * number / top, 2),
        )
        for place, number in enumerate(numbers)
        if number
    ]
    ticks = [(round(TOP + tall * (1 - value / top), 2), value) for value in range(0, top + 1, step)]
    first, last = figures.by_time[0][0], figures.by_time[-1][0]
    marks = [(float(LEFT), "start", first)]
    if len(numbers) > 1:
        marks.append((float(WIDTH - RIGHT), "end", last + figures.span))
    return TimePlot(
        bars=bars,
        ticks=ticks,
        marks=marks,
        rows=[(at, number) for at, number in figures.by_time if number],
        span=figures.span,
        precision=_precision(figures.span, last - first),
        peak=max(figures.by_time, key=lambda each: each[1]),
        total=sum(numbers),
    )


def _precision(span: timedelta, whole: timedelta) -> str:
    if whole > timedelta(hours=20):
        return "day"
    return "minute" if span >= timedelta(minutes=1) else "second"


def _scale(most: int) -> tuple[int, int]:
    """Return the top of a scale and the step of its lines: 1, 2 or 5 times a power of ten, some four of them."""
    power = 10 ** max(0, int(log10(max(most, 1) / 4)) if most > 4 else 0)  # noqa: PLR2004 -- four lines
    step = next(power * each for each in (1, 2, 5, 10) if power * each * 4 >= most)
    return max(step, ceil(most / step) * step), step


def _bars(name: str, title: str, told: str, numbers: list[tuple[str, int, int]]) -> BarPlot | None:
    if not any(good or bad for _, good, bad in numbers) and name != "clicks":
        return None
    if not numbers:
        return None
    shown = numbers[:LINKS_AT_MOST]
    most = max(good + bad for _, good, bad in shown) or 1
    room = WIDTH - NAMES - AMOUNT - RIGHT
    rows = [_row(place, row, room / most) for place, row in enumerate(shown)]
    return BarPlot(
        id=name, title=title, told=told, rows=rows, left_out=len(numbers) - len(shown), height=len(rows) * ROW + 4
    )


def _row(place: int, row: tuple[str, int, int], scale: float) -> BarRow:
    label, good, bad = row
    y, thick = place * ROW + 5, ROW - 9
    good_wide, bad_wide = round(good * scale, 2), round(bad * scale, 2)
    return BarRow(
        label=label,
        short=_shortened(label),
        good=good,
        bad=bad,
        good_bar=Bar(x=NAMES, y=y, width=good_wide, height=thick),
        bad_bar=Bar(x=NAMES + good_wide, y=y, width=bad_wide, height=thick),
        number_x=round(NAMES + good_wide + bad_wide + 5, 2),
        text_y=y + thick - 2.5,
    )


def _shortened(label: str) -> str:
    """Return the end of a name that is too long for its place, without what all addresses begin with."""
    bare = label.removeprefix("https://").removeprefix("http://").removeprefix("www.")
    if len(bare) <= NAME_CHARACTERS:
        return bare
    if bare == label:
        return f"{bare[: NAME_CHARACTERS - 1]}…"
    return f"…{bare[1 - NAME_CHARACTERS :]}"

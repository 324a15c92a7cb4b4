"""Values that fill in what a test is not about."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from publisher.archive import flow as archive
from publisher.archive.accept import Accepted
from publisher.clock import Clock
from publisher.database import Database
from publisher.intake.flow import HandIn, hand_in
from publisher.intake.model import Draft, Section
from publisher.settings import Settings, load

TUESDAY = datetime(2026, 6, 2, 8, 0, tzinfo=UTC)
DOMAIN = "news.example"


def a_draft(**values: Any) -> Draft:
    """A submission about the jeonse system, unless said otherwise."""
    usual = Draft(
        title="How Jeonse Works",
        sections=(
            Section(heading="", html="<p>A tenant hands over a deposit. The landlord keeps the interest.</p>"),
            Section(heading="Why It Lasts", html="<p>Interest rates were high for decades.</p>"),
        ),
        guide=Section(heading="Foreign Fans’ Guide", html="<p>Ask who pays the maintenance fee.</p>"),
        summary="Korea’s deposit system, explained.",
        language="en",
        authors=("Kim Minji",),
        topics=("society",),
    )
    return replace(usual, **values)


def handed_in(database: Database, drafts: Sequence[Draft], *, clock: Clock, origin: str = "api") -> list[Accepted]:
    """Hand in and let the archive accept."""
    ids = hand_in(database, [HandIn(draft=draft) for draft in drafts], origin=origin, clock=clock)
    accepted = archive.accept_these(database, ids, domain=DOMAIN, clock=clock)
    return [accepted[each] for each in ids]


def settings_in(folder: Path, **variables: str) -> Settings:
    """The settings of a newsroom whose data is in a folder."""
    return load({"PUBLISHER_DATA_DIR": str(folder)} | {f"PUBLISHER_{name}": value for name, value in variables.items()})

"""Every table of every stage, for migrations and tests: importing this fills `publisher.database.metadata`."""

from publisher.acts import act
from publisher.archive import search, tables
from publisher.audience import tables as audience_tables
from publisher.compose import tables as compose_tables
from publisher.database import metadata
from publisher.dispatch import tables as dispatch_tables
from publisher.editors import tables as editors_tables
from publisher.events import tables as events_tables
from publisher.intake import tables as intake_tables
from publisher.related import tables as related_tables
from publisher.syndication import tables as syndication_tables
from publisher.syndication.websub import tables as websub_tables
from publisher.turn import stage_turn
from publisher.webhooks import tables as webhooks_tables

STAGES = (
    intake_tables,
    tables,
    search,
    related_tables,
    compose_tables,
    syndication_tables,
    websub_tables,
    dispatch_tables,
    events_tables,
    audience_tables,
    editors_tables,
    webhooks_tables,
)
__all__ = ["STAGES", "act", "metadata", "stage_turn"]

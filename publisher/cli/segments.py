from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from publisher.cli.show import AsJson, print_json, show, show_one
from publisher.errors import InputError

if TYPE_CHECKING:
    from publisher.audience.segments import Segment

app = typer.Typer(no_args_is_help=True)

DAY = ["%Y-%m-%d"]


@app.command("list")
def list_segments(as_json: AsJson = False) -> None:
    """List the segments by name."""
    from publisher.audience import segment_store
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        found = segment_store.segments_saved(connection)
    if as_json:
        print_json([_row(each) for each in found])
        return
    empty = "There is no segment. Add one: publisher segment add korea --name 'Readers in Korea' --country KR"
    show(({"slug": each.slug, "name": each.name} for each in found), as_json=False, empty=empty)


@app.command("add")
def add(
    slug: Annotated[str, typer.Argument(help="Short name; small letters, digits and hyphens.")],
    name: Annotated[str, typer.Option(help="What editors see; made from the short one if left out.")] = "",
    language: Annotated[list[str], typer.Option("--language", help="Such as en. May be repeated.")] = [],
    country: Annotated[list[str], typer.Option("--country", help="Of the time zone, such as KR. Repeatable.")] = [],
    time_zone: Annotated[list[str], typer.Option("--time-zone", help="Such as Asia/Seoul. May be repeated.")] = [],
    topic: Annotated[list[str], typer.Option("--topic", help="That the reader chose. May be repeated.")] = [],
    mailing_list: Annotated[list[str], typer.Option("--also-on", help="Slug of a mailing list. May be repeated.")] = [],
    joined_after: Annotated[datetime | None, typer.Option(formats=DAY, help="This day or later.")] = None,
    joined_before: Annotated[datetime | None, typer.Option(formats=DAY, help="Before this day.")] = None,
    clicked_within_days: Annotated[int | None, typer.Option(help="Followed a link lately.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a segment: who meets all conditions belongs to it; of several values in one it is enough to meet one."""
    from publisher.audience import rules, segment_store, segments
    from publisher.wiring import newsroom

    conditions = segments.checked(
        segments.Conditions(
            languages=tuple(language),
            countries=tuple(country),
            time_zones=tuple(time_zone),
            topics=tuple(topic),
            mailing_lists=tuple(mailing_list),
            joined_after=joined_after.date() if joined_after else None,
            joined_before=joined_before.date() if joined_before else None,
            clicked_within_days=clicked_within_days,
        )
    )
    if not rules.is_list_slug(slug):
        raise InputError(f"{slug!r} cannot be a short name; small letters, digits and single hyphens can.")
    room, now = newsroom(), newsroom().now()
    with room.database.transaction() as connection:
        long_name = segments.clean_segment_name(name or slug.replace("-", " ").capitalize())
        added = segment_store.add_segment(connection, slug=slug, name=long_name, conditions=conditions, now=now)
        number = segment_store.count(connection, conditions, now=now)
    if as_json:
        print_json(_row(added))
    else:
        print(f"{added.name} holds {_told(number)}. publisher edition change SLUG --segment {slug} sends to them only.")


@app.command("show")
def show_segment(slug: Annotated[str, typer.Argument(help="Slug.")], as_json: AsJson = False) -> None:
    """Show who belongs to a segment, and how many they are now."""
    from publisher.audience import segment_store
    from publisher.wiring import newsroom

    room = newsroom()
    with room.database.reading() as connection:
        found = segment_store.segment_named(connection, slug)
        number = segment_store.count(connection, found.conditions, now=room.now())
    row = _row(found)
    show_one(row | {"subscribers": number} if as_json else _flat(row) | {"subscribers": _told(number)}, as_json=as_json)


@app.command("remove")
def remove(slug: Annotated[str, typer.Argument(help="Slug.")]) -> None:
    """Remove a segment to which no edition goes; its readers stay."""
    from publisher.audience import segment_store
    from publisher.compose import store as compose
    from publisher.wiring import newsroom

    with newsroom().database.transaction() as connection:
        compose.remove_segment(connection, segment_store.segment_named(connection, slug))
    print(f"{slug} is no longer a segment.")


def _told(number: int) -> str:
    from publisher.audience.segment_store import COUNTED_AT_MOST

    if number >= COUNTED_AT_MOST:
        return f"{number:,} subscribers or more"
    return "1 subscriber" if number == 1 else f"{number:,} subscribers"


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    told = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in row["conditions"].items()
    }
    return {"slug": row["slug"], "name": row["name"]} | told


def _row(found: "Segment") -> dict[str, Any]:
    from publisher.audience.segments import to_json

    return {"slug": found.slug, "name": found.name, "conditions": to_json(found.conditions)}

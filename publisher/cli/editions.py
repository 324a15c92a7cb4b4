from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer

from publisher.cli.show import AsJson, print_json, show, show_one
from publisher.errors import InputError

app = typer.Typer(no_args_is_help=True)

SlugArgument = Annotated[str, typer.Argument(help="Slug of an edition.")]
SlotArgument = Annotated[str, typer.Argument(help="The slot, as the cadence gives it: such as 2026-12-07T08:00+09:00.")]
MoveTo = Annotated[str, typer.Option("--to", help="Move it there: such as 2026-12-08T08:00+09:00.")]
LeaveOut = Annotated[bool, typer.Option("--leave-out", help="No issue comes of it.")]
PutBack = Annotated[bool, typer.Option("--put-back", help="It comes as the cadence says.")]

Kind = TypeVar("Kind", bound=StrEnum)

TRACKING = "What is counted of links that readers follow: off, totals or 'per reader'."
SUBJECT = "With slots, such as '{{ lead_title }}'; empty: made from the articles."
FURNITURE = "Language of what stands around the articles, for readers who have chosen none: en or ko."
ACCENT = "Colour of bars, buttons and links, such as '#b5332e'."
LOGO = "Address of a picture that stands at the head of a mail; empty: the site's name."
FOOTER = "What stands at the foot of each mail, above the sender's address."
ARRIVAL = "'together', or 'local time': at the cadence's time of day by each reader's own clock."
SEGMENT = "Slug of a segment: only these of the mailing list's readers. '' for all."
IN_DOUBT = "A mail whose answer never came: 'send again' or hold it for an editor."


@app.command("add")
def add(
    slug: Annotated[str, typer.Argument(help="Short name; it stands in addresses.")],
    kind: Annotated[str, typer.Option(help="alert, digest or guide")],
    mailing_list: Annotated[str, typer.Option("--mailing-list", help="Slug of the mailing list it goes to.")],
    name: Annotated[str, typer.Option(help="What readers see; made from the slug if left out.")] = "",
    cadence: Annotated[str, typer.Option(help="Such as 'mon 08:00 Asia/Seoul'; none: drafted by hand only.")] = "",
    topic: Annotated[list[str], typer.Option("--topic", help="Only articles of this topic. May be repeated.")] = [],
    language: Annotated[list[str], typer.Option("--language", help="Only articles in it. May be repeated.")] = [],
    at_least: Annotated[int, typer.Option(min=1, help="Fewer articles: the issue is skipped.")] = 1,
    at_most: Annotated[int, typer.Option(min=1, max=100, help="More articles: the leads only.")] = 12,
    approval: Annotated[str, typer.Option(help="automatic or editor")] = "automatic",
    stale_after_hours: Annotated[int, typer.Option(min=1, help="Later than this it is no news.")] = 12,
    tracking: Annotated[str, typer.Option(help=TRACKING)] = "totals",
    in_doubt: Annotated[str, typer.Option(help=IN_DOUBT)] = "send again",
    arrival: Annotated[str, typer.Option(help=ARRIVAL)] = "together",
    segment: Annotated[str, typer.Option(help=SEGMENT)] = "",
    subject: Annotated[str, typer.Option(help=SUBJECT)] = "",
    furniture: Annotated[str, typer.Option(help=FURNITURE)] = "en",
    accent: Annotated[str, typer.Option(help=ACCENT)] = "#b5332e",
    logo: Annotated[str, typer.Option(help=LOGO)] = "",
    footer: Annotated[str, typer.Option(help=FOOTER)] = "",
    as_json: AsJson = False,
) -> None:
    """Add an edition: something published again and again."""
    from publisher.audience import store as audience
    from publisher.audience.segment_store import segment_named
    from publisher.compose import cadence as cadences
    from publisher.compose import store
    from publisher.compose.arrival import check_arrival
    from publisher.compose.looks import check_look
    from publisher.compose.model import Approval, Arrival, Edition, EditionId, EditionKind, InDoubt, Tracking
    from publisher.wiring import newsroom

    room = newsroom()
    with room.database.transaction() as connection:
        edition = Edition(
            id=EditionId(0),
            slug=_slug(slug),
            name=name or slug.replace("-", " ").capitalize(),
            kind=_one_of(EditionKind, kind, "kind of edition"),
            mailing_list_id=audience.mailing_list_named(connection, mailing_list).id,
            cadence=cadences.parse(cadence) if cadence else None,
            topics=tuple(topic),
            languages=tuple(language),
            at_least=at_least,
            at_most=at_most,
            approval=_one_of(Approval, approval, "way of approval"),
            stale_after=timedelta(hours=stale_after_hours),
            tracking=_one_of(Tracking, tracking, "way of tracking"),
            in_doubt=_one_of(InDoubt, in_doubt, "answer to a doubt"),
            arrival=_one_of(Arrival, arrival, "way of arrival"),
            segment_id=segment_named(connection, segment).id if segment else None,
            subject=subject,
            language=furniture,
            accent=accent,
            logo=logo,
            footer=footer,
        )
        check_look(edition)
        check_arrival(edition)
        added = store.add_edition(connection, edition, now=room.now())
    if as_json:
        print_json(_row(added))
    else:
        print(f"{added.id:>6}  {added.slug}")


@app.command("list")
def list_editions(as_json: AsJson = False) -> None:
    """List the editions and when their next issue is due."""
    from publisher.compose import store
    from publisher.wiring import newsroom

    room = newsroom()
    with room.database.reading() as connection:
        now = room.now()
        rows = [
            {**_row(each), "next_slot_at": _next_slot(connection, each, now)} for each in store.editions(connection)
        ]
    show(
        rows,
        as_json=as_json,
        empty="There is no edition. Add one: publisher edition add weekly --kind digest --mailing-list readers",
    )


@app.command("show")
def show_edition(slug: Annotated[str, typer.Argument(help="Slug.")], as_json: AsJson = False) -> None:
    """Show one edition."""
    from publisher.compose import store
    from publisher.wiring import newsroom

    room = newsroom()
    with room.database.reading() as connection:
        found = store.edition_named(connection, slug)
        next_slot_at = _next_slot(connection, found, room.now())
    row = _row(found) | {
        "next_slot_at": next_slot_at,
        "topics": list(found.topics),
        "languages": list(found.languages),
        "at_least": found.at_least,
        "at_most": found.at_most,
        "stale_after_hours": found.stale_after.total_seconds() / 3600,
        "language": found.language,
        "accent": found.accent,
        "logo": found.logo,
        "footer": found.footer,
        "subject": found.subject,
    }
    show_one(row, as_json=as_json)


@app.command("change")
def change(
    slug: Annotated[str, typer.Argument(help="Slug.")],
    name: Annotated[str | None, typer.Option(help="What readers see.")] = None,
    cadence: Annotated[str | None, typer.Option(help="Such as 'mon 08:00 Asia/Seoul'; '' for none.")] = None,
    approval: Annotated[str | None, typer.Option(help="automatic or editor")] = None,
    at_least: Annotated[int | None, typer.Option(min=1, help="Fewer articles: the issue is skipped.")] = None,
    at_most: Annotated[int | None, typer.Option(min=1, max=100, help="More articles: the leads only.")] = None,
    stale_after_hours: Annotated[int | None, typer.Option(min=1, help="Later than this it is no news.")] = None,
    tracking: Annotated[str | None, typer.Option(help=TRACKING)] = None,
    in_doubt: Annotated[str | None, typer.Option(help=IN_DOUBT)] = None,
    arrival: Annotated[str | None, typer.Option(help=ARRIVAL)] = None,
    segment: Annotated[str | None, typer.Option(help=SEGMENT)] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="Only articles in it; '' for all.")] = None,
    subject: Annotated[str | None, typer.Option(help=SUBJECT)] = None,
    furniture: Annotated[str | None, typer.Option(help=FURNITURE)] = None,
    accent: Annotated[str | None, typer.Option(help=ACCENT)] = None,
    logo: Annotated[str | None, typer.Option(help=LOGO)] = None,
    footer: Annotated[str | None, typer.Option(help=FOOTER)] = None,
    active: Annotated[bool | None, typer.Option("--active/--stopped", help="Whether it makes issues.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change an edition's rules; what is not named stays, and so does what is approved already."""
    from dataclasses import replace

    from publisher.audience.segment_store import segment_named
    from publisher.compose import cadence as cadences
    from publisher.compose import store
    from publisher.compose.arrival import check_arrival
    from publisher.compose.looks import check_look
    from publisher.compose.model import Approval, Arrival, InDoubt, Tracking
    from publisher.wiring import newsroom

    given: dict[str, Any] = {
        "name": name,
        "approval": _one_of(Approval, approval, "way of approval") if approval is not None else None,
        "at_least": at_least,
        "at_most": at_most,
        "stale_after": timedelta(hours=stale_after_hours) if stale_after_hours is not None else None,
        "tracking": _one_of(Tracking, tracking, "way of tracking") if tracking is not None else None,
        "in_doubt": _one_of(InDoubt, in_doubt, "answer to a doubt") if in_doubt is not None else None,
        "arrival": _one_of(Arrival, arrival, "way of arrival") if arrival is not None else None,
        "is_active": active,
        "languages": tuple(filter(None, language)) if language else None,
        "subject": subject,
        "language": furniture,
        "accent": accent,
        "logo": logo,
        "footer": footer,
    }
    changes = {field: value for field, value in given.items() if value is not None}
    if cadence is not None:
        changes["cadence"] = cadences.parse(cadence) if cadence else None
    if not changes and segment is None:
        raise InputError("Say what to change, such as --tracking off; publisher edition change --help lists it.")
    with newsroom().database.transaction() as connection:
        if segment is not None:
            changes["segment_id"] = segment_named(connection, segment).id if segment else None
        changed = replace(store.edition_named(connection, slug), **changes)
        check_look(changed)
        check_arrival(changed)
        store.change_edition(connection, changed)
    show_one(_row(changed), as_json=as_json)


@app.command("slot")
def turn_slot(
    slug: SlugArgument, slot: SlotArgument, to: MoveTo = "", leave_out: LeaveOut = False, put_back: PutBack = False
) -> None:
    """Move one slot to come, or leave it out, once; the cadence stays."""
    from publisher.cli.issues import instant
    from publisher.compose import timetable
    from publisher.wiring import newsroom

    room = newsroom()
    what = timetable.Turn(slot_turn(to=to, leave_out=leave_out, put_back=put_back))
    there = instant(to) if to else None
    edition = timetable.turn(room.database, slug, instant(slot), what, to=there, clock=room.now)
    with room.database.reading() as connection:
        at = timetable.next_slot(connection, edition, room.now())
    print(f"The next slot of {slug} comes at {at:%Y-%m-%d %H:%M} UTC." if at else f"{slug} has no slot within a year.")


def slot_turn(*, to: str, leave_out: bool, put_back: bool) -> str:
    """Return what becomes of a slot, in the API's word. Raises InputError."""
    chosen = [word for word, is_wanted in (("move", to), ("leave out", leave_out), ("put back", put_back)) if is_wanted]
    if len(chosen) != 1:
        raise InputError("Say one: --to, --leave-out or --put-back.")
    return chosen[0]


def _one_of(kinds: type[Kind], word: str, what: str) -> Kind:
    if word not in set(kinds):
        raise InputError(f"{word!r} is no {what}; there are {', '.join(kinds)}.")
    return kinds(word)


def _slug(text: str) -> str:
    from slugify import slugify

    if text != slugify(text):
        raise InputError(f"{text!r} cannot be a slug; {slugify(text) or 'weekly'!r} can.")
    return text


def _next_slot(connection: Any, edition: Any, now: Any) -> Any:
    from publisher.compose import timetable

    return timetable.next_slot(connection, edition, now)


def _row(edition: Any) -> dict[str, Any]:
    from publisher.compose import cadence as cadences

    return {
        "id": edition.id,
        "slug": edition.slug,
        "name": edition.name,
        "kind": edition.kind.value,
        "cadence": cadences.describe(edition.cadence) if edition.cadence else None,
        "approval": edition.approval.value,
        "tracking": edition.tracking.value,
        "in_doubt": edition.in_doubt.value,
        "arrival": edition.arrival.value,
        "segment_id": edition.segment_id,
        "is_active": edition.is_active,
    }

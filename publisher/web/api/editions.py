from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.engine import Connection

from publisher.audience import store as audience
from publisher.audience.model import MailingListId
from publisher.audience.segment_store import segment_named, segment_of
from publisher.compose import cadence as cadences
from publisher.compose import store, timetable
from publisher.compose.arrival import check_arrival
from publisher.compose.looks import check_look
from publisher.compose.model import Edition, EditionId
from publisher.errors import InputError
from publisher.web.api.access import MAY_READ_ISSUES, MAY_WRITE_ISSUES, ONLY_JSON
from publisher.web.api.articles import Limit
from publisher.web.api.forms import EditionChange, EditionForm, EditionRules, Editions, EditionShown, SlotForm
from publisher.web.api.matching import TAGGED, IfMatch, etag
from publisher.web.cursors import page_of
from publisher.web.parts import Room
from publisher.wiring import Newsroom

router = APIRouter(prefix="/editions", tags=["Editions"])

AN_HOUR = timedelta(hours=1)


@router.get("", response_model=Editions, dependencies=[MAY_READ_ISSUES])
def list_editions(room: Room, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """List the editions by slug, and when their next issues are due."""
    with room.database.reading() as connection:
        page, after = page_of(store.editions(connection), lambda each: each.slug, limit=limit, cursor=cursor)
        return {"data": [_shown(connection, room, each) for each in page], "next": after}


@router.get("/{slug}", response_model=EditionShown, responses={200: TAGGED}, dependencies=[MAY_READ_ISSUES])
def show_edition(room: Room, slug: str, response: Response) -> dict[str, Any]:
    """Show one edition."""
    with room.database.reading() as connection:
        found = store.edition_named(connection, slug)
        response.headers["ETag"] = _tag(found)
        return _shown(connection, room, found)


@router.put("/{slug}", response_model=EditionShown, responses={200: TAGGED}, dependencies=[MAY_WRITE_ISSUES, ONLY_JSON])
def change_edition(room: Room, slug: str, form: EditionChange, match: IfMatch, response: Response) -> dict[str, Any]:
    """Change an edition's rules. What is approved already keeps the rules that it was approved under."""
    with room.database.transaction() as connection:
        found = store.held_edition(connection, slug)
        match.check(_tag(found))
        changed = replace(found, **_rules(connection, form, found.slug), is_active=form.is_active)
        check_look(changed)
        check_arrival(changed)
        store.change_edition(connection, changed)
        response.headers["ETag"] = _tag(store.edition_named(connection, slug))
        return _shown(connection, room, changed)


@router.post("", status_code=201, response_model=EditionShown, dependencies=[MAY_WRITE_ISSUES, ONLY_JSON])
def add_edition(room: Room, form: EditionForm) -> dict[str, Any]:
    """Add an edition."""
    with room.database.transaction() as connection:
        mailing_list = audience.mailing_list_named(connection, form.mailing_list)
        edition = _edition(connection, form, mailing_list.id)
        check_look(edition)
        check_arrival(edition)
        return _shown(connection, room, store.add_edition(connection, edition, now=room.now()))


@router.post("/{slug}/slots", response_model=EditionShown, dependencies=[MAY_WRITE_ISSUES, ONLY_JSON])
def turn_slot(room: Room, slug: str, form: SlotForm) -> dict[str, Any]:
    """Move one slot to come to another time, leave it out, or put it back. The cadence stays."""
    edition = timetable.turn(room.database, slug, form.slot_at, form.do, to=form.to, clock=room.now)
    with room.database.reading() as connection:
        return _shown(connection, room, edition)


def _edition(connection: Connection, form: EditionForm, mailing_list_id: MailingListId) -> Edition:
    return Edition(
        id=EditionId(0),
        slug=form.slug,
        kind=form.kind,
        mailing_list_id=mailing_list_id,
        **_rules(connection, form, form.slug),
    )


def _tag(found: Edition) -> str:
    """Return the entity tag of an edition's rules."""
    return etag(vars(found) | {"cadence": cadences.describe(found.cadence) if found.cadence else None})


def _rules(connection: Connection, form: EditionRules, slug: str) -> dict[str, Any]:
    if form.at_least > form.at_most:
        raise InputError("An issue cannot need more articles than it may have.", "at_least")
    return {
        "name": form.name.strip() or slug.replace("-", " ").capitalize(),
        "cadence": cadences.parse(form.cadence) if form.cadence else None,
        "topics": tuple(form.topics),
        "languages": tuple(form.languages),
        "at_least": form.at_least,
        "at_most": form.at_most,
        "approval": form.approval,
        "tracking": form.tracking,
        "in_doubt": form.in_doubt,
        "arrival": form.arrival,
        "segment_id": segment_named(connection, form.segment).id if form.segment else None,
        "stale_after": form.stale_after_hours * AN_HOUR,
        "language": form.language,
        "accent": form.accent,
        "footer": form.footer,
        "logo": form.logo,
        "subject": form.subject,
    }


def _shown(connection: Connection, room: Newsroom, edition: Edition) -> dict[str, Any]:
    slugs = {each.id: each.slug for each in audience.mailing_lists(connection)}
    return {
        "id": edition.id,
        "slug": edition.slug,
        "name": edition.name,
        "kind": edition.kind,
        "mailing_list": slugs[edition.mailing_list_id],
        "cadence": cadences.describe(edition.cadence) if edition.cadence else None,
        "topics": edition.topics,
        "languages": edition.languages,
        "at_least": edition.at_least,
        "at_most": edition.at_most,
        "approval": edition.approval,
        "tracking": edition.tracking,
        "in_doubt": edition.in_doubt,
        "arrival": edition.arrival,
        "segment": segment_of(connection, edition.segment_id).slug if edition.segment_id else None,
        "stale_after_hours": edition.stale_after / AN_HOUR,
        "language": edition.language,
        "accent": edition.accent,
        "footer": edition.footer,
        "logo": edition.logo,
        "subject": edition.subject,
        "is_active": edition.is_active,
        "next_slot_at": timetable.next_slot(connection, edition, room.now()),
    }

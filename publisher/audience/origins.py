"""
The files that other systems write about people, known by their columns. Pure; nothing is read here but one row.

Sources, as of 2026:
    listmonk: `cmd/subscribers.go`, the header that ExportSubscribers writes.
    Ghost: the members export, `id,email,name,note,subscribed_to_emails,complimentary_plan,…,deleted_at,labels,tiers`.
    Mailchimp: one file each of people who are subscribed (LAST_CHANGED), have left (UNSUB_TIME, UNSUB_REASON) and
    cannot be reached (CLEAN_TIME), all with LEID and EUID.
    Substack: `email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at`.
"""

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from publisher.audience import rules
from publisher.audience.merge import ENDED, Person
from publisher.audience.model import SuppressionReason
from publisher.errors import ImportFileError, InputError

Cell = Callable[[str], str]
"""Gives what stands in a column of the row at hand; nothing where there is no such column."""

_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?(?:\s.*)?", re.ASCII
)
_ABUSE = re.compile(r"spam|abuse|complain", re.IGNORECASE)
_YES = frozenset({"true", "t", "yes", "1"})
_NO = frozenset({"false", "f", "no", "0"})
STORED = "%Y-%m-%d %H:%M:%S.000000"
"""How an instant travels with a person: in UTC, ordered as text, as SQLite keeps it."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """That somebody is not to be mailed."""

    what: str
    """ENDED, or a reason for a suppression."""
    at: str = ""
    detail: str = ""


STAYS = Fate(what="")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A system that people move from."""

    name: str
    marks: tuple[frozenset[str], ...]
    """Columns, as `csv_table` writes them; a header that has all of one set is of this system."""
    needed: tuple[str, ...]
    """One of these must be there, too: they tell who has left."""
    lacking: str
    """What to do where none is."""
    joined: tuple[str, ...]
    """When somebody subscribed: the first that is filled."""
    fate: Callable[[Cell, Collection[str]], Fate]
    """Whether somebody has left, of a row and the columns that there are."""
    others: tuple[str, ...] = ()
    """What is read besides."""

    @property
    def read(self) -> frozenset[str]:
        return frozenset({*_OF_ALL, *self.needed, *self.joined, *self.others})

    def person(self, cell: Cell, columns: Collection[str]) -> Person:
        """Return who a row is about. Raises InputError."""
        email = rules.normalise_email(cell("email"))
        fate = self.fate(cell, columns)
        attributes = _attributes(cell("attributes"))
        name = cell("name") or f"{cell('firstname')} {cell('lastname')}"
        zone = cell("timezone") or _text(attributes, "timezone", "time_zone", "tz")
        return Person(
            rules.email_key(email),
            email,
            rules.clean_name(name),
            _language(cell("language") or _text(attributes, "language", "lang", "locale")),
            _time_zone(zone),
            next((found for column in self.joined if (found := instant(cell(column)))), ""),
            rules.origin_truncated(cell("confirmip") or cell("optinip")),
            fate.what,
            fate.at,
            rules.clean_line(rules.without_addresses(fate.detail), rules.NAME_AT_MOST),
        )


_OF_ALL = ("email", "name", "firstname", "lastname", "language", "timezone", "confirmip", "optinip")


def instant(text: str) -> str:
    """Return an instant as STORED, or "" for what is none; without a zone it is UTC."""
    found = _INSTANT.fullmatch(text.strip())
    if not found:
        return ""
    day, time, zone = found.groups()
    try:
        read = datetime.fromisoformat(f"{day} {time or '00:00'}{zone or '+00:00'}")
        return read.astimezone(UTC).strftime(STORED).rjust(len("2026-01-01 00:00:00.000000"), "0")
    except (ValueError, OverflowError):
        return ""


def origin_of(columns: Collection[str]) -> Origin | None:
    """
    Return the system whose export has these columns; None: our own form, or any table of people.

    Raises:
        ImportFileError: It is of a system, and does not tell who has left.

    """
    there = frozenset(columns)
    found = next((each for each in ORIGINS if any(marks <= there for marks in each.marks)), None)
    if found is not None and there.isdisjoint(found.needed):
        raise ImportFileError(f"This looks like an export of {found.name}, but {found.lacking}", "line 1")
    return found


def _of_listmonk(cell: Cell, _columns: Collection[str]) -> Fate:
    status = cell("status").lower()
    if status == "enabled":
        return STAYS
    if status in {"disabled", "blocklisted"}:
        at, detail = instant(cell("updatedat")), f"{status.capitalize()} at listmonk."
        return Fate(what=SuppressionReason.MANUAL, at=at, detail=detail)
    raise InputError("The status is none of enabled, disabled and blocklisted.")


def _of_mailchimp(cell: Cell, columns: Collection[str]) -> Fate:
    if "cleantime" in columns:
        detail = "Cleaned by Mailchimp: mail came back."
        return Fate(what=SuppressionReason.BOUNCED, at=instant(cell("cleantime")), detail=detail)
    if "unsubtime" in columns:
        reason, at = cell("unsubreason"), instant(cell("unsubtime"))
        if _ABUSE.search(reason):
            detail = f"Reported as spam at Mailchimp: {reason}"
            return Fate(what=SuppressionReason.COMPLAINED, at=at, detail=detail)
        return Fate(what=ENDED, at=at)
    if not cell("confirmtime") and not cell("optintime"):
        raise InputError("Mailchimp knows no time at which this person subscribed: a contact without a yes.")
    return STAYS


def _of_substack(cell: Cell, _columns: Collection[str]) -> Fate:
    return Fate(what=ENDED) if _is(cell, "emaildisabled", "email_disabled") else STAYS


def _of_ghost(cell: Cell, _columns: Collection[str]) -> Fate:
    if cell("deletedat"):
        return Fate(what=ENDED, at=instant(cell("deletedat")))
    return STAYS if _is(cell, "subscribedtoemails", "subscribed_to_emails") else Fate(what=ENDED)


def _of_publisher(cell: Cell, _columns: Collection[str]) -> Fate:
    if cell("suppressed") in set(SuppressionReason):
        return Fate(what=cell("suppressed"), detail="Suppressed where this list comes from.")
    return Fate(what=ENDED, at=instant(cell("endedat"))) if cell("state") == "unsubscribed" else STAYS


def _is(cell: Cell, column: str, written: str) -> bool:
    said = cell(column).lower()
    if said not in _YES | _NO:
        raise InputError(f"In the column {written} stands neither true nor false.")
    return said in _YES


ORIGINS = (
    Origin(
        name="Mailchimp",
        marks=(frozenset({"leid"}), frozenset({"euid"}), frozenset({"memberrating", "optintime"})),
        needed=("lastchanged", "unsubtime", "cleantime"),
        lacking=(
            "no column tells whether these people are subscribed (LAST_CHANGED), have left (UNSUB_TIME) or cannot be "
            "reached (CLEAN_TIME). Export the audience once more, and change nothing in its files."
        ),
        joined=("confirmtime", "optintime"),
        fate=_of_mailchimp,
        others=("unsubreason",),
    ),
    Origin(
        name="Substack",
        marks=(frozenset({"activesubscription"}),),
        needed=("emaildisabled",),
        lacking=(
            "the column email_disabled, which tells who has left, is missing. Take the file email_list.….csv out "
            "of the export under Settings, and change nothing in it."
        ),
        joined=("createdat",),
        fate=_of_substack,
    ),
    Origin(
        name="Ghost",
        marks=(frozenset({"subscribedtoemails"}), frozenset({"complimentaryplan"}), frozenset({"stripecustomerid"})),
        needed=("subscribedtoemails",),
        lacking=(
            "the column subscribed_to_emails, which tells who has left, is missing. Export the members once more, and "
            "change nothing in the file."
        ),
        joined=("createdat",),
        fate=_of_ghost,
        others=("deletedat",),
    ),
    Origin(
        name="listmonk",
        marks=(frozenset({"uuid", "attributes"}), frozenset({"uuid", "updatedat"})),
        needed=("status",),
        lacking=(
            "the column status, which tells who must not be mailed, is missing. Export the subscribers once more, and "
            "change nothing in the file."
        ),
        joined=("createdat",),
        fate=_of_listmonk,
        others=("attributes", "updatedat"),
    ),
    Origin(
        name="Publisher",
        marks=(frozenset({"mailinglist", "confirmedat"}),),
        needed=("state",),
        lacking="the column state, which tells who has left, is missing. Export the mailing list once more.",
        joined=("confirmedat",),
        fate=_of_publisher,
        others=("suppressed", "endedat"),
    ),
)


@lru_cache(maxsize=1000)
def _language(text: str) -> str:
    """What another system calls a language is kept where it is one, and costs nobody the place on the list."""
    try:
        return rules.language_tag(text)
    except InputError:
        return ""


def _time_zone(text: str) -> str:
    """Mailchimp writes America/New_york."""
    return _zones_in_small_letters().get(text.strip().lower(), "") if text else ""


@cache
def _zones_in_small_letters() -> dict[str, str]:
    return {each.lower(): each for each in rules.time_zones()}


def _attributes(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(attributes: dict[str, Any], *names: str) -> str:
    return next((found for name in names if isinstance(found := attributes.get(name), str)), "")

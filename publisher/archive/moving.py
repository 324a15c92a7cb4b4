"""How the posts of another system become articles: each once, and none of them as news."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from publisher.archive.accept import Acceptance
from publisher.archive.flow import accept_these
from publisher.archive.tables import article
from publisher.clock import Clock
from publisher.database import Database
from publisher.intake.flow import HandIn, hand_in
from publisher.intake.model import Draft
from publisher.intake.moving import LeftOut

AT_ONCE = 50
REFUSED_SHOWN = 1_000


@dataclass(kw_only=True)
class MoveReport:
    """What became of the posts of a file; the four numbers make up all of them."""

    added: int = 0
    known: int = 0
    """Here already, from an earlier import: they stay as they are, with all that editors have changed since."""
    left_out: int = 0
    """Drafts, pages and the like, which were never public."""
    refused: int = 0
    refusals: tuple[LeftOut, ...] = ()
    """The first of them."""

    @property
    def posts(self) -> int:
        return self.added + self.known + self.left_out + self.refused


def take_in(
    database: Database,
    posts: Iterable[Draft | LeftOut],
    *,
    origin: str,
    domain: str,
    clock: Clock,
    progress: Callable[[int], None] | None = None,
) -> MoveReport:
    """
    Take posts into the archive, some at a time; doing it again changes nothing.

    They keep the day on which they were published: so they stand where they belong in lists and feeds, are found and
    linked, and are too old for an alert, for the window of an issue that is to come, and for a webhook.

    Raises:
        SubmissionError: The file is damaged from here on; what stands above is taken in.

    """
    report = MoveReport()
    waiting = iter(posts)
    while some := list(islice(waiting, AT_ONCE)):
        drafts = {each.external_id: each for each in some if isinstance(each, Draft)}
        known = _known(database, drafts)
        new = [HandIn(draft=draft) for key, draft in drafts.items() if key not in known]
        ids = hand_in(database, new, origin=origin, clock=clock) if new else []
        endings = accept_these(database, ids, domain=domain, clock=clock) if ids else {}
        report.added += sum(1 for each in ids if each not in endings or endings[each].acceptance is Acceptance.NEW)
        _note(report, some)
        report.known += len(some) - sum(1 for _ in _left(some)) - len(ids)
        if progress is not None:
            progress(report.posts)
    return report


def _known(database: Database, keys: Iterable[str]) -> set[str]:
    wanted = sa.select(article.c.identity).where(article.c.identity.in_([f"id:{key}" for key in keys]))
    with database.reading() as connection:
        return {each.removeprefix("id:") for each in connection.scalars(wanted)}


def _note(report: MoveReport, some: Iterable[Draft | LeftOut]) -> None:
    for each in _left(some):
        report.refused += each.is_refused
        report.left_out += not each.is_refused
        if each.is_refused and len(report.refusals) < REFUSED_SHOWN:
            report.refusals = (*report.refusals, each)


def _left(some: Iterable[Draft | LeftOut]) -> Iterator[LeftOut]:
    return (each for each in some if isinstance(each, LeftOut))

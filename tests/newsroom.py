"""A whole newsroom for tests of flows: settings, database, readers, an edition, articles, a transport."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from publisher.archive.model import ArticleId
from publisher.audience import flow as audience
from publisher.audience.model import How, MailingListId
from publisher.audience.tables import mailing_list, subscriber, subscription
from publisher.audience.tokens import Signer
from publisher.clock import Clock, utc_now
from publisher.compose import flow as compose
from publisher.compose import store
from publisher.compose.model import Edition, EditionId, EditionKind, IssueId
from publisher.database import Database, metadata
from publisher.dispatch.sending import Dispatcher
from publisher.dispatch.transports.transport import Transport
from publisher.migrations import all_tables
from publisher.settings import Settings
from tests.builders import a_draft, handed_in, settings_in

assert all_tables
_owners = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Room:
    """An open newsroom with one edition, `weekly`, on the mailing list `readers`."""

    settings: Settings
    database: Database
    clock: Clock

    def readers(self, number: int) -> list[str]:
        """Put confirmed readers on the mailing list, and return their addresses."""
        addresses = [f"reader{each}@readers.example" for each in range(1, number + 1)]
        now = self.clock()
        with self.database.transaction() as connection:
            list_id = connection.execute(sa.select(mailing_list.c.id)).scalar_one()
            rows = [
                {
                    "email": each,
                    "email_key": each,
                    "name": f"Reader {place}",
                    "language": "en",
                    "time_zone": "",
                    "created_at": now,
                }
                for place, each in enumerate(addresses, start=1)
            ]
            connection.execute(sa.insert(subscriber), rows)
            ids = list(connection.scalars(sa.select(subscriber.c.id).order_by(subscriber.c.id)))
            values = {"mailing_list_id": list_id, "state": "confirmed", "asked_from": "", "confirmed_at": now}
            connection.execute(sa.insert(subscription), [{"subscriber_id": each, **values} for each in ids])
        return addresses

    def reader(self, address: str) -> None:
        yes = audience.Yes(how=How.CLI)
        audience.add_subscriber(self.database, email=address, lists=["readers"], yes=yes, clock=self.clock)

    def articles(self, *titles: str) -> list[ArticleId]:
        drafts = [a_draft(external_id=title, title=title) for title in titles]
        return [each.article_id for each in handed_in(self.database, drafts, clock=self.clock)]

    def approved_issue(self, *, subject: str = "") -> IssueId:
        ids = self.articles("How Jeonse Works", "Kimjang Day")
        draft = compose.draft_issue(
            self.database, self.settings, "weekly", article_ids=ids, subject=subject, clock=self.clock
        )
        return compose.approve(self.database, self.settings, draft.id, clock=self.clock).id

    def dispatcher(self, transport: Transport) -> Dispatcher:
        """Another worker, with a name of its own."""
        return Dispatcher(
            database=self.database,
            transport=transport,
            signer=Signer(self.settings.secret_key),
            settings=self.settings,
            clock=self.clock,
            owner=f"worker {next(_owners)}",
        )


@contextmanager
def open_room(folder: Path, *, database_url: str = "", clock: Clock = utc_now, **variables: str) -> Iterator[Room]:
    """Open a newsroom whose data is in a folder; SQLite unless a database is named."""
    settings = settings_in(folder, **variables)
    database = Database(database_url or settings.database_url, secret_key=settings.secret_key)
    metadata.create_all(database.engine)
    audience.add_mailing_list(database, slug="readers", name="Readers", clock=clock)
    with database.transaction() as connection:
        list_id = connection.execute(sa.select(mailing_list.c.id)).scalar_one()
        store.add_edition(connection, an_edition(MailingListId(list_id)), now=clock())
    yield Room(settings=settings, database=database, clock=clock)
    database.close()


def an_edition(list_id: MailingListId, kind: EditionKind = EditionKind.DIGEST) -> Edition:
    return Edition(
        id=EditionId(0),
        slug="weekly",
        name="The Weekly",
        kind=kind,
        mailing_list_id=list_id,
        cadence=None,
        stale_after=timedelta(hours=12),
    )

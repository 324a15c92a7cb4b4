import os
import socket
from collections.abc import Mapping
from functools import cache, cached_property
from threading import Event
from typing import TYPE_CHECKING

from publisher import settings as settings_module
from publisher.audience.tokens import Signer
from publisher.bell import Bell
from publisher.clock import Clock, utc_now
from publisher.database import Database
from publisher.dispatch.pace import UNHURRIED, Pace
from publisher.dispatch.sending import Dispatcher
from publisher.dispatch.transports.choose import outbox_in, transport_for
from publisher.dispatch.transports.transport import Transport
from publisher.pulse import Pulse, client
from publisher.settings import Settings
from publisher.troubles import Troubles

if TYPE_CHECKING:
    from publisher.dispatch.transports.outbox import OutboxTransport
    from publisher.events.fetching import BounceMailbox
    from publisher.related.sense import Embed
    from publisher.syndication.model import Site

stopping = Event()
"""Set when this process is asked to end; long turns look at it."""


class Newsroom:
    """
    The parts of a running Publisher, put together once for each process, each when it is first wanted.

    What only some processes want is imported with it: a worker that sends carries no feeds and no mailbox.
    """

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.now = clock

    @cached_property
    def database(self) -> Database:
        return Database(self.settings.database_url, secret_key=self.settings.secret_key)

    @cached_property
    def bell(self) -> Bell:
        return Bell(self.settings.redis_url)

    @cached_property
    def pulse(self) -> Pulse:
        return Pulse(self.settings.redis_url)

    @cached_property
    def troubles(self) -> Troubles:
        return Troubles(self.settings.redis_url)

    @cached_property
    def signer(self) -> Signer:
        return Signer(self.settings.secret_key)

    @cached_property
    def bounces(self) -> "BounceMailbox | None":
        """The mailbox that bounces come back to; None where none is set."""
        from publisher.dispatch.return_path import return_paths
        from publisher.events.fetching import BounceMailbox

        paths = return_paths(self.signer, self.settings.bounce_address)
        return BounceMailbox(self.settings.bounce_imap_url, paths) if paths and self.settings.bounce_imap_url else None

    @property
    def site(self) -> "Site":
        from publisher.syndication.model import Site
        from publisher.syndication.websub.model import HUB_PATH

        settings = self.settings
        return Site(
            base_url=settings.base_url,
            site_name=settings.site_name,
            domain=settings.domain,
            hubs=(f"{settings.base_url}{HUB_PATH}", *settings.websub_hubs),
        )

    @property
    def outbox(self) -> "OutboxTransport":
        """The outbox in the data folder, whether mails are written to it or not."""
        return outbox_in(self.settings.data_dir)

    @cached_property
    def transport(self) -> Transport:
        return transport_for(self.settings.mail_url, self.settings.data_dir)

    @property
    def embed(self) -> "Embed":
        from publisher.related.sense import embedder

        return embedder(self.settings.embeddings)

    @property
    def _pace(self) -> Pace:
        rate = self.settings.mail_rate_per_s
        return Pace(rate, client=client(self.settings.redis_url), key=self.transport.name) if rate else UNHURRIED

    @cached_property
    def dispatcher(self) -> Dispatcher:
        return Dispatcher(
            database=self.database,
            transport=self.transport,
            signer=self.signer,
            settings=self.settings,
            clock=self.now,
            owner=f"{socket.gethostname()}/{os.getpid()}",
            pace=self._pace,
            should_stop=stopping.is_set,
        )


def open_newsroom(environment: Mapping[str, str] | None = None) -> Newsroom:
    """Put the parts together from the settings. Raises SettingsError."""
    return Newsroom(settings_module.load(environment))


@cache
def newsroom() -> Newsroom:
    """Return this process's newsroom; made at the first call, so after a fork."""
    return open_newsroom()

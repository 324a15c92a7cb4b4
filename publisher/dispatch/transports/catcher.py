from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Self

from publisher.dispatch.model import Sent
from publisher.dispatch.transports.outbox import OutboxTransport


class Catcher:
    """
    A mail server that delivers nothing: what it is sent it puts into the outbox, for the desk to show.

    For trying out a deployment that has no mail server yet; `python -m aiosmtpd --class` runs it.
    """

    def __init__(self, outbox: OutboxTransport) -> None:
        self._outbox = outbox

    @classmethod
    def from_cli(cls, parser: ArgumentParser, *arguments: str) -> Self:
        """Return one for the folder that the command line names."""
        if len(arguments) != 1:
            parser.error("The catcher needs the outbox's folder.")
        return cls(OutboxTransport(Path(arguments[0])))

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd calls it so
        outcome = self._outbox.send_one(envelope.mail_from, ", ".join(envelope.rcpt_tos), envelope.content)
        return "250 Caught" if isinstance(outcome, Sent) else "451 The outbox cannot be written"

from collections.abc import Sequence
from typing import Protocol

from publisher.dispatch.message import CompiledMessage
from publisher.dispatch.model import Envelope, Outcome


class Transport(Protocol):
    """
    A mechanism that moves messages.

    A transport never raises for what a server or the network does: a way that is blocked gives `Untried` for every
    message that did not leave us. It keeps its connections between calls, and any number of threads may call it.
    """

    name: str

    def open(self) -> None:
        """Get ready; connects to nothing yet. Opening twice changes nothing."""

    def close(self) -> None:
        """Let go of everything. Messages still waiting in another thread come back untried."""

    def send_all(self, message: CompiledMessage, envelopes: Sequence[Envelope]) -> Sequence[Outcome]:
        """
        Send one copy per envelope; return the outcomes in the same order.

        Raises:
            ValueError: An envelope lacks a slot's value; nothing was sent.

        """
        ...

    def send_one(self, sender: str, address: str, raw: bytes) -> Outcome:
        """Send one finished message (RFC 5322) to one address, such as a confirmation or a test to oneself."""
        ...

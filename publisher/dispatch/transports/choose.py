from pathlib import Path
from urllib.parse import urlsplit

from publisher.dispatch.transports.outbox import OutboxTransport
from publisher.dispatch.transports.smtp import SmtpTransport
from publisher.dispatch.transports.smtp_url import VARIABLE, smtp_settings
from publisher.dispatch.transports.transport import Transport
from publisher.errors import SettingsError


def transport_for(url: str, data_dir: Path) -> Transport:
    """
    Return the transport that a mail URL names; it connects to nothing before it is used.

    Raises:
        SettingsError: The URL names none, or holds a wrong option.

    """
    scheme = urlsplit(url).scheme
    if scheme == "outbox":
        return outbox_in(data_dir)
    if scheme in {"smtp", "smtps"}:
        return SmtpTransport(smtp_settings(url))
    raise SettingsError(VARIABLE, "must be outbox:, or begin with smtp:// or smtps://")


def outbox_in(data_dir: Path) -> OutboxTransport:
    """Return the outbox of this data folder, for writing and for the desk's reading."""
    return OutboxTransport(data_dir / "outbox")

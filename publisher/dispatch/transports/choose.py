from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from publisher.dispatch.transports.outbox import OutboxTransport
from publisher.dispatch.transports.smtp import SmtpTransport
from publisher.dispatch.transports.smtp_url import VARIABLE, SmtpSettings, smtp_settings
from publisher.dispatch.transports.transport import Transport
from publisher.errors import InputError, SettingsError

if TYPE_CHECKING:
    from publisher.dispatch.dkim import DkimSigner


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
        settings = smtp_settings(url)
        return SmtpTransport(settings, sign=_signer(settings))
    if scheme == "sendgrid":  # imported here alone: their library is 10 MB that nobody else needs
        from publisher.dispatch.transports.sendgrid import SendGridTransport
        from publisher.dispatch.transports.sendgrid_url import sendgrid_settings

        return SendGridTransport(sendgrid_settings(url))
    raise SettingsError(VARIABLE, "must be outbox:, or begin with smtp://, smtps:// or sendgrid://")


def outbox_in(data_dir: Path) -> OutboxTransport:
    """Return the outbox of this data folder, for writing and for the desk's reading."""
    return OutboxTransport(data_dir / "outbox")


def _signer(settings: SmtpSettings) -> "DkimSigner | None":
    if settings.dkim_key is None:
        return None
    from publisher.dispatch.dkim import DkimSigner, dkim_key  # here alone: who does not sign needs no cryptography

    try:
        pem = settings.dkim_key.read_bytes()
        return DkimSigner([dkim_key(pem, domain=settings.dkim_domain, selector=settings.dkim_selector)])
    except OSError as problem:
        raise SettingsError(VARIABLE, f"has a dkim_key that cannot be read ({problem.strerror})") from None
    except InputError as problem:
        raise SettingsError(VARIABLE, f"has a wrong dkim_key: {problem.problem}") from None

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from publisher.dispatch.transports.smtp_url import VARIABLE
from publisher.errors import SettingsError

HOST = "https://api.sendgrid.com"
TIMEOUT_S = 60.0
"""The library has none of its own. A short one makes duplicates, for a request without an answer is sent again."""

_KEY = re.compile(r"[A-Za-z0-9._-]+")
_HOST = re.compile(r"(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:\d{1,5})?")
_SECONDS = re.compile(r"\d{1,4}(\.\d{1,3})?")


@dataclass(frozen=True, kw_only=True)
class SendGridSettings:
    """Everything that a SendGrid transport needs to know."""

    key: str = field(repr=False)
    host: str = HOST
    timeout_s: float = TIMEOUT_S


def sendgrid_settings(url: str) -> SendGridSettings:
    """
    Read `sendgrid://KEY?host=…&timeout=…`; both options may be left out.

    The host is a name (`api.eu.sendgrid.com`) or begins with https://; http:// is for this machine alone.

    Raises:
        SettingsError: One sentence on what is wrong; it never holds the URL, for the key is in it.

    """
    parts = urlsplit(url)
    if parts.scheme != "sendgrid" or not _KEY.fullmatch(parts.netloc) or parts.path not in {"", "/"} or parts.fragment:
        raise SettingsError(VARIABLE, "must look like sendgrid://KEY, with the key that SendGrid has given you")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = next((name for name in options if name not in {"host", "timeout"}), None)
    if unknown is not None:
        raise SettingsError(VARIABLE, f"has an option we do not know: {unknown}")
    host = options.get("host", HOST)
    host = (host if "://" in host else f"https://{host}").rstrip("/")
    if not _HOST.fullmatch(host):
        raise SettingsError(VARIABLE, "has a wrong option: host must be a name such as api.eu.sendgrid.com")
    timeout = options.get("timeout", str(TIMEOUT_S))
    if not _SECONDS.fullmatch(timeout) or float(timeout) <= 0:
        raise SettingsError(VARIABLE, "has a wrong option: timeout must be a number of seconds")
    return SendGridSettings(key=parts.netloc, host=host, timeout_s=float(timeout))

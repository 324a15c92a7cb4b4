import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from publisher.errors import SettingsError

VARIABLE = "PUBLISHER_MAIL_URL"
SUBMISSION_PORT = 587
"""RFC 6409, section 3.1."""
SUBMISSIONS_PORT = 465
"""RFC 8314, section 7.3."""
MOST_CONNECTIONS = 100


class Security(StrEnum):
    """How a connection is encrypted."""

    NEVER = "never"
    OPPORTUNISTIC = "opportunistic"
    """STARTTLS if the server offers it, whoever it is: some protection most of the time (RFC 7435)."""
    REQUIRED = "required"
    """STARTTLS, with a certificate that holds, or nothing."""
    IMPLICIT = "implicit"
    """TLS from the first byte (smtps://)."""


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """
    Seconds to wait for each answer.

    Source:
        RFC 5321, section 4.5.3.2. A shorter wait for the last one makes duplicates.

    """

    connect_s: float = 30
    greeting_s: float = 300
    command_s: float = 300
    data_s: float = 120
    final_s: float = 600
    idle_s: float = 10
    """Ours: a connection that was idle for longer is closed, for servers close them too."""


@dataclass(frozen=True, kw_only=True)
class SmtpSettings:
    """Everything an SMTP transport needs to know."""

    host: str
    port: int
    security: Security = Security.OPPORTUNISTIC
    verify: bool = True
    """Whether the server's certificate must hold; never asked for with opportunistic encryption."""
    user: str = ""
    password: str = field(default="", repr=False)
    connections: int = 4
    sender_domain: str = ""
    """What we call ourselves in EHLO; empty: this machine's name."""
    dkim_key: Path | None = None
    """A PEM file; None: we do not sign, which is the relay's work then."""
    dkim_selector: str = ""
    dkim_domain: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def name(self) -> str:
        """How logs and errors call this transport: no user, no password."""
        return f"smtp {self.host}:{self.port}"

    @property
    def may_send_password(self) -> bool:
        return self.security is not Security.OPPORTUNISTIC

    def ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self.verify or self.security is Security.OPPORTUNISTIC:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def smtp_settings(url: str) -> SmtpSettings:
    """
    Read `smtp://user:password@host:port?…` or `smtps://…`.

    Options: `starttls=required|opportunistic|never`, `verify=yes|no`, `connections=1…100`, `sender_domain=…`,
    the seconds `connect_timeout`, `timeout` (of every command), `final_timeout`, and `dkim_key=<PEM file>` with
    `dkim_selector=…` and `dkim_domain=…`. Without `starttls`, a URL with a password requires encryption and one
    without takes it where it is offered.

    Raises:
        SettingsError: One sentence on what is wrong; it never holds the URL, for there may be a password in it.

    """
    parts, port = _split(url)
    options = _options(parts.query)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise SettingsError(VARIABLE, "must hold both a user name and a password, or neither")
    settings = SmtpSettings(
        host=parts.hostname or "",
        port=port,
        security=_security(parts.scheme, options.get("starttls"), has_password=bool(password)),
        verify=options.get("verify", "yes") == "yes",
        user=user,
        password=password,
        connections=int(options.get("connections", 4)),
        sender_domain=options.get("sender_domain", ""),
        dkim_key=Path(options["dkim_key"]) if "dkim_key" in options else None,
        dkim_selector=options.get("dkim_selector", ""),
        dkim_domain=options.get("dkim_domain", ""),
        timeouts=_timeouts(options),
    )
    if user and not settings.may_send_password:
        raise SettingsError(VARIABLE, "must not say starttls=opportunistic with a password; say starttls=required")
    if len({"dkim_key", "dkim_selector", "dkim_domain"} & options.keys()) not in {0, 3}:
        raise SettingsError(VARIABLE, "must hold dkim_key, dkim_selector and dkim_domain, or none of them")
    return settings


def own_name(settings: SmtpSettings) -> str:
    """Return what to say in EHLO: a domain, or the address literal of RFC 5321, section 4.1.3."""
    name = settings.sender_domain or socket.gethostname()
    return name if "." in name and _DOMAIN.fullmatch(name) else "[127.0.0.1]"


_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_SECONDS = re.compile(r"\d{1,5}(\.\d{1,3})?")

_CHECKS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "starttls": (re.compile("required|opportunistic|never").fullmatch, "required, opportunistic or never"),
    "verify": (re.compile("yes|no").fullmatch, "yes or no"),
    "connections": (
        lambda value: re.fullmatch(r"\d{1,3}", value) and 1 <= int(value) <= MOST_CONNECTIONS,
        f"a number from 1 to {MOST_CONNECTIONS}",
    ),
    "sender_domain": (_DOMAIN.fullmatch, "a domain"),
    "dkim_domain": (_DOMAIN.fullmatch, "a domain"),
    "dkim_selector": (_DOMAIN.fullmatch, "a word such as s2026"),
    "dkim_key": (bool, "the path of a PEM file"),
    "connect_timeout": (_SECONDS.fullmatch, "a number of seconds"),
    "timeout": (_SECONDS.fullmatch, "a number of seconds"),
    "final_timeout": (_SECONDS.fullmatch, "a number of seconds"),
}


def _split(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsError(VARIABLE, "has a port or host that cannot be read") from None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"} or parts.fragment:
        raise SettingsError(VARIABLE, "must look like smtp://user:password@mail.example.org:587")
    return parts, port or (SUBMISSIONS_PORT if parts.scheme == "smtps" else SUBMISSION_PORT)


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _CHECKS:
            raise SettingsError(VARIABLE, f"has an option we do not know: {name}")
        is_fine, wanted = _CHECKS[name]
        if not is_fine(value):
            raise SettingsError(VARIABLE, f"has a wrong option: {name} must be {wanted}")
        options[name] = value
    return options


def _security(scheme: str, starttls: str | None, *, has_password: bool) -> Security:
    if scheme == "smtps":
        if starttls is not None:
            raise SettingsError(VARIABLE, "must not say starttls with smtps://, which is encrypted from the first byte")
        return Security.IMPLICIT
    if starttls is None:
        return Security.REQUIRED if has_password else Security.OPPORTUNISTIC
    return Security(starttls)


def _timeouts(options: Mapping[str, str]) -> Timeouts:
    given = {
        "connect_s": options.get("connect_timeout"),
        "greeting_s": options.get("timeout"),
        "command_s": options.get("timeout"),
        "data_s": options.get("timeout"),
        "final_s": options.get("final_timeout"),
    }
    return Timeouts(**{name: float(value) for name, value in given.items() if value is not None})

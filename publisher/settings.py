import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from publisher.errors import SettingsError

HERE = Path(__file__).resolve().parent.parent
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 -- names a host to recognise, binds nothing
SOCKET_PATH_AT_MOST = 100  # sun_path holds 108 bytes (unix(7)); the rest is room for the server's temporary name
SECRET_AT_LEAST = 24

SECRETS = ("DATABASE_URL", "REDIS_URL", "MAIL_URL", "BOUNCE_IMAP_URL", "SECRET_KEY")
VARIABLES = frozenset(
    f"PUBLISHER_{name}"
    for name in (
        *("DATA_DIR", "BASE_URL", "SITE_NAME", "MAIL_FROM", "POSTAL_ADDRESS", "ALLOW_PRIVATE_FETCH", "LOG_LEVEL"),
        *("BOUNCE_ADDRESS", "SENDGRID_WEBHOOK_KEY", "WEBSUB_HUBS"),
        "MAIL_RATE_PER_S",
        "API_RATE_PER_MINUTE",
        "EMBEDDINGS",
        *("URL", "TOKEN"),  # of a service elsewhere, for commands
        *("GRACE_S", "REQUIRE_SECOND_FACTOR"),
        *SECRETS,
        *(f"{secret}_FILE" for secret in SECRETS),
    )
)
"""Every variable that means something to us; another one with our prefix is a slip of the pen."""

MOST_MAILS_PER_S = 1_000_000
MOST_CALLS_PER_MINUTE = 9_999_999
LONGEST_GRACE_S = 3_600
MODEL_FILES = ("model.onnx", "tokenizer.json")
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set from outside, checked once at the start."""

    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    mail_url: str = field(repr=False)
    base_url: str
    """Without a slash at the end."""
    secret_key: str = field(repr=False)
    site_name: str
    mail_from: str
    postal_address: str
    allow_private_fetch: bool
    """Whether sources and feed subscribers may be on private addresses: a newsroom's own network, or a test."""
    log_level: str
    mail_rate_per_s: float = 0
    """Mails per second that all workers together may send; 0: as fast as the server takes them."""
    api_rate_per_minute: int = 1_200
    """How often one API token may ask within a minute; 0: as often as it likes."""
    grace_s: int = 60
    """How long an approval at the desk can be undone before the first mail leaves."""
    bounce_address: str = ""
    """Where mail comes back to, with a token behind a plus sign; empty: to the sender's own address."""
    bounce_imap_url: str = field(default="", repr=False)
    """The mailbox of that address; empty: nobody reads it for us."""
    sendgrid_webhook_key: str = ""
    """The public key of SendGrid's signed event webhook; empty: no events are taken."""
    require_second_factor: bool = False
    """Whether chiefs and operators must have a second factor before they do anything else at the desk."""
    websub_hubs: tuple[str, ...] = ()
    """Hubs elsewhere, which are told of every change of a feed; we have one of our own besides."""
    embeddings: str = "off"
    """Whether a sentence model helps to relate articles: off, on, or the folder of a model."""

    @property
    def is_local(self) -> bool:
        return is_local(self.base_url)

    @property
    def domain(self) -> str:
        """The domain of the sender, for Message-IDs and List-Id."""
        return parseaddr(self.mail_from)[1].rpartition("@")[2]


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """
    Read the settings from PUBLISHER_* variables, and the secret ones also from files named by PUBLISHER_*_FILE.

    Raises:
        SettingsError: One sentence that says which variable to set, and to what.

    """
    read = _reader(os.environ if environment is None else environment)
    data_dir = Path(read("DATA_DIR") or default_data_dir()).expanduser().absolute()
    base_url = _base_url(read("BASE_URL") or running_at(data_dir) or "http://127.0.0.1:8000")
    return Settings(
        data_dir=data_dir,
        database_url=_database_url(read("DATABASE_URL") or f"sqlite:///{data_dir / 'publisher.db'}"),
        redis_url=_redis_url(read("REDIS_URL") or f"redis+socket://{redis_socket(data_dir)}"),
        mail_url=_mail_url(read("MAIL_URL") or "outbox:"),
        base_url=base_url,
        secret_key=_secret_key(read("SECRET_KEY"), data_dir, base_url),
        site_name=read("SITE_NAME") or "Publisher",
        mail_from=_mail_from(read("MAIL_FROM"), base_url),
        postal_address=_postal_address(read("POSTAL_ADDRESS"), base_url),
        allow_private_fetch=_yes_or_no("ALLOW_PRIVATE_FETCH", read("ALLOW_PRIVATE_FETCH")),
        log_level=_log_level(read("LOG_LEVEL") or "info"),
        mail_rate_per_s=_rate(read("MAIL_RATE_PER_S") or "0"),
        api_rate_per_minute=_api_rate(read("API_RATE_PER_MINUTE") or "1200"),
        grace_s=_grace(read("GRACE_S") or "60"),
        bounce_address=_bounce_address(read("BOUNCE_ADDRESS")),
        bounce_imap_url=_bounce_imap_url(read("BOUNCE_IMAP_URL")),
        sendgrid_webhook_key=_sendgrid_webhook_key(read("SENDGRID_WEBHOOK_KEY")),
        require_second_factor=_yes_or_no("REQUIRE_SECOND_FACTOR", read("REQUIRE_SECOND_FACTOR")),
        websub_hubs=_websub_hubs(read("WEBSUB_HUBS")),
        embeddings=_embeddings(read("EMBEDDINGS") or "off"),
    )


def unknown(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that carry our prefix and mean nothing, for `publisher doctor` to name."""
    return sorted(name for name in environment if name.startswith("PUBLISHER_") and name not in VARIABLES)


def default_data_dir() -> Path:
    """Beside the source tree when we run from one, else below the working directory."""
    return (HERE if (HERE / "pyproject.toml").exists() else Path.cwd()) / "data"


def redis_socket(data_dir: Path) -> Path:
    """Return where the Redis of `make run` listens; the same answer in every process, short enough for a socket."""
    path = data_dir / "redis" / "redis.sock"
    if len(str(path)) <= SOCKET_PATH_AT_MOST:
        return path
    name = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    # Not TMPDIR, which a service and a terminal may each have their own of.
    return Path("/tmp") / f"publisher-{os.getuid()}-{name}" / "redis.sock"  # noqa: S108 -- `up` checks whose it is


def running_at(data_dir: Path) -> str:
    """Return where `make run` serves this data folder, or served it last; so that commands write the same addresses."""
    try:
        return (data_dir / "base-url").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def is_local(base_url: str) -> bool:
    return urlsplit(base_url).hostname in LOCAL_HOSTS


def _reader(environment: Mapping[str, str]) -> Callable[[str], str]:
    def read(name: str) -> str:
        variable = f"PUBLISHER_{name}"
        value = environment.get(variable, "").strip()
        file = environment.get(f"{variable}_FILE", "").strip() if name in SECRETS else ""
        if not file:
            return value
        if value:
            raise SettingsError(variable, f"and {variable}_FILE are both set; set one of them")
        return _text_of(file, variable)

    return read


def _text_of(file: str, variable: str) -> str:
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"{variable}_FILE", f"names a file that cannot be read ({reason}): {file}") from None
    if not text:
        raise SettingsError(f"{variable}_FILE", f"names an empty file: {file}")
    return text


def _base_url(value: str) -> str:
    """Return the site's address without a slash at the end; there is no path, for links begin at the root."""
    try:
        parts = urlsplit(value)
        is_fine = parts.port is None or parts.port > 0
    except ValueError:
        is_fine = False
    if not is_fine or parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise SettingsError("PUBLISHER_BASE_URL", "must be the site's address, such as https://news.example.org")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise SettingsError(
            "PUBLISHER_BASE_URL", "must end after the host and port: Publisher needs a host name of its own"
        )
    return value.rstrip("/")


def _database_url(value: str) -> str:
    """Return the address; a relative file would be another one for each folder that a command is typed in."""
    if not re.match(r"^(sqlite:////.+|(postgres|postgresql|postgresql\+psycopg)://.+)", value):
        problem = "must begin with sqlite://// and the whole path of a file, or with postgresql://"
        raise SettingsError("PUBLISHER_DATABASE_URL", problem)
    return value


def _redis_url(value: str) -> str:
    if not re.match(r"^(rediss?://.+|redis\+socket:///.+|unix:///.+)$", value):
        raise SettingsError("PUBLISHER_REDIS_URL", "must begin with redis://, rediss:// or redis+socket:///")
    try:
        _ = urlsplit(value).port
    except ValueError:
        raise SettingsError("PUBLISHER_REDIS_URL", "has a port that is no number below 65536") from None
    return re.sub(r"^unix:", "redis+socket:", value)


def _websub_hubs(value: str) -> tuple[str, ...]:
    hubs = tuple(dict.fromkeys(value.replace(",", " ").split()))
    if not all(re.match(r"^https?://[^/\s]+", hub) for hub in hubs):
        raise SettingsError("PUBLISHER_WEBSUB_HUBS", "must be addresses, such as https://hub.example.org/")
    return hubs


def _embeddings(value: str) -> str:
    if value.lower() in {"off", "on"}:
        return value.lower()
    if not Path(value).is_absolute() or not all(Path(value, name).is_file() for name in MODEL_FILES):
        problem = f"must be off, on, or the whole path of a folder that holds {' and '.join(MODEL_FILES)}"
        raise SettingsError("PUBLISHER_EMBEDDINGS", problem)
    return value


def _mail_url(value: str) -> str:
    if not re.match(r"^(outbox:$|smtps?://.+|sendgrid://.+)", value):
        raise SettingsError("PUBLISHER_MAIL_URL", "must be outbox:, or begin with smtp://, smtps:// or sendgrid://")
    return value


def _mail_from(value: str, base_url: str) -> str:
    if not value:
        if not is_local(base_url):
            raise SettingsError("PUBLISHER_MAIL_FROM", 'must be set, such as "Our News <news@example.org>"')
        return "Publisher <news@publisher.example>"
    address = parseaddr(value)[1]
    if not re.match(r"^[^@\s]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+$", address) or re.search(r"[\r\n]", value):
        raise SettingsError("PUBLISHER_MAIL_FROM", 'must be an address, such as "Our News <news@example.org>"')
    return value


def _bounce_address(value: str) -> str:
    """Return the address; what stands before the @ leaves room for the token (RFC 5321, section 4.5.3.1.1)."""
    if value and not re.match(r"^[A-Za-z0-9._-]{1,20}@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+$", value):
        raise SettingsError("PUBLISHER_BOUNCE_ADDRESS", "must be a short address such as bounces@news.example.org")
    return value


def _bounce_imap_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_fine = parts.port is None or parts.port > 0
    except ValueError:
        is_fine = False
    if value and not (is_fine and parts.scheme in {"imap", "imaps"} and parts.hostname and parts.password):
        raise SettingsError("PUBLISHER_BOUNCE_IMAP_URL", "must look like imaps://user:password@imap.example.org/INBOX")
    if parts.scheme == "imap" and not is_local(value):
        raise SettingsError("PUBLISHER_BOUNCE_IMAP_URL", "must begin with imaps://, for a password is in it")
    return value


def _sendgrid_webhook_key(value: str) -> str:
    """Return the key as SendGrid shows it: a P-256 public key, 91 bytes of DER in base64 without its two rulers."""
    if value and not re.match(r"^MFkw[A-Za-z0-9+/]{118}==$", value):
        problem = "must be the public key that SendGrid shows beside the signed event webhook"
        raise SettingsError("PUBLISHER_SENDGRID_WEBHOOK_KEY", problem)
    return value


def _postal_address(value: str, base_url: str) -> str:
    if value or is_local(base_url):
        return value or "Publisher, 1 Example Street, Seoul"
    raise SettingsError("PUBLISHER_POSTAL_ADDRESS", "must be set: the law wants it at the foot of every newsletter")


def _rate(value: str) -> float:
    try:
        rate = float(value)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= MOST_MAILS_PER_S:
        raise SettingsError(
            "PUBLISHER_MAIL_RATE_PER_S",
            "must be a number of mails per second, such as 14; 0: no limit",
        )
    return rate


def _api_rate(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= len(str(MOST_CALLS_PER_MINUTE))):
        problem = "must be a whole number of API requests a minute and token, such as 1200; 0: no limit"
        raise SettingsError("PUBLISHER_API_RATE_PER_MINUTE", problem)
    return int(value)


def _grace(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and int(value[:9]) <= LONGEST_GRACE_S):
        raise SettingsError(
            "PUBLISHER_GRACE_S", f"must be whole seconds from 0 to {LONGEST_GRACE_S}, such as 60; 0: none"
        )
    return int(value)


def _yes_or_no(name: str, value: str) -> bool:
    if value.lower() in {"", "0", "no", "false", "off"}:
        return False
    if value.lower() in {"1", "yes", "true", "on"}:
        return True
    raise SettingsError(f"PUBLISHER_{name}", "must be yes or no")


def _log_level(value: str) -> str:
    if value.lower() in LOG_LEVELS:
        return value.lower()
    raise SettingsError("PUBLISHER_LOG_LEVEL", f"must be one of {', '.join(LOG_LEVELS)}")


def _secret_key(value: str, data_dir: Path, base_url: str) -> str:
    """Return the given key; on one's own machine a key made once and kept in the data folder will do."""
    if value:
        if len(value) < SECRET_AT_LEAST:
            raise SettingsError("PUBLISHER_SECRET_KEY", f"must have at least {SECRET_AT_LEAST} characters")
        return value
    if not is_local(base_url):
        problem = "must be set to a random text of your own, such as the output of: openssl rand -hex 32"
        raise SettingsError("PUBLISHER_SECRET_KEY", problem)
    return _kept_key(data_dir / "secret_key")


def _kept_key(path: Path) -> str:
    try:
        if path.exists():
            return _whole_key(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        try:
            os.write(handle, secrets.token_hex(32).encode())
            os.fsync(handle)
            os.close(handle)
            os.link(name, path)  # the first of several processes wins, and nobody reads half a key
        except FileExistsError:
            pass
        finally:
            Path(name).unlink()
        return _whole_key(path)
    except OSError as problem:
        reason = f"names a folder that cannot be written ({problem.strerror}): {path.parent}"
        raise SettingsError("PUBLISHER_DATA_DIR", reason) from None


def _whole_key(path: Path) -> str:
    key = path.read_text(encoding="ascii")
    if len(key) < SECRET_AT_LEAST:
        raise SettingsError("PUBLISHER_SECRET_KEY", f"is not set and the key kept in {path} is damaged; remove it")
    return key

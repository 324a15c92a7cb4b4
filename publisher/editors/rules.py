import re
import unicodedata
from datetime import datetime, timedelta

from publisher.editors.model import Attempts
from publisher.errors import InputError

PASSWORD_AT_LEAST = 12
PASSWORD_AT_MOST = 1_000
DIFFERENT_AT_LEAST = 5
EMAIL_AT_MOST = 254  # RFC 5321, section 4.5.3.1.3, less the two angle brackets
NAME_AT_MOST = 200

SESSION_IDLE = timedelta(hours=12)
"""A session ends when nobody uses it for so long ..."""
SESSION_AT_MOST = timedelta(days=14)
"""... and in any case after this."""
SEEN_EVERY = timedelta(minutes=5)
"""How exactly a session knows when it was used; so that not every page view is a write."""
LINK_LIFE = timedelta(minutes=15)
STEP_LIFE = timedelta(minutes=10)
"""So long the code may come after the password."""
INVITATION_LIFE = timedelta(days=7)
"""An invitation waits for its reader over a weekend."""
TOKEN_USED_EVERY = timedelta(minutes=1)

FREE_FAILURES = 5
FIRST_WAIT = timedelta(seconds=30)
WAIT_AT_MOST = timedelta(hours=1)
FORGET_FAILURES = timedelta(hours=24)
FAILURES_NOTED_EVERY = timedelta(hours=1)
"""So that who guesses for days cannot fill the record."""

_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
"""Each names those that follow as well, so the order counts."""
_SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad")),
    *(("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux")),
)
_EMAIL = re.compile(r"[!-?A-~]+@[!-?A-~]+", re.ASCII)  # printable ASCII; an editor's own address, who can ask for help
_UNPRINTABLE = re.compile(r"[^!-~]", re.ASCII)


def editor_email(text: str) -> str:
    """Return an editor's address without blanks around it. Raises InputError."""
    found = text.strip()
    if not _EMAIL.fullmatch(found) or len(found) > EMAIL_AT_MOST:
        raise InputError("This is not an email address.")
    return found


def email_key(text: str) -> str:
    """Return what an address is looked up by, whatever was typed."""
    return _UNPRINTABLE.sub("?", text.strip().lower()[:EMAIL_AT_MOST])


def one_line(text: str) -> str:
    """Return a name without control characters; it may be empty."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:NAME_AT_MOST].rstrip()


def password_bytes(password: str) -> bytes:
    """Return what is hashed: the same for every keyboard that writes these letters (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def browser_named(user_agent: str) -> str:
    """Return what an editor calls her browser: `Firefox on Windows`; we keep no more of what it says of itself."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def check_password(password: str, *, email: str) -> None:
    """
    Refuse a password that is guessed at once.

    Length counts, not kinds of characters (NIST SP 800-63B, section 5.1.1.2, which asks for 8; we ask for 12).

    Raises:
        InputError: One sentence that says what to change.

    """
    if len(password) < PASSWORD_AT_LEAST:
        raise InputError(f"A password has at least {PASSWORD_AT_LEAST} characters. A few words in a row are fine.")
    if len(password) > PASSWORD_AT_MOST:
        raise InputError(f"A password has at most {PASSWORD_AT_MOST} characters.")
    if len(set(password)) < DIFFERENT_AT_LEAST:
        raise InputError(f"A password has at least {DIFFERENT_AT_LEAST} different characters.")
    if password.strip().lower() == email.lower():
        raise InputError("The address cannot be the password.")


def wait_after(failures: int) -> timedelta:
    """Return how long to wait after so many failures: nothing for five, then 30 seconds, doubling to an hour."""
    if failures < FREE_FAILURES:
        return timedelta()
    doublings = min(failures - FREE_FAILURES, 10)
    return min(FIRST_WAIT * (1 << doublings), WAIT_AT_MOST)


def failures_that_count(attempts: Attempts | None, now: datetime) -> int:
    """Return the failures of the last day; after a day without any, one starts afresh."""
    if attempts is None or now - attempts.last_at >= FORGET_FAILURES:
        return 0
    return attempts.failures


def may_try_at(attempts: Attempts | None, now: datetime) -> datetime:
    """Return when the next attempt counts: `now`, or the end of the wait."""
    failures = failures_that_count(attempts, now)
    if attempts is None or not failures:
        return now
    return max(now, attempts.last_at + wait_after(failures))


def session_ends_at(created_at: datetime, seen_at: datetime) -> datetime:
    return min(seen_at + SESSION_IDLE, created_at + SESSION_AT_MOST)

import ipaddress
import re
import unicodedata
import zoneinfo
from datetime import datetime, timedelta
from functools import cache, lru_cache

import email_validator

from publisher.audience.model import Subscription, SubscriptionState, Suppression, SuppressionReason
from publisher.errors import InputError

EMAIL_AT_MOST = 254  # RFC 5321, section 4.5.3.1.3, less the two angle brackets; RFC 3696, erratum 1690
NAME_AT_MOST = 200
WORDING_AT_MOST = 2_000
FORM_AT_MOST = 300
ORIGIN_AT_MOST = 200
LIST_NAME_AT_MOST = 63  # octets of a label of a domain name (RFC 1035, section 2.3.4), which List-Id is made of
ASK_AGAIN_AFTER = timedelta(minutes=10)
"""How soon a second confirmation may go to one address: nobody can fill a stranger's mailbox with our form."""

LIFTED_BY_CONFIRMING = frozenset({SuppressionReason.ASKED, SuppressionReason.COMPLAINED})
"""Reasons that were the reader's own will, so that a later yes of the same reader ends them."""

# A dot-atom (RFC 5322, section 3.2.3) of at most 64 characters at a host name (RFC 1123, section 2.1). Labels with
# hyphens in places three and four are left to IDNA (RFC 5891, section 4.2.3.1).
_PLAIN_EMAIL = re.compile(
    r"(?=.{1,254}\Z)(?=[^@]{1,64}@)"
    r"([a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    r"@((?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}|localhost)",
    re.IGNORECASE | re.ASCII,
)
_ADDRESS = re.compile(r"[^\s<>()]+@[^\s<>()]+")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNSEEN = re.compile(
    r"[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"  # marks of no width, and of direction
    r"\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"  # what no text may hold
)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,4}", re.IGNORECASE | re.ASCII)
_WEB_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.ASCII)
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)


def normalise_email(text: str) -> str:
    """
    Return an address as we mail it: ASCII, the domain in lower case and in its IDNA form.

    Reserved names (`example.org`, `*.test`, `localhost`) pass; whether a domain has a mail server is not
    asked. Refused: quoted local parts, address literals, and letters beyond ASCII before the @, which
    need SMTPUTF8 (RFC 6531) all the way to the reader.

    Raises:
        InputError: One sentence, without the address.

    """
    found = _plain(text.strip())
    if found is None:
        text = _UNSEEN.sub("", text).strip()
        found = _plain(text) or _international(text)
    return found


def _plain(text: str) -> str | None:
    """All of them but one in a thousand, in a microsecond; the long way takes forty."""
    found = _PLAIN_EMAIL.fullmatch(text)
    return f"{found[1]}@{found[2].lower()}" if found else None


def _international(text: str) -> str:
    if not text:
        raise InputError("The address is missing.")
    local, at, _domain = text.rpartition("@")
    if not at:
        raise InputError("The address has no @.")
    if not local.isascii():
        raise InputError("The part of the address before the @ has letters that few mail servers can take.")
    if len(text) > EMAIL_AT_MOST:
        raise InputError(f"The address is longer than {EMAIL_AT_MOST} characters.")
    refused = InputError("This is not an email address.")
    if text.isascii() and "xn--" not in text.lower():
        raise refused
    try:
        found = email_validator.validate_email(
            text, check_deliverability=False, allow_smtputf8=False, test_environment=True
        ).ascii_email
    except email_validator.EmailNotValidError:
        raise refused from None
    if not found or len(found) > EMAIL_AT_MOST or not re.search(r"\.[a-z][a-z0-9-]*\Z", found):
        raise refused
    return found


def email_key(email: str) -> str:
    """Return what makes two normalised addresses the same: nobody runs a mailbox for each spelling in capitals."""
    return email.lower()


def clean_name(text: str) -> str:
    """Return a person's name: one line of at most 200 characters."""
    return clean_line(text, NAME_AT_MOST)


def clean_line(text: str, at_most: int) -> str:
    """Return a text in one line: no control characters, no invisible marks that turn the writing round."""
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", _UNSEEN.sub("", _BLANK.sub(" ", text)))
    return " ".join(text.split())[:at_most].rstrip()


def without_addresses(text: str) -> str:
    """Return a text that is kept for good without any address in it, for its owner may be erased one day."""
    return _ADDRESS.sub("<address>", text)


@lru_cache(maxsize=1000)
def language_tag(text: str) -> str:
    """Return a language tag in the usual spelling (RFC 5646, section 2.1.1), or "" for none. Raises InputError."""
    text = text.strip().replace("_", "-")
    if not text:
        return ""
    if not _LANGUAGE.fullmatch(text):
        raise InputError("This is not a language tag, such as en or ko or pt-BR.")
    first, *rest = text.lower().split("-")
    cased = {2: str.upper, 4: str.title}
    return "-".join([first, *(cased.get(len(part), str)(part) for part in rest)])


@lru_cache(maxsize=1000)
def time_zone(text: str) -> str:
    """Return the IANA name of a time zone, or "" for none. Raises InputError."""
    text = text.strip()
    if text and text not in time_zones():
        raise InputError("This is not the name of a time zone, such as Asia/Seoul or Europe/Paris.")
    return text


@cache
def time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def is_list_slug(text: str) -> bool:
    return len(text) <= LIST_NAME_AT_MOST and _SLUG.fullmatch(text) is not None


def list_slug(text: str) -> str:
    """Return a mailing list's slug, which can stand as a label in List-Id (RFC 2919). Raises InputError."""
    if not is_list_slug(text):
        raise InputError(
            f"A mailing list's short name has small letters, digits and single hyphens, at most {LIST_NAME_AT_MOST}."
        )
    return text


def origin_truncated(address: str) -> str:
    """
    Return the network that an IP address is part of, or "" for anything else.

    /24 and /48: enough to show where a consent came from, too little to name a person.
    """
    try:
        found = ipaddress.ip_interface(address.partition("%")[0] if "/" not in address else address)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Interface):
        mapped = found.ip.ipv4_mapped
        if mapped is None:
            return str(ipaddress.ip_network((found.ip, 48), strict=False))
        return str(ipaddress.ip_network((mapped, 24), strict=False))
    return str(ipaddress.ip_network((found.ip, 24), strict=False))


def form_told(name: str, site: str, *, ours: str) -> str:
    """
    Return how a form is written down with a consent: its name, and the site that it stands on if that is not ours.

    Args:
        name: As the form calls itself; anything but small letters, digits and hyphens is no name.
        site: The origin that the browser told (RFC 6454, section 7); anything else is none.
        ours: Our own address.

    """
    told = name if is_list_slug(name) else "unnamed"
    site = site.lower()
    if site == ours.lower() or len(site) > ORIGIN_AT_MOST or not _WEB_ORIGIN.fullmatch(site):
        return told
    return f"{told} at {site}"


def may_mail(subscription: Subscription, suppression: Suppression | None, now: datetime) -> bool:
    """Whether an issue may go to this subscription at this instant."""
    if suppression is not None or subscription.state is not SubscriptionState.CONFIRMED:
        return False
    return subscription.paused_until is None or subscription.paused_until <= now


def may_confirm(suppression: Suppression | None) -> bool:
    """Whether a suppressed address may be asked for its yes, which would lift the suppression."""
    return suppression is None or suppression.reason in LIFTED_BY_CONFIRMING


def may_ask_again(subscription: Subscription, suppression: Suppression | None, now: datetime) -> bool:
    """
    Whether asking once more sends one more confirmation; see ASK_AGAIN_AFTER.

    A confirmed subscription needs none, unless its reader has stopped all mail: a new yes lifts that.
    """
    if subscription.state is SubscriptionState.UNSUBSCRIBED:
        return True
    if subscription.state is SubscriptionState.CONFIRMED and (suppression is None or not may_confirm(suppression)):
        return False
    return subscription.asked_at is None or now - subscription.asked_at >= ASK_AGAIN_AFTER


def outweighs(new: SuppressionReason, old: SuppressionReason) -> bool:
    """Whether a new reason replaces an old one: a complaint never makes a dead address one that may come back."""
    strength = list(SuppressionReason)
    return strength.index(new) > strength.index(old)

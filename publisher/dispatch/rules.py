import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from publisher.dispatch.model import Deferred, DeliveryState, Outcome, Refused, Sent, Untried

CLOSING = 421
"""The server is closing the connection (RFC 5321, section 3.8)."""

AUTHENTICATION_CODES = frozenset({454, 530, 534, 535, 538})
"""What a server says when it does not know us: RFC 4954, section 6."""

DEAD_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
"""
No such mailbox, no such domain, bad syntax, mailbox moved, null MX.

Source:
    RFC 3463, section 3.2, and RFC 7505, section 4.2.

"""

TOO_BIG = frozenset({"5.3.4", "5.2.3"})
"""RFC 3463: message too big for the system, or for the mailbox."""

BUSY_WAIT = timedelta(minutes=1)
FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=4)
DOUBLINGS = 6  # 5 min · 2⁶ is already more than the longest wait

NOT_TAKEN = frozenset({DeliveryState.FAILED, DeliveryState.DEFERRED})
BRAKE_IN_A_ROW = 500
"""
So many failures one after the other are no accident of single addresses.

On a list of 10 % bad addresses, far more than any that is mailed regularly, the chance of it is 10⁻⁵⁰⁰.
"""
BRAKE_SHARE = 0.5
BRAKE_SHARE_OF = 200

LOAD_AT_LEAST = 50
LOAD_AT_MOST = 500
"""Deliveries on the wire together. What a crash can leave in doubt is at most two loads a worker."""
LOAD_S = 0.1

REASON_AT_MOST = 300
REPLY_AT_MOST = 1_000
"""Of a longer reply the rest is not even looked at."""

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")
_ADDRESS = re.compile(r"""<[^<>]*@[^<>]*>|(?:"[^"]*"|[^\s<>:;,()\[\]"']*)@[^\s<>:;,()\[\]"']*""")


def classify(code: int, text: str) -> Outcome:
    """
    Return what a server's reply to a reader's message means.

    A reply outside of 2xx, 4xx and 5xx breaks the protocol; the message was not taken, so it counts as temporary.

    Args:
        code: The three digits.
        text: The rest of the reply, all lines joined by a space.

    """
    if 200 <= code < 300:  # noqa: PLR2004 -- RFC 5321, section 4.2.1
        return Sent(reply=clean_reason(text))
    kind = Refused if 500 <= code < 600 else Deferred  # noqa: PLR2004
    return kind(code=code, reason=clean_reason(text), enhanced=enhanced_code(text))


def accepted(text: bytes) -> Sent:
    """Return what `classify` does for a positive reply, from the bytes of its one line."""
    return Sent(clean_reason(text.decode("utf-8", "replace")))


def enhanced_code(text: str) -> str:
    """Return the RFC 3463 code at the start of a reply's text, or an empty text."""
    found = _ENHANCED.match(text)
    return found[0] if found else ""


def clean_reason(text: str) -> str:
    """Return one printable line without any address in it: a reason is logged and shown."""
    if "@" in text:
        text = _ADDRESS.sub("<address>", text[:REPLY_AT_MOST])
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text[:REASON_AT_MOST].strip()


def is_dead_address(outcome: Outcome) -> bool:
    """Return whether the address itself is dead, so that nothing may ever be sent there again."""
    return isinstance(outcome, Refused) and outcome.enhanced in DEAD_ADDRESS


def is_transport_trouble(outcome: Outcome) -> bool:
    """Return whether the way is blocked, not the reader: back off with everything, hold it against nobody."""
    if isinstance(outcome, Untried):
        return True
    return isinstance(outcome, Deferred | Refused) and (outcome.code == CLOSING or outcome.code in AUTHENTICATION_CODES)


def is_too_big(code: int, text: str) -> bool:
    """Return whether the server will not take a message of this size (RFC 1870, section 6.1)."""
    return code == 552 or (code >= 500 and enhanced_code(text) in TOO_BIG)  # noqa: PLR2004


def run_of_failures(before: int, states: Sequence[DeliveryState]) -> int:
    """Return how many deliveries in a row have failed by now; what never left us, or is uncertain, says nothing."""
    run = before
    for state in states:
        if state is DeliveryState.SENT:
            run = 0
        elif state in NOT_TAKEN:
            run += 1
    return run


def brakes(run: int, *, failed: int, tried: int) -> bool:
    """
    Tell whether a send should stop and wait for a person.

    Args:
        run: Deliveries in a row that were refused or put off.
        failed: Of a batch, those that were.
        tried: Of the same batch, all that were tried.

    """
    return run >= BRAKE_IN_A_ROW or (tried >= BRAKE_SHARE_OF and failed > BRAKE_SHARE * tried)


def load_size(sent: int, *, took_s: float) -> int:
    """
    Return how many deliveries to mark and send together, after so many took so long.

    A slow server is never asked for much that a crash would leave in doubt; a fast one never waits for a commit.
    """
    return max(LOAD_AT_LEAST, min(LOAD_AT_MOST, int(sent * LOAD_S / max(took_s, 0.001))))


def next_attempt_at(deferred: Deferred, *, tried_at: datetime, failures: int, stale_at: datetime) -> datetime | None:
    """
    Return when to try again after a temporary failure, or None to give up.

    The wait is 5 minutes after the first failure and doubles to 4 hours. A server that is only busy
    (421, or a 4.7.x: greylisting and rate limits) is tried once after a minute before that.

    Args:
        deferred: What the server said.
        tried_at: End of the attempt that failed.
        failures: Failed attempts so far, this one included; at least 1.
        stale_at: When the issue stops being news; a later copy is worse than none.

    Source:
        RFC 5321, section 4.5.4.1: wait at least 30 minutes, and keep trying for 4-5 days. We differ: the
        server that we hand over to is our own relay more often than a stranger, and news cannot wait.

    """
    is_busy = deferred.code == CLOSING or deferred.enhanced.startswith("4.7.")
    doublings = failures - 2 if is_busy else failures - 1
    wait = BUSY_WAIT if doublings < 0 else min(FIRST_WAIT * 2 ** min(doublings, DOUBLINGS), LONGEST_WAIT)
    due = tried_at + wait
    return due if due < stale_at else None


SPANS_S = (1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, 86_400)
SPANS_AT_MOST = 60


def spans(seconds: Mapping[int, int]) -> list[tuple[int, int]]:
    """
    Return what was counted by second in longer spans, with the empty ones between; 60 at most, or days.

    Args:
        seconds: The numbers by second since 1970.

    """
    if not seconds:
        return []
    first, last = min(seconds), max(seconds)
    span = next((each for each in SPANS_S if (last // each - first // each) < SPANS_AT_MOST), SPANS_S[-1])
    found = dict.fromkeys(range(first // span * span, last + 1, span), 0)
    for second, number in seconds.items():
        found[second // span * span] += number
    return list(found.items())


KINDS_OF_FAILURE = {
    "1.1": "No such mailbox",
    "1.2": "No such domain",
    "1.10": "The domain takes no mail",
    "2.1": "The mailbox is switched off",
    "2.2": "The mailbox is full",
    "2.3": "The mail is too big",
    "3.4": "The mail is too big",
    "7.1": "Refused by the other side’s rules",
}
"""By the second and third part of the enhanced code (RFC 3463; 1.10 is RFC 7505)."""
KINDS_BY_SUBJECT = {
    "1": "Something is wrong with the address",
    "2": "Something is wrong with the mailbox",
    "3": "The other side’s mail system cannot take it",
    "4": "The network, or the way there",
    "5": "The servers did not understand each other",
    "6": "The content or its form",
    "7": "Refused by the other side’s rules",
}


def kind_of_failure(code: int | None, reason: str) -> str:
    """
    Return the kind of a failure, to count those that are alike: every server has its own words, often with an id.

    A server that gave no enhanced code is told by its reply code alone.
    """
    enhanced = enhanced_code(reason)
    if enhanced:
        kind = enhanced.partition(".")[2]
        return KINDS_OF_FAILURE.get(kind) or KINDS_BY_SUBJECT.get(kind.partition(".")[0]) or f"Code {enhanced}"
    return f"Reply {code}, without more" if code else "No reply code"

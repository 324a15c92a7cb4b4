from collections.abc import Mapping
from enum import StrEnum

MARKER_START = "x-slot-"


class Slot(StrEnum):
    """What differs from reader to reader in a message that is otherwise the same bytes."""

    ADDRESS = "address"
    NAME = "name"
    UNSUBSCRIBE_URL = "unsubscribe_url"
    """The page with the button; for the body."""
    ONE_CLICK_URL = "one_click_url"
    """RFC 8058; for the List-Unsubscribe header only."""
    PREFERENCES_URL = "preferences_url"
    READ_URL = "read_url"
    READER = "reader"
    """A token for one reader's delivery, behind a tracked link; only where an edition tracks by reader."""
    MESSAGE_ID = "message_id"
    DATE = "date"


def anybody(base_url: str, reader: str) -> dict[Slot, str]:
    """Return the values of a reader whom we do not know, for looking at a mail; the mail says what he is called."""
    return {
        Slot.NAME: reader,
        Slot.ADDRESS: "reader@example.org",
        Slot.UNSUBSCRIBE_URL: f"{base_url}/subscribe",
        Slot.PREFERENCES_URL: f"{base_url}/subscribe",
        Slot.READ_URL: f"{base_url}/issues",
    }


def filled(text: str, values: Mapping[Slot, str]) -> str:
    """Return rendered text with values in place of its slots, for where it is shown and not sent."""
    for slot, value in values.items():
        text = text.replace(marker(slot), value)
    return text


def marker(slot: Slot) -> str:
    """
    Return the word that stands for a slot in rendered text.

    Letters, digits and hyphens only: Jinja, MJML, CSS inliners, HTML and URL escaping all leave it alone.
    """
    return f"{MARKER_START}{slot.replace('_', '-')}-x"

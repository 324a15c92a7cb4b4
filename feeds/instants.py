from datetime import UTC, datetime


def utc_second(instant: datetime) -> datetime:
    """
    Return an instant as all formats can say it: in UTC, to the whole second.

    RFC 822 knows no fractions, and an instant should not differ between two formats of one feed.
    """
    if instant.tzinfo is None:
        raise ValueError(f"An instant in a feed needs a time zone, and {instant.isoformat()} has none.")
    return instant.astimezone(UTC).replace(microsecond=0)


def rfc3339(instant: datetime) -> str:
    """Return an instant the way Atom and JSON Feed write it: 2026-11-03T09:00:00Z (RFC 4287, section 3.3)."""
    return utc_second(instant).isoformat().replace("+00:00", "Z")

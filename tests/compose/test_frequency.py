import pytest

from publisher.audience.model import MailingListId
from publisher.compose.cadence import parse
from publisher.compose.frequency import Frequency, frequency_of, most_often, told
from publisher.compose.model import Arrival, Edition, EditionId, EditionKind


def an_edition(cadence: str = "", *, kind: EditionKind = EditionKind.DIGEST, own_clock: bool = False) -> Edition:
    return Edition(
        id=EditionId(1),
        slug="it",
        name="It",
        kind=kind,
        mailing_list_id=MailingListId(1),
        cadence=parse(cadence) if cadence else None,
        arrival=Arrival.LOCAL_TIME if own_clock else Arrival.TOGETHER,
    )


@pytest.mark.parametrize(
    ("cadence", "frequency", "words"),
    [
        ("daily 07:30 Europe/Paris", Frequency.DAILY, "Every day at 07:30, Paris time"),
        ("weekdays 18:00 UTC", Frequency.WEEKDAYS, "Monday to Friday at 18:00, UTC"),
        ("mon,thu 08:00 America/New_York", Frequency.OFTEN, "Every Monday and Thursday at 08:00, New York time"),
        ("sun 08:00 Asia/Seoul", Frequency.WEEKLY, "Every Sunday at 08:00, Seoul time"),
        ("", Frequency.SOMETIMES, "Now and then"),
    ],
)
def test_a_reader_is_told_when_an_edition_comes(cadence: str, frequency: Frequency, words: str) -> None:
    """Nobody who chooses a newsletter should have to know what a cadence is."""
    edition = an_edition(cadence)

    assert (frequency_of(edition), told(edition)) == (frequency, words)


def test_an_edition_by_the_readers_own_clock_names_no_other_place() -> None:
    """Seoul's morning would mislead a reader in Lima whose mail comes in Lima's."""
    assert told(an_edition("sun 08:00 Asia/Seoul", own_clock=True)) == "Every Sunday at 08:00, by your own clock"


def test_a_mailing_list_comes_as_often_as_its_most_frequent_edition() -> None:
    """Who chooses a list for its weekly must see that alerts come with it."""
    weekly, alert = an_edition("sun 08:00 UTC"), an_edition(kind=EditionKind.ALERT)

    assert most_often([weekly, alert]) is Frequency.AT_ONCE
    assert most_often([]) is Frequency.SOMETIMES

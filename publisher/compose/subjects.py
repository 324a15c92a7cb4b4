"""Subjects on trial: what a test may be, and how it is kept. Pure."""

from collections.abc import Mapping
from typing import Any

from publisher.compose.model import Arrival, Edition, Issue, SubjectTest, Tracking
from publisher.compose.text import check_subject
from publisher.errors import InputError

OTHERS_AT_MOST = 2
SHARES = range(2, 51)
HOURS = range(1, 49)
WHERE = "subject_test"


def check_test(found: Issue, edition: Edition) -> None:
    """
    Check the test of an issue's subjects.

    Raises:
        InputError: Its figures are out of bounds, two subjects are the same, or nobody could tell which is the best.
        TemplateTextError: A subject names an unknown slot.

    """
    test = found.subject_test
    if test is None:
        return
    if not found.subject:
        raise InputError("Write the first subject too: a test compares subjects that somebody wrote.", WHERE)
    if not 1 <= len(test.others) <= OTHERS_AT_MOST or len({found.subject, *test.others}) <= len(test.others):
        raise InputError("A test compares two or three subjects, each of them different.", WHERE)
    if test.share_percent not in SHARES:
        raise InputError(f"Try subjects on {SHARES[0]} to {SHARES[-1]} percent of the readers.", WHERE)
    if test.hours not in HOURS:
        raise InputError(f"Count clicks for {HOURS[0]} to {HOURS[-1]} hours.", WHERE)
    if edition.tracking is Tracking.OFF:
        raise InputError("The best subject is told by clicks, and this edition does not count them.", WHERE)
    if edition.arrival is Arrival.LOCAL_TIME:
        raise InputError("Where readers get it at their own time of day, nobody waits for a test of subjects.", WHERE)
    for each in test.others:
        check_subject(each)


def to_json(test: SubjectTest | None) -> dict[str, Any] | None:
    if test is None:
        return None
    return {"others": list(test.others), "share_percent": test.share_percent, "hours": test.hours}


def from_json(kept: Mapping[str, Any] | None) -> SubjectTest | None:
    if not kept:
        return None
    return SubjectTest(others=tuple(kept["others"]), share_percent=kept["share_percent"], hours=kept["hours"])

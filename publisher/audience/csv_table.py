"""A table of people as programs write it: encoding, delimiter, header, guarded cells. No database."""

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from publisher.audience import rules
from publisher.audience.merge import Person
from publisher.audience.origins import origin_of
from publisher.errors import ImportFileError, InputError

COLUMNS = ("email", "name", "language", "timezone")
ALIASES = {"emailaddress": "email", "mail": "email"}
DELIMITERS = ",;\t"
LINE_AT_MOST = 100_000
"""Bytes; a line about a subscriber has a few hundred."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")  # what a spreadsheet takes for a formula, behind any number of our guards


@dataclass(frozen=True, kw_only=True)
class BadLine:
    """A line that was left out."""

    line: int
    problem: str


class Table:
    """
    A CSV stream whose header has been read; going through it yields each person, or the line that tells none.

    Raises ImportFileError, at the start and on the way, where the stream cannot be read any further.
    """

    def __init__(self, stream: BinaryIO) -> None:
        lines = _lines(stream)
        delimiter, header = _header(next(lines, ""))
        names = [_column(cell) for cell in header]
        self.origin = origin_of(names)
        read = self.origin.read if self.origin else frozenset(COLUMNS)
        for column in sorted(read & {*COLUMNS, *(self.origin.needed if self.origin else ())}):
            if names.count(column) > 1:
                raise ImportFileError(f"Two columns are named {column}.", "line 1")
        self.ignored = tuple(cell.strip() for cell in header if _column(cell) not in {*read, ""})
        self._width = len(names)
        absent = self._width  # every row is given one empty cell more
        self._email, self._name, self._language, self._time_zone = (
            names.index(column) if column in names else absent for column in COLUMNS
        )
        self._places = {name: names.index(name) for name in names}
        self._rows = csv.reader(lines, delimiter=delimiter)
        self._line = 2

    def __iter__(self) -> Iterator[Person | BadLine]:
        for row in self._filled_rows():
            try:
                yield self._person(row)
            except InputError as bad:
                yield BadLine(line=self._line, problem=bad.problem)

    def _filled_rows(self) -> Iterator[list[str]]:
        try:
            for row in self._rows:
                if any(row):
                    yield row
                self._line = self._rows.line_num + 2  # where the next row begins: a cell may hold line breaks
        except csv.Error as problem:
            raise _not_csv(problem, self._line) from None

    def _person(self, row: list[str]) -> Person:
        if len(row) != self._width:
            if any(row[self._width :]):
                raise InputError(f"It has {len(row)} cells where the first line names {self._width} columns.")
            row = (row + [""] * self._width)[: self._width]
        row.append("")
        if self.origin is not None:
            places, absent = self._places, self._width
            return self.origin.person(lambda name: unguarded(row[places.get(name, absent)].strip()), places)
        email = rules.normalise_email(unguarded(row[self._email].strip()))
        return Person(
            rules.email_key(email),
            email,
            rules.clean_name(unguarded(row[self._name])),
            rules.language_tag(unguarded(row[self._language])),
            rules.time_zone(unguarded(row[self._time_zone])),
        )


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula: with an apostrophe in front where it would."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Take off what `guarded` put in front, and only that."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Decode line by line, so that a wrong byte is found in its line and nowhere else."""
    for number in itertools.count(1):
        line = stream.readline(LINE_AT_MOST + 1)
        if not line:
            return
        if len(line) > LINE_AT_MOST:
            raise ImportFileError(f"It is longer than {LINE_AT_MOST} bytes; this is not CSV.", f"line {number}")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise ImportFileError('It is not UTF-8. Save the file as "CSV UTF-8".', f"line {number}") from None


def _header(line: str) -> tuple[str, list[str]]:
    """Return the delimiter under which one of the columns is the address, and what is written above each."""
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error as problem:
            raise _not_csv(problem, 1) from None
        if "email" in map(_column, cells):
            return delimiter, cells
    raise ImportFileError("The first line must name the columns, and one of them must be email.", "line 1")


def _column(cell: str) -> str:
    name = re.sub(r"[\s_-]+", "", cell).lower()
    return ALIASES.get(name, name)


def _not_csv(problem: csv.Error, line: int) -> ImportFileError:
    if "new-line character" in str(problem):
        return ImportFileError('It has a line end within. Save the file as "CSV UTF-8".', f"line {line}")
    return ImportFileError("From here on a quotation mark is opened and never closed.", f"line {line}")

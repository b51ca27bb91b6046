"""Reading a table of events as offices save it: from bytes to rows, or to everything that is wrong with it."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from agent.errors import UsageError
from agent.usecases.event_rules import Statement

MOST_BYTES = 64 * 1024 * 1024
MOST_SHOWN = 50

_COLUMNS = {"event": "event", "type": "event", "key": "key", "value": "value", "note": "note"} | dict.fromkeys(
    ("on", "date", "day"), "on"
)
_NEEDED = ("event", "key", "value", "on")
_WRITE_HEADER = "The first line must name the columns: event,key,value,on,note (note may be left out)."
_TOO_MANY_FIELDS = (
    "This line has more fields than the first line has names. "
    "A field that holds the character between fields must stand in quotes."
)
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend in a file: the line counted from 1, the column by its name in the file, if it is in one."""

    line: int
    column: str
    sentence: str


class EventFileError(UsageError):
    """The file cannot be imported as it is. The message names the first problems and counts the rest."""

    def __init__(self, name: str, problems: Problems) -> None:
        self.problems = problems
        many = "1 problem" if problems.count == 1 else f"{problems.count:,} problems"
        super().__init__("\n".join([f"{name}: {many}; nothing was imported.", *problems.lines(name)]))


class Problems:
    """The first problems of one file; those after them are only counted."""

    def __init__(self) -> None:
        self.shown: list[Problem] = []
        self.count = 0

    def note(self, line: int, column: str, sentence: str) -> None:
        self.count += 1
        if len(self.shown) < MOST_SHOWN:
            self.shown.append(Problem(line, column, sentence))

    def lines(self, name: str) -> list[str]:
        """Each as `NAME:LINE: COLUMN: SENTENCE`, in the order of the file, and a line that counts those not shown."""
        lines = [
            f"{name}:{problem.line}: {problem.column}: {problem.sentence}"
            if problem.column
            else f"{name}:{problem.line}: {problem.sentence}"
            for problem in sorted(self.shown)
        ]
        more = self.count - len(self.shown)
        return [*lines, f"… and {more:,} more."] if more else lines


@dataclass(frozen=True, slots=True)
class Row:
    """What one row says, the line it begins on, and how the file calls the columns."""

    line: int
    said: Statement
    columns: Mapping[str, str]


def read_rows(data: bytes, problems: Problems) -> Iterator[Row]:
    """The rows of the file, without blank ones. What cannot be read is noted in `problems`, and ends the reading."""
    text = _decoded(data, problems)
    header = next((line for line in text.splitlines() if line.strip(f'{_DELIMITERS} "')), None)
    if header is None:
        if not problems.count:
            problems.note(1, "", f"The file is empty. {_WRITE_HEADER}")
        return
    delimiter = _delimiter(header)
    places: list[str] | None = None
    columns: dict[str, str] = {}
    for line, fields in _fields(text, delimiter, problems):
        if not any(field.strip() for field in fields):
            continue
        if places is None:
            places = _places(line, fields, problems)
            if places is None:
                return
            columns = {place: field.strip() for place, field in zip(places, fields, strict=True) if place}
            continue
        given: dict[str, str] = {}
        for place, field in zip_longest(places, fields, fillvalue=""):
            if place:
                given[place] = field
            elif field.strip():
                problems.note(line, "", _TOO_MANY_FIELDS)
                break
        else:
            event, key, value, on = (given[name] for name in _NEEDED)
            yield Row(line, Statement(event, key, value, on, given.get("note", "")), columns)


def _decoded(data: bytes, problems: Problems) -> str:
    """The text; none, after its problem was noted, if this is no text."""
    if len(data) > MOST_BYTES:
        problems.note(1, "", f"The file has more than {MOST_BYTES // 1024 // 1024} MiB. Split it.")
        return ""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
        break
    problems.note(1, "", "This is not a text file in UTF-8, UTF-16 or Windows-1252. Save it as CSV (UTF-8).")
    return ""


def _delimiter(header: str) -> str:
    """The character that parts the first line into the most names of columns we know."""

    def known(delimiter: str) -> int:
        return sum(name.strip().strip('"').casefold() in _COLUMNS for name in header.split(delimiter))

    return max(_DELIMITERS, key=known)


def _fields(text: str, delimiter: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins on; a field in quotes may reach over several."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for fields in reader:
            yield begins, fields
            begins = reader.line_num + 1
    except csv.Error:
        problems.note(
            begins, "", 'The quotes are wrong from here on. Close every ", and write "" for one within a field.'
        )


def _places(line: int, names: list[str], problems: Problems) -> list[str] | None:
    """Which column stands where, or none after its problems were noted.

    A name we do not know is told by its place only: where the header is missing, it may be anything.
    """
    places = [_COLUMNS.get(name.strip().casefold(), "") for name in names]
    found = [place for place in places if place]
    if not found:
        problems.note(line, "", _WRITE_HEADER)
        return None
    before = problems.count
    for number, (place, name) in enumerate(zip(places, names, strict=True), 1):
        if not place and name.strip():
            problems.note(line, "", f"Column {number} is called something we do not know. {_WRITE_HEADER}")
    for place in dict.fromkeys(found):
        if found.count(place) > 1:
            problems.note(line, place, "There are two columns of this meaning. Leave one.")
    missing = [place for place in _NEEDED if place not in found]
    if missing:
        problems.note(line, "", f"No column is called {' or '.join(missing)}. {_WRITE_HEADER}")
    return places if problems.count == before else None

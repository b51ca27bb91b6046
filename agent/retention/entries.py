"""A schedule's YAML as entries that know where they stand, read without trusting the file.

YAML is compared as it was written: `2019`, `yes` and `1.0` are not text, and the answer says to put them in quotes.
Aliases are refused: a few lines of them unfold to gigabytes, and whoever reads the schedule would have to unfold it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import yaml

from agent.retention.fields import Field
from agent.retention.problems import Problem, ScheduleError, one_of

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 30

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_TEXT_TAG = "tag:yaml.org,2002:str"
_WHAT_TAGS_ARE = {
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:bool": "yes or no",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:timestamp": "a date",
    "tag:yaml.org,2002:seq": "a list",
    "tag:yaml.org,2002:map": "a group of fields",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of the file, the field it stands in, and where to note what is wrong with it.

    The reading methods answer none after having noted why, so that one reading finds every problem.
    """

    node: yaml.Node
    field: str
    problems: list[Problem]

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_group(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    def complain(self, sentence: str) -> None:
        self.problems.append(_problem(self.node.start_mark, self.field, sentence))

    def group(self, fields: Sequence[Field]) -> dict[str, Entry] | None:
        """The entries of a group of fields by name, without those not known or given twice."""
        if not isinstance(self.node, yaml.MappingNode):
            needed = [field.name for field in fields if field.required]
            wanted = ", ".join(needed or [field.name for field in fields])
            self.complain(f"Here stands {self._what()}, but a group of fields is needed, with: {wanted}.")
            return None
        known = {field.name for field in fields}
        entries: dict[str, Entry] = {}
        for name_node, value in self.node.value:
            name = name_node.value if isinstance(name_node, yaml.ScalarNode) else ""
            entry = Entry(value, f"{self.field}.{name}" if self.field else name, self.problems)
            at_name = Entry(name_node, self.field, self.problems)
            if name not in known:
                at_name.complain(f'There is no field "{_short(name)}" here. {one_of(name, known)}')
            elif name in entries:
                first = entries[name].node.start_mark.line + 1
                at_name.complain(f'The field "{name}" is given twice, first on line {first}. Keep one of them.')
            else:
                entries[name] = entry
        for field in fields:
            if field.required and field.name not in entries:
                self.complain(f'The field "{field.name}" is missing. {field.meaning}')
        return entries

    def items(self) -> list[Entry] | None:
        """The entries of a list that is not empty."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.complain(f"Here stands {self._what()}, but a list is needed: begin each of its lines with a hyphen.")
            return None
        if not self.node.value:
            self.complain("This list is empty. Put at least one line into it, or leave the field out if it may be.")
            return None
        return [
            Entry(node, f"{self.field}[{number}]", self.problems)
            for number, node in enumerate(self.node.value, start=1)
        ]

    def one_or_more(self) -> list[Entry] | None:
        """The entries of a list, or the single entry that stands in its place."""
        return self.items() if self.is_list else [self]

    def text(self) -> str | None:
        """Text that is not empty, without white space around it."""
        if self.node.tag != _TEXT_TAG or not isinstance(self.node, yaml.ScalarNode):
            if isinstance(self.node, yaml.ScalarNode) and self.node.value:
                shown = _short(self.node.value)
                self.complain(f'{shown} is read as {self._what()}, but text is needed. Put it in quotes: "{shown}".')
            else:
                self.complain(f"Here stands {self._what()}, but text is needed.")
            return None
        text: str = self.node.value.strip()
        if not text:
            self.complain("This text is empty. Write something, or leave the field out if it may be.")
            return None
        return text

    def word(self, known: Sequence[str], what: str) -> str | None:
        """One of the known words."""
        text = self.text()
        if text is not None and text not in known:
            self.complain(f'"{_short(text)}" is not {what}. {one_of(text, known)}')
            return None
        return text

    def matching(self, fits: Callable[[str], object], rule: str) -> str | None:
        """Text that keeps to a rule of writing."""
        text = self.text()
        if text is not None and not fits(text):
            self.complain(f'"{_short(text)}" cannot be used here. {rule}')
            return None
        return text

    def count(self) -> int | None:
        """A whole number from 1."""
        value = self.node.value if self.node.tag == "tag:yaml.org,2002:int" else ""
        if not (isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 10 and int(value)):
            self.complain("Write a whole number here, 1 or more.")
            return None
        return int(value)

    def day(self) -> date | None:
        """A calendar day, written as YYYY-MM-DD, in quotes or not."""
        value = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
        if not _DAY.fullmatch(value):
            self.complain("Write a day here, as year, month and day: 2026-03-31.")
            return None
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.complain(f"There is no {value} in the calendar.")
            return None

    def by_name(self) -> list[tuple[Entry, Entry]] | None:
        """Names of the author's own choice, each with its entry; at least one, and none twice."""
        if not isinstance(self.node, yaml.MappingNode) or not self.node.value:
            self.complain("Write at least one line here, with a colon between its two parts.")
            return None
        named: dict[str, tuple[Entry, Entry]] = {}
        for name_node, value in self.node.value:
            name = name_node.value if isinstance(name_node, yaml.ScalarNode) else ""
            at_name = Entry(name_node, self.field, self.problems)
            if name in named:
                first = named[name][0].node.start_mark.line + 1
                at_name.complain(f'"{_short(name)}" is given twice, first on line {first}. Keep one of them.')
            else:
                named[name] = at_name, Entry(value, f"{self.field}.{_short(name)}", self.problems)
        return list(named.values())

    def _what(self) -> str:
        return _WHAT_TAGS_ARE.get(self.node.tag, "text" if self.node.tag == _TEXT_TAG else "something unknown to YAML")


def read_entries(text: str, source: str) -> Entry:
    """The root entry of a YAML text. Raises `ScheduleError` if it is no YAML, or not of the plain kind we allow."""
    if len(text) > MAX_CHARACTERS:
        sentence = f"The file is longer than {MAX_CHARACTERS:,} characters. This is hardly a retention schedule."
        raise ScheduleError(source, [Problem(1, 1, "", sentence)])
    try:
        refused = _refused(text)
        root = None if refused else yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        sentence = f"The character U+{ord(text[error.position]):04X} cannot be part of a schedule. Delete it."
        raise ScheduleError(source, [Problem(line, column, "", sentence)]) from None
    except yaml.MarkedYAMLError as error:
        raise ScheduleError(source, [_syntax_problem(error, text)]) from None
    if refused:
        raise ScheduleError(source, refused)
    if root is None:
        raise ScheduleError(
            source, [Problem(1, 1, "", "The file is empty. Begin with the fields id, title and version.")]
        )
    return Entry(root, "", [])


def _refused(text: str) -> list[Problem]:
    """What YAML allows and we do not. Looks at the parser's events, so that nothing unfolds while it looks."""
    problems = []
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            name = _short(event.anchor or "")
            sentence = f"*{name} repeats another part of the file. Write it out; if it is text, quote it."
            problems.append(_problem(event.start_mark, "", sentence))
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents == 2:
                sentence = "A second document begins here. Keep one schedule in one file."
                problems.append(_problem(event.start_mark, "", sentence))
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                sentence = f"This is nested more than {MAX_DEPTH} levels deep. Write the condition in a flatter way."
                return [*problems, _problem(event.start_mark, "", sentence)]
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return problems


def _syntax_problem(error: yaml.MarkedYAMLError, text: str) -> Problem:
    """Where the reading stopped, with the likeliest cause. The parser's own words are for programmers."""
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    char = line[mark.column : mark.column + 1] if mark else ""
    said = error.problem or ""
    if char == "\t" or "\t" in line[: len(line) - len(line.lstrip())]:
        sentence = "A tab stands here. Use spaces to indent; YAML does not allow tabs."
    elif "mapping values are not allowed" in said:
        sentence = (
            "There is a colon too many, or the line is indented too far. "
            "Put text that has a colon and a space in it into quotes, and align the line with those above."
        )
    elif "could not find expected ':'" in said:
        sentence = "A colon is missing after the name of a field, or a space after the colon."
    elif "undefined alias" in said or "alias" in (error.context or ""):
        sentence = "A text that begins with * must be put into quotes."
    elif "cannot start any token" in said:
        sentence = f'A text that begins with "{char}" must be put into quotes.'
    elif "while scanning a quoted scalar" in (error.context or ""):
        sentence = "A quotation mark is opened in this file and not closed."
    else:
        sentence = "The file is not well-formed here or just above. Check indentation, hyphens, colons and quotes."
    return _problem(mark, "", sentence)


class _Mark(Protocol):
    """A place in the file as YAML tells it, counted from 0."""

    line: int
    column: int


def _problem(mark: _Mark | None, field: str, sentence: str) -> Problem:
    return Problem(mark.line + 1, mark.column + 1, field, sentence) if mark else Problem(1, 1, field, sentence)


def _short(text: str) -> str:
    """What was written, short enough for a line of its own and without control characters."""
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return shown if len(shown) <= 60 else shown[:57] + "..."

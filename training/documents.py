"""Annotated documents to train on: the goldset files as they are, and templates whose gaps are filled at random.

A template is written like a document of the goldset: `key: value` lines, `---`, the text, with every mention marked as
`{{TYPE|surface}}`. Documents in one file are parted by a line `=====`. In a surface, and in plain text, a gap begins
with `@`: `@f1.full` (a woman's first and last name; `f2` is another woman, `m1` a man), `.first`, `.last`, `.short`
(initial and last name), `.last_first` ("Okafor, Ngozi"), `.caps` (in capitals), or a number: `@nino @nhs @phone @email
@postcode @street @dob @account @passport @licence @utr @vrm @iban @card @ip @employee @case`.

python -m training.documents FILE...     says what is wrong with templates, and what they hold
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
SPECIAL = frozenset(
    "health race_ethnicity religion_belief political_opinion trade_union sex_life_orientation genetic biometric".split()
)
KINDS = (
    "recruitment personnel-file payroll disciplinary criminal-record-check sickness case-file case-report "
    "case-correspondence third-party-complaint rights-request breach-record client-contract client-record invoice "
    "training enquiry marketing meeting none"
).split()
TYPES = frozenset(
    "PERSON EMAIL_ADDRESS PHONE_NUMBER UK_POSTCODE STREET_ADDRESS DATE_OF_BIRTH UK_NINO UK_NHS UK_PASSPORT "
    "UK_DRIVING_LICENCE UK_UTR UK_VEHICLE_REGISTRATION UK_BANK_ACCOUNT IBAN_CODE CREDIT_CARD IP_ADDRESS EMPLOYEE_ID "
    "CASE_REFERENCE SC_HEALTH SC_RACE SC_RELIGION SC_POLITICAL SC_UNION SC_SEXUAL SC_GENETIC SC_BIOMETRIC "
    "SC_CRIMINAL".split()
)
CATEGORY_OF = {
    "SC_HEALTH": "health",
    "SC_RACE": "race_ethnicity",
    "SC_RELIGION": "religion_belief",
    "SC_POLITICAL": "political_opinion",
    "SC_UNION": "trade_union",
    "SC_SEXUAL": "sex_life_orientation",
    "SC_GENETIC": "genetic",
    "SC_BIOMETRIC": "biometric",
    "SC_CRIMINAL": "criminal",
}
NAME_FORMS = ("full", "first", "last", "short", "last_first", "caps")
NUMBERS = (
    "nino nhs phone email postcode street dob account passport licence utr vrm iban card ip employee case"
).split()
_MARK = re.compile(r"\{\{([A-Z_]+)\|(.*?)\}\}", re.DOTALL)
GAP = re.compile(r"@(?:([fm]\d)\.([a-z_]+)|(" + "|".join(NUMBERS) + r")\d?\b)")


@dataclass(frozen=True, slots=True)
class Mention:
    """What is marked in a text, by character offsets."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Document:
    """An annotated document. `special` holds the names of special categories, `criminal` beside them."""

    id: str
    kind: str
    special: frozenset[str]
    criminal: bool
    hard_negative: bool
    text: str
    mentions: tuple[Mention, ...]

    @property
    def categories(self) -> frozenset[str]:
        """The nine categories that the document reveals of somebody."""
        return self.special | ({"criminal"} if self.criminal else set())


@dataclass(frozen=True, slots=True)
class Template:
    """A document whose gaps are still open."""

    id: str
    kind: str
    special: frozenset[str]
    criminal: bool
    hard_negative: bool
    marked: str


def goldset(names: str = "CDEFGHI") -> dict[str, list[Document]]:
    """The documents of each set, by the set's letter."""
    return {name: list(read_set(FOLDER / "goldset" / f"{name}.jsonl")) for name in names}


def read_set(path: Path) -> Iterator[Document]:
    """The documents in a `set.jsonl`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield Document(
            row["id"],
            row["class"],
            frozenset(row["special"]),
            row["criminal"],
            row["hard_negative"],
            row["text"],
            tuple(Mention(span["start"], span["end"], span["type"]) for span in row["spans"]),
        )


def templates(folder: Path = FOLDER / "templates") -> list[Template]:
    """Every template, in order of file and place."""
    return [template for path in sorted(folder.glob("*.txt")) for template in read_templates(path)]


def read_templates(path: Path) -> Iterator[Template]:
    """The templates in one file. Raises `ValueError` that names what is wrong with one."""
    for number, block in enumerate(re.split(r"^=====\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE), 1):
        head, parted, text = block.strip("\n").partition("\n---\n")
        if not parted:
            raise ValueError(f"{path.name}, document {number}: there is no line `---`.")
        fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in head.split("\n"))}
        template = Template(
            f"{path.stem}-{number}",
            fields.get("class", ""),
            frozenset(word.strip() for word in fields.get("special", "").split(",") if word.strip()),
            fields.get("criminal") == "yes",
            fields.get("hard_negative") == "yes",
            text + "\n",
        )
        if problem := _problem(template):
            raise ValueError(f"{path.name}, document {number}: {problem}")
        yield template


def _problem(template: Template) -> str | None:
    if template.kind not in KINDS:
        return f"there is no class {template.kind!r}"
    if unknown := template.special - SPECIAL:
        return f"there is no category {sorted(unknown)[0]!r}"
    rest = _MARK.sub("", template.marked)
    if "{{" in rest or "}}" in rest:
        return "a mark is not closed"
    marked = {CATEGORY_OF[type_] for type_, _ in _MARK.findall(template.marked) if type_ in CATEGORY_OF}
    said = template.special | ({"criminal"} if template.criminal else set())
    if marked != said:
        return f"the header says {sorted(said)}, the marks {sorted(marked)}"
    if template.hard_negative and said:
        return "a hard negative reveals nothing"
    for type_, surface in _MARK.findall(template.marked):
        if type_ not in TYPES:
            return f"there is no type {type_!r}"
        if "{{" in surface:
            return "marks must not nest"
    for who, form, _ in GAP.findall(template.marked):
        if who and form not in NAME_FORMS:
            return f"there is no gap @{who}.{form}"
    return None


# Gives what stands in a gap: its key is "f1.full", "nino" and so on.
Fill = Callable[[str], str]


def filled(template: Template, fill: Fill) -> Document:
    """The template with its gaps filled and its marks taken off. The same gap gets the same value in one document."""
    given: dict[str, str] = {}

    def value(match: re.Match[str]) -> str:
        key = match[0][1:]
        if key not in given:
            given[key] = fill(key)
        return given[key]

    parts: list[str] = []
    mentions: list[Mention] = []
    length = position = 0
    for match in _MARK.finditer(template.marked):
        before, surface = GAP.sub(value, template.marked[position : match.start()]), GAP.sub(value, match[2])
        parts += [before, surface]
        length += len(before)
        mentions.append(Mention(length, length + len(surface), match[1]))
        length += len(surface)
        position = match.end()
    parts.append(GAP.sub(value, template.marked[position:]))
    return Document(
        template.id,
        template.kind,
        template.special,
        template.criminal,
        template.hard_negative,
        "".join(parts),
        tuple(mentions),
    )


def _tell(paths: Mapping[Path, list[Template]]) -> str:
    counts: Counter[str] = Counter()
    for found in paths.values():
        for template in found:
            counts["documents"] += 1
            counts[f"class {template.kind}"] += 1
            counts["hard negatives"] += template.hard_negative
            counts.update(template.special)
            counts["criminal"] += template.criminal
    return "\n".join(f"{count:6} {name}" for name, count in sorted(counts.items()))


if __name__ == "__main__":
    try:
        found = {Path(name): list(read_templates(Path(name))) for name in sys.argv[1:]}
    except ValueError as error:
        sys.exit(str(error))
    sys.stdout.write(_tell(found) + "\n")

"""A small office share that could belong to any firm in the United Kingdom, with people who do not exist.

    python -m tests.corpus.office_share DIRECTORY

The same seed always gives the same files, times included.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from tests.corpus import formats
from tests.corpus.people import Person, Planted, fields, marks, people, unmark

_TODAY = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
_SHORTEST = 6  # a shorter value could stand anywhere by chance


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was made: each file's path below the share, and the values planted in it as they are spelled there."""

    files: Mapping[str, tuple[Planted, ...]]

    @property
    def values(self) -> frozenset[str]:
        """Every value that no output of ours may repeat."""
        planted = {value.value for found in self.files.values() for value in found}
        return frozenset(value for value in planted if len(value) >= _SHORTEST)


def make_office_share(directory: Path, seed: int = 1) -> Manifest:
    """Makes the share in `directory`, which must be empty or not there yet. Raises `FileExistsError` otherwise."""
    if directory.exists() and any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty")
    share = _Share(directory, Random(seed))
    for fill in (_staff, _payroll, _recruitment, _cases, _clients, _office, _oddities):
        fill(share)
    share.settle_times()
    return Manifest(share.files)


class _Share:
    """The folder being filled."""

    def __init__(self, directory: Path, chance: Random) -> None:
        self.directory = directory
        self.chance = chance
        self.people = people(chance)
        self.files: dict[str, tuple[Planted, ...]] = {}
        self._times: dict[str, datetime] = {}

    def fields(self, person: Person) -> dict[str, str]:
        """The person's details in one spelling, marked."""
        return fields(person, self.chance)

    def add(self, path: str, content: bytes, years_ago: float, texts: Sequence[str] = ()) -> None:
        """Writes a file last changed so many years ago; `texts` are what stands in it, still marked."""
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self.files[path] = marks(texts)
        self._times[path] = _TODAY - timedelta(days=round(years_ago * 365.25))

    def text(self, path: str, lines: Sequence[str], years_ago: float) -> None:
        """Writes a document of the kind that its name says."""
        plain = [unmark(line) for line in lines]
        make = _WRITERS[path.rpartition(".")[2]]
        self.add(path, make(plain), years_ago, lines)

    def table(self, path: str, rows: Sequence[Sequence[str]], years_ago: float) -> None:
        """Writes a table as csv or xlsx."""
        plain = [[unmark(cell) for cell in row] for row in rows]
        if path.endswith(".xlsx"):
            content = formats.xlsx("Sheet1", plain)
        else:
            target = io.StringIO()
            csv.writer(target).writerows(plain)
            content = target.getvalue().encode()
        self.add(path, content, years_ago, [cell for row in rows for cell in row])

    def settle_times(self) -> None:
        """Sets all times, folders last, so that nothing shows when the share was made."""
        for path, moment in self._times.items():
            os.utime(self.directory / path, (moment.timestamp(),) * 2)
        for folder in sorted((path for path in self.directory.rglob("*") if path.is_dir()), reverse=True):
            os.utime(folder, (_TODAY.timestamp(),) * 2)
        os.utime(self.directory, (_TODAY.timestamp(),) * 2)


def _page(lines: Sequence[str]) -> bytes:
    body = "".join(f"<p>{line}</p>\n" for line in lines)
    return f"<!doctype html>\n<html><head><title>Intranet</title></head><body>\n{body}</body></html>\n".encode()


_WRITERS: dict[str, Callable[[Sequence[str]], bytes]] = {
    "txt": lambda lines: ("\r\n".join(lines) + "\r\n").encode("cp1252", "replace"),
    "md": lambda lines: ("\n\n".join(lines) + "\n").encode(),
    "docx": lambda lines: formats.docx(lines),
    "pdf": lambda lines: formats.pdf(lines),
    "html": _page,
}


def _staff(share: _Share) -> None:
    for person in share.people[:12]:
        known = share.fields(person)
        folder = f"HR/Personnel/{person.last} {person.first}"
        years = share.chance.uniform(0.5, 9)
        share.text(
            f"{folder}/Contract of employment.docx",
            [
                "CONTRACT OF EMPLOYMENT",
                "Between Harbourside Estates Ltd and {name}, {street}, {town} {postcode}.".format(**known),
                "Date of birth: {born}. National Insurance number: {nino}. Staff number: {staff}.".format(**known),
                "Salary is paid monthly to sort code {sort_code}, account number {account}.".format(**known),
            ],
            years,
        )
        share.text(
            f"{folder}/Appraisal {2026 - int(years)}.docx",
            [f"Appraisal of {known['name']}, {known['staff']}", "Objectives met. Agreed: first-aid course in spring."],
            years / 2,
        )
        if person.number % 3 == 0:
            share.text(
                f"HR/Sickness absence/{person.last} return to work.docx",
                ["Return to work interview", "{name}, NHS number {nhs}, was away with back pain.".format(**known)],
                years,
            )
    for person in share.people[12:16]:
        known = share.fields(person)
        share.text(
            f"HR/Leavers/{person.last}, {person.first}/Resignation.docx",
            ["Dear {first}, we accept your resignation.".format(**known), "{name}, {nino}, {email}".format(**known)],
            share.chance.uniform(5, 11),
        )
        share.text(
            f"HR/Disciplinary/{person.last} - first warning.docx",
            ["First written warning", "To {name}: repeated lateness since January.".format(**known)],
            share.chance.uniform(0.3, 4),
        )
    share.text("HR/Policies/Absence policy.docx", ["Absence policy", "Tell your manager before ten o'clock."], 3)
    share.text("HR/DBS certificates/Register.docx", ["DBS register", "Disclosures are seen, noted and returned."], 1.5)


def _payroll(share: _Share) -> None:
    for year in range(2014, 2027, 2):
        head = ["Name", "Employee number", "NI number", "Sort code", "Account number", "Net pay"]
        rows = [head]
        for person in share.people[:14]:
            known = share.fields(person)
            pay = f"{share.chance.randint(1400, 3200)}.{share.chance.randint(10, 99)}"
            rows.append([known[key] for key in ("name", "staff", "nino", "sort_code", "account")] + [pay])
        share.table(f"Finance/Payroll/{year}/Payroll March {year}.xlsx", rows, 2026.6 - year)
        share.table(f"Finance/Payroll/{year}/BACS March {year}.csv", [row[:1] + row[3:] for row in rows], 2026.6 - year)
    for person in share.people[:6]:
        known = share.fields(person)
        share.text(
            f"Finance/Payroll/P60/P60 {person.last}.pdf",
            ["P60 End of Year Certificate", "{name}  NI number {nino}  UTR {utr}".format(**known)],
            share.chance.uniform(1, 9),
        )


def _recruitment(share: _Share) -> None:
    for number, person in enumerate(share.people[14:22]):
        known = share.fields(person)
        kind = ("pdf", "docx")[number % 2]
        share.text(
            f"HR/Recruitment/2025 Caretaker/{person.last} CV.{kind}",
            [
                "Curriculum vitae of {name}".format(**known),
                "{street}, {town} {postcode}. Telephone {phone}, e-mail {email}.".format(**known),
                "Born {born}. Driving licence {licence}.".format(**known),
            ],
            share.chance.uniform(0.2, 2.5),
        )
    for person in share.people[16:20]:
        known = share.fields(person)
        message = [
            "Dear {first},".format(**known),
            "thank you for coming to see us. We have offered the post to somebody else.",
            "We wrote to {street}, {town} {postcode} as well.".format(**known),
        ]
        headers = {
            "From": "office@example.org",
            "To": unmark("{name} <{email}>".format(**known)),
            "Subject": "Your application",
            "Date": "Mon, 03 Mar 2025 10:12:00 +0000",
        }
        content = formats.eml(headers, [unmark(line) for line in message])
        name = f"HR/Recruitment/2025 Caretaker/Refusals/{person.last}.eml"
        share.add(name, content, 1.6, [*message, "{name} {email}".format(**known)])


def _cases(share: _Share) -> None:
    for number, person in enumerate(share.people[8:16]):
        known = share.fields(person)
        closed = "Closed cases/" if number % 2 else ""
        case = f"Casework/{closed}HE-{2015 + number}-{140 + number}"
        years = 11 - number
        share.text(
            f"{case}/Statement.docx",
            ["Witness statement", "I am {name} of {street}, {town} {postcode}. I was born on {born}.".format(**known)],
            years,
        )
        share.text(f"{case}/Notes.txt", ["Rang {phone}, no answer. Wrote to {email}.".format(**known)], years)
        content = json.dumps([{"party": unmark(known["name"]), "phone": unmark(known["phone"])}], indent=1).encode()
        share.add(f"{case}/export.json", content, years, ["{name} {phone}".format(**known)])
    for person in share.people[4:7]:
        known = share.fields(person)
        share.text(
            f"Data protection/Subject access requests/{person.last}.docx",
            ["Request of {name}, {email}".format(**known), "We send copies of the personnel file within a month."],
            share.chance.uniform(0.5, 8),
        )
    share.text("Data protection/Breach log.md", ["# Breach log", "2024-02: letter to a wrong address, no risk."], 1.2)


def _clients(share: _Share) -> None:
    rows = [["Tenant", "Telephone", "E-mail", "Postcode", "IBAN"]]
    for person in share.people:
        known = share.fields(person)
        rows.append([known[key] for key in ("name", "phone", "email", "postcode", "iban")])
    share.table("Clients/Tenants 2026.xlsx", rows, 0.2)
    share.table("Clients/Tenants 2016.csv", rows, 10)
    share.table("Marketing/Newsletter subscribers.csv", [[row[0], row[2]] for row in rows], 2.5)
    for year in range(2015, 2027):
        for number in range(3):
            person = share.people[(year + number) % len(share.people)]
            known = share.fields(person)
            share.text(
                f"Finance/Invoices/{year}/INV-{year}-{100 + number}.pdf",
                [
                    f"Invoice INV-{year}-{100 + number}",
                    "To {name}, {street}, {town} {postcode}".format(**known),
                    "Paid by card {card}".format(**known) if number == 0 else "Please pay within thirty days.",
                ],
                2026.5 - year + number / 10,
            )
    for person in share.people[20:]:
        known = share.fields(person)
        share.text(
            f"Enquiries/{person.last}.txt",
            ["Wants to rent a garage. Call {phone}.".format(**known), "{name}".format(**known)],
            share.chance.uniform(0.1, 3),
        )


def _office(share: _Share) -> None:
    for year in range(2012, 2027, 2):
        share.text(
            f"Board/Minutes/Board minutes {year}.docx",
            ["Minutes of the board", "Apologies: none.", "The accounts were approved."],
            2026.4 - year,
        )
    for day in range(1, 7):
        known = share.fields(share.people[day])
        lines = [f"2026-10-0{day}T08:{minute:02}:00 backup finished" for minute in range(30)]
        marked = [*lines, "2026-10-01T09:00:00 login of {email} from 192.0.2.17".format(**known)]
        content = ("\n".join(unmark(line) for line in marked) + "\n").encode()
        share.add(f"IT/Logs/server{day}.log", content, 0.1, marked)
    share.text("IT/Handbook/Passwords.md", ["# Passwords", "Use three words. Never write them down."], 4)
    share.text("Intranet/welcome.html", ["Welcome to Harbourside Estates.", "The kitchen is on the first floor."], 5)
    share.text("Templates/Letter.docx", ["Dear [name],", "Yours sincerely,"], 6)
    share.text("Training/First aid 2023.docx", ["Attended: the whole office. Lunch: no nuts."], 3.2)
    settings = '<?xml version="1.0"?>\n<printers><printer name="first floor" address="192.0.2.40"/></printers>\n'
    share.add("IT/printers.xml", settings.encode(), 2)


def _oddities(share: _Share) -> None:
    share.add("Marketing/logo.png", formats.png(400, 300), 4)
    share.add("Marketing/jingle.mp3", b"ID3\x04" + bytes(2_000), 4)
    share.add("Scans/empty.txt", b"", 2)
    share.add("Scans/damaged.pdf", formats.pdf(["a letter that was lost"])[:60], 3)
    share.add("Archive/2011/old backup.zip", formats.zipped({"a.txt": b"old"}), 15)
    share.text("Übergabe & Notes (final) v2.txt", ["The meter was read on Friday."], 1)
    known = share.fields(share.people[3])
    share.text("Shared/Contacts.txt", ["{name}: {phone}, {email}".format(**known)], 1)
    os.link(share.directory / "Shared/Contacts.txt", share.directory / "Shared/Contacts (second name).txt")
    (share.directory / "Shared/To the board").symlink_to("../Board")
    undecodable = os.fsencode(share.directory / "Scans") + b"/caf\xe9 menu.txt"
    with open(undecodable, "wb") as file:
        file.write(b"soup of the day\n")
    os.utime(undecodable, (_TODAY.timestamp(),) * 2)


def main(arguments: Sequence[str]) -> int:
    """Makes the share; gives the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.corpus.office_share DIRECTORY\n")
        return 2
    directory = Path(arguments[0])
    try:
        manifest = make_office_share(directory)
    except OSError as error:
        sys.stderr.write(f"The sample share cannot be made: {error}\n")
        return 2
    sys.stdout.write(f"Made a sample office share of {len(manifest.files)} files in {directory}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What was decided, told to people in SharePoint: labels and columns by `retentiond tag`, and a scan that takes none of
it for anybody else's work. And what is shared too widely, told to us."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tenant_office import TenantOffice
from tests.emulator import Emulator

pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.usefixtures("reads_here")]

LABEL, ANOTHER, RECORD = "Leavers, 6 years", "Keep", "Record"
COLUMNS = {"class": "RetentionClass", "due": "RetentionDue", "state": "RetentionState"}
TOLD = ("    labels:", "    decided_columns:")
DECIDED = {"RetentionClass": "leaver", "RetentionDue": "2021-03-03", "RetentionState": "due"}


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TenantOffice]:
    with Emulator() as graph:
        office = TenantOffice(tmp_path, graph, monkeypatch)
        for name, behaviour in ((LABEL, "retain"), (ANOTHER, "retain"), (RECORD, "retainAsRecord")):
            graph.tenant.add_retention_label(name, behaviour=behaviour)
        for column in COLUMNS.values():
            office.library.columns.add(column)
        tell(office, labels={"leaver": LABEL}, decided_columns=COLUMNS)
        yield office


def tell(office: TenantOffice, **said: dict[str, str]) -> None:
    """What the tenant is told of decisions, in the settings."""
    lines = [line for line in office.settings.read_text().splitlines() if not line.startswith(TOLD)]
    at = lines.index("    sites: all")
    lines[at:at] = [f"    {key}: {json.dumps(value)}" for key, value in said.items()]
    office.settings.write_text("\n".join(lines) + "\n")


def writes(office: TenantOffice) -> int:
    return sum(call.method != "GET" and "/drives/" in call.path and call.status < 400 for call in office.graph.log)


def test_what_was_decided_is_told_and_the_next_scan_takes_none_of_it_for_a_change(office: TenantOffice) -> None:
    library = office.library
    library.quirks.office_rewrites = True
    ids = {name: office.file(f"Leavers/{name}") for name in ("a.txt", "b.docx", "c.txt")}
    young = office.file("Young/new.txt")
    assert office.json("scan", "--jobs", 1)["opened"] == 4

    before = writes(office)
    told = office.json("tag", "--dry-run")
    assert (told["marked"], told["labelled"], told["dry_run"], writes(office)) == (4, 3, True, before)

    told = office.json("tag")
    assert (told["marked"], told["labelled"], told["as_before"], told["left"]) == (4, 3, 0, {})
    for id in ids.values():
        label = library.label_of(id)
        assert label is not None
        assert (label.name, library.fields_of(id)) == (LABEL, DECIDED)
    assert library.label_of(young) is None
    assert library.fields_of(young) == {"RetentionClass": None, "RetentionDue": None, "RetentionState": "unclassified"}

    again = office.json("scan", "--jobs", 1)
    assert (again["opened"], again["seen"], again["reconciles"]) == (0, 4, True)
    told = office.json("tag")
    assert (told["marked"], told["as_before"], told["left"]) == (0, 4, {})
    assert [call.path for call in office.graph.log if call.method == "PATCH" and not call.headers.get("If-Match")] == [
        call.path for call in office.graph.log if call.path.endswith("/retentionLabel") and call.method == "PATCH"
    ]
    assert (office.graph.leaks, office.graph.early_calls) == ([], [])

    due = office.due()
    assert set(due) == {f"Leavers/{name}" for name in ids}, "it is due as it was: our mark is no new beginning"
    office.approve(due["Leavers/a.txt"])
    assert office.json("tag")["left"] == {"under_review": 1}


@pytest.mark.long
def test_what_is_taken_away_again_are_columns_and_never_labels(office: TenantOffice) -> None:
    id = office.file("Leavers/a.txt")
    office.run("scan", "--jobs", 1)
    office.run("tag")
    said = office.run("tag", "--remove")
    label = office.library.label_of(id)
    assert label is not None
    assert (label.name, set(office.library.fields_of(id).values())) == (LABEL, {None})
    assert "Marked: 1 file; as before: 0." in said
    assert "Retention labels stay" in said
    assert office.json("scan", "--jobs", 1)["opened"] == 0


def test_nothing_is_forced_and_nothing_of_other_people_replaced(office: TenantOffice) -> None:
    library = office.library
    library.quirks.conditions = True
    names = "Record", "Another", "Same", "Out", "Locked", "Edited", "Moved", "Plain"
    ids = {name: office.file(f"Leavers/{name}.txt") for name in names}
    library.label(ids["Record"], RECORD)
    library.label(ids["Another"], ANOTHER)
    library.label(ids["Same"], LABEL)
    tell(office, labels={"leaver": LABEL})
    office.run("scan", "--jobs", 1)
    library.check_out(ids["Out"], "ann@contoso.example")
    library.lock(ids["Locked"])
    library.put("Leavers/Edited.txt", b"something else")
    library.move(ids["Moved"], "Elsewhere/Moved.txt")

    told = office.json("tag")

    left = {"labelled_by_people": 1, "record_at_source": 1, "changed": 3, "open": 1}
    assert (told["marked"], told["labelled"], told["as_before"], told["left"]) == (1, 1, 1, left)
    names_of = {name: label.name for name, id in ids.items() if (label := library.label_of(id))}
    assert names_of == {"Record": RECORD, "Another": ANOTHER, "Same": LABEL, "Plain": LABEL}
    assert "somebody else has put another label on them" in office.run("tag")

    tell(office, decided_columns=COLUMNS)
    office.run("scan", "--jobs", 1)
    told = office.json("tag")
    assert told["left"] == {"record_at_source": 1, "checked_out": 1, "open": 1}
    assert library.fields_of(ids["Record"]) == {}


@pytest.mark.long
def test_a_label_or_column_that_there_is_not_is_told_and_the_other_is_set(office: TenantOffice) -> None:
    id = office.file("Leavers/a.txt")
    office.run("scan", "--jobs", 1)
    tell(office, labels={"leaver": "No such label"}, decided_columns={"state": "RetentionState"})
    told = office.json("tag")
    assert (told["marked"], told["labelled"], told["left"]) == (1, 0, {"no_label": 1})
    tell(office, labels={"leaver": LABEL}, decided_columns={"state": "Missing"})
    told = office.json("tag")
    assert (told["marked"], told["labelled"], told["left"]) == (1, 1, {"no_columns": 1})
    assert office.library.fields_of(id) == {"RetentionState": "due"}
    assert office.json("scan", "--jobs", 1)["opened"] == 0


def test_a_label_of_ours_follows_the_class_and_one_of_other_people_stays_however_late_it_was_set(
    office: TenantOffice,
) -> None:
    ids = {name: office.file(f"Leavers/{name}.txt") for name in ("ours", "theirs")}
    tell(office, labels={"leaver": LABEL})
    office.run("scan", "--jobs", 1)
    office.run("tag")
    office.library.label(ids["theirs"], ANOTHER)
    office.run("scan", "--jobs", 1)
    office.graph.tenant.add_retention_label("Leavers, 7 years", behaviour="retain")
    tell(office, labels={"leaver": "Leavers, 7 years"})
    told = office.json("tag")
    assert (told["marked"], told["labelled"], told["left"]) == (1, 1, {"labelled_by_people": 1})
    names = {name: label.name for name, id in ids.items() if (label := office.library.label_of(id))}
    assert names == {"ours": "Leavers, 7 years", "theirs": ANOTHER}


@pytest.mark.long
def test_nothing_is_told_unless_the_settings_say_how_and_by_whom(office: TenantOffice) -> None:
    office.file("Leavers/a.txt")
    office.run("scan", "--jobs", 1)
    tell(office)
    before = writes(office)
    assert office.json("tag")["left"] == {"not_named": 1}
    tell(office, labels={"leaver": LABEL})
    text = office.settings.read_text()
    office.settings.write_text("".join(line for line in text.splitlines(keepends=True) if "writer:" not in line))
    assert office.json("tag")["left"] == {"no_writer": 1}
    assert writes(office) == before


def test_what_is_shared_beyond_the_organisation_is_told_as_a_risk(office: TenantOffice) -> None:
    library = office.library
    ids = {name: office.file(f"Leavers/{name}.txt") for name in ("link", "guest", "colleagues", "alone")}
    library.put("Leavers/menu.txt", b"Soup of the day.")
    library.share(ids["link"], "anonymous")
    library.share(library.id_of("Leavers/menu.txt"), "anonymous")
    library.share(ids["guest"], "people", to=("someone@elsewhere.example",))
    library.share(ids["colleagues"], "organization")

    said = office.run("scan", "--jobs", 1)
    facts = office.json("scan", "--jobs", 1)

    assert facts["shared"] == {"anonymous": 2, "external": 1, "with_personal_data": 2}
    assert "ALERT: 2 files with personal data are shared with anybody who has the link, or outside the" in said
    office.run("report", "--format", "json", "--output", office.folder / "report.json")
    rows = {row["path"]: row["sharing"] for row in json.loads((office.folder / "report.json").read_text())["rows"]}
    assert (rows["Leavers/link.txt"], rows["Leavers/guest.txt"], rows["Leavers/alone.txt"]) == (
        "anonymous",
        "external",
        "",
    )
    page = Path(facts["report"]).read_text()
    assert "2 files with personal data are shared beyond the organisation" in page

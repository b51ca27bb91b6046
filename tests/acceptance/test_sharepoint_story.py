"""Disposition on SharePoint, by the commands that people use: scan, two people's review, quarantine in the library,
restore one, destroy the rest, certificate, verify.

Between approval and act there are a label, a hold, a lock and an edit."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tenant_office import READER_SECRET, REASON, TOKEN_STARTS, WORDS, WRITER_SECRET, TenantOffice
from tests.emulator import Emulator

LEFT = 3  # the exit code if something was left as it is
pytestmark = [pytest.mark.slow, pytest.mark.loopback, pytest.mark.usefixtures("reads_here")]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TenantOffice]:
    with Emulator() as graph:
        yield TenantOffice(tmp_path, graph, monkeypatch)


def test_the_story_of_an_office_in_sharepoint(office: TenantOffice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    library = office.library
    office.graph.tenant.add_retention_label("Keep 7 years", behaviour="retainAsRecord")
    names = "Plain", "Back", "Labelled", "Held", "Locked", "Edited", "Checked out", "Ours on hold", "Renamed"
    ids = {name: office.file(f"Leavers/{name}.txt") for name in names}
    office.file("Young/new.txt")
    texts = {name: library.content(id) for name, id in ids.items()}

    seen = office.json("scan", "--jobs", 1)
    assert (seen["seen"], seen["scanned"], seen["reconciles"]) == (10, 10, True)
    due = office.due()
    assert set(due) == {f"Leavers/{name}.txt" for name in names}
    office.approve(*due.values())

    # Between approval and act people go on working, and one of us places a hold.
    library.label(ids["Labelled"], "Keep 7 years")
    library.hold(ids["Held"])
    library.lock(ids["Locked"])
    library.put("Leavers/Edited.txt", b"somebody has written something else")
    library.check_out(ids["Checked out"], "ann@contoso.example")
    library.rename(ids["Renamed"], "Another name.txt")
    office.run(
        "hold", "place", "Claim", "--kind", "legal-hold", "--path", "Leavers/Ours on hold.txt", "--citation", "claim 7",
        *REASON, "--yes",
    )  # fmt: skip

    taken = office.json("dispose", "run", "--yes", code=LEFT)
    assert (taken["quarantined"], taken["kept"]) == (3, {"changed": 4, "open": 1})
    for name in ("Plain", "Back", "Held"):
        assert (library.path_of(ids[name]) or "").startswith(".retentiond quarantine/"), name
        assert library.content(ids[name]) == texts[name]
    for name in ("Labelled", "Locked", "Checked out", "Ours on hold"):
        assert library.path_of(ids[name]) == f"Leavers/{name}.txt", name
    assert library.content(ids["Edited"]) == b"somebody has written something else"
    assert library.path_of(ids["Renamed"]) == "Leavers/Another name.txt"

    # One comes back where it was, the same item, and is not read again.
    disposals = office.disposals()
    office.run("restore", disposals["Leavers/Back.txt"]["disposal"], *REASON, "--yes")
    assert library.path_of(ids["Back"]) == "Leavers/Back.txt"
    assert library.content(ids["Back"]) == texts["Back"]
    again = office.json("scan", "--jobs", 1)
    assert again["opened"] == 1  # what was edited
    assert again["reconciles"]

    # What the source has declared a record, or somebody has checked out, is told as that, and never forced.
    due = office.due()
    office.approve(due["Leavers/Labelled.txt"], due["Leavers/Checked out.txt"])
    told = office.json("dispose", "run", "--yes", code=LEFT)
    assert (told["quarantined"], told["kept"]) == (
        0,
        {"record_at_source": 1, "checked_out": 1, "open": 1, "held_at_source": 1},
    )
    assert library.label_of(ids["Labelled"]) is not None

    # The rest is destroyed, with proof of what was done and of what may be left.
    assert told["destroyed"] == 1
    assert library.path_of(ids["Plain"]) is None
    assert library.content(ids["Held"]) == texts["Held"]
    assert len(office.json("dispose", "erase")["erased"]) == 1
    certificate, keys = office.folder / "gone.txt", office.folder / "keys.txt"
    office.run("certificate", "issue", "--output", certificate)
    keys.write_text(office.run("certificate", "keys"))
    assert "genuine" in office.run("certificate", "verify", certificate, "--key", keys, state=False)
    written = certificate.read_text()
    assert "reservation" in written  # the preservation hold library may have a copy
    assert "Plain" not in written
    assert "nothing was changed" in office.run("audit", "verify")
    office.run("fsck")

    # Nobody but the officer and we reach what was in quarantine; every destructive request named the version.
    for call in office.graph.log:
        if call.method == "PATCH" and "retentionLabel" not in call.path and "fields" not in call.path:
            assert call.headers.get("If-Match"), call.path
        assert "bypass-shared-lock" not in call.headers.get("Prefer", "")
    assert office.graph.leaks == []
    assert office.graph.early_calls == []

    # Nothing of what was handled is said anywhere.
    said = office.output + caplog.text
    for secret in (READER_SECRET, WRITER_SECRET, *WORDS, *TOKEN_STARTS):
        assert secret not in said

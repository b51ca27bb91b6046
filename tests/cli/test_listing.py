"""`retentiond due`, `misplaced` and `duplicates`, as a user runs them."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from tests.cli.here import command_here
from tests.conftest import Command

LETTER = "Dear Ms Amy Carter\nYour account: sort code 20-11-33, account number 12345678. Telephone 020 7946 0123.\n"
PATIENT = "Patient: Amy Carter, NHS number 943 476 5919. She has type 2 diabetes and takes insulin.\n"


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A small office of which one letter is long due, lies there twice, and one file must not be there. It is scanned
    once for all, since these tests only look."""
    folder = tmp_path_factory.mktemp("office")
    share, retentiond = folder / "share", command_here(folder)
    files = {"Invoices/letter.txt": LETTER, "Downloads/letter (1).txt": LETTER, "Shared/patient.txt": PATIENT}
    for path, text in files.items():
        (share / path).parent.mkdir(parents=True)
        (share / path).write_text(text)
        os.utime(share / path, (1_400_000_000, 1_400_000_000))
    assert retentiond("scan", share).returncode == 0
    return retentiond


def told(retentiond: Command, *command: str) -> dict[str, Any]:
    done = retentiond(*command, "--json")
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def test_an_office_is_told_what_is_due_misplaced_and_there_twice(scanned: Command) -> None:
    due = told(scanned, "due")
    assert [(one["path"], one["class"], one["due_on"]) for one in due["items"]] == [
        ("Invoices/letter.txt", "invoice", "2021-05-14")
    ]
    assert due["states"] == {"due": 1, "unclassified": 2}
    assert "Invoices/letter.txt" in scanned("due").stdout
    assert told(scanned, "due", "--show", "0")["items"] == []
    assert "1 more are due" in scanned("due", "--show", "0").stdout

    twice = told(scanned, "duplicates")
    assert (twice["groups"], twice["spare"], twice["spare_bytes"]) == (1, 1, len(LETTER))
    assert twice["duplicates"][0]["keep"]["path"] == "Invoices/letter.txt"
    assert "keep  Invoices/letter.txt" in scanned("duplicates").stdout

    wrong = told(scanned, "misplaced", "--schedule", "ig-consultancy")
    assert [(one["path"], one["rule"]) for one in wrong["items"]] == [("Shared/patient.txt", "patient-data")]
    assert "1 misplaced." in scanned("misplaced", "--schedule", "ig-consultancy").stdout
    hidden = scanned("misplaced", "--schedule", "ig-consultancy", "--show", "0").stdout
    assert hidden == "1 misplaced. 1 not shown; see --show.\n"


def test_a_day_that_is_past_is_refused_with_what_to_do(scanned: Command) -> None:
    refused = scanned("due", "--at", "2020-01-01")
    assert (refused.returncode, "retentiond simulate" in refused.stderr) == (2, True)


@pytest.mark.parametrize("command", [("explain",), ("review", "show")])
def test_a_number_that_no_item_can_have_is_told_so(scanned: Command, command: tuple[str, ...]) -> None:
    refused = scanned(*command, "9" * 30)
    assert (refused.returncode, "Traceback" in refused.stderr, "defect" in refused.stderr) == (2, False, False)

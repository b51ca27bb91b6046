"""Many items are reviewed at once: by class, out of a file, and by a sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.cli import reviewing
from agent.cli.review import review_app
from agent.errors import UsageError
from connectors.base import Gone
from tests.catalogue.conftest import a_pass, ref_of
from tests.cli.review_desk import CASE, CASE_2, LETTER, OLDER, Office

REASON = ("--reason", "looked at it carefully")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(tmp_path, monkeypatch)


# Many at once


def test_all_due_items_of_a_class_are_counted_and_then_acted_on(office: Office) -> None:
    bulk = ("approve", "--class", "case-file", "--all-due", "--reason", "ok")
    assert office.run(*bulk, "--dry-run").splitlines() == ["approve: possible on 2 items.", "Nothing was recorded."]
    assert "Nothing was recorded." in office.run(*bulk, answer="n\n")
    assert office.run(*bulk, answer="y\n").splitlines()[-1] == "Recorded on 2 items."
    again = office.run(*bulk, "--yes").splitlines()
    assert again[0] == "approve: possible on 0 items."
    assert again[1].startswith("  not on 2 items: You have approved it already")
    assert again[2] == "Nothing was recorded."


def test_a_bulk_act_is_told_to_a_console(office: Office) -> None:
    office.run("approve", CASE, "--reason", "ok", "--yes")
    bulk = ("approve", "--class", "case-file", "--all-due", "--reason", "ok")
    facts = office.as_("ben").json(*bulk, "--dry-run")
    assert (facts["possible"], facts["recorded"], facts["dry_run"]) == (1, 0, True)
    assert [one["items"] for one in facts["refused"]] == [1]
    assert office.json(*bulk, "--yes")["recorded"] == 1


def test_other_acts_are_done_in_bulk_too(office: Office) -> None:
    moved = office.json("reclassify", "--from-class", "letter", "--all-due", "--class", "young", *REASON, "--yes")
    assert moved["recorded"] == 2
    assert (
        office.json("delegate", "--class", "case-file", "--all-due", "--to", "ben", *REASON, "--yes")["recorded"] == 2
    )


# From a file


def test_a_console_sends_acts_and_learns_what_became_of_them(office: Office, tmp_path: Path) -> None:
    seen = {one["item"]: one["seen"] for one in office.json("list")["items"]}
    acts = [
        {"item": CASE, "kind": "approve", "reason": "ok", "seen": seen[CASE]},
        {"path": "/srv/office/Cases/2/b.pdf", "kind": "reject", "reason": REASON[1]},
    ]
    facts = office.json("record", "--from", "-", "--yes", answer=json.dumps(acts))
    assert [one["kind"] for one in facts["acts"]] == ["approve", "reject"]
    assert facts["states"] == {"1": "in_review", "2": "rejected"}
    (tmp_path / "acts.json").write_text(json.dumps([{"item": LETTER}, {"item": OLDER}]))
    assert len(office.json("approve", "--from", tmp_path / "acts.json", "--reason", "ok", "--yes")["acts"]) == 2


def test_a_console_that_has_seen_something_else_is_told_so_and_nothing_is_recorded(office: Office) -> None:
    acts = [{"item": CASE, "kind": "approve", "reason": "ok", "seen": "0" * 32}, {"item": CASE_2, "kind": "approve"}]
    where = [f"--state={office.state}", f"--config={office.state.parent / 'settings.yaml'}"]
    where.append(f"--schedule={office.state.parent / 'schedule.yaml'}")
    done = CliRunner().invoke(review_app, ["record", "--from", "-", "--yes", "--json", *where], input=json.dumps(acts))
    assert done.exit_code == 2
    facts = json.loads(done.stdout)
    assert (facts["recorded"], facts["acts"]) == (False, [])
    assert [one["item"] for one in facts["refused"]] == [CASE, CASE_2]
    assert facts["refused"][0]["why"].startswith("It has changed since you looked at it.")
    assert office.acts() == []


def test_a_file_that_is_too_large_is_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviewing, "_MOST_BYTES", 5)
    with pytest.raises(UsageError, match="standard input: this is larger than 5 bytes"):
        office.run("record", "--from", "-", "--yes", answer="[1,2,3]")


# Samples


def _judge(office: Office, sample: dict[str, Any], *bad: int) -> dict[str, Any]:
    options: list[str | int] = []
    for one in sample["items"]:
        options += ["--bad" if one["item"] in bad else "--good", one["item"]]
    told: dict[str, Any] = office.json("sample", sample["sample"], *options, "--reason", "a dispute")
    return told


def test_a_sample_is_drawn_judged_and_approves_its_group(office: Office) -> None:
    groups = office.json("sample", "--class", "letter")["groups"]
    assert {one["pattern"]: one["items"] for one in groups} == {"Letters/**": 1, "Older/**": 1}
    text = office.run("sample", "--class", "letter")
    assert "There are several groups of like items. Draw from one of them with --group KEY:" in text
    assert f"  {groups[0]['key']}  1 items: {groups[0]['pattern']}, pdf, destroy" in text.splitlines()
    assert office.json("sample", "--class", "letter", "--group", groups[0]["key"], "--at-most", 50)["at_most_bad"] == 0
    drawn = office.run("sample", "--class", "case-file")
    assert "Sample 2: 2 drawn at random out of 2 items" in drawn
    assert "If none of them is bad, at most 0 of all are, with 95 % confidence." in drawn
    assert "  1  Cases/1/a.pdf  to be judged" in drawn.splitlines()
    assert "2 left to judge: retentiond review sample 2 --good N --bad N" in drawn
    assert office.run("sample", 2) == drawn
    clean = _judge(office, office.json("sample", 2))
    assert (clean["clean"], clean["left"], clean["confidence"]) == (True, 0, 0.95)
    assert "Clean. To approve all it speaks for: retentiond review approve --sample 2" in office.run("sample", 2)
    assert office.json("approve", "--sample", 2, "--reason", "ok", "--yes")["recorded"] == 2


def test_one_bad_item_is_told_and_ends_it(office: Office) -> None:
    bad = _judge(office, office.json("sample", "--class", "case-file"), CASE)
    assert not bad["clean"]
    text = office.run("sample", 1)
    assert "  1  Cases/1/a.pdf  BAD: a dispute" in text.splitlines()
    assert "  2  Cases/2/b.pdf  good" in text.splitlines()
    assert "Something bad was found: the items of this group must be reviewed one by one." in text
    assert "A sample of items like it has found something bad: they are reviewed one by one." in office.run(
        "show", CASE_2
    )
    facts = office.json("approve", "--class", "case-file", "--all-due", "--reason", "ok", "--yes")
    assert (facts["possible"], facts["recorded"]) == (0, 0)
    assert office.json("approve", CASE_2, "--reason", "ok", "--yes")["recorded"] is True


def test_a_sampled_item_that_is_gone_is_told(office: Office) -> None:
    office.run("sample", "--class", "case-file")
    with office.catalogue() as catalogue:
        a_pass(catalogue, Gone(ref_of(b"Cases/1/a.pdf")), hours=1)
    assert "  1  gone  to be judged" in office.run("sample", 1).splitlines()


def test_a_group_of_no_pattern_is_told(office: Office) -> None:
    office.run("reclassify", CASE, "--class", "letter", *REASON, "--yes")
    assert "any path, pdf, destroy" in office.run("sample", "--class", "letter")
    key = next(one["key"] for one in office.json("sample", "--class", "letter")["groups"] if not one["pattern"])
    assert "any path; pdf" in office.run("sample", "--class", "letter", "--group", key)

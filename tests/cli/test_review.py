"""`retentiond review` shows, asks, records, and tells the same to people and to a console."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.main import get_command

from agent import bootstrap
from agent.cli import reviewing
from agent.cli.review import review_app
from agent.errors import UsageError
from agent.model.review import ActKind
from tests.catalogue.conftest import a_pass
from tests.cli.review_desk import CASE, CASE_2, COPY, DROPPED, LETTER, OLDER, Office
from tests.usecases.review_office import a_file

REASON = ("--reason", "looked at it carefully")


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(tmp_path, monkeypatch)


# Looking


def test_the_list_names_what_is_due_and_whose_turn_it_is(office: Office) -> None:
    office.run("approve", CASE, "--reason", "ok", "--yes")
    text = office.run("list")
    lines = text.splitlines()
    assert lines[:2] == [
        "     1  Cases/1/a.pdf  (office)",
        "        due since 2021-05-18 under case-file, then destroy; in review; next: privacy lead, for ben or cem",
    ]
    assert lines[3] == (
        "        due since 2021-05-18 under case-file, then destroy; proposed, OVERDUE, waiting since 2026-01-01; "
        "next: case officer, for ann or cem"
    )
    assert "under no class, then move to quarantine and alert; proposed" in text
    today = bootstrap.now().date().isoformat()
    assert f"Due on {today}: 1 in review, 4 proposed." in lines
    assert any(line.startswith("4 waiting for more than 30 days") for line in lines)
    assert any(
        line.startswith("Remind ann <ann@example.org>: 4 waiting since 2026-01-01, 4 overdue.") for line in lines
    )
    assert any(line.startswith("Remind ben: ") for line in lines)


def test_the_list_is_told_to_a_console_too(office: Office) -> None:
    facts = office.json("list", "--class", "case-file", "--show", 1)
    assert (facts["states"], facts["chosen"], len(facts["items"])) == ({"proposed": 2}, 2, 1)
    (item,) = facts["items"]
    assert (item["item"], item["share"], item["path"]) == (CASE, "office", "Cases/1/a.pdf")
    assert (item["stage"], item["may_approve"]) == ("case officer", ["ann", "cem"])
    assert (item["state"], item["overdue"], item["waiting_since"]) == ("proposed", True, "2026-01-01")
    assert item["stages"] == ["case officer", "privacy lead"]
    assert len(item["seen"]) == 32
    assert facts["reminders"][0] == {
        "reviewer": "ann",
        "email": "ann@example.org",
        "waiting": 2,
        "overdue": 2,
        "since": "2026-01-01",
    }
    assert facts["nobody"] == []


def test_the_list_is_narrowed(office: Office) -> None:
    office.run("reject", CASE, *REASON, "--yes")
    assert "rejected; next: case officer, for ann or cem" in office.run("list", "--in", "rejected")
    assert [one["item"] for one in office.json("list", "--in", "rejected")["items"]] == [CASE]
    assert [one["item"] for one in office.json("list", "--mine")["items"]] == [CASE_2, LETTER, OLDER, DROPPED]
    assert [one["item"] for one in office.as_("ben").json("list", "--mine")["items"]] == [LETTER, OLDER, DROPPED]
    assert office.as_("dan").json("list", "--mine")["items"] == []
    office.settings(days=3650)
    assert office.json("list", "--overdue")["items"] == []
    assert "3 more are not shown; see --show." in office.run("list", "--show", 2)
    with pytest.raises(UsageError, match="--in: 'open' is no state"):
        office.run("list", "--in", "open")


def test_nothing_due_is_told_and_so_is_what_nobody_can_take(office: Office, tmp_path: Path) -> None:
    assert "Due on" in office.run("list", "--class", "young")
    assert ": nothing." in office.run("list", "--class", "young")
    (tmp_path / "settings.yaml").write_text("reviewers: [{name: ann, roles: [case officer]}]\n")
    lines = office.run("list").splitlines()
    assert 'Nobody can take "privacy lead" of class "case-file": name somebody (else) in the settings' in "\n".join(
        lines
    )
    (tmp_path / "settings.yaml").write_text("")
    text = office.run("list")
    assert 'Nobody can take "reviewer" of items without a class' in text
    assert "nobody" in text


def test_one_item_is_shown_by_number_and_by_path(office: Office) -> None:
    office.run("approve", CASE, "--reason", "ok", "--yes")
    office.run("extend", CASE_2, "--until", "2030-01-01", *REASON, "--yes")
    text = office.run("show", CASE)
    assert text == office.run("show", "/srv/office/Cases/1/a.pdf")
    for line in (
        "1  Cases/1/a.pdf  (office), 100 bytes",
        "Holds personal data: EMAIL_ADDRESS",
        "Stages: case officer, privacy lead",
        "Next: privacy lead, for ben or cem",
        "Can be extended to 2031-05-18 at the most.",
        "1 copy with the same bytes, each under its own class:",
        "  5  office: Young/copy.pdf (young, not due)",
    ):
        assert line in text.splitlines()
    assert "in review, due since 2021-05-18, then destroy" in text
    assert "ann  approve  (case officer): ok" in text
    assert "ann  extend, 2030-01-01  (case officer): looked at it carefully" in office.run("show", CASE_2)
    assert "extended, due on 2030-01-01, then destroy" in office.run("show", CASE_2)
    office.run("reclassify", DROPPED, "--class", "case-event", *REASON, "--yes")
    office.run("reclassify", OLDER, "--class", "case-event", *REASON, "--yes")
    assert office.run("show", OLDER).splitlines()[1].endswith(": reclassified")
    letter = office.run("show", LETTER)
    assert "Cannot be extended." in letter
    assert "Holds personal data" in letter
    assert "Holds personal data" not in office.run("show", OLDER)
    assert "copy" not in letter


def test_one_item_is_told_to_a_console(office: Office) -> None:
    office.run("delegate", CASE, "--to", "ben", *REASON, "--yes")
    facts = office.json("show", CASE)
    assert facts["seen"] == office.json("list")["items"][0]["seen"]
    assert (facts["delegated_to"], facts["may_approve"]) == ("ben", ["ben"])
    assert facts["acts"][0]["kind"] == "delegate"
    assert facts["acts"][0]["to"] == "ben"
    assert facts["copies"] == [
        {"item": COPY, "share": "office", "path": "Young/copy.pdf", "class": "young", "due": False}
    ]
    assert facts["group"]["pattern"] == "Cases/{case}/**"
    assert facts["findings"] == ["EMAIL_ADDRESS"]
    assert facts["decision"]["state"] == "due"
    dropped = office.json("show", DROPPED)
    assert (dropped["class"], dropped["group"], dropped["stages"]) == (None, None, ["reviewer"])


def test_who_looks_at_an_expired_approval_is_told_what_has_changed(office: Office) -> None:
    office.run("approve", CASE, "--reason", "ok", "--yes")
    with office.catalogue() as catalogue:
        a_pass(catalogue, a_file("Cases/1/a.pdf", version=b"2", content=b"n" * 32), hours=1)
    text = office.run("show", CASE)
    assert "Changed since the last act: the file, its content" in text
    assert "expired" in text


def test_an_item_that_is_not_there_is_told(office: Office) -> None:
    with pytest.raises(UsageError, match="There is no item number 99"):
        office.run("show", 99)
    with pytest.raises(UsageError, match="/srv/office/none: no scan has seen this item"):
        office.run("show", "/srv/office/none")
    with pytest.raises(UsageError, match="/elsewhere: this lies in no folder that has been scanned"):
        office.run("show", "/elsewhere")


# Acting


def test_two_people_approve_and_each_is_told_what_comes_next(office: Office) -> None:
    text = office.run("approve", CASE, "/srv/office/Cases/2/b.pdf", "--reason", "ok", answer="y\n")
    assert text.splitlines()[:2] == [
        "approve  1  office: Cases/1/a.pdf  (case officer)",
        "approve  2  office: Cases/2/b.pdf  (case officer)",
    ]
    assert "Act 1 on item 1: recorded. It is in review now; next: privacy lead, for ben or cem." in text
    text = office.as_("ben").run("approve", CASE, "--reason", "ok", "--yes")
    assert "Act 3 on item 1: recorded. It is approved now." in text
    assert office.acts() == [
        ("ann", CASE, ActKind.APPROVE),
        ("ann", CASE_2, ActKind.APPROVE),
        ("ben", CASE, ActKind.APPROVE),
    ]


def test_nothing_is_recorded_without_an_answer_or_in_a_dry_run(office: Office) -> None:
    assert "Nothing was recorded." in office.run("approve", CASE, "--reason", "ok", answer="n\n")
    assert "Nothing was recorded." in office.run("approve", CASE, "--reason", "ok", "--dry-run")
    with pytest.raises(UsageError, match="Nobody answered, so nothing was recorded"):
        office.run("approve", CASE, "--reason", "ok")
    with pytest.raises(UsageError, match="With --json nobody is asked"):
        office.json("approve", CASE, "--reason", "ok")
    assert office.acts() == []


def test_what_an_extension_or_reclassification_leads_to_is_shown_before(office: Office) -> None:
    text = office.run("extend", CASE, "--until", "2030-01-01", *REASON, "--dry-run")
    assert "  then: to be kept under case-file, due on 2030-01-01" in text.splitlines()
    text = office.run("reclassify", LETTER, "--class", "case-event", *REASON, "--dry-run")
    assert "  then: waiting for an event under case-event" in text.splitlines()
    facts = office.json("reclassify", LETTER, "--class", "young", *REASON, "--yes")
    assert facts["recorded"] is True
    assert facts["proposed"][0]["then"] == {
        "state": "keep",
        "class": "young",
        "outcome": "destroy",
        "due_on": "2040-05-18",
    }
    assert facts["states"] == {str(LETTER): "reclassified"}
    assert (facts["acts"][0]["class"], facts["acts"][0]["decided_on"]["class"]) == ("young", "letter")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("approve", CASE), ActKind.APPROVE),
        (("extend", CASE, "--until", "2030-01-01"), ActKind.EXTEND),
        (("reclassify", CASE, "--class", "letter"), ActKind.RECLASSIFY),
        (("reject", CASE), ActKind.REJECT),
        (("ask", CASE), ActKind.ASK),
        (("delegate", CASE, "--to", "ben"), ActKind.DELEGATE),
    ],
)
def test_every_act_is_recorded_by_its_command(office: Office, arguments: tuple[str | int, ...], kind: ActKind) -> None:
    facts = office.json(*arguments, *REASON, "--yes")
    assert (facts["recorded"], facts["acts"][0]["reason"]) == (True, REASON[1])
    assert office.acts() == [("ann", CASE, kind)]


def test_if_one_item_is_at_fault_nothing_is_recorded(office: Office) -> None:
    with pytest.raises(UsageError) as told:
        office.run("approve", CASE, 99, COPY, "--reason", "ok", "--yes")
    assert str(told.value).splitlines() == [
        "item 99: There is no item of that number, or it is gone from its share.",
        "item 5: It is not due before 18 May 2040. Only what is due can be reviewed.",
        "Nothing was recorded.",
    ]
    assert office.acts() == []
    many = [str(number) for number in range(100, 125)]
    with pytest.raises(UsageError, match="… and 5 more"):
        office.run("approve", *many, "--reason", "ok", "--yes")


def test_a_long_list_of_acts_is_cut_on_the_screen(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviewing, "_SHOWN", 1)
    assert "… and 1 more." in office.run("approve", CASE, CASE_2, "--reason", "ok", "--dry-run")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("approve",), "Say on what: name items by number or path, or a file with --from."),
        (("approve", "--class", "letter"), "To act on every due item of a class that you may act on, add --all-due."),
        (("approve", "--all-due"), "--all-due: say of which class, with --class."),
        (("approve", "1", "--class", "letter", "--all-due"), "Say on what in one way only"),
        (("approve", "--class", "letter", "--all-due", "--sample", "1"), "Say on what in one way only"),
        (("approve", "--sample", "1", "--from", "-"), "Say on what in one way only"),
        (("approve", "1", "--from", "-"), "Name either items or, with --from, one file of acts."),
        (("extend", "1", "--until", "soon"), "--until: 'soon' is not a day"),
        (("approve", "--from", "none.json"), "none.json: cannot be read (No such file or directory)."),
        (("approve", "--sample", "1"), "There is no sample 1."),
        (("sample",), "Name either the class to draw from, with --class, or the number of a sample."),
        (("sample", "1", "--class", "letter"), "Name either the class to draw from"),
    ],
)
def test_a_command_that_cannot_be_is_refused(office: Office, arguments: tuple[str, ...], said: str) -> None:
    more = () if arguments[0] == "sample" else ("--reason", "ok", "--yes")
    with pytest.raises(UsageError) as told:
        office.run(*arguments, *more)
    assert str(told.value).startswith(said)


def test_who_is_not_named_is_told_how_to_be(office: Office) -> None:
    with pytest.raises(UsageError, match='"dan" is not named as a reviewer'):
        office.as_("dan").run("approve", CASE, "--reason", "ok", "--yes")


# Help


@pytest.mark.parametrize("name", sorted(get_command(review_app).commands))  # type: ignore[attr-defined]
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = get_command(review_app).commands[name]  # type: ignore[attr-defined]
    assert f"retentiond review {name}" in (command.help or "").partition("Example:")[2]


def test_whoever_gives_a_reason_is_asked_to_leave_names_out() -> None:
    commands = get_command(review_app).commands  # type: ignore[attr-defined]
    for command in commands.values():
        for parameter in command.params:
            if "--reason" in parameter.opts:
                assert "leave names out" in parameter.help

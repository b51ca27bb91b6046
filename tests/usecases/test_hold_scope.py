"""A scope is read from plain words, refused in plain words, and keeps nobody's name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agent.catalogue.store import Catalogue
from agent.detection.identity import FindingIdentity
from agent.errors import UsageError
from agent.model.condition import AllOf, FileKind, FileKindIs, PathMatches, PathPattern, ShareIs
from agent.model.finding import Finding
from agent.model.hold import Hold, HoldScope
from agent.model.key import KeyForm
from agent.retention.conditions import parse_condition
from agent.usecases.hold_scope import ScopeWords, names_someone, read_scope, scope_test
from tests.catalogue.conftest import a_pass, a_result
from tests.catalogue.empty import empty_at
from tests.catalogue.factories import a_hold
from tests.retention.factories import a_class, a_schedule

IDENTITY = FindingIdentity(b"k" * 32).of
SCHEDULE = a_schedule(a_class("personnel-file", keys=("person",)), a_class("cases", keys=("case",)), a_class("letters"))
FORM = KeyForm({"person": "PERSON"}, IDENTITY)


def scope_of(**words: Any) -> HoldScope:
    return read_scope(ScopeWords(**words), SCHEDULE, FORM, ["Office", "Archive"])


def refusal(**words: Any) -> str:
    with pytest.raises(UsageError) as caught:
        scope_of(**words)
    return str(caught.value)


def test_no_words_are_an_empty_scope() -> None:
    assert scope_of() == HoldScope()


def test_paths_shares_and_a_query_become_one_condition() -> None:
    text = scope_of(paths=("HR/**", "Büro: a/#*"), shares=("office",), query="file_kind: [pdf]\n").condition
    paths = PathMatches((PathPattern("HR/**"), PathPattern("Büro: a/#*")))
    assert parse_condition(text, "") == AllOf((paths, ShareIs(("office",)), FileKindIs((FileKind.PDF,))))


@pytest.mark.parametrize(
    ("words", "condition"),
    [
        ({"paths": ("yes",)}, PathMatches((PathPattern("yes"),))),
        ({"paths": ("2019/**", "😀")}, PathMatches((PathPattern("2019/**"), PathPattern("😀")))),
        ({"shares": ("OFFICE", "archive")}, ShareIs(("OFFICE", "archive"))),
        ({"query": '{path: "2019"}'}, PathMatches((PathPattern("2019"),))),
        ({"paths": ("a" * 500 + " b",)}, PathMatches((PathPattern("a" * 500 + " b"),))),
    ],
)
def test_one_of_them_alone_is_the_condition(words: dict[str, Any], condition: object) -> None:
    assert parse_condition(scope_of(**words).condition, "") == condition


def test_classes_keys_persons_and_dates_are_kept_each_once() -> None:
    scope = scope_of(
        classes=("cases", "letters", "cases"),
        keys=("case= 2026-17  A", "case=2026-17 a", "person=Jane Doe"),
        persons=("Jane Doe", "JANE  doe"),
        identified=("email_address=Jane@Example.org", "UK_NINO=AB 12 34 56 C"),
        dated_from=date(2020, 1, 1),
        dated_until=date(2020, 12, 31),
    )
    jane = IDENTITY("PERSON", "jane doe")
    assert scope == HoldScope(
        classes=("cases", "letters"),
        keys=(("case", "2026-17 a"), ("person", "#" + jane.hex())),
        persons=(jane, IDENTITY("EMAIL_ADDRESS", "jane@example.org"), IDENTITY("UK_NINO", "AB123456C")),
        dated_from=date(2020, 1, 1),
        dated_until=date(2020, 12, 31),
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"paths": ("HR/**", "/HR/**")}, "--path: A path pattern begins inside the share"),
        ({"paths": ("HR/{person}/**",)}, "--path: {person} can capture nothing"),
        ({"paths": ("",)}, "--path: This text is empty"),
        ({"paths": ("a\udce9",)}, "--path: The character U+DCE9 cannot be part"),
        ({"query": "pathh: HR/**"}, '--query:1:1: There is no field "pathh" here. Did you mean "path"?'),
        ({"query": "path: '{case}'"}, "--query:1:1: {case} can capture nothing"),
        ({"shares": ("ofice",)}, '--share: there is no share "ofice". Did you mean "Office"?'),
        ({"shares": ("xyz",)}, '--share: there is no share "xyz". Use one of: Archive, Office.'),
        (
            {"classes": ("personel-file",)},
            '--class: the schedule "test" has no class "personel-file". Did you mean "personnel-file"?',
        ),
        ({"classes": ("x",)}, "Use one of: cases, letters, personnel-file."),
        ({"keys": ("case",)}, "--key: write KEY=VALUE, for example case=2026-17."),
        ({"keys": ("=7",)}, "--key: write KEY=VALUE"),
        ({"keys": ("case= ",)}, "--key: write KEY=VALUE"),
        ({"keys": ("cases=7",)}, '--key: the schedule "test" has no key of this name. Did you mean "case"?'),
        ({"keys": ("person=#Jane Doe",)}, "--key: a value that names a person cannot begin with #."),
        ({"persons": ("  ",)}, "--person: this is empty"),
        ({"identified": ("Jane Doe",)}, "--person-id: write TYPE=VALUE"),
        (
            {"identified": ("EMAIL=Jane@example.org",)},
            "--person-id: there is no type of this name that could be found.",
        ),
    ],
)
def test_what_cannot_be_followed_is_told_without_any_name(words: dict[str, Any], told: str) -> None:
    message = refusal(**words)
    assert told in message
    assert "jane" not in message.casefold()


@pytest.mark.parametrize("words", [{"keys": ("Jane Doe",)}, {"keys": ("Jane Doe=1",)}, {"identified": ("Jane Doe=1",)}])
def test_a_name_in_the_wrong_place_is_not_repeated(words: dict[str, Any]) -> None:
    message = refusal(**words)
    assert "may name a person" in message
    assert "Jane" not in message


def test_a_schedule_without_keys_and_a_catalogue_without_shares_have_none_to_offer() -> None:
    with pytest.raises(UsageError, match="None of its classes has a key"):
        read_scope(ScopeWords(keys=("case=7",)), a_schedule(a_class("letters")), FORM, [])
    with pytest.raises(UsageError, match="No share was scanned yet"):
        read_scope(ScopeWords(shares=("office",)), SCHEDULE, FORM, [])


def test_a_key_with_a_hash_sign_that_names_nobody_is_a_key_like_any_other() -> None:
    assert scope_of(keys=("case=#17",)).keys == (("case", "#17"),)


def test_words_are_not_shown_where_they_may_name_a_person() -> None:
    words = ScopeWords(keys=("person=Jane Doe",), persons=("Jane Doe",), identified=("EMAIL_ADDRESS=jane@example.org",))
    assert "jane" not in repr(words).casefold()


_ABOUT_JANE = scope_of(
    persons=("Jane Doe",), identified=("EMAIL_ADDRESS=jane@example.org", "UK_NINO=AB123456C"), keys=("person=Dr J Roe",)
)


@pytest.mark.parametrize(
    "text",
    [
        "Jane Doe",
        "request of JANE  DOE, received today",
        "Jane Doe's request",
        "dsar-jane_doe-2026",
        "asked by (jane@example.org).",
        "NI number AB 12 34 56 C",
        "see Dr. J. Roe",
    ],
)
def test_a_text_that_names_somebody_the_scope_is_about_is_seen(text: str) -> None:
    assert names_someone(text, _ABOUT_JANE, IDENTITY)


@pytest.mark.parametrize("text", ["", "Jane", "Doe", "Request 2026-17", "Jane or Doe", "Joe Bloggs", "example.org"])
def test_a_text_that_names_nobody_of_them_is_not(text: str) -> None:
    assert not names_someone(text, _ABOUT_JANE, IDENTITY)


def test_a_scope_about_nobody_names_nobody_whatever_the_text() -> None:
    assert not names_someone("Jane Doe", scope_of(keys=("case=7",), paths=("jane doe/**",)), IDENTITY)


def test_the_test_of_a_stored_hold_knows_its_condition_and_who_was_found_where(tmp_path: Path) -> None:
    found = (Finding("PERSON", IDENTITY("PERSON", "Jane Doe"), 0.9, 1, "line=1"),)
    with Catalogue.open(empty_at(tmp_path / "catalogue.sqlite")) as catalogue:
        a_pass(catalogue, a_result(b"HR/a", findings=found), a_result(b"HR/b"), a_result(b"Pay/c", findings=found))
        hold: Hold = a_hold(scope=replace(scope_of(persons=("Jane Doe",)), condition="path: HR/**\n"))
        test = scope_test(catalogue, hold, SCHEDULE, {})
        covered = [record.path for _, record in catalogue.records() if test.covers(record, record.item_id, ())]
    assert covered == ["HR/a"]

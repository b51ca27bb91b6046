"""Copies of documents with personal data, and which of them to keep."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from agent.model.finding import DataCategory
from agent.model.hold import HoldScope
from agent.usecases.duplicates import Duplicates, duplicates
from agent.usecases.evaluate import Evaluation
from tests.usecases.standing_office import Office, an_office

OLD, NEW = date(2019, 1, 1), date(2021, 1, 1)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with an_office(tmp_path / "catalogue.sqlite") as office:
        yield office


def found_in(office: Office) -> list[Duplicates]:
    return list(duplicates(office.catalogue, Evaluation(office.catalogue, office.terms, office.today)))


def kept(office: Office) -> tuple[str, str]:
    (group,) = found_in(office)
    return group.items[0].record.path, group.why


def test_documents_with_the_same_bytes_are_one_group_whatever_their_share(office: Office) -> None:
    office.file("Other/a.txt", content="x")
    office.file("Other/b.txt", content="x", share="second")
    office.file("Other/c.txt", content="y")
    (group,) = found_in(office)
    assert {(one.record.share, one.record.path) for one in group.items} == {
        ("office", "Other/a.txt"),
        ("second", "Other/b.txt"),
    }
    assert (group.size_bytes, group.categories) == (100, {DataCategory.CONTACT, DataCategory.CRIMINAL})


def test_copies_without_personal_data_are_nobodys_business(office: Office) -> None:
    office.file("Other/a.txt", "Other/b.txt", content="x", findings=(), finding_total=0)
    assert found_in(office) == []


def test_what_a_hold_covers_is_kept_before_all(office: Office) -> None:
    office.file("Other/a.txt", "Elsewhere/Downloads/a.txt", content="x")
    office.hold(HoldScope(condition="path: Elsewhere/**"))
    assert kept(office) == ("Elsewhere/Downloads/a.txt", "a hold covers it")


def test_one_that_lies_where_it_must_not_is_not_kept(office: Office) -> None:
    office.file("Cases/1/Report/a.docx", content="x", share="laptop")
    office.file("Staff/Ann/copies/a.docx", content="x")
    assert kept(office) == ("Staff/Ann/copies/a.docx", "the others lie where they must not")


@pytest.mark.parametrize(
    "path", ["Other/Downloads/a.txt", "Other/Desktop/x/a.txt", "Other/a (2).txt", "Other/Copy of a.txt", "tmp/a.txt"]
)
def test_one_that_was_put_there_for_the_moment_is_not_kept(office: Office, path: str) -> None:
    office.file(path, content="x", modified=OLD)
    office.file("Other/a.txt", content="x", modified=NEW)
    assert kept(office)[0] == "Other/a.txt"


def test_one_with_a_class_is_kept_before_one_without(office: Office) -> None:
    office.file("Elsewhere/a.txt", content="x", modified=OLD)
    office.file("Other/a.txt", content="x", modified=NEW)
    assert kept(office) == ("Other/a.txt", "it has a retention class")


def test_of_equals_the_oldest_is_kept_and_then_the_one_with_the_shortest_path(office: Office) -> None:
    office.file("Other/newer.txt", content="x", modified=NEW)
    office.file("Other/older one.txt", content="x", modified=OLD)
    assert kept(office) == ("Other/older one.txt", "it is the oldest")
    office.remove("Other/newer.txt")
    office.file("Other/o.txt", content="x", modified=OLD)
    assert kept(office) == ("Other/o.txt", "nothing else tells them apart but their names")

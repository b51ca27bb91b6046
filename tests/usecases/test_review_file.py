"""Acts come out of a JSON file as a console writes it, and every mistake in it is told at once."""

from __future__ import annotations

import json
from datetime import date

import pytest

from agent.errors import UsageError
from agent.model.review import ActKind
from agent.usecases import review_file
from agent.usecases.review_file import read_wishes
from agent.usecases.review_rules import Wish


def _number_of(path: str) -> int:
    if path != "/srv/a":
        raise UsageError(f"{path}: no scan has seen this item.")
    return 7


def _read(acts: object, default: Wish | None = None) -> tuple[Wish, ...]:
    return read_wishes("acts.json", json.dumps(acts).encode(), default, _number_of)


def test_acts_of_every_kind_are_read() -> None:
    acts = [
        {"item": 1, "kind": "approve", "reason": "ok", "seen": "abc"},
        {"path": "/srv/a", "kind": "extend", "until": "2028-01-01", "reason": "r"},
        {"item": 2, "kind": "reclassify", "class": "letter", "reason": "r"},
        {"item": 3, "kind": "delegate", "to": "ben", "reason": "r"},
    ]
    expected = (
        Wish(1, ActKind.APPROVE, "ok", seen="abc"),
        Wish(7, ActKind.EXTEND, "r", until=date(2028, 1, 1)),
        Wish(2, ActKind.RECLASSIFY, "r", class_id="letter"),
        Wish(3, ActKind.DELEGATE, "r", to="ben"),
    )
    assert _read(acts) == _read({"acts": acts}) == expected


def test_what_an_entry_leaves_out_is_taken_from_the_command() -> None:
    default = Wish(0, ActKind.EXTEND, "why", until=date(2028, 1, 1))
    assert _read([{"item": 1}, {"item": 2, "kind": "extend", "reason": "own", "until": "2027-01-01"}], default) == (
        Wish(1, ActKind.EXTEND, "why", until=date(2028, 1, 1)),
        Wish(2, ActKind.EXTEND, "own", until=date(2027, 1, 1)),
    )


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("x", "an act must be an object."),
        ({"item": 1, "kind": "approve", "who": "x", "by": "x"}, 'there is no field "by". Known are: item, kind, path'),
        ({"item": 1, "kind": "approve", "reason": 5}, '"reason" must be text.'),
        ({"item": 1, "kind": None}, '"kind" must be text.'),
        ({"item": 1}, '"kind" must be one of: approve, extend, reclassify, reject, ask, delegate.'),
        ({"item": 1, "kind": "kill"}, '"kind" must be one of: approve'),
        ({"kind": "approve"}, "name the item either by its number"),
        ({"item": 1, "path": "/srv/a", "kind": "approve"}, "name the item either by its number"),
        ({"item": "1", "kind": "approve"}, '"item" must be the number of an item.'),
        ({"item": True, "kind": "approve"}, '"item" must be the number of an item.'),
        ({"item": 0, "kind": "approve"}, '"item" must be the number of an item.'),
        ({"item": 2**63, "kind": "approve"}, '"item" must be the number of an item.'),
        ({"path": "/srv/b", "kind": "approve"}, "/srv/b: no scan has seen this item."),
        ({"item": 1, "kind": "extend", "until": "soon"}, '"until" must be a day, written as YYYY-MM-DD.'),
    ],
)
def test_a_mistake_is_told_with_the_number_of_the_entry(entry: object, said: str) -> None:
    with pytest.raises(UsageError) as told:
        _read([{"item": 9, "kind": "approve"}, entry])
    first, last = str(told.value).splitlines()
    assert first.startswith(f"acts.json: act 2: {said}")
    assert last == "Nothing was recorded."


def test_another_kind_than_that_of_the_command_is_refused() -> None:
    with pytest.raises(UsageError, match='act 1: its kind is another one than "approve"'):
        _read([{"item": 1, "kind": "reject"}], Wish(0, ActKind.APPROVE, "ok"))


def test_many_mistakes_are_told_together_and_the_rest_counted() -> None:
    with pytest.raises(UsageError) as told:
        _read([{"item": 0, "kind": "approve"}] * 25)
    lines = str(told.value).splitlines()
    assert len(lines) == 22
    assert lines[-2:] == ["… and 5 more.", "Nothing was recorded."]


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[1,"])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="this is not valid JSON"):
        read_wishes("acts.json", data, None, _number_of)


@pytest.mark.parametrize("acts", [[], {}, {"acts": []}, {"acts": "x"}, 5, None])
def test_a_file_without_acts_is_refused(acts: object) -> None:
    with pytest.raises(UsageError, match="write a list of acts"):
        _read(acts)


def test_too_many_acts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review_file, "MOST_ACTS", 2)
    assert len(_read([{"item": 1, "kind": "approve"}] * 2)) == 2
    with pytest.raises(UsageError, match="3 acts are too many for one file; 2 are the most"):
        _read([{"item": 1, "kind": "approve"}] * 3)

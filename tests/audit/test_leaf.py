"""A leaf has one form, and there is no place in it for what may have to be erased."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit.leaf import LARGEST_BYTES, AuditKind, Digest, Leaf, NotALeaf, Reference, UnknownVersion, decode, encode
from agent.audit.pseudonyms import ACTOR_PURPOSE, ITEM_PURPOSE, Pseudonyms
from agent.keys import derive
from tests.audit.entries import BEGAN, NAMES, a_leaf

HASHES = st.binary(min_size=32, max_size=32)
STATES = st.just("") | st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)
REFERENCES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}", fullmatch=True)
LEAVES = st.builds(
    Leaf,
    kind=st.sampled_from(AuditKind),
    at=st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    item=st.none() | HASHES,
    actor=st.none() | HASHES,
    before=STATES.filter(str.isascii),
    after=STATES.filter(str.isascii),
    references=st.dictionaries(st.sampled_from(Reference), REFERENCES.filter(str.isascii)),
    digests=st.dictionaries(st.sampled_from(Digest), HASHES),
)


@given(LEAVES)
def test_what_is_encoded_decodes_to_the_same(leaf: Leaf) -> None:
    data = encode(leaf)
    assert decode(data) == leaf
    assert encode(decode(data)) == data
    assert len(data) <= LARGEST_BYTES
    assert data.isascii()


def test_the_largest_leaf_there_can_be_fits() -> None:
    references = dict.fromkeys(Reference, "x" * 80)
    largest = a_leaf(before="b" * 40, after="a" * 40, references=references, digests=dict.fromkeys(Digest, b"d" * 32))
    assert decode(encode(largest)) == largest


def test_the_bytes_of_a_leaf_stay_as_they_are_for_good() -> None:
    """If this fails, no log that exists can be verified any more: make a new version instead."""
    assert encode(a_leaf(7, item=b"\x01" * 32, actor=b"\x02" * 32)) == (
        b'{"actor":"%s","after":"vaulted","at":1767258007000000,"before":"due","digests":{"content":"%s"},"item":"%s",'
        b'"kind":"item_quarantined","references":{"class":"payroll","decision":"7"},"version":1}'
        % (b"02" * 32, b"63" * 32, b"01" * 32)
    )


def test_a_moment_is_the_same_in_every_time_zone() -> None:
    there = BEGAN.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert encode(a_leaf(at=there)) == encode(a_leaf(at=BEGAN))


@pytest.mark.parametrize(
    "changes",
    [
        {"at": datetime(2026, 1, 1)},  # noqa: DTZ001 - the point of it
        {"kind": "renamed"},
        {"item": b"payroll/Jane Doe.pdf"},
        {"item": b""},
        {"actor": b"jane.doe"},
        {"before": "Jane Doe"},
        {"before": "payroll/jane"},
        {"after": "j@example.org"},
        {"after": "a" * 41},
        {"after": "vaulted\n"},
        {"references": {"path": "x"}},
        {"references": {Reference.CLASS: "payroll/Jane Doe.pdf"}},
        {"references": {Reference.CLASS: "jane.doe@example.org"}},
        {"references": {Reference.CLASS: "Müller"}},
        {"references": {Reference.CLASS: ""}},
        {"references": {Reference.CLASS: "a" * 81}},
        {"digests": {"name": b"d" * 32}},
        {"digests": {Digest.CONTENT: b"AB123456C"}},
    ],
)
def test_what_does_not_fit_cannot_become_a_leaf(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError) as told:
        a_leaf(**changes)
    assert not any(word in str(told.value) for word in ("Jane", "jane", "AB123456C", "Müller"))


def _said(**changes: object) -> bytes:
    said = json.loads(encode(a_leaf())) | changes
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize("field", ["name", "path", "value", "note", "reason", "position", "seq", "host", "email"])
def test_no_field_for_names_paths_or_values_is_taken(field: str) -> None:
    with pytest.raises(NotALeaf, match="a field that entries do not have"):
        decode(_said(**{field: "x"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "renamed"},
        {"kind": 5},
        {"kind": ["viewed"]},
        {"at": 1.5},
        {"at": True},
        {"at": "1767258007000000"},
        {"at": 10**30},
        {"at": 10**18},
        {"at": None},
        {"item": "payroll/Jane Doe.pdf"},
        {"item": "AB" * 32},
        {"item": None},
        {"actor": 5},
        {"before": 5},
        {"after": "Jane Doe"},
        {"references": ["class"]},
        {"references": {"path": "x"}},
        {"references": {"class": 5}},
        {"digests": {"content": "63"}},
        {"digests": {"name": "63" * 32}},
    ],
)
def test_no_value_is_taken_that_a_field_cannot_have(changes: dict[str, object]) -> None:
    with pytest.raises(NotALeaf, match="a value that it cannot have") as told:
        decode(_said(**changes))
    assert "Jane" not in str(told.value)
    assert told.value.__suppress_context__


@pytest.mark.parametrize(
    "data",
    [
        encode(a_leaf()) + b"\n",
        b" " + encode(a_leaf()),
        encode(a_leaf()).replace(b":", b": "),
        encode(a_leaf()).replace(b'"due"', b'"d\\u0075e"'),
        encode(a_leaf()).replace(b'"version":1}', b'"version":1,"version":1}'),
        encode(a_leaf()).replace(b'"version":1}', b'"version":true}'),
        encode(a_leaf()).replace(b'"version":1}', b'"version":1.0}'),
        encode(a_leaf(before="")).replace(b'"digests"', b'"before":"","digests"'),
        encode(a_leaf(references={})).replace(b',"version"', b',"references":{},"version"'),
        json.dumps(dict(reversed(json.loads(encode(a_leaf())).items())), separators=(",", ":")).encode(),
    ],
)
def test_a_leaf_has_no_second_spelling(data: bytes) -> None:
    with pytest.raises(NotALeaf, match="canonical"):
        decode(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 4000, "not JSON"),
        (b'{"version":%s}' % (b"9" * 4080), "not JSON|version"),
        (b"5", "not an object"),
        (b"x" * (LARGEST_BYTES + 1), "larger"),
    ],
)
def test_what_is_no_leaf_at_all_is_told_so(data: bytes, said: str) -> None:
    with pytest.raises(NotALeaf, match=said):
        decode(data)


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_a_leaf_of_another_version_is_told_apart(version: object) -> None:
    with pytest.raises(UnknownVersion, match="version"):
        decode(_said(version=version))


def test_persons_and_items_are_hashed_by_keys_of_their_own() -> None:
    master = b"m" * 32
    names = Pseudonyms.derived(lambda purpose: derive(master, purpose))
    assert names == Pseudonyms(derive(master, ITEM_PURPOSE), derive(master, ACTOR_PURPOSE))
    assert names.item(b"jane") != names.actor("jane")
    assert names.actor("jane") == names.actor("jane")
    assert len(names.item(b"1")) == len(names.actor("jane")) == 32
    assert names.actor("jane") != NAMES.actor("jane")
    assert "key" not in repr(names)
    assert NAMES.actor("odd \udcff name")

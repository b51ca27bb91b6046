"""Versions of items of drives: what is recorded of them, and when two are one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import SourceFault
from connectors.microsoft365.version import Version, content_of, version_of

TOLD = {"id": "01A", "eTag": '"{1},2"', "size": 7, "file": {"hashes": {"quickXorHash": "abc="}}}
VERSIONS = st.builds(Version, st.text(), st.text(), st.text())
ODD: list[Any] = [None, "", 0, -1, 1.5, True, [], {}, "x"]


@given(VERSIONS)
def test_a_version_is_read_back_as_it_was(version: Version) -> None:
    assert Version.decode(version.encode()) == version


@given(VERSIONS, VERSIONS)
def test_versions_are_recorded_alike_if_and_only_if_they_are_equal(one: Version, other: Version) -> None:
    assert (one.encode() == other.encode()) == (one == other)


@given(st.binary(max_size=200))
def test_whatever_bytes_are_read_they_are_a_version_of_ours_or_none(recorded: bytes) -> None:
    version = Version.decode(recorded)
    assert version is None or version.encode() == recorded


@pytest.mark.parametrize(
    "recorded",
    [
        b"",
        b"{}",
        b'["d1","a","b"]',
        b'["d1","a","b",1]',
        b'["d2","a","b","c"]',
        b'["d1", "a","b","c"]',
        b'["d1","a","b","c"] ',
        '["d1","ä","b","c"]'.encode(),
    ],
)
def test_what_is_written_otherwise_is_no_version_of_ours(recorded: bytes) -> None:
    assert Version.decode(recorded) is None


def test_what_the_service_tells_becomes_a_version() -> None:
    assert version_of(TOLD) == Version("01A", '"{1},2"', "abc=/7")


@pytest.mark.parametrize("name", ["id", "eTag"])
@pytest.mark.parametrize("value", [value for value in ODD if value != "x"])
def test_an_item_without_id_or_etag_has_no_version(name: str, value: Any) -> None:
    with pytest.raises(SourceFault):
        version_of({**TOLD, name: value})


@pytest.mark.parametrize("size", [None, "7", -1, 1.5, True])
def test_a_content_without_a_size_is_not_known(size: Any) -> None:
    assert content_of({**TOLD, "size": size}) == ""


@pytest.mark.parametrize("file", [*ODD, *({"hashes": odd} for odd in ODD), {"hashes": {"quickXorHash": ""}}])
def test_a_content_without_a_hash_is_not_known(file: Any) -> None:
    assert content_of({**TOLD, "file": file}) == ""


def test_an_empty_file_has_a_content() -> None:
    assert content_of({**TOLD, "size": 0}) == "abc=/0"


@pytest.mark.parametrize(
    ("one", "other", "same_state", "same_content"),
    [
        (Version("a", "1", "x"), Version("a", "1", "x"), True, True),
        (Version("a", "1", "x"), Version("a", "2", "x"), False, True),
        (Version("a", "1", "x"), Version("a", "1", "y"), False, False),
        (Version("a", "1", "x"), Version("b", "1", "x"), False, False),
        (Version("a", "1", "x"), Version("a", "1", ""), True, False),
        (Version("a", "1", ""), Version("a", "1", "x"), True, False),
        (Version("a", "1", ""), Version("a", "1", ""), True, False),
        (Version("a", "1", ""), Version("a", "2", ""), False, False),
    ],
)
def test_states_and_contents_are_told_apart(one: Version, other: Version, same_state: bool, same_content: bool) -> None:
    assert one.is_state_of(other) is same_state
    assert one.same_content(other) is same_content


def test_neither_etag_nor_hash_is_shown() -> None:
    assert repr(version_of(TOLD)) == "Version(item_id='01A')"

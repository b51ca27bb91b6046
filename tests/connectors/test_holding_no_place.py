"""Where nothing can lie on a file system: in a hold, and under names that it cannot have."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.base import ItemRef
from connectors.errors import NoPlace, PlaceTaken, SourceFault
from connectors.filesystem import changes, placing
from connectors.testing_acting import fills, sha256
from tests.connectors.acting import ID, Acted
from tests.connectors.conditions import TEXT, failing, poorer

CASE = b"HR/contract.txt"
LONG = b"x" * 256


@pytest.fixture
def acted(share: Path) -> Iterator[Acted]:
    with Acted(share) as acted:
        acted.put(CASE, TEXT)
        yield acted


def put_back(acted: Acted, ref: ItemRef) -> object:
    acted.take(CASE).close()
    return acted.holding.put_back(acted.scope, ID, ref)


def make(acted: Acted, ref: ItemRef) -> object:
    with acted.take(CASE) as content:
        had = content.taken.properties
    return acted.holding.make(acted.scope, ref, had, fills(TEXT), sha256(TEXT))


ACTS = pytest.mark.parametrize("act", [put_back, make])
Act = Callable[[Acted, ItemRef], object]


def everything(acted: Acted) -> list[bytes]:
    return sorted(os.path.join(folder, name) for folder, _, files in os.walk(acted.share) for name in files)


@ACTS
@pytest.mark.parametrize(
    "ref",
    [
        ItemRef(b".retentiond-hold", b"a.txt"),
        ItemRef(b".retentiond-hold/deep", b"a.txt"),
        ItemRef(b"HR/.retentiond-hold", b"a.txt"),
        ItemRef(b"HR", b".retentiond-hold"),
        ItemRef(b"HR", LONG),
        ItemRef(LONG, b"a.txt"),
        ItemRef(b"HR/" + LONG + b"/deep", b"a.txt"),
    ],
    ids=lambda ref: str(ref)[:30],
)
def test_nothing_is_put_in_a_hold_or_under_a_name_that_is_too_long(acted: Acted, act: Act, ref: ItemRef) -> None:
    with pytest.raises(NoPlace) as told:
        act(acted, ref)
    assert "a.txt" not in str(told.value)
    assert everything(acted) == [acted.in_hold()]
    assert acted.put_back(CASE)


@ACTS
def test_nothing_is_put_in_a_hold_that_has_another_name(share: Path, act: Act) -> None:
    with Acted(share, hold=os.fsencode(share / "out of reach")) as acted:
        acted.put(CASE, TEXT)
        with pytest.raises(NoPlace):
            act(acted, ItemRef(b"out of reach", b"a.txt"))
        with pytest.raises(NoPlace):
            acted.put_back(b"out of reach/deep/a.txt")
        assert acted.held() == [ID]
        assert acted.put_back(CASE)


def test_what_lies_in_the_hold_of_a_share_within_is_left_alone(acted: Acted) -> None:
    theirs = acted.put(b"HR/.retentiond-hold/" + b"e" * 32, b"held by another share")
    with pytest.raises(NoPlace):
        acted.take(b"HR/.retentiond-hold/" + b"e" * 32)
    assert everything(acted) == sorted([acted.at(CASE), theirs])


@ACTS
@pytest.mark.parametrize("missing", [(), ("nameless",), ("nameless", "renames_new")], ids=str)
def test_a_name_that_this_file_system_cannot_have_is_told_as_that(
    acted: Acted, act: Act, missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    poorer(monkeypatch, *missing)
    for module, call in ((changes, "rename_new"), (changes, "link_open"), (os, "link")):
        real = getattr(module, call)

        def refused(*given: object, real: Callable[..., object] = real, **named: object) -> object:
            if b"a:b" in given:
                raise OSError(errno.EINVAL, "as some do")
            return real(*given, **named)

        monkeypatch.setattr(module, call, refused)
    with pytest.raises(NoPlace):
        act(acted, ItemRef(b"HR", b"a:b"))
    assert everything(acted) == [acted.in_hold()]


def test_a_fault_that_has_nothing_to_do_with_names_is_none_of_the_place(
    acted: Acted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(placing, "sync", failing(errno.EINVAL))
        with pytest.raises(SourceFault):
            make(acted, ItemRef(b"HR", b"a.txt"))
    assert acted.read(b"HR/a.txt") == TEXT


def test_a_file_on_the_way_is_a_taken_place(acted: Acted) -> None:
    acted.put(b"HR/a", b"no folder")
    with pytest.raises(PlaceTaken):
        make(acted, ItemRef(b"HR/a", b"b.txt"))

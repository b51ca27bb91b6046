"""Members are called as the items were, unless that could do harm where they are unpacked."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.outgoing.names import Names


@pytest.mark.parametrize(
    ("path", "placed"),
    [
        (b"Cases/2019-014/Statement.docx", b"items/Cases/2019-014/Statement.docx"),
        (b"Caf\xe9", b"items/Caf\xe9"),
        ("Łódź/日本".encode(), "items/Łódź/日本".encode()),
        (b"/etc/passwd", b"items/etc/passwd"),
        (b"../../x", b"items/__/__/x"),
        (b"a//./b/", b"items/a/b"),
        (b"...", b"items/..."),
        (b"a\\b", b"items/a_b"),
        (b"a\nb\x00c\x7f", b"items/a_b_c_"),
        (b"\xc2\x85\xe2\x80\xae\xe2\x80\xa8", b"items/___"),
        (b"", b"items/_"),
        (b"..", b"items/__"),
        (b"x" * 200 + b"/" + b"y" * 200, b"items/" + b"x" * 200 + b"/" + b"y" * 200),
        (b"/".join([b"x" * 200] * 5) + b"/name", b"items/name"),
    ],
)
def test_a_path_stays_as_it_is_unless_it_could_do_harm(path: bytes, placed: bytes) -> None:
    assert Names().place(path) == placed


def placed(*paths: str) -> list[str]:
    names = Names()
    return [names.place(path.encode()).decode().removeprefix("items/") for path in paths]


def test_items_of_one_path_are_told_apart() -> None:
    assert placed("a.docx", "a.docx", "a.docx") == ["a.docx", "a (2).docx", "a (3).docx"]
    assert placed("a (2).docx", "a.docx", "a.docx") == ["a (2).docx", "a.docx", "a (3).docx"]
    assert placed("sub/a", "a", "sub/a") == ["sub/a", "a", "sub/a (2)"]
    assert placed(".profile", ".profile") == [".profile", ".profile (2)"]
    assert placed("a.of some words that are no ending", "a.of some words that are no ending")[1].endswith("ending (2)")


def test_paths_that_some_systems_take_for_one_are_told_apart() -> None:
    assert placed("Letter.docx", "LETTER.DOCX") == ["Letter.docx", "LETTER (2).DOCX"]
    assert placed("\u00e9", "e\u0301") == ["\u00e9", "e\u0301 (2)"]
    assert placed("straße", "STRASSE") == ["straße", "STRASSE (2)"]


def test_what_is_a_folder_for_one_is_no_file_for_another() -> None:
    assert placed("a", "a/b", "a/c", "A/d") == ["a", "a (2)/b", "a (2)/c", "A (2)/d"]
    assert placed("a/b", "a", "a/c") == ["a/b", "a (2)", "a/c"]
    assert placed("a", "a (2)", "a/b") == ["a", "a (2)", "a (3)/b"]
    assert placed("x/a/b", "x/a") == ["x/a/b", "x/a (2)"]


def test_a_numbered_name_stays_one_that_a_file_can_have() -> None:
    first, second = placed("ä" * 125 + ".docx", "ä" * 125 + ".docx")
    assert len(first.encode()) == 255
    assert second == "ä" * 123 + " (2).docx"
    assert [len(name.encode()) for name in placed("x" * 255, "x" * 255)] == [255, 255]


_NAMES = st.sampled_from(["a", "A", "a (2)", "b", "..", ".", "", "é", "e\u0301", "\n", "a.txt", "a (2).txt", "x" * 255])


@given(st.lists(st.lists(_NAMES, max_size=6).map("/".join), max_size=30))
def test_no_two_paths_get_in_each_others_way(paths: list[str]) -> None:
    names = Names()
    given_out = [names.place(path.encode()).decode() for path in paths]
    plain = [unicodedata.normalize("NFC", path).casefold() for path in given_out]
    assert len(set(plain)) == len(plain)
    folders = {path[:at] for path in plain for at, char in enumerate(path) if char == "/"}
    assert not folders & set(plain)
    for path in given_out:
        parts = path.split("/")
        assert parts[0] == "items"
        assert not {"", ".", ".."} & set(parts)
        assert all(len(part.encode()) <= 255 for part in parts)
        assert len(path.encode()) <= 1010
        assert path.isprintable()


def test_many_items_of_one_name_are_told_apart_quickly() -> None:
    names = Names()
    assert len({names.place(b"a.txt") for _ in range(5_000)}) == 5_000

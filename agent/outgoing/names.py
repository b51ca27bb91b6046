"""What the members of an archive are called: as the items were, except where that could do harm when unpacked."""

from __future__ import annotations

import unicodedata
from collections import Counter

FOLDER = "items"

_LONGEST_NAME = 255  # bytes, on every file system of today
_LONGEST_PATH = 1000  # bytes; macOS takes 1,024
_LONGEST_ENDING = 20
_HARMFUL = frozenset({"Cc", "Cf", "Zl", "Zp"})  # control characters, and those that make text look like another


class Names:
    """Gives each item of one archive a path of its own, below `items/`.

    A path never leads out of the archive's folder, and no two are the same, not even where capital and small letters
    or composed and decomposed characters count the same; what is a folder for one is no file for another.
    Memory grows with the number of items.
    """

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._numbers: Counter[str] = Counter()

    def place(self, path: bytes) -> bytes:
        """The member's path for an item that lay at this path."""
        given = [part for part in path.decode("utf-8", "surrogateescape").split("/") if part not in ("", ".")]
        *folders, name = [_harmless(part) for part in given] or ["_"]
        if len(_bytes("/".join((FOLDER, *folders, name)))) > _LONGEST_PATH:
            folders = []
        at = FOLDER
        for folder in folders:
            at = self._folder(at, folder)
        return _bytes(self._file(at, name))

    def _folder(self, at: str, name: str) -> str:
        """The folder itself, or the first one beside it that no file is in the way of."""
        path, number = f"{at}/{name}", 1
        while _key(path) in self._files:
            number += 1
            path = f"{at}/{_numbered(name, number)}"
        self._folders.add(_key(path))
        return path

    def _file(self, at: str, name: str) -> str:
        path = f"{at}/{name}"
        asked = _key(path)
        while (key := _key(path)) in self._files or key in self._folders:
            self._numbers[asked] += 1
            path = f"{at}/{_numbered(name, self._numbers[asked] + 1)}"
        self._files.add(key)
        return path


def _harmless(name: str) -> str:
    """The name without what a system could take for something else: a way up, a separator, a command."""
    if name == "..":
        return "__"
    return "".join("_" if char == "\\" or unicodedata.category(char) in _HARMFUL else char for char in name)


def _numbered(name: str, number: int) -> str:
    """`letter (2).docx`, cut so that it stays a name."""
    stem, dot, ending = name.rpartition(".")
    if not stem or len(_bytes(ending)) > _LONGEST_ENDING:
        stem, dot, ending = name, "", ""
    behind = f" ({number}){dot}{ending}"
    room = _LONGEST_NAME - len(_bytes(behind))
    while len(_bytes(stem)) > room:
        stem = stem[:-1]
    return stem + behind


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")

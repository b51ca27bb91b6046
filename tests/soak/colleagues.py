"""People at work in the share: they write, edit, move, rename, delete, and know nothing of the service."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tests.policies.scenario import content_of
from tests.soak.book import Book, sha_of
from tests.soak.findings import Findings
from tests.soak.place import AREAS, DUE, KEPT, Place

_NAMES = (b"Letter %d.txt", b"Minutes %d.docx", b"List %d.csv", b"R\xe9sum\xe9 %d.txt", "Überblick %d.docx".encode())
_TEXT = (
    "Dear Mrs Akintola,\nthank you for your letter number {serial} of 3 May. Your call from 07700 900123 was noted.\n"
    "Mr T. Wexley will answer it.\n"
)
_ROWS = "name,telephone,number\nT. Wexley,07700 900124,{serial}\nL. Harcastle,07700 900125,{serial}\n"
_MOST_FILES = 4000
_LONG_AGO = (datetime(2012, 1, 1, tzinfo=UTC).timestamp(), datetime(2022, 1, 1, tzinfo=UTC).timestamp())

Act = Callable[[], None]


class Colleagues:
    """All of them, by chance of a seed. Whatever the service has taken meanwhile is left to the book to judge."""

    def __init__(self, place: Place, book: Book, findings: Findings, chance: random.Random) -> None:
        self._place = place
        self._book = book
        self._findings = findings
        self._chance = chance
        self._serial = 0
        self._outside: list[tuple[bytes, dict[bytes, str]]] = []  # trees that were moved out, with what is in them

    @property
    def acts(self) -> Mapping[Act, int]:
        """What they do, and how often each as against the others."""
        return {
            self.write: 10,
            self.edit: 6,
            self.replace: 3,
            self.touch: 2,
            self.move: 5,
            self.rename_folder: 4,
            self.delete: 3,
            self.delete_folder: 1,
            self.move_tree_in: 2,
            self.move_tree_out: 1,
            self.link: 1,
            self.write_big: 1,
        }

    def fill(self, files: int) -> None:
        """The share as the service first meets it."""
        for _ in range(files):
            self._write_one(self._folder())

    def write(self) -> None:
        folder = self._folder()
        for _ in range(self._chance.randint(1, 8)):
            self._write_one(folder)

    def write_big(self) -> None:
        path = self._folder() + b"/Data %d.%s" % (self._next(), self._chance.choice((b"dat", b"dat", b"txt")))
        content = (b"%d\n" % self._serial) + b"nothing to see here\n" * self._chance.randint(100_000, 200_000)
        self._put(path, content)
        self._findings.did("write a big file")

    def edit(self) -> None:
        """In place, as editors of text do: the very file is written to."""
        for path in self._some(self._chance.randint(1, 4)):
            at = self._place.at(path)
            try:
                if os.lstat(at).st_nlink > 1:
                    continue
                with open(at, "r+b") as file:
                    file.seek(0, os.SEEK_END)
                    file.write(b"\nOne more line, number %d.\n" % self._next())
                    file.flush()
                    file.seek(0)
                    sha = hashlib.file_digest(file, "sha256").hexdigest()
            except FileNotFoundError:
                continue
            self._book.touched(path, sha)
            self._findings.did("edit")

    def replace(self) -> None:
        """As office programs save: another file takes the place of the old one."""
        for path in self._some(1):
            at = self._place.at(path)
            if not os.path.lexists(at):
                continue
            draft = at + b"~"
            content = self._content(path)
            with open(draft, "wb") as file:
                file.write(content)
            if self._chance.random() < 0.5:
                self._age(draft)
            os.replace(draft, at)
            self._book.written(path, hashlib.sha256(content).hexdigest())
            self._findings.did("save over")

    def touch(self) -> None:
        """The bytes stay, the dates or rights do not."""
        for path in self._some(2):
            try:
                if self._chance.random() < 0.5:
                    self._age(self._place.at(path))
                else:
                    os.chmod(self._place.at(path), self._chance.choice((0o644, 0o640, 0o600)))
            except FileNotFoundError:
                continue
            self._book.touched(path, self._book.files[path].sha)
            self._findings.did("touch")

    def move(self) -> None:
        for path in self._some(self._chance.randint(1, 3)):
            to = self._folder() + b"/Moved %d %s" % (self._next(), path.rpartition(b"/")[2][-40:])
            os.makedirs(self._place.at(to.rpartition(b"/")[0]), exist_ok=True)
            try:
                os.rename(self._place.at(path), self._place.at(to))
            except FileNotFoundError:
                continue
            self._book.moved(path, to)
            self._findings.did("move")

    def rename_folder(self) -> None:
        folder = self._subfolder()
        if folder is None:
            return
        to = self._chance.choice((DUE, KEPT)) + b"/" + self._chance.choice(AREAS) + b"/Folder %d" % self._next()
        below = self._book.below(folder)
        os.rename(self._place.at(folder), self._place.at(to))
        for path in below:
            moved = to + path[len(folder) :]
            if os.path.lexists(self._place.at(moved)):
                self._book.moved(path, moved)
        self._findings.did("rename a folder")

    def delete(self) -> None:
        for path in self._some(self._chance.randint(1, 3)):
            try:
                os.unlink(self._place.at(path))
            except FileNotFoundError:
                continue
            self._book.removed(path)
            self._findings.did("delete")

    def delete_folder(self) -> None:
        folder = self._subfolder()
        if folder is None:
            return
        for path in self._book.below(folder):
            try:
                os.unlink(self._place.at(path))
            except FileNotFoundError:
                continue
            self._book.removed(path)
        for here, _, _ in os.walk(self._place.at(folder), topdown=False):
            try:
                os.rmdir(here)
            except OSError:
                break  # something was put back into it
        self._findings.did("delete a folder")

    def move_tree_in(self) -> None:
        """A deep one that was made elsewhere, or was in the share before."""
        if self._outside and self._chance.random() < 0.5:
            tree, inside = self._outside.pop()
        else:
            tree, inside = self._tree()
        to = self._chance.choice((DUE, KEPT)) + b"/" + self._chance.choice(AREAS) + b"/Tree %d" % self._next()
        os.rename(tree, self._place.at(to))
        for path, sha in inside.items():
            self._book.written(to + b"/" + path, sha)
        self._findings.did("move a tree in")

    def move_tree_out(self) -> None:
        folder = self._subfolder()
        if folder is None:
            return
        tree = os.fsencode(self._place.aside) + b"/out %d" % self._next()
        below = self._book.below(folder)
        os.rename(self._place.at(folder), tree)
        inside = {}
        for path in below:
            rest = path[len(folder) + 1 :]
            if os.path.lexists(tree + b"/" + rest):
                inside[rest] = self._book.files[path].sha
                self._book.removed(path)
        self._outside.append((tree, inside))
        self._findings.did("move a tree out")

    def link(self) -> None:
        for path in self._some(1):
            to = self._folder() + b"/Linked %d.txt" % self._next()
            os.makedirs(self._place.at(to.rpartition(b"/")[0]), exist_ok=True)
            try:
                os.link(self._place.at(path), self._place.at(to))
                self._book.linked.add(os.lstat(self._place.at(to)).st_ino)
                sha = sha_of(self._place.at(to))
            except FileNotFoundError:
                continue
            self._book.touched(path, sha)
            self._book.written(to, sha)
            self._findings.did("link")

    # Parts of the above

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _folder(self) -> bytes:
        folder = self._chance.choice((DUE, DUE, KEPT)) + b"/" + self._chance.choice(AREAS)
        for _ in range(self._chance.choice((0, 0, 1, 1, 2, 5))):
            folder += b"/Part %d" % self._chance.randint(1, 6)
        return folder

    def _subfolder(self) -> bytes | None:
        """A folder with files in it that is none of those that are always there."""
        found = {
            path.rpartition(b"/")[0]
            for path in self._chance.sample([*self._book.files], min(20, len(self._book.files)))
        }
        deep = sorted(folder for folder in found if folder.count(b"/") >= 2)
        for folder in self._chance.sample(deep, len(deep)):
            parts = folder.split(b"/")
            upper = b"/".join(parts[: self._chance.randint(3, len(parts))])
            if os.path.isdir(self._place.at(upper)):
                return upper
        return None

    def _some(self, count: int) -> list[bytes]:
        return self._chance.sample([*self._book.files], min(count, len(self._book.files)))

    def _write_one(self, folder: bytes) -> None:
        if len(self._book.files) >= _MOST_FILES:
            return
        path = folder + b"/" + self._chance.choice(_NAMES) % self._next()
        if self._put(path, self._content(path)):
            self._findings.did("write")

    def _put(self, path: bytes, content: bytes) -> bool:
        at = self._place.at(path)
        os.makedirs(os.path.dirname(at), exist_ok=True)
        with open(at, "xb") as file:
            file.write(content)
        if self._chance.random() < 0.7:
            self._age(at)
        self._book.written(path, hashlib.sha256(content).hexdigest())
        return True

    def _content(self, path: bytes) -> bytes:
        name = path.decode(errors="replace")
        text = _ROWS if name.endswith(".csv") else _TEXT
        return content_of(name, text.format(serial=self._next()))

    def _age(self, at: bytes) -> None:
        moment = self._chance.uniform(*_LONG_AGO)
        os.utime(at, (moment, moment))

    def _tree(self) -> tuple[bytes, dict[bytes, str]]:
        tree = os.fsencode(self._place.aside) + b"/in %d" % self._next()
        inside = {}
        folder = b""
        for depth in range(self._chance.randint(2, 12)):
            folder += b"Level %d/" % depth
            os.makedirs(tree + b"/" + folder)
            for _ in range(self._chance.randint(0, 2)):
                path = folder + self._chance.choice(_NAMES) % self._next()
                content = self._content(path)
                with open(tree + b"/" + path, "wb") as file:
                    file.write(content)
                self._age(tree + b"/" + path)
                inside[path] = hashlib.sha256(content).hexdigest()
        return tree, inside

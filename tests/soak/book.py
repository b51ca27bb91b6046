"""The book of what must hold: where each file lies by all that was done, with which bytes, and what may go."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.soak.findings import Findings
from tests.soak.place import Place

_PATIENCE_SECONDS = 90.0  # what was taken by a service that was killed is put back when it has started again
_HELD_AT_ONCE = 150


def sha_of(path: bytes) -> str:
    """Of what lies there. Raises `OSError`."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(slots=True)
class Entry:
    """A file. It is `approved` if two people have agreed that it goes as it is now; `held_by` names the hold that has
    covered it since before anybody touched it last. `before` is where it lay, and until when (seconds since 1970)."""

    sha: str
    approved: bool = False
    held_by: str = ""
    missing_since: float | None = None
    before: list[tuple[bytes, float]] = field(default_factory=list)


class Book:
    """Written by whoever acts on the share, after he has acted."""

    def __init__(self, place: Place, findings: Findings) -> None:
        self._place = place
        self._findings = findings
        self.files: dict[bytes, Entry] = {}
        self.away: dict[bytes, list[Entry]] = {}  # taken by the service, as two people had approved
        self.linked: set[int] = set()  # inodes that have, or had, several names
        self.holds: dict[str, bytes] = {}  # in force: the folder of each
        self._held_turn = 0

    # What people do

    def written(self, path: bytes, sha: str) -> None:
        """A file has these bytes now. Whatever was approved before is no longer so."""
        before = self.files.get(path)
        if before is not None and before.approved:
            self.away.setdefault(path, []).append(before)  # it may have been taken in the last moment
        self.files[path] = Entry(sha, held_by=self._hold_over(path))

    def touched(self, path: bytes, sha: str) -> None:
        """The very file was changed, whether it lies there still or is on its way back."""
        entry = self.files[path]
        self.files[path] = replace(entry, sha=sha, approved=False, held_by="", missing_since=None)

    def moved(self, path: bytes, to: bytes) -> None:
        entry = self.files.pop(path)
        before = [*entry.before, (path, time.time())] if entry.approved or entry.before else []
        self.files[to] = Entry(entry.sha, held_by=self._hold_over(to), before=before)

    def removed(self, path: bytes) -> None:
        del self.files[path]

    def approved(self, path: bytes) -> None:
        if path in self.files:
            self.files[path].approved = True

    def held(self, name: str, folder: bytes) -> None:
        """From now on a hold covers the folder."""
        self.holds[name] = folder
        for path in self.below(folder):
            if os.path.lexists(self._place.at(path)):
                self.files[path].held_by = name

    def released(self, name: str) -> None:
        """The hold may be lifted at any moment."""
        self.holds.pop(name, None)
        for entry in self.files.values():
            if entry.held_by == name:
                entry.held_by = ""

    def restored(self, path: bytes) -> None:
        """A command said that what was taken from there is back."""
        try:
            sha = sha_of(self._place.at(path))
        except OSError as error:
            self._findings.add("restore", f"{path!r} was told to be restored, but: {error}")
            return
        taken = self.away.get(path, [])
        for entry in (*taken, *([self.files[path]] if path in self.files else [])):
            if entry.sha == sha:
                if entry in taken:
                    taken.remove(entry)
                self.files[path] = Entry(sha)
                self._findings.did("restored, byte for byte")
                return
        self._findings.add("restore", f"{path!r} came back with bytes that it never had when it was taken")

    def below(self, folder: bytes) -> list[bytes]:
        start = folder + b"/"
        return [path for path in self.files if path.startswith(start)]

    def _hold_over(self, path: bytes) -> str:
        return next((name for name, folder in self.holds.items() if path.startswith(folder + b"/")), "")

    # What must hold

    def check(self, *, at_rest: bool = False) -> None:
        """Compares with the disk. `at_rest`: nothing is on its way, so that what is missing now is gone."""
        now = time.monotonic()
        for path, entry in list(self.files.items()):
            if self._lies_there(path):
                entry.missing_since = None
            elif entry.approved:
                self.away.setdefault(path, []).append(self.files.pop(path))
            elif entry.missing_since is None and not at_rest:
                entry.missing_since = now
            elif at_rest or now - (entry.missing_since or now) > _PATIENCE_SECONDS:
                self._gone(path, self.files.pop(path))
        self._check_held(everything=at_rest)

    def _lies_there(self, path: bytes) -> bool:
        try:
            return stat.S_ISREG(os.lstat(self._place.at(path)).st_mode)
        except OSError:
            return False

    def _gone(self, path: bytes, entry: Entry) -> None:
        for earlier, moved_at in entry.before:
            if self._was_being_taken(earlier, moved_at):
                self._findings.did("moved while it was being taken")
                self.away.setdefault(earlier, []).append(entry)
                return
        kind = "held file gone" if entry.held_by else "file gone that nobody approved"
        self._findings.add(kind, f"{path!r} (hold: {entry.held_by or 'none'}); {self._disposals_of(path)}")

    def _was_being_taken(self, path: bytes, moved_at: float) -> bool:
        """Whether a disposal of what lay there had begun when it was moved away."""
        return any(began - 2 <= moved_at <= began + 120 for _, began in self._disposals_of(path))

    def _disposals_of(self, path: bytes) -> list[tuple[str, float]]:
        folder, _, name = path.rpartition(b"/")
        query = (
            "SELECT d.state, MIN(t.at) FROM disposal d JOIN item i ON i.id = d.item_id JOIN folder f ON f.id = "
            "i.folder_id JOIN disposal_step t ON t.disposal_id = d.id WHERE f.path = ? AND i.name = ? GROUP BY d.id"
        )
        with self._place.catalogue() as connection:
            return [(state, at / 1e6) for state, at in connection.execute(query, (folder, name))]

    def _check_held(self, *, everything: bool) -> None:
        held = [path for path, entry in self.files.items() if entry.held_by and entry.missing_since is None]
        if not everything and len(held) > _HELD_AT_ONCE:
            start = self._held_turn % len(held)
            self._held_turn += _HELD_AT_ONCE
            held = (held + held)[start : start + _HELD_AT_ONCE]
        for path in held:
            try:
                sha = sha_of(self._place.at(path))
            except FileNotFoundError:
                continue  # the next check asks for how long
            if sha != self.files[path].sha:
                self._findings.add("held file changed", f"{path!r} under {self.files[path].held_by}")
                self.files[path].held_by = ""

    def check_share(self) -> None:
        """Every file on the disk is one we know of; what came back by itself has the bytes it had. At rest only."""
        there = set(self._place.files())
        for path in sorted(there - self.files.keys()):
            sha = sha_of(self._place.at(path))
            entry = next((one for one in self._taken() if one.sha == sha), None)
            if entry is None:
                self._findings.add("foreign file", f"{path!r} lies in the share, and nobody has put it there")
                continue
            for entries in self.away.values():
                if entry in entries:
                    entries.remove(entry)
            self.files[path] = Entry(sha)
            self._findings.did("put back by the service")
        for path in sorted(there & self.files.keys()):
            if sha_of(self._place.at(path)) != self.files[path].sha:
                self._other_bytes(path)

    def _other_bytes(self, path: bytes) -> None:
        """What was put back after somebody thought it was gone may lie in the place of what was written since."""
        self._findings.add("bytes changed", f"{path!r} has not the bytes that were written last")
        self.files[path] = Entry(sha_of(self._place.at(path)))

    def _taken(self) -> Iterator[Entry]:
        for entries in self.away.values():
            yield from entries

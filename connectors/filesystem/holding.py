"""The acting half of the connector to a folder: into the hold, back, away, and anew."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping

from connectors.base import ItemRef, Scope
from connectors.errors import ScopeUnavailable, Unsupported
from connectors.filesystem import destroying, marking, placing, taking
from connectors.filesystem.connector import identity_of, open_root
from connectors.filesystem.faults import acting
from connectors.filesystem.folders import check_outside
from connectors.filesystem.held import HeldFile, State
from connectors.filesystem.hold import Hold
from connectors.filesystem.linux import beyond_stat
from connectors.filesystem.properties import read
from connectors.holding import LetGo, Made
from connectors.places import check_place

_ID = re.compile(r"[0-9a-f]{32}")


class FilesystemHolding:
    """Acts on the folder `root`, as `connectors.holding.Holding` says. One process and one thread at a time.

    The hold is the directory `hold`, or `.retentiond-hold` in the root, which scans leave out; it is made when
    something is to be put into it. Where it cannot be asked whether a file is open, one that was touched within
    `quiet_seconds` counts as open. Where only a file's owner may read it without changing its access time, and we are
    neither that nor root, a file that is put back may have another access time.
    """

    def __init__(self, root: bytes, name: str, *, hold: bytes | None = None, quiet_seconds: float = 300.0) -> None:
        self._path = root
        self._name = name
        self._hold_path = hold
        self._quiet_seconds = quiet_seconds
        self._root: int | None = None
        self._hold: Hold | None = None
        self._seen: dict[str, State] = {}  # how what lies in the hold was when it was last looked at

    def take(self, scope: Scope, ref: ItemRef, version: bytes, id: str) -> HeldFile:
        check_outside(ref)
        root, hold = self._ready(scope)
        file = taking.take(root, hold, ref, version, _checked(id), self._quiet_seconds)
        self._seen[id] = file.state
        return file

    def taken(self, scope: Scope, id: str) -> HeldFile | None:
        hold = self._hold_if_any(self._verified(scope))
        file = None if hold is None else taking.look(hold, _checked(id))
        if file is not None:
            self._seen[id] = file.state
        return file

    def put_back(self, scope: Scope, id: str, ref: ItemRef) -> bool:
        root = self._verified(scope)
        check_place(ref)
        check_outside(ref)
        hold = self._hold_if_any(root)
        moved = hold is not None and taking.put_back(root, hold, _checked(id), ref)
        self._seen.pop(id, None)
        return moved

    def let_go(self, scope: Scope, id: str) -> LetGo:
        hold = self._hold_if_any(self._verified(scope))
        if hold is None:
            return LetGo("nothing_there")
        gone = destroying.let_go(hold, _checked(id), self._seen.get(id))
        self._seen.pop(id, None)
        return gone

    def in_hold(self, scope: Scope) -> Iterator[str]:
        hold = self._hold_if_any(self._verified(scope))
        with acting():
            names = [] if hold is None else hold.names()
        yield from map(os.fsdecode, names)

    def make(
        self,
        scope: Scope,
        ref: ItemRef,
        properties: bytes,
        write: Callable[[int], None],
        sha256: str,
        *,
        keep_times: bool = True,
    ) -> Made:
        check_place(ref)
        check_outside(ref)
        root, hold = self._ready(scope)
        return placing.make(root, hold, ref, read(properties), write, sha256, keep_times=keep_times)

    def version_at(self, scope: Scope, ref: ItemRef, sha256: str) -> bytes | None:
        return placing.version_at(self._verified(scope), ref, sha256)

    def mark(self, scope: Scope, ref: ItemRef, version: bytes, marks: Mapping[str, str]) -> bytes:
        root, hold = self._ready(scope)
        if not hold.can.marks:
            raise Unsupported("files here cannot carry marks")
        return marking.mark(root, ref, version, marks)

    def close(self) -> None:
        if self._hold is not None:
            self._hold.close()
            self._hold = None
        if self._root is not None:
            os.close(self._root)
            self._root = None

    # Where we are

    def _verified(self, scope: Scope) -> int:
        """The share's root. Raises `ScopeUnavailable` unless its path still leads to what `scope` was made of."""
        again = open_root(self._path)
        try:
            if (scope.name, scope.identity) != (self._name, identity_of(again)):
                raise ScopeUnavailable("another file system answers here now; is the share still mounted?")
            if self._root is None or beyond_stat(self._root).mount != beyond_stat(again).mount:
                self.close()  # mounted anew, so that nothing could be moved between what was open and what is there now
                self._root = os.dup(again)
        finally:
            os.close(again)
        return self._root

    def _hold_if_any(self, root: int) -> Hold | None:
        if self._hold is None:
            with acting():
                self._hold = Hold.find(root, self._hold_path)
        return self._hold

    def _ready(self, scope: Scope) -> tuple[int, Hold]:
        root = self._verified(scope)
        with acting():
            if self._hold is None:
                self._hold = Hold.make(root, self._hold_path)
            self._hold.check_abilities()
        return root, self._hold


def _checked(id: str) -> str:
    if not _ID.fullmatch(id):
        raise ValueError("the id of an act has 32 lower-case hexadecimal digits")
    return id

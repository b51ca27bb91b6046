"""The connector to one folder and all below it, on its mount only."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence

from connectors.base import Capabilities, Item, ItemRef, Known, Page, Receipt, Scope
from connectors.content import OpenContent
from connectors.errors import ScopeUnavailable, Unsupported
from connectors.filesystem import attributes
from connectors.filesystem.content import mount_keeps_access_times, open_content
from connectors.filesystem.facts import on_opening
from connectors.filesystem.walk import HOLD as HOLD
from connectors.filesystem.walk import Excluded, look, open_folder, walk


class FilesystemConnector:
    """Reads the folder `root`. It has no means to change anything.

    `excluded` names directories that are left out wherever they are met (our own state), `holders` the users whose
    holds are, beside root's and our own. Unless
    `may_change_access_times`, a file whose access time would change by reading it is refused.
    """

    def __init__(
        self,
        root: bytes,
        name: str,
        *,
        excluded: Sequence[bytes] = (),
        holders: Collection[int] = (),
        may_change_access_times: bool = False,
    ) -> None:
        self._path = root
        self._name = name
        self._excluded = tuple(excluded)
        self._holders = frozenset({0, os.geteuid(), *holders})
        self._may_change_access_times = may_change_access_times
        self._root: int | None = None
        self._folder: tuple[bytes, int] | None = None

    @property
    def capabilities(self) -> Capabilities:
        root = self._open_root()
        return Capabilities(
            keeps_access_time=mount_keeps_access_times(root) or self._may_ask_for_no_access_time(),
            file_ids=True,
            marks=attributes.supported(root),
        )

    def scopes(self) -> Sequence[Scope]:
        return (Scope(self._name, identity_of(self._open_root())),)

    def changes(self, scope: Scope, known: Known, after: bytes | None = None) -> Iterator[Page]:
        self._verify(scope)
        yield from walk(self._open_root(), known, after, self._what_is_excluded())
        self._verify(scope)

    def look(self, scope: Scope, known: Known, folders: Sequence[bytes]) -> Iterator[Page]:
        self._verify(scope)
        yield from look(self._open_root(), known, folders, self._what_is_excluded())
        self._verify(scope)

    def open(self, scope: Scope, item: Item) -> OpenContent:
        try:
            folder = self._folder_of(item.ref)
        except OSError as error:
            raise on_opening(error) from None
        return open_content(folder, item.ref.name, item.version, may_change_access_times=self._may_change_access_times)

    def label(self, scope: Scope, ref: ItemRef, version: bytes, label: str) -> Receipt:
        raise Unsupported("this connector only reads")

    def delete(self, scope: Scope, ref: ItemRef, version: bytes) -> Receipt:
        raise Unsupported("this connector only reads")

    def close(self) -> None:
        if self._folder is not None:
            os.close(self._folder[1])
            self._folder = None
        if self._root is not None:
            os.close(self._root)
            self._root = None

    def _open_root(self) -> int:
        if self._root is None:
            self._root = open_root(self._path)
        return self._root

    def _verify(self, scope: Scope) -> None:
        """Raises `ScopeUnavailable` unless the path leads to the folder that `scope` was made of."""
        again = open_root(self._path)
        try:
            if identity_of(again) != scope.identity:
                raise ScopeUnavailable("another file system answers here now; is the share still mounted?")
        finally:
            os.close(again)

    def _may_ask_for_no_access_time(self) -> bool:
        try:
            os.close(os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOATIME))
        except OSError:
            return False
        return True

    def _what_is_excluded(self) -> Excluded:
        found = set()
        for path in self._excluded:
            try:
                facts = os.stat(path)
            except OSError:
                continue  # what is not there cannot be met
            found.add((facts.st_dev, facts.st_ino))
        return Excluded(frozenset(found), self._holders)

    def _folder_of(self, ref: ItemRef) -> int:
        """A descriptor of the item's folder; the last one asked for is kept, since a folder's items come together."""
        if self._folder is not None:
            folder, descriptor = self._folder
            if folder == ref.folder:
                return descriptor
            self._folder = None
            os.close(descriptor)
        opened = open_folder(self._open_root(), ref.folder)
        self._folder = (ref.folder, opened)
        return opened


def open_root(path: bytes) -> int:
    """A descriptor of the folder. Raises `ScopeUnavailable`, which says why there is none."""
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ScopeUnavailable("there is no such folder") from None
    except NotADirectoryError:
        raise ScopeUnavailable("this is not a folder") from None
    except PermissionError:
        raise ScopeUnavailable("we are not allowed to read this folder") from None
    except OSError as error:
        raise ScopeUnavailable(f"the folder cannot be opened ({error.strerror})") from None


def identity_of(root: int) -> str:
    """File system and root folder. Stays the same over a restart where the file system has an id of its own."""
    try:
        return f"{os.fstatvfs(root).f_fsid:x}:{os.fstat(root).st_ino}"
    except OSError as error:
        raise ScopeUnavailable(f"the folder does not answer ({error.strerror})") from None

"""Preparing a file server for the service: what must be there, what of it is lacking, and making just that.

Every step can be asked whether it is done, so that a second run changes nothing, and one after a cut-off finishes. The
settings come last: the units start only where they are.
"""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from agent.errors import ConfigurationError
from agent.usecases.set_up_files import (
    Rights,
    alone,
    content_of,
    grant,
    make_folder,
    point,
    set_aside,
    told,
    write_file,
)
from agent.usecases.set_up_keys import KeyPlaces, MasterKey, VaultKept, VaultRoot
from agent.usecases.set_up_machine import Accounts, Machine
from agent.usecases.set_up_units import HEADER

ETC = PurePosixPath("/etc/retentiond")
SETTINGS, SCHEDULE, CREDSTORE = ETC / "retentiond.yaml", ETC / "schedule.yaml", ETC / "credstore"
SEALED, CLEAR = CREDSTORE / "retentiond-vault.cred", CREDSTORE / "retentiond-vault.key"
# Where systemd looks for a credential by its bare name, as the unit has it.
SEALED_LINK = PurePosixPath("/etc/credstore.encrypted/retentiond-vault")
UNITS = PurePosixPath("/etc/systemd/system")
SCAN_DROP_IN = UNITS / "retentiond-scan.service.d/shares.conf"
DISPOSE_DROP_IN = UNITS / "retentiond-dispose.service.d/shares.conf"


class Step(Protocol):
    """One thing that must be there."""

    def lacking(self) -> str:
        """What is not as it must be, in words; empty if nothing."""

    def make(self) -> None:
        """Makes it so. Raises `AgentError`. May be run again."""


@dataclass(frozen=True, slots=True)
class Named:
    """A step with what it is called and the path that it is about, as the machine itself has it."""

    what: str
    path: PurePosixPath
    step: Step


@dataclass(frozen=True, slots=True)
class Did:
    """What became of a step: what was lacking before (empty: nothing), and where what was replaced has been kept."""

    what: str
    path: PurePosixPath
    lacked: str
    kept: Path | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with its owner and mode."""

    path: Path
    rights: Rights

    def lacking(self) -> str:
        return self.rights.lacking(self.path)

    def make(self) -> None:
        make_folder(self.path, self.rights)


@dataclass(slots=True)
class Text:
    """A file with its owner, mode and content; without `content`, whatever is in it is right.

    What it replaces is kept as `….before-DAY`, unless it is `worthless`: then nobody has written anything of it.
    """

    path: Path
    rights: Rights
    content: Callable[[], str] | None
    day: str
    worthless: Callable[[bytes], bool] = lambda _: False
    kept: Path | None = field(default=None, init=False)

    def lacking(self) -> str:
        lack = self.rights.lacking(self.path)
        if self.content is None or lack == "it is missing":
            return lack
        return "it says something else" if content_of(self.path) != self.content().encode() else lack

    def make(self) -> None:
        if self.content is None or (there := content_of(self.path)) == self.content().encode():
            grant(self.path, self.rights)
            return
        if there is not None and not self.worthless(there):
            self.kept = set_aside(self.path, self.day)
        write_file(self.path, self.content().encode(), self.rights)


@dataclass(frozen=True, slots=True)
class Link:
    """A link that leads to a file of ours; only `wanted` if that file is used."""

    path: Path
    target: PurePosixPath
    wanted: Callable[[], bool]

    def lacking(self) -> str:
        if not self.wanted():
            return ""
        with told(self.path):
            leads = os.readlink(self.path) if self.path.is_symlink() else None
        return "" if leads == str(self.target) else "it is missing" if leads is None else "it leads elsewhere"

    def make(self) -> None:
        if not self.path.parent.is_dir():
            make_folder(self.path.parent, Rights(0, 0, 0o700))
        if self.path.exists() and not self.path.is_symlink():
            raise ConfigurationError(f"{self.path}: a credential is there that is not ours. Move it away.")
        point(self.path, str(self.target))


@dataclass(frozen=True, slots=True)
class SharedState:
    """Files that root has made in the state directory before there was a service: the group must get at them too."""

    folder: Path
    group: int

    def lacking(self) -> str:
        count = len(self._closed())
        return f"{count} {'file is' if count == 1 else 'files are'} closed to the group" if count else ""

    def make(self) -> None:
        for path, facts in self._closed():
            grant(path, Rights(facts.st_uid, self.group, stat.S_IMODE(facts.st_mode) | 0o060))

    def _closed(self) -> list[tuple[Path, os.stat_result]]:
        with told(self.folder):
            found = [(path, path.lstat()) for path in sorted(self.folder.iterdir())] if self.folder.is_dir() else []
        return [
            (path, facts)
            for path, facts in found
            if stat.S_ISREG(facts.st_mode)
            and (path.name.startswith("catalogue.") or path.suffix == ".lock")
            and (facts.st_gid != self.group or facts.st_mode & 0o060 != 0o060)
        ]


@dataclass(frozen=True, slots=True)
class Contents:
    """What is to be written. No `settings` or `schedule`: those that are there are right.

    `settings` is told the key file, or nothing if the key is sealed.
    """

    settings: Callable[[PurePosixPath | None], str] | None
    schedule: str | None
    scan_drop_in: str
    dispose_drop_in: str
    template: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, as the machine has them; no `schedule` if it is one that comes with us."""

    schedule: PurePosixPath | None
    state: PurePosixPath
    vault: PurePosixPath
    slots: PurePosixPath
    clear: PurePosixPath
    credential: str


@dataclass(frozen=True, slots=True)
class SetUp:
    """All steps in their order, and the root key among them, of which is told how it is kept; `folder` is locked."""

    steps: tuple[Named, ...]
    root_key: VaultRoot
    folder: Path

    def pending(self) -> tuple[Named, ...]:
        """What would be made. Changes nothing."""
        return tuple(named for named in self.steps if named.step.lacking())

    def run(self) -> Iterator[Did]:
        """Makes what is lacking, and tells of every step. Raises `AgentError`; what was made until then is whole."""
        with alone(self.folder):
            for named in self.steps:
                lacked = named.step.lacking()
                if lacked:
                    named.step.make()
                    if still := named.step.lacking():
                        raise ConfigurationError(f"{named.path}: {named.what} was set up, and yet {still}.")
                yield Did(named.what, named.path, lacked, getattr(named.step, "kept", None))


def set_up(machine: Machine, accounts: Accounts, places: Places, contents: Contents, day: str) -> SetUp:
    """The steps for this machine. `day` names what is kept of replaced files."""
    at = machine.at
    keys = KeyPlaces(at(places.vault), at(places.slots), places.credential, at(SEALED), at(places.clear))
    root_key = VaultRoot(keys, accounts, machine)
    root, group = Rights(0, 0, 0o644), Rights(0, accounts.group, 0o640)
    written = contents.settings
    settings = None if written is None else lambda: written(places.clear if root_key.is_clear else None)

    def ours(path: PurePosixPath, text: str) -> Text:
        return Text(at(path), root, lambda: text, day, lambda there: there.startswith(HEADER.encode()))

    schedule = None if contents.schedule is None else functools.partial(str, contents.schedule)
    schedules = [] if places.schedule is None else [(places.schedule, Text(at(places.schedule), group, schedule, day))]
    return SetUp(
        (
            Named("folder of the settings", ETC, Folder(at(ETC), Rights(0, accounts.group, 0o750))),
            Named("folder of the root key", CREDSTORE, Folder(at(CREDSTORE), Rights(0, accounts.dispose_group, 0o710))),
            Named("state directory", places.state, Folder(at(places.state), Rights(0, accounts.group, 0o2770))),
            Named("files in it", places.state, SharedState(at(places.state), accounts.group)),
            Named("master key", places.state / "master.key", MasterKey(at(places.state / "master.key"), accounts)),
            Named("root key of the vault", CREDSTORE, root_key),
            Named(
                "way of systemd to the root key", SEALED_LINK, Link(at(SEALED_LINK), SEALED, lambda: root_key.is_sealed)
            ),
            Named("vault", places.vault, VaultKept(keys, accounts)),
            *_drop_in("scans", SCAN_DROP_IN, at, ours(SCAN_DROP_IN, contents.scan_drop_in)),
            *_drop_in("disposes", DISPOSE_DROP_IN, at, ours(DISPOSE_DROP_IN, contents.dispose_drop_in)),
            *(Named("retention schedule", path, text) for path, text in schedules),
            Named(
                "settings",
                SETTINGS,
                Text(
                    at(SETTINGS),
                    group,
                    settings,
                    day,
                    lambda there: there == contents.template.encode(),
                ),
            ),
        ),
        root_key,
        machine.root,
    )


def _drop_in(what: str, path: PurePosixPath, at: Callable[[PurePosixPath], Path], text: Text) -> Sequence[Named]:
    folder = Folder(at(path.parent), Rights(0, 0, 0o755))
    return (
        Named(f"folder of what the unit that {what} needs", path.parent, folder),
        Named(f"what the unit that {what} needs", path, text),
    )

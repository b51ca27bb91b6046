"""Bugs planted into the protocol, one at a time, to see that the harness finds them. A harness that finds nothing may
simply be blind: it has been before."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from agent.catalogue import database
from agent.disposition.destroy import Destruction
from agent.disposition.leftovers import Leftovers
from agent.disposition.quarantine import Quarantine
from agent.disposition.recovery import Recovery
from agent.disposition.restore import Restoring
from agent.model.disposal import Obstacle
from agent.vault.disk import Disk
from connectors.filesystem import changes
from connectors.filesystem.holding import FilesystemHolding


@dataclass(frozen=True, slots=True)
class Bug:
    """`plant` puts it in for as long as its context lasts. It must show in the scenario under faults of that sort."""

    name: str
    scenario: str
    how: str
    power: bool
    plant: Callable[[], Any]
    apart: bool = False


@contextmanager
def _instead(of: Any, name: str, other: Any) -> Iterator[None]:
    before = getattr(of, name)
    setattr(of, name, other)
    try:
        yield
    finally:
        setattr(of, name, before)


def _nothing(*_: object) -> None:
    return None


@contextmanager
def _several(*changed: tuple[Any, str, Any]) -> Iterator[None]:
    with ExitStack() as planted:
        for of, name, other in changed:
            planted.enter_context(_instead(of, name, other))
        yield


def _original_goes_before_it_is_recorded() -> Any:
    record = Quarantine._record_sealed

    def early(self: Quarantine, steps: Any, told: Any) -> Any:
        for step in steps:
            source = self._means.sources[step.of.share]
            source.holding.let_go(source.scope, step.of.vault_id)
        return record(self, steps, told)

    return _instead(Quarantine, "_record_sealed", early)


def _copies_are_not_made_durable() -> Any:
    """Giving the pages back to the system would write them and hide the bug, so that is left out too."""
    return _several((Disk, "sync", _nothing), (Disk, "forget_cache", _nothing))


@contextmanager
def _database_does_not_wait_for_the_disk() -> Iterator[None]:
    make = database._engine

    def careless(path: Any) -> Any:
        engine = make(path)

        @event.listens_for(engine, "connect")
        def _later(connection: Any, _: object) -> None:
            connection.execute("PRAGMA synchronous = OFF")

        return engine

    with _instead(database, "_engine", careless):
        yield


def _recovery_lets_go_of_what_was_planned() -> Any:
    def gone(self: Quarantine, disposal: Any, why: Obstacle, told: Any) -> None:
        source = self._means.sources[disposal.share]
        source.holding.let_go(source.scope, disposal.vault_id)
        self._abandon(disposal, why, told)

    return _instead(Quarantine, "put_back", gone)


def _what_is_restored_is_not_made_durable() -> Any:
    """Nor is it given back to the system, which would write it too."""
    return _several((os, "fsync", _nothing), (os, "posix_fadvise", _nothing))


def _vault_forgets_before_it_is_restored() -> Any:
    go_on = Restoring.go_on

    def early(self: Restoring, disposal: Any) -> Any:
        vault = self._means.vault
        kept = vault.verify, vault.metadata(disposal.vault_id)
        with _instead(vault, "metadata", lambda _: kept[1]):
            content = os.memfd_create("kept")
            sha256 = vault.restore_to(disposal.vault_id, content).sha256
            vault.discard(disposal.vault_id)

            class Known:
                pass

            Known.sha256 = sha256  # type: ignore[attr-defined]

            def copy(_: str, descriptor: int) -> None:
                os.write(descriptor, os.pread(content, 1 << 24, 0))

            with _instead(vault, "verify", lambda _: Known), _instead(vault, "restore_to", copy):
                return go_on(self, disposal)

    return _instead(Restoring, "go_on", early)


def _a_new_file_is_replaced() -> Any:
    def over(from_dir: int, from_name: bytes, to_dir: int, to_name: bytes) -> None:
        os.rename(from_name, to_name, src_dir_fd=from_dir, dst_dir_fd=to_dir)

    return _instead(changes, "rename_new", over)


def _folders_are_not_made_durable() -> Any:
    fsync = os.fsync

    def only_files(descriptor: int) -> None:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            fsync(descriptor)

    return _instead(os, "fsync", only_files)


def _key_goes_before_it_is_recorded() -> Any:
    destroy = Destruction.destroy

    def early(self: Destruction, disposals: Any, advance: Any) -> Any:
        for one in disposals:
            self._means.vault.discard(one.vault_id)
        return destroy(self, disposals, advance)

    return _instead(Destruction, "destroy", early)


def _recovery_forgets_what_was_sealed() -> Any:
    finish = Recovery._finish

    def wrong(self: Recovery, disposal: Any, told: Any) -> None:
        self._means.vault.discard(disposal.vault_id)
        finish(self, disposal, told)

    return _instead(Recovery, "_finish", wrong)


def _leftovers_stay_in_the_vault() -> Any:
    return _instead(Leftovers, "clear_vault", lambda self: 0)


def _recovery_does_not_look_into_the_hold() -> Any:
    return _instead(FilesystemHolding, "put_back", lambda self, scope, id, ref: False)


BUGS = (
    Bug(
        "the original goes before it is recorded that the copy is whole",
        "quarantine",
        "kill",
        False,
        _original_goes_before_it_is_recorded,
    ),
    Bug("copies in the vault are not made durable", "quarantine", "kill", True, _copies_are_not_made_durable),
    Bug("the database does not wait for the disk", "quarantine", "kill", True, _database_does_not_wait_for_the_disk),
    Bug(
        "recovery lets go of what was only planned", "quarantine", "kill", False, _recovery_lets_go_of_what_was_planned
    ),
    Bug("what is restored is not made durable", "restore", "kill", True, _what_is_restored_is_not_made_durable),
    Bug("the vault forgets before the item is back", "restore", "kill", False, _vault_forgets_before_it_is_restored),
    Bug("putting back replaces a new file", "newcomer", "kill", False, _a_new_file_is_replaced),
    Bug(
        "changes of folders are not made durable", "quarantine", "kill", True, _folders_are_not_made_durable, apart=True
    ),
    Bug("the key goes before it is recorded", "destroy", "kill", False, _key_goes_before_it_is_recorded),
    Bug("recovery forgets what was sealed", "quarantine", "kill", False, _recovery_forgets_what_was_sealed),
    Bug("recovery leaves copies in the vault", "anonymise", "kill", False, _leftovers_stay_in_the_vault),
    Bug(
        "recovery does not put back what lies in the hold",
        "quarantine",
        "kill",
        False,
        _recovery_does_not_look_into_the_hold,
    ),
)

"""What remains of an item in its place: the anonymised document, or the fields that the class keeps.

It is made from the copy in the hold, sealed in the vault beside the original, and put in place only behind the point of
no loss; so it is there after a crash too, and never half.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import replace
from typing import Protocol

from agent.catalogue.disposal_rows import Disposal
from agent.disposition.base import Means, Source
from agent.disposition.wrapping import unwrap, wrap
from agent.model.decision import REMAINDER
from agent.model.schedule import Disposition
from connectors.base import ItemRef
from connectors.errors import ConnectorError, NoPlace, PlaceTaken, Unsupported
from connectors.holding import Made

_DERIVING = frozenset({Disposition.ANONYMISE, Disposition.MINIMISE})
_LONGEST_NAME = 255
NOTE, NOTE_SUFFIX = "note", b".removed.txt"


class NotDerived(Exception):
    """What should remain of the item cannot be made, so that the item must stay as it is."""


class Derive(Protocol):
    """Makes what remains of an item."""

    def __call__(self, disposal: Disposal, source: int, target: int) -> str:
        """Reads the item from the descriptor `source` and writes what remains into the empty file `target`.

        Gives what is added to the item's name, empty if it keeps its name. Raises `NotDerived`.
        """


def derives(action: Disposition) -> bool:
    """Whether something remains in the item's place."""
    return action in _DERIVING


class Remainders:
    """Makes, keeps and places what remains of items."""

    def __init__(self, means: Means, derive: Derive) -> None:
        self._means = means
        self._derive = derive

    def seal(self, disposal: Disposal, derived_id: str, source: int, properties: bytes) -> None:
        """Makes what remains and seals it under that id. Raises `NotDerived`, `VaultError`.

        What is made passes through memory only, never through a file that could be found later.
        """
        target = os.memfd_create("remainder", os.MFD_CLOEXEC)
        try:
            suffix = self._derive(disposal, source, target)
            ref = replace(disposal.ref, name=_with(disposal.ref.name, suffix.encode()))
            self._means.vault.put(target, derived_id, wrap(replace(disposal, ref=ref), properties), self._means.today())
        finally:
            os.close(target)

    def place(self, disposal: Disposal, derived_id: str, source: Source) -> Made:
        """Puts what remains into the item's place, or beside it if something else has come there. Idempotent."""
        vault = self._means.vault
        wrapping = unwrap(vault.metadata(derived_id))
        sha256 = vault.verify(derived_id).sha256

        def made_at(ref: ItemRef) -> Made:
            def write(descriptor: int) -> None:
                vault.restore_to(derived_id, descriptor)

            return source.holding.make(source.scope, ref, wrapping.properties, write, sha256, keep_times=False)

        try:
            made = made_at(wrapping.ref)
        except PlaceTaken:
            beside = f" (remainder {disposal.number})".encode()
            made = made_at(replace(wrapping.ref, name=_with(wrapping.ref.name, beside)))
        except NoPlace:  # this file system takes no name as long as that
            made = made_at(replace(wrapping.ref, name=f"remainder {disposal.number}.txt".encode()))
        with contextlib.suppress(Unsupported):
            source.holding.mark(source.scope, made.ref, made.version, {REMAINDER: disposal.action.value})
        return made

    def leave_note(self, disposal: Disposal, source: Source) -> None:
        """Leaves the note that was sealed with the item where it was. It is a courtesy: where it cannot be left,
        nothing else changes."""
        wrapping = unwrap(self._means.vault.metadata(disposal.vault_id))
        if not wrapping.note:
            return

        def write(descriptor: int) -> None:
            os.write(descriptor, wrapping.note)

        with contextlib.suppress(ConnectorError):
            made = source.holding.make(
                source.scope,
                note_ref(disposal.ref),
                wrapping.properties,
                write,
                note_sha256(wrapping.note),
                keep_times=False,
            )
            source.holding.mark(source.scope, made.ref, made.version, {REMAINDER: NOTE})


def note_ref(ref: ItemRef) -> ItemRef:
    """Where the note on an item lies that was taken from there."""
    return replace(ref, name=_with(ref.name, NOTE_SUFFIX))


def note_sha256(note: bytes) -> str:
    """By which a note is known to be as it was written."""
    return hashlib.sha256(note).hexdigest()


def _with(name: bytes, suffix: bytes) -> bytes:
    """The name with something added, cut so that it stays one."""
    return name[: _LONGEST_NAME - len(suffix)] + suffix

"""The check: every item ever seen, then what is left over in holds and vault, then the audit log."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.fsck.absent import Absent
from agent.fsck.at_source import AtSource
from agent.fsck.base import Kind, Report, Standing, VaultFiles
from agent.fsck.eyes import Eyes
from agent.fsck.findings import Findings, shown
from agent.fsck.judge import Judge
from agent.fsck.log import Log
from agent.fsck.notes import LogKey
from agent.fsck.rows import Rows, reading
from agent.fsck.share import Share, ShareAway
from agent.fsck.states import States
from agent.fsck.vault import Vault

HOLD_NAME = ".retentiond-hold"
_DRAFT = b"draft-"  # what was being made in the hold; whoever acts next takes it away

# Told of how many items have been looked at since it was called last, and how many bytes have been read.
Advance = Callable[[int, int], None]


def check(
    catalogue: Path,
    shares: Mapping[str, Path],
    vault: VaultFiles | None,
    *,
    hold_name: str = HOLD_NAME,
    holds: Mapping[str, Path] | None = None,
    log_key: str | None = None,
    read_objects: float = 1.0,
    advance: Advance = lambda items, size_bytes: None,
) -> Report:
    """Proves where every item ever seen is, or tells what is wrong. Nothing on any disk is changed.

    `shares` says where each share is mounted, `holds` where its hold is if it is not `hold_name` in its root; shares of
    services are not looked at. Without `vault` the vault is not looked at. With `log_key`, the log's public line,
    signatures are checked. Of the objects in the vault, the part `read_objects` (0 to 1), chosen at random, is read
    from end to end; of the others the keys are tried. Nobody may be acting meanwhile: what has only just been moved
    would be missed.

    Raises `CatalogueError`, `VaultNotOpened`, `UsageError` for a line that is no key.
    """
    key = None if log_key is None else LogKey.read(log_key)
    chance = secrets.SystemRandom().random
    with reading(catalogue) as connection, contextlib.ExitStack() as opened:
        rows, findings = Rows(connection), Findings()
        services = rows.services()
        on_disk = {name: identity for name, identity in rows.shares().items() if name not in services}
        there, away = _open(on_disk, shares, holds or {}, hold_name, opened)
        looked_at = None if vault is None else opened.enter_context(contextlib.closing(Vault(vault)))
        eyes = Eyes(there, looked_at, lambda: chance() < read_objects, lambda size_bytes: advance(0, size_bytes))
        states = States(findings, eyes, rows.scanned_since())
        absent = Absent(connection)
        at_source = AtSource(findings, eyes)
        judge = Judge(findings, states, at_source, absent, rows.steps)
        items = 0
        for item in rows.items():
            judge.judge(item)
            items += 1
            advance(1, 0)
        absent.settle(there, findings)
        _tell_unproven(states, eyes, away, findings)
        at_source.tell()
        _tell_foreign(there, looked_at, findings)
        _tell_contradictions(rows, findings)
        if vault is None:
            findings.note("The vault was not looked at: what lies in it, or is gone from it, is as the catalogue says.")
        log = Log(connection, findings, key)
        log.check()
        return Report(
            items,
            {standing: findings.standings[standing] for standing in Standing},
            tuple(findings.problems),
            {kind: count for kind, count in findings.problem_counts.items() if count},
            tuple(findings.notes),
            findings.note_count,
            eyes.objects_read,
            log.entries,
            log.checkpoints,
        )


def _open(
    known: Mapping[str, str],
    paths: Mapping[str, Path],
    holds: Mapping[str, Path],
    hold_name: str,
    opened: contextlib.ExitStack,
) -> tuple[dict[str, Share], dict[str, str]]:
    """The shares that can be looked at, and why the others cannot."""
    there: dict[str, Share] = {}
    away: dict[str, str] = {}
    for name, identity in known.items():
        if name not in paths:
            away[name] = "it was not said where it is"
            continue
        try:
            share = Share(paths[name], identity, holds.get(name, Path(hold_name)))
        except ShareAway as reason:
            away[name] = str(reason)
        else:
            there[name] = opened.enter_context(contextlib.closing(share))
    return there, away


def _tell_unproven(states: States, eyes: Eyes, away: Mapping[str, str], findings: Findings) -> None:
    for (share, why), count in sorted(states.blind.items()):
        where = f"share {share!r} ({why or away[share]})"
        findings.problem(Kind.UNPROVEN, f"{count:,} items of {where} could not be looked at. Mend that and run again.")
    for share, count in sorted(eyes.holds_not_seen.items()):
        findings.note(f"The hold of share {share!r} was not looked at for {count:,} disposals ({away[share]}).")


def _tell_foreign(shares: Mapping[str, Share], vault: Vault | None, findings: Findings) -> None:
    for share in shares:
        for name in sorted(shares[share].hold):
            if name.startswith(_DRAFT):
                said = f"Something half made lies in the hold of share {share!r}. The next act there takes it away."
                findings.note(said, place=shown(name))
            else:
                said = f"Something lies in the hold of share {share!r} that belongs to no disposal there."
                findings.problem(Kind.FOREIGN, f"{said} Find out whose it is, and move it away.", place=shown(name))
    if vault is None:
        return
    for foreign in vault.foreign:
        said = "Something lies among the vault's objects that the vault has not put there. Find out whose it is."
        findings.problem(Kind.FOREIGN, said, place=shown(os.fsencode(foreign)))
    for copy in vault.rest():
        said = f"The vault has {copy.words or 'a tomb'} under {copy.id.hex()}, of which no disposal knows. Was the "
        findings.problem(Kind.FOREIGN, f"{said}catalogue set back to an older state? Keep it until you know.")
    if vault.damaged_places:
        said = f"{vault.damaged_places:,} places in the vault's key files are neither empty nor sound."
        findings.note(f"{said} The next erasure ceremony mends them; if they come again, replace the disk.")


def _tell_contradictions(rows: Rows, findings: Findings) -> None:
    said = [f"Disposal {number} is of an item that the catalogue does not have." for number in rows.without_item()]
    said += [f"Step {number} is of a disposal that the catalogue does not have." for number in rows.without_disposal()]
    said += [
        f"Certificate {id} is over another number of items than there are disposals on it."
        for id in rows.certificates_miscounted()
    ]
    for sentence in said:
        findings.problem(Kind.WRONG_STATE, f"{sentence} Restore the catalogue from a backup.")

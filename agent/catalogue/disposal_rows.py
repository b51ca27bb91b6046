"""A disposal as a row and as a fact."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from agent.catalogue.accounts import read_account, write_account
from agent.catalogue.reading import moment
from agent.catalogue.recording import microseconds
from agent.model.disposal import Account, Custody, DisposalState, DisposalStep
from agent.model.schedule import Disposition
from connectors.base import ItemRef

_SET_ASIDE = re.compile(rb"\0[0-9]+")
ALL = (
    "SELECT d.id, d.vault_id, d.item_id, d.run_id, s.name, f.path, i.name, d.action, d.state, d.version, "
    "d.content_hash, d.size_bytes, d.mark, d.stages, d.account, d.since, d.digest, d.derived_id, d.target_folder, "
    "d.target_name, d.bundle_id, d.certificate_id, d.custody, i.file_id, f.source_id, d.kept_version "
    "FROM disposal d JOIN item i ON i.id = d.item_id JOIN folder f ON f.id = i.folder_id "
    "JOIN share s ON s.id = f.share_id"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """That an item is to be disposed of, decided on in this state of it.

    `mark` stands for the grounds of the approvals (`Grounds.mark`). `stages` is how many approvals there must be; none
    for what a placement rule moves out of reach by itself.
    """

    item_id: int
    share: str
    ref: ItemRef
    action: Disposition
    version: bytes
    content_hash: bytes | None
    size_bytes: int
    mark: str
    stages: int
    account: Account


@dataclass(frozen=True, slots=True)
class Disposal:
    """One disposal as the catalogue has it. `vault_id` names the item in the hold and in the vault.

    `derived_id` is the vault's id of what remains in the item's place (anonymised, minimised), while it is on its way.
    `ref` is where the item was taken from, `target` where it is being restored to. `digest` is the keyed digest of what
    it held. `since` is when it came to its state, in UTC. What its source keeps has ids there, its own and that of the
    folder that it was taken from, and lies there in quarantine at `kept_version`.
    """

    number: int
    vault_id: str
    item_id: int
    run: int
    share: str
    ref: ItemRef
    action: Disposition
    state: DisposalState
    version: bytes
    content_hash: bytes | None
    size_bytes: int
    mark: str
    stages: int
    account: Account
    since: datetime
    digest: bytes | None = None
    derived_id: str | None = None
    target: ItemRef | None = None
    bundle: int | None = None
    certificate: str | None = None
    custody: Custody = Custody.VAULT
    file_id: bytes = b""
    folder_id: bytes = b""
    kept_version: bytes = b""


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be recorded of one disposal. The parts are as in `DisposalStep` and `Disposal`.

    `version` is that of the item where it lies from now on, `hidden_name` what stands for its name from now on.
    """

    of: Disposal
    to: DisposalState
    why: str = ""
    method: str = ""
    doubts: tuple[str, ...] = ()
    epoch: str = ""
    reason: str = ""
    digest: bytes | None = field(default=None, repr=False)
    target: ItemRef | None = None
    version: bytes = b""
    hidden_name: bytes = b""
    kept_version: bytes = b""


def row_of(
    vault_id: str, derived_id: str | None, one: Plan, run: int, at: datetime, day: date, custody: Custody
) -> dict[str, Any]:
    return {
        "vault_id": vault_id,
        "derived_id": derived_id,
        "item_id": one.item_id,
        "run_id": run,
        "action": one.action.value,
        "state": DisposalState.PLANNED.value,
        "since": microseconds(at),
        "on_day": day.toordinal(),
        "version": one.version,
        "content_hash": one.content_hash,
        "size_bytes": one.size_bytes,
        "mark": one.mark,
        "stages": one.stages,
        "account": write_account(one.account),
        "custody": custody.value,
    }


def read_disposal(row: Any) -> Disposal:
    (number, vault_id, item_id, run, share, folder, name, action, state, version, content_hash, size, mark) = row[:13]
    stages, account, since, digest, derived_id, target_folder, target_name, bundle, certificate = row[13:22]
    custody, file_id, folder_id, kept_version = row[22:]
    return Disposal(
        number,
        vault_id,
        item_id,
        run,
        share,
        ItemRef(_given_name(folder), _given_name(name)),
        Disposition(action),
        DisposalState(state),
        version,
        content_hash,
        size,
        mark,
        stages,
        read_account(account),
        moment(since),
        digest,
        derived_id,
        None if target_name is None else ItemRef(target_folder, target_name),
        bundle,
        certificate,
        Custody(custody),
        file_id,
        folder_id,
        kept_version,
    )


def _given_name(path: bytes) -> bytes:
    """Without what is behind a null byte: a row that was set aside for another item or folder of its name has that."""
    return _SET_ASIDE.sub(b"", path)


def read_step(row: Any) -> DisposalStep:
    return DisposalStep(
        row.id,
        row.disposal_id,
        row.item_id,
        row.before,
        DisposalState(row.after),
        moment(row.at),
        row.by,
        row.why,
        row.method,
        tuple(row.doubts.split()),
        row.epoch,
        row.reason,
        row.digest,
    )

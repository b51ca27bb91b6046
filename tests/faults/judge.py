"""What must be true after a fault and a recovery, whatever went wrong: each file exactly once, and nothing left over.

Asks the disk, the vault and the database, not those who acted.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from agent.audit.log import AuditLog
from agent.vault.base import VaultError
from tests.disposition.house import House, trail
from tests.faults.scenarios import MARK, MODE, MOMENT, NEW, REMAINS, Scenario

_UNSETTLED = ("planned", "sealed", "restoring", "destroying")


def judge(folder: Path, scenario: Scenario, *, finished: bool) -> list[str]:
    """What is wrong; nothing if all is well. `finished` says that the act came to its end without a fault."""
    house = House(folder)
    try:
        found = [*_files(house, scenario), *_leftovers(house), *_log(house), *scenario.further(house)]
        states = house.states()
        if finished and set(states) != set(scenario.ends):
            found.append(f"it was said to be done, but the disposals are {states}")
        return found
    finally:
        house.close()


def state_of(folder: Path) -> object:
    """Everything that a second recovery must leave as it is."""
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as database:
        rows = database.execute("SELECT id, state FROM disposal ORDER BY id").fetchall()
        steps = database.execute("SELECT COUNT(*) FROM disposal_step").fetchall()
        items = database.execute("SELECT id, state FROM item ORDER BY id").fetchall()
    files = sorted(
        (os.fspath(file.relative_to(folder)), file.stat().st_size)
        for part in ("share", "vault/objects")
        for file in (folder / part).rglob("*")
        if file.is_file()
    )
    return rows, steps, items, files


def _files(house: House, scenario: Scenario) -> list[str]:
    found = []
    with closing(sqlite3.connect(house.folder / "catalogue.sqlite")) as database:
        rows = database.execute("SELECT d.vault_id, d.state, d.id FROM disposal d ORDER BY d.id").fetchall()
        paths = dict(
            database.execute(
                "SELECT d.id, f.path || '/' || i.name FROM disposal d JOIN item i ON i.id = d.item_id "
                "JOIN folder f ON f.id = i.folder_id"
            ).fetchall()
        )
    names = {name.decode() if isinstance(name, bytes) else name: number for number, name in paths.items()}
    of = {number: (vault_id, state) for vault_id, state, number in rows}
    erased = [number for number, (_, state) in of.items() if state == "erased"]
    for path, content in scenario.files.items():
        number = names.get(path)
        vault_id, state = of.get(number, ("", "")) if number is not None else ("", "")
        live = _is_whole(house.share / path, content)
        vaulted = state == "quarantined" and _readable(house, vault_id, content)
        held = state == "conflict" and _held(house, vault_id, content)
        gone = state == "destroyed" or (number is None and path not in scenario.stay and bool(erased))
        where = [word for word, so in (("live", live), ("vault", vaulted), ("hold", held), ("gone", gone)) if so]
        if path in scenario.stay and where != ["live"]:
            found.append(f"{path} should have stayed, and is {where or 'LOST'}")
        elif not where:
            found.append(f"{path}: LOST (its disposal is {state or 'not there'})")
        elif len(where) > 1:
            found.append(f"{path}: TWICE, {' and '.join(where)}")
        if scenario.remains is not None and vaulted and _in_place(house, path + scenario.remains) != REMAINS:
            found.append(f"{path}: nothing remains of it in its place")
        if path in scenario.newcomers and held and _in_place(house, path) != NEW:
            found.append(f"{path}: LOST, the new file in its place")
    return found


def _in_place(house: House, path: str) -> bytes | None:
    file = house.share / path
    return file.read_bytes() if file.exists() else None


def _is_whole(file: Path, content: bytes) -> bool:
    if not file.is_file() or file.read_bytes() != content:
        return False
    facts = file.stat()
    return facts.st_mode & 0o7777 == MODE and facts.st_mtime_ns == MOMENT and os.getxattr(file, "user.test") == MARK


def _readable(house: House, vault_id: str, content: bytes) -> bool:
    try:
        return house.vault.verify(vault_id).sha256 == hashlib.sha256(content).hexdigest()
    except VaultError:
        return False


def _held(house: House, vault_id: str, content: bytes) -> bool:
    file = house.share / ".retentiond-hold" / vault_id
    return file.is_file() and file.read_bytes() == content


def _leftovers(house: House) -> list[str]:
    found = []
    with closing(sqlite3.connect(house.folder / "catalogue.sqlite")) as database:
        states = dict(database.execute("SELECT vault_id, state FROM disposal").fetchall())
    found += [f"a disposal is still {state}" for state in states.values() if state in _UNSETTLED]
    hold = house.share / ".retentiond-hold"
    found += [
        f"something is left in the hold ({states.get(name, 'of nobody')})"
        for name in (os.listdir(hold) if hold.exists() else [])
        if states.get(name) != "conflict"
    ]
    found += [f"a draft is left: {file.name}" for file in house.share.rglob(".retentiond-*") if file.is_file()]
    strays = house.vault.strays()
    found += [f"{len(strays.parts)} unfinished copies are left in the vault"] if strays.parts else []
    found += [f"{len(strays.without_key)} objects have no key"] if strays.without_key else []
    for entry in house.vault.entries():
        if entry.stored_bytes and states.get(entry.id) != "quarantined":
            found.append(f"an object is left in the vault ({states.get(entry.id, 'of nobody')})")
    return found


def _log(house: House) -> list[str]:
    with house.catalogue.connected() as connection:
        return [*trail().disagreements(house.catalogue, AuditLog(connection))]

"""What `retentiond vault` does, from what was asked to what it prints."""

from __future__ import annotations

import json as codec
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from agent import bootstrap
from agent.cli.progress import counting
from agent.errors import ConfigurationError, ExitCode, UsageError
from agent.reports.words import say_count, say_size
from agent.usecases.vault import Checked, check, chosen, new_seed
from agent.vault.base import AlreadyThere, Fate, Strays
from agent.vault.keys import RootKey, keep_root_key, new_root_key, root_key
from agent.vault.medium import overwriting_doubts
from agent.vault.recovery import open_bundle, restore_root_key, write_bundle
from agent.vault.rotation import change_key_file
from agent.vault.store import Vault

_MOST_IDENTITY = 10_000  # characters
_STRAYS = {
    "parts": "copies that were never finished",
    "without_key": "objects that no key opens: put the key files back from a backup, or destroy them",
    "without_object": "keys without their objects: put the objects back from a backup",
    "foreign": "files that the vault has never made",
    "damaged_keys": "damaged places in the key file; the next ceremony empties them",
    "damaged_slots": "damaged key slots; the next ceremony empties them",
}


class Keeping:
    """One run of one of the commands."""

    def __init__(self, state: Path | None, config: Path | None, *, json: bool) -> None:
        self._settings = bootstrap.settings_from(config)
        self._given_state = state
        self._json = json
        self._state = bootstrap.state_directory(state, self._settings, create=False)
        self._places = bootstrap.vault_places(self._settings, self._state)

    # Making and looking

    def init(self) -> None:
        bootstrap.state_directory(self._given_state, self._settings, create=True)
        places = self._places
        made_key = False
        if not self._credential_there() and not places.key_file.exists():
            keep_root_key(str(places.key_file), new_root_key())
            made_key = True
        try:
            Vault.create(str(places.directory), slots_path=str(places.slots))
            made = True
        except AlreadyThere:
            made = False
        with bootstrap.open_vault(self._settings, self._state) as vault:
            facts = {
                "made": made,
                "vault": vault.id,
                "directory": str(places.directory),
                "slots": str(places.slots),
                "key": "credential" if self._credential_there() else str(places.key_file),
                "made_key": made_key,
                "doubts": list(overwriting_doubts(str(places.slots))),
            }
        self._tell(facts, _tell_made)

    def list(self, *, strays: bool) -> None:
        with self._opened() as vault:
            entries = [] if strays else vault.entries()
            left = vault.strays()
        facts = {
            "objects": [{"id": one.id, "fate": one.fate.value, "bytes": one.stored_bytes} for one in entries],
            "strays": _strays(left),
        }
        self._tell(facts, _tell_list)

    def verify(self, ids: Sequence[str], sample: float | None, seed: str) -> None:
        if ids and sample is not None:
            raise UsageError("Name objects or give --sample, not both.")
        if seed and sample is None:
            raise UsageError("--seed belongs to --sample.")
        seed = seed or new_seed()
        with self._opened() as vault:
            sealed = [one.id for one in vault.entries() if one.fate is Fate.SEALED]
            if unknown := sorted(set(ids) - set(sealed)):
                raise UsageError(f"The vault holds nothing under the id {unknown[0]}. See:  retentiond vault list")
            wanted = list(ids) or (sealed if sample is None else chosen(sealed, sample, seed))
            with counting(Console(stderr=True), "Verify") as advance:
                checked = check(vault, wanted, advance)
            strays = vault.strays()
        self._told_verified(checked, strays, len(sealed), seed if sample is not None else None)

    def _told_verified(self, checked: Checked, strays: Strays, sealed: int, seed: str | None) -> None:
        serious = bool(checked.damaged) or bool(strays.without_key) or bool(strays.without_object)
        facts = {
            "sealed": sealed,
            "verified": checked.good,
            "bytes": checked.size_bytes,
            "damaged": dict(checked.damaged),
            "strays": _strays(strays),
            "seed": seed,
            "good": not serious,
        }
        self._tell(facts, _tell_verified)
        if serious:
            raise typer.Exit(ExitCode.VAULT)

    # Keys

    def rotate(self, new_key_from: Path | None) -> None:
        places = self._places
        if self._credential_there():
            if new_key_from is None:
                raise UsageError(
                    f"The root key is the systemd credential {places.credential!r}. Make a new one (32 random bytes), "
                    "seal the vault with it by --new-key-from FILE, then encrypt that file with systemd-creds in place "
                    "of the old credential, and shred it."
                )
            new = _key_in(new_key_from)
            old = root_key(str(places.key_file), places.credential)
            Vault(str(places.directory), new, former=old, slots_path=str(places.slots)).close()
        elif new_key_from is not None:
            raise UsageError("--new-key-from is for a root key that is a systemd credential. Leave it out.")
        else:
            change_key_file(str(places.directory), str(places.key_file), slots_path=str(places.slots))
        self._tell({"rotated": True}, lambda _: typer.echo("Sealed with a new key. Make a new recovery bundle now."))

    def make_bundle(self, recipients: Sequence[str], output: Path) -> None:
        key = root_key(str(self._places.key_file), self._places.credential)
        with self._opened() as vault:
            write_bundle(str(output), key, vault.id, list(recipients), bootstrap.now().date())
        self._tell({"bundle": str(output)}, lambda _: typer.echo(f"{output}: each of the officers can open it alone."))

    def test_bundle(self, bundle: Path, identity: Path) -> None:
        key, vault_id = open_bundle(str(bundle), _identity(identity))
        with self._opened() as vault:
            good = vault.id == vault_id and key == root_key(str(self._places.key_file), self._places.credential)
        said = "holds the key of this vault." if good else "does not hold the key of this vault. Make a new one."
        self._tell({"good": good}, lambda _: typer.echo(f"{bundle} {said}"))
        if not good:
            raise typer.Exit(ExitCode.VAULT)

    def restore_key(self, bundle: Path, identity: Path) -> None:
        restore_root_key(str(bundle), _identity(identity), str(self._places.key_file))
        self._opened().close()
        said = f"{self._places.key_file}: the root key is back, and the vault opens."
        self._tell({"restored": True}, lambda _: typer.echo(said))

    # Parts of the above

    def _opened(self) -> Vault:
        return bootstrap.open_vault(self._settings, self._state)

    def _credential_there(self) -> bool:
        directory = os.environ.get("CREDENTIALS_DIRECTORY", "")
        return bool(directory) and os.path.exists(os.path.join(directory, self._places.credential))

    def _tell(self, facts: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
        if self._json:
            typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))
        else:
            tell(facts)


def make_age_key(output: Path) -> None:
    """Writes a new age identity (mode 0600) and prints its recipient."""
    from agent.age.keys import new_identity

    identity, recipient = new_identity()
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(f"{output}: the key cannot be written ({error.strerror}).") from error
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(f"# public key: {recipient}\n{identity}\n")
    typer.echo(recipient)


def _identity(path: Path) -> str:
    try:
        if str(path) == "-":
            text = sys.stdin.read(_MOST_IDENTITY)
        else:
            text = path.read_text(encoding="ascii", errors="replace")[:_MOST_IDENTITY]
    except OSError as error:
        raise UsageError(f"{path}: the identity cannot be read ({error.strerror}).") from error
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1:
        raise UsageError(f"{path}: an identity file has one line with the key, AGE-SECRET-KEY-1…")
    return lines[0]


def _key_in(path: Path) -> RootKey:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: the new key cannot be read ({error.strerror}).") from error
    try:
        return RootKey(data)
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}. Make one with:  head -c 32 /dev/urandom > FILE") from None


def _strays(left: Strays) -> dict[str, list[str]]:
    return {name: [str(one) for one in getattr(left, name)] for name in _STRAYS if getattr(left, name)}


# In words


def _tell_made(facts: dict[str, Any]) -> None:
    typer.echo(f"{'Made' if facts['made'] else 'There is already'} a vault in {facts['directory']}.")
    if facts["made_key"]:
        typer.echo(
            f"Its root key is {facts['key']}. Without it nothing in the vault can be read: make a recovery bundle "
            "(`retentiond vault recovery make`), and never keep the key in one backup with the vault."
        )
    for doubt in facts["doubts"]:
        typer.echo(f"Keys may outlast their being overwritten: {doubt}.")


def _tell_list(facts: dict[str, Any]) -> None:
    for one in facts["objects"]:
        typer.echo(f"{one['id']}  {one['fate']}  {say_size(one['bytes'])}")
    typer.echo(f"{say_count(len(facts['objects']), 'object')}.")
    _tell_strays(facts["strays"])


def _tell_strays(strays: dict[str, list[str]]) -> None:
    for name, found in strays.items():
        typer.echo(f"{len(found):,} {_STRAYS[name]}: {', '.join(found[:5])}{' …' if len(found) > 5 else ''}")


def _tell_verified(facts: dict[str, Any]) -> None:
    for id, why in facts["damaged"].items():
        typer.echo(f"DAMAGED {id}: {why}")
    _tell_strays(facts["strays"])
    of = f" of {facts['sealed']:,}, by seed {facts['seed']}" if facts["seed"] else ""
    typer.echo(f"Read and decrypted: {say_count(facts['verified'], 'object')}{of}, {say_size(facts['bytes'])}.")

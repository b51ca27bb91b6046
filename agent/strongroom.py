"""The composition root of the vault: where the settings say that it lies, and which key opens it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.settings import Settings

if TYPE_CHECKING:
    from agent.usecases.vault import Made
    from agent.vault.keys import RootKey
    from agent.vault.store import Vault


@dataclass(frozen=True, slots=True)
class VaultPlaces:
    """Where the vault lies: its directory, its file of key slots, the key file, and the credential used before it."""

    directory: Path
    slots: Path
    key_file: Path
    credential: str


def vault_places(settings: Settings, state: Path) -> VaultPlaces:
    """Where the settings say that the vault lies: absolute paths."""
    said = settings.vault
    directory = Path(said.directory or state / "vault").absolute()
    slots = Path(said.slots or directory / "slots").absolute()
    return VaultPlaces(directory, slots, Path(said.key_file or state / "vault.key").absolute(), said.credential)


def vault_credential(places: VaultPlaces) -> bool:
    """Whether systemd has given this process the root key as a credential; then no key file is looked at."""
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    return given is not None and os.path.exists(os.path.join(given, places.credential))


def vault_root(settings: Settings, state: Path) -> RootKey:
    """The root key in force. Raises `ConfigurationError` if it is not there, others may read it, or it is none."""
    from agent.vault.keys import root_key

    places = vault_places(settings, state)
    return root_key(str(places.key_file), places.credential)


def find_vault(settings: Settings, state: Path) -> VaultPlaces:
    """Where the vault is. Raises `ConfigurationError` if there is none, `Damaged` if a part of it is missing."""
    from agent.usecases.vault import check_parts

    places = vault_places(settings, state)
    check_parts(str(places.directory), str(places.slots))
    return places


def open_vault(settings: Settings, state: Path, root: RootKey | None = None) -> Vault:
    """The vault, opened with `root` or else with the root key in force.

    Raises `ConfigurationError` if there is none or its key is not there, `VaultError`.
    """
    from agent.vault.store import Vault

    places = find_vault(settings, state)
    return Vault(str(places.directory), root or vault_root(settings, state), slots_path=str(places.slots))


def create_vault(settings: Settings, state: Path) -> Made:
    """Makes a vault if there is none, and a root key unless there is one; finishes what was cut off.

    Raises `ConfigurationError` for a place or a key that cannot be used, `VaultError`, and replaces nothing.
    """
    from agent.usecases.vault import make_vault

    places = vault_places(settings, state)
    there = vault_credential(places) or os.path.lexists(places.key_file)
    root = vault_root(settings, state) if there else None
    return make_vault(str(places.directory), str(places.slots), str(places.key_file), root)

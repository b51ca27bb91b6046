"""What a backup is made of, from the settings: for the command and for the service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent import __version__, bootstrap, strongroom
from agent.errors import CatalogueError, ConfigurationError
from agent.keys import master_key
from agent.usecases.backup import Sources
from agent.usecases.backup_vault import VaultFiles

if TYPE_CHECKING:
    from agent.settings import Settings


def backup_sources(
    settings: Settings,
    state: Path,
    config: Path | None,
    schedule: str | None = None,
    checkpoints: tuple[Path, ...] = (),
) -> Sources:
    """What is backed up of this state directory: `config` and `schedule` are those named on the command line.

    Raises `CatalogueError` if there is no catalogue, `ConfigurationError` without the master key or a whole vault.
    """
    catalogue = state / "catalogue.sqlite"
    if not catalogue.exists():
        raise CatalogueError(f"{catalogue}: there is no catalogue here yet. Run a scan first, or name its --state.")
    if not (state / "master.key").exists():
        raise ConfigurationError(
            f"{state / 'master.key'}: the master key is not here. Put it back: without it nobody can tell later that "
            "a backup is genuine."
        )
    used = config or (usual if (usual := bootstrap.configuration_file()).exists() else None)
    named = schedule or settings.schedule
    return Sources(
        catalogue=catalogue,
        settings=used,
        schedule=bootstrap.schedule_file(named),
        schedule_name=named,
        vault=vault_files(settings, state),
        checkpoints=checkpoints,
        master=master_key(state / "master.key"),
        verifier=bootstrap.trail(state).signing_key.verifier,
        version=__version__,
    )


def vault_files(settings: Settings, state: Path) -> VaultFiles | None:
    """Where the vault lies; none if there is none. Raises `ConfigurationError` or `Damaged` if a part is missing."""
    if not strongroom.vault_places(settings, state).directory.exists():
        return None
    places = strongroom.find_vault(settings, state)
    return VaultFiles(places.directory, places.slots)

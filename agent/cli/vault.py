"""`retentiond vault`: the store of what was taken into quarantine, and the keys that open it."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli import options
from agent.cli.vault_recovery import age_key, file_named, recovery_app

vault_app = typer.Typer(
    name="vault",
    help="Look after the vault, in which quarantined files lie encrypted: make it, prove that it can be read, change "
    "its root key, and keep the key where it outlasts this machine.\n\n"
    "Example:  retentiond vault verify --sample 5",
    no_args_is_help=True,
)
vault_app.add_typer(recovery_app, name="recovery")


@vault_app.command("init")
def init(state: options.State = None, config: options.Config = None, json: options.Json = False) -> None:
    """Make the vault, and a root key for it unless systemd gives one or the key file is there.

    Nothing is ever replaced. If it was cut off, running it again finishes it.

    Example:  retentiond vault init
    """
    from agent import bootstrap, strongroom
    from agent.cli.vault_words import print_json, tell_made
    from agent.vault.medium import overwriting_doubts

    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=True)
    made = strongroom.create_vault(settings, directory)
    places = strongroom.find_vault(settings, directory)
    with strongroom.open_vault(settings, directory) as vault:
        id = vault.id
    by_credential = strongroom.vault_credential(places)
    overwritten = (
        [places.directory, places.slots] if by_credential else [places.directory, places.slots, places.key_file]
    )
    facts = {
        "made": made.vault,
        "vault": id,
        "directory": str(places.directory),
        "slots": str(places.slots),
        "key": f"systemd credential {places.credential}" if by_credential else str(places.key_file),
        "made_key": made.key,
        "doubts": list(dict.fromkeys(doubt for path in overwritten for doubt in overwriting_doubts(str(path)))),
    }
    if json:
        print_json(facts)
    else:
        tell_made(facts)


@vault_app.command("list")
def list_(
    strays: Annotated[
        bool, typer.Option("--strays", help="Instead, what lies there and belongs to no item, or is damaged.")
    ] = False,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """List what the vault knows of, by its id there, with its fate and size; `dispose list` names the files.

    Example:  retentiond vault list --strays
    """
    from agent import bootstrap, strongroom
    from agent.cli.vault_words import entry_facts, print_json, stray_facts, tell_entries, tell_strays

    settings = bootstrap.settings_from(config)
    with strongroom.open_vault(settings, bootstrap.state_directory(state, settings, create=False)) as vault:
        if strays:
            found = vault.strays()
            if json:
                print_json({"vault": vault.id, "strays": stray_facts(found)})
            elif not tell_strays(found):
                typer.echo("Everything in the vault belongs to an item.")
            return
        entries = vault.entries()
        if json:
            print_json({"vault": vault.id, "objects": [entry_facts(entry) for entry in entries]})
        else:
            tell_entries(entries)


@vault_app.command("verify")
def verify(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Only these objects.", show_default=False)
    ] = None,
    sample: Annotated[
        float | None,
        typer.Option("--sample", metavar="PERCENT", help="So many of them, chosen at random.", show_default=False),
    ] = None,
    daily: Annotated[
        bool, typer.Option("--daily", help="A sample of the size in the settings (vault.sample_percent).")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="N", help="Choose as in the run that printed this seed.", show_default=False),
    ] = None,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Read and decrypt everything in the vault, or a sample, and hold its key files against its objects.

    Changes nothing. Exit code 12: something is damaged.

    Example:  retentiond vault verify --sample 5
    """
    import secrets

    from rich.console import Console

    from agent import bootstrap, strongroom
    from agent.cli.progress import scan_progress
    from agent.cli.vault_words import print_json, tell_sample, tell_verification, verification_facts
    from agent.errors import ExitCode, UsageError
    from agent.usecases.vault import named, sampled
    from agent.usecases.vault import verify as read_all
    from agent.vault.base import Fate

    settings = bootstrap.settings_from(config)
    if bool(ids) + daily + (sample is not None) > 1:
        raise UsageError("Name objects, or give --sample or --daily: only one of them.")
    percent = settings.vault.sample_percent if daily else sample
    if percent is not None and not 0 < percent <= 100:
        raise UsageError("--sample: give a percentage above 0, up to 100.")
    if percent is None and seed is not None:
        raise UsageError("--seed belongs to --sample or --daily.")
    seed = secrets.randbits(32) if seed is None else seed
    with strongroom.open_vault(settings, bootstrap.state_directory(state, settings, create=False)) as vault:
        entries = {entry.id: entry for entry in vault.entries()}
        sealed = [entry.id for entry in entries.values() if entry.fate is Fate.SEALED]
        wanted = named(entries.values(), ids) if ids else sealed
        chosen = None
        if percent is not None:
            wanted = sampled(entries.values(), percent, seed)
            chosen = {"percent": percent, "seed": seed, "of": len(sealed)}
            if not json:
                tell_sample(percent, seed, len(wanted), len(sealed))
        with scan_progress(Console(stderr=True), "Verifying", lambda _: len(wanted)) as advance:
            told = read_all(vault, [entries[id] for id in wanted], advance)
        if json:
            print_json({"vault": vault.id, "sample": chosen, **verification_facts(told)})
        else:
            tell_verification(told)
    if not told.good:
        raise typer.Exit(ExitCode.VAULT)


@vault_app.command("rotate-key")
def rotate_key(
    new_key_from: Annotated[
        str | None,
        typer.Option(
            "--new-key-from",
            metavar="FILE",
            help="The new root key, 32 bytes: where systemd hands the key over, or is to do so from now on.",
            show_default=False,
        ),
    ] = None,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Seal the vault with a new root key and overwrite the old one. The objects stay as they are.

    A key that is a systemd credential only systemd can replace: then this says how. Recovery bundles made before open
    nothing any more.

    Example:  retentiond vault rotate-key
    """
    from agent import bootstrap, strongroom
    from agent.acting import sole_actor
    from agent.cli.vault_words import credential_procedure, print_json, tell_resealed, tell_rotated
    from agent.errors import UsageError
    from agent.usecases.vault import reseal
    from agent.vault.rotation import change_key_file

    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    places = strongroom.find_vault(settings, directory)
    by_credential = strongroom.vault_credential(places)
    if by_credential and new_key_from is None:
        raise UsageError(credential_procedure(places.credential))
    former = strongroom.vault_root(settings, directory)
    with sole_actor(directory):
        if new_key_from is None:
            change_key_file(str(places.directory), str(places.key_file), slots_path=str(places.slots))
        else:
            reseal(str(places.directory), str(places.slots), former, file_named(new_key_from))
    if json:
        print_json({"rotated": True, "key": new_key_from or str(places.key_file)})
    elif new_key_from is None:
        tell_rotated(str(places.key_file))
    else:
        tell_resealed(new_key_from, places.credential, None if by_credential else str(places.key_file))


vault_app.command("age-key")(age_key)

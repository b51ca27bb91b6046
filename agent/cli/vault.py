"""`retentiond vault`: the encrypted store of what is in quarantine, and its keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli import options

vault_app = typer.Typer(
    name="vault",
    help="Make, list and check the vault, and keep its keys.\n\nExample:  retentiond vault verify --sample 5",
    no_args_is_help=True,
)
recovery_app = typer.Typer(
    name="recovery",
    help="The recovery bundle: the root key for the day on which this machine is gone, for two officers at least.\n\n"
    "Example:  retentiond vault recovery make --recipient age1… --recipient age1… --output bundle.age",
    no_args_is_help=True,
)
vault_app.add_typer(recovery_app)

_Identity = Annotated[
    Path,
    typer.Option("--identity", metavar="FILE", help="The officer's secret age key; `-` reads it from standard input."),
]
_Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="The recovery bundle.", show_default=False)]


@vault_app.command("init")
def init(state: options.State = None, config: options.Config = None, json: options.Json = False) -> None:
    """Make the vault, and a root key for it unless systemd gives one. Never replaces anything; finishes what was cut
    off.

    Example:  retentiond vault init
    """
    from agent.cli.keeping import Keeping

    Keeping(state, config, json=json).init()


@vault_app.command("list")
def list_(
    strays: Annotated[bool, typer.Option("--strays", help="Only what lies there and belongs to nothing.")] = False,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """List what lies in the vault, by its id there; `dispose list` names the files.

    Example:  retentiond vault list --json
    """
    from agent.cli.keeping import Keeping

    Keeping(state, config, json=json).list(strays=strays)


@vault_app.command("verify")
def verify(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Only these.", show_default=False)] = None,
    sample: Annotated[
        float | None,
        typer.Option("--sample", min=0.0, max=100.0, metavar="PERCENT", help="So many, by chance.", show_default=False),
    ] = None,
    seed: Annotated[
        str, typer.Option("--seed", help="Choose the same ones as in a run that printed this seed.", show_default=False)
    ] = "",
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Read and decrypt everything from the device, or a sample of it, and say what is damaged. Changes nothing.

    Exit code 12: something in the vault is damaged.

    Example:  retentiond vault verify --sample 1
    """
    from agent.cli.keeping import Keeping

    Keeping(state, config, json=json).verify(ids or [], sample, seed)


@vault_app.command("rotate-key")
def rotate_key(
    new_key_from: Annotated[
        Path | None,
        typer.Option(
            "--new-key-from",
            metavar="FILE",
            help="Where the key is a systemd credential: the new one.",
            show_default=False,
        ),
    ] = None,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Seal the vault with a new root key. The objects in it stay as they are. Make a new recovery bundle afterwards.

    Example:  retentiond vault rotate-key
    """
    from agent.cli.keeping import Keeping

    Keeping(state, config, json=json).rotate(new_key_from)


@vault_app.command("age-key")
def age_key(
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="Where the secret key is written to.")],
) -> None:
    """Make an age key for an officer who has no `age` at hand, and print its public part.

    Example:  retentiond vault age-key --output officer.key
    """
    from agent.cli.keeping import make_age_key

    make_age_key(output)


@recovery_app.command("make")
def make(
    recipient: Annotated[
        list[str], typer.Option("--recipient", metavar="AGE1…", help="An officer's public age key; at least two.")
    ],
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="The bundle. Keep it apart from backups.")],
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Write the root key to a file that each of the officers can open alone, with `age` or with us.

    Example:  retentiond vault recovery make --recipient age1… --recipient age1… --output bundle.age
    """
    from agent.cli.keeping import Keeping

    Keeping(state, config, json=json).make_bundle(recipient, output)


@recovery_app.command("test")
def test(
    bundle: _Bundle,
    identity: _Identity,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Open a bundle and see whether the key in it is that of this vault. Writes nothing.

    Example:  retentiond vault recovery test bundle.age --identity officer.key
    """
    from agent.cli.keeping import Keeping

    Keeping(state, config, json=json).test_bundle(bundle, identity)


@recovery_app.command("restore")
def restore(
    bundle: _Bundle,
    identity: _Identity,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Put the root key from a bundle into the key file, which must not be there.

    Example:  retentiond vault recovery restore bundle.age --identity officer.key
    """
    from agent.cli.keeping import Keeping

    Keeping(state, config, json=json).restore_key(bundle, identity)

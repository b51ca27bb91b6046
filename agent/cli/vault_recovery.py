"""`retentiond vault recovery`: the root key, kept by officers for the day on which this machine is gone."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from agent.cli import options

recovery_app = typer.Typer(
    name="recovery",
    help="The recovery bundle: the root key for the day on which this machine is gone, for two officers or more, of "
    "whom each can open it alone.\n\n"
    "Example:  retentiond vault recovery test bundle.age --identity officer.key",
    no_args_is_help=True,
)

_MOST_BYTES = 65_536  # of an identity file
_SECRETS = ("AGE-SECRET-KEY-", "AGE-PLUGIN-")

_Bundle = Annotated[str, typer.Argument(metavar="BUNDLE", help="The recovery bundle.", show_default=False)]
_Identity = Annotated[
    str,
    typer.Option(
        "--identity",
        metavar="FILE",
        help="The file with an officer's age identity, `-` for standard input. Never the identity itself.",
        show_default=False,
    ),
]


@recovery_app.command("make")
def make(
    recipient: Annotated[
        list[str],
        typer.Option(
            "--recipient", metavar="AGE1…", help="An officer's public age key; two or more.", show_default=False
        ),
    ],
    output: Annotated[
        str,
        typer.Option("--output", metavar="FILE", help="The new bundle. Keep it away from here.", show_default=False),
    ],
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Write the root key to a file that each of the officers can open alone, with `age` or with us.

    Example:  retentiond vault recovery make --recipient age1… --recipient age1… --output bundle.age
    """
    from agent import bootstrap, strongroom
    from agent.cli.vault_words import print_json, tell_bundle
    from agent.vault.recovery import write_bundle

    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    with strongroom.open_vault(settings, directory) as vault:
        root = strongroom.vault_root(settings, directory)
        write_bundle(file_named(output), root, vault.id, recipient, bootstrap.now().date())
        if json:
            print_json({"vault": vault.id, "bundle": output})
        else:
            tell_bundle(output)


@recovery_app.command("test")
def test(
    bundle: _Bundle,
    identity: _Identity,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Open a bundle and see whether it is of this vault and holds the root key in force. Writes nothing.

    Exit code 12: it does not open, is of another vault, or holds a root key of former days.

    Example:  retentiond vault recovery test bundle.age --identity officer.key
    """
    from agent import bootstrap, strongroom
    from agent.cli.vault_words import print_json
    from agent.usecases.vault import check_bundle, identity_of

    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    secret = identity_of(file_named(bundle), _identities(identity))
    with strongroom.open_vault(settings, directory) as vault:
        check_bundle(bundle, secret, vault, strongroom.vault_root(settings, directory))
        if json:
            print_json({"vault": vault.id, "bundle": bundle, "good": True})
        else:
            typer.echo(f"{bundle}: this identity opens it, and it holds the root key of this vault.")


@recovery_app.command("restore")
def restore(
    bundle: _Bundle,
    identity: _Identity,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Put the root key from a bundle into the key file, which must not be there yet.

    If the vault is there, the key must open it; otherwise nothing is written.

    Example:  retentiond vault recovery restore bundle.age --identity officer.key
    """
    from agent import bootstrap, strongroom
    from agent.cli.vault_words import print_json, tell_restored
    from agent.errors import ConfigurationError
    from agent.usecases.vault import check_bundle, identity_of
    from agent.vault.base import Damaged, WrongKey
    from agent.vault.recovery import open_bundle, restore_root_key

    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=True)
    secret = identity_of(file_named(bundle), _identities(identity))
    root, vault_id = open_bundle(bundle, secret)
    places = strongroom.vault_places(settings, directory)
    try:
        strongroom.find_vault(settings, directory)
        tried = True
    except (ConfigurationError, Damaged):  # the vault may come from its backup after the key does
        tried = False
    if tried:
        try:
            vault = strongroom.open_vault(settings, directory, root)
        except WrongKey as error:
            raise WrongKey(
                f"{bundle}: the key in it does not open the vault, so nothing was written. {error}"
            ) from None
        with vault:
            check_bundle(bundle, secret, vault, root)
    restore_root_key(bundle, secret, str(places.key_file))
    if json:
        print_json({"vault": vault_id, "key": str(places.key_file), "opens_the_vault": True if tried else None})
    else:
        tell_restored(str(places.key_file), vault_id, tried=tried)


def age_key(
    output: Annotated[
        str, typer.Option("--output", metavar="FILE", help="Where the secret identity is written.", show_default=False)
    ],
    json: options.Json = False,
) -> None:
    """Make an age identity for an officer who has no `age` at hand, and print the recipient that belongs to it.

    The recipient (age1…) may be known to everybody, the file to nobody but the officer.

    Example:  retentiond vault age-key --output officer.key
    """
    from agent import bootstrap
    from agent.cli.vault_words import print_json
    from agent.usecases.vault import make_identity

    recipient = make_identity(file_named(output), bootstrap.now())
    if json:
        print_json({"recipient": recipient, "identity_file": output})
    else:
        typer.echo(recipient)


def file_named(given: str) -> str:
    """What was given as the name of a file. If it is a secret instead, raises `UsageError` that does not repeat it."""
    from agent.errors import UsageError

    if any(secret in given.upper() for secret in _SECRETS):
        raise UsageError(
            "This takes the name of a file, never an age identity itself: others can read what is on a command line. "
            "Take that identity for disclosed: make a new one, and bundles for it."
        )
    return given


def _identities(given: str) -> tuple[str, ...]:
    from agent.errors import UsageError
    from agent.usecases.vault import identities_in

    if given == "-":
        return identities_in(sys.stdin.buffer.read(_MOST_BYTES), "standard input")
    try:
        with open(file_named(given), "rb") as file:
            return identities_in(file.read(_MOST_BYTES), given)
    except OSError as error:
        raise UsageError(f"{given}: the identity cannot be read ({error.strerror}).") from error

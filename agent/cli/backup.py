"""`retentiond backup`: everything that is known in one file, checked, and back again on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli import options
from agent.cli.vault_recovery import file_named

if TYPE_CHECKING:
    from agent.usecases.backup_keys import Keys

_MOST_BYTES = 65_536  # of an identity file
_MOST_CHECKPOINT_BYTES = 64 * 1024 * 1024

backup_app = typer.Typer(
    name="backup",
    help="Back up what is known of the files and what people did: make a backup, check it, and restore it into a new "
    "state directory. Keys are kept apart from it.\n\n"
    "Example:  retentiond backup make /mnt/backups --keep 14",
    no_args_is_help=True,
)

_File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.", show_default=False)]
_Checkpoints = Annotated[
    list[Path] | None,
    typer.Option(
        "--checkpoints",
        metavar="FILE",
        help="A file with checkpoints kept outside; may be given several times.",
        show_default=False,
    ),
]


@backup_app.command("make")
def make(
    target: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|FILE", help="A directory of backups, or the name of a new file.", show_default=False
        ),
    ],
    with_vault: Annotated[
        bool, typer.Option("--with-vault", help="With the vault's objects too, not only the list of them.")
    ] = False,
    checkpoints: _Checkpoints = None,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            metavar="N",
            min=1,
            help="Keep so many backups in the directory, and delete older ones that are proven to be ours.",
            show_default=False,
        ),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            "--keys",
            metavar="FILE",
            help="Write the keys to this second file, encrypted for the recipients. Keep it elsewhere.",
            show_default=False,
        ),
    ] = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            "--recipient",
            metavar="AGE1…",
            help="Whose age identity opens the keys; may be given several times, each opens them alone.",
            show_default=False,
        ),
    ] = None,
    with_slots: Annotated[
        bool,
        typer.Option(
            "--with-slots",
            help="With the vault's key slots among the keys. They bring back what is erased from now on, until that "
            "file is deleted; vault.key_backup_days must allow it.",
        ),
    ] = False,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Write catalogue, audit log, settings, schedule and the list of the vault's objects to one new file.

    Others may go on working. No key is in it: `--keys` writes them to another file.

    Example:  retentiond backup make /mnt/backups --keep 14
    """
    from rich.console import Console

    from agent import bootstrap, strongroom
    from agent.backing_up import backup_sources
    from agent.cli.backup_words import made_facts, print_json, tell_made
    from agent.cli.progress import scan_progress
    from agent.errors import UsageError
    from agent.usecases.backup import make_backup
    from agent.usecases.backup_keys import KeysOrder

    if keys is None and (recipient or with_slots):
        raise UsageError("--recipient and --with-slots belong to --keys, which names the file for the keys.")
    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    sources = backup_sources(settings, directory, config, schedule, tuple(checkpoints or ()))
    order = None
    if keys is not None:
        root = strongroom.vault_root(settings, directory).secret if sources.vault is not None else None
        days = settings.vault.key_backup_days
        order = KeysOrder(Path(file_named(str(keys))), tuple(recipient or ()), root, with_slots, days)
    with scan_progress(Console(stderr=True), "Backing up the vault", lambda _: None) as advance:
        made = make_backup(
            sources, target, bootstrap.now(), with_objects=with_vault, keys=order, keep=keep, advance=advance
        )
    if json:
        print_json(made_facts(made, keys))
    else:
        tell_made(made, keys)


@backup_app.command("verify")
def verify(
    file: _File,
    checkpoints: _Checkpoints = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            help="A verifier key of the audit log, as `audit key` printed it; may be given several times.",
            show_default=False,
        ),
    ] = None,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """Read a backup from end to end, check all that is in it, and hold it against the vault if that is here.

    What could not be checked is told. Exit code 13: the backup is damaged, or the vault is not as it was; 8 to 11: the
    audit log in it, as `audit verify` says.

    Example:  retentiond backup verify /mnt/backups/retentiond-backup-20261127T010000Z.tar
    """
    from contextlib import ExitStack

    from rich.console import Console

    from agent import bootstrap, strongroom
    from agent.audit.checkpoint import VerifierKey
    from agent.backing_up import vault_files
    from agent.cli.backup_words import exit_code, print_json, tell_verdict, verdict_facts
    from agent.cli.progress import scan_progress
    from agent.errors import AgentError
    from agent.keys import master_key
    from agent.usecases.backup_verify import Witnesses, verify_backup

    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    keys = tuple(map(VerifierKey.parse, key or []))
    outside = _notes(checkpoints or [])
    here = (directory / "master.key").exists()  # a verification makes no key
    with ExitStack() as opened:
        try:
            vault = vault_files(settings, directory)
        except AgentError:  # the vault here is not whole, which is no fault of the backup
            vault = None
        unlocked = None
        if vault is not None:
            try:
                unlocked = opened.enter_context(strongroom.open_vault(settings, directory))
            except AgentError:
                unlocked = None
        witnesses = Witnesses(
            master_key(directory / "master.key") if here else None,
            bootstrap.trail(directory) if here else None,
            keys,
            outside,
            vault,
            unlocked,
        )
        with scan_progress(Console(stderr=True), "Comparing the vault", lambda _: None) as advance:
            verdict = verify_backup(file, witnesses, bootstrap.now().date(), advance)
    if json:
        print_json(verdict_facts(file, verdict))
    else:
        tell_verdict(file, verdict)
    if not verdict.good:
        raise typer.Exit(exit_code(verdict))


@backup_app.command("restore")
def restore(
    file: _File,
    state: Annotated[
        Path,
        typer.Option(
            "--state",
            metavar="NEWDIR",
            help="The new state directory; it must not exist, or be empty.",
            show_default=False,
        ),
    ],
    keys: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FILE", help="The file with the keys.", show_default=False),
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option(
            "--identity",
            metavar="FILE",
            help="The file with a recipient's age identity, `-` for standard input. Never the identity itself.",
            show_default=False,
        ),
    ] = None,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Restore without keys; put master.key there before anything else.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Restore a backup into a new state directory. It is checked first, and nothing is ever replaced.

    Example:  retentiond backup restore FILE --state /var/lib/retentiond --keys keys.age --identity officer.key
    """  # fmt: skip
    from agent.cli.backup_words import print_json, restored_facts, tell_restored
    from agent.errors import UsageError
    from agent.usecases.backup_restore import restore_backup

    if without_keys and (keys is not None or identity is not None):
        raise UsageError("Give --keys with --identity, or --without-keys: not both.")
    if not without_keys and (keys is None or identity is None):
        raise UsageError(
            "Give the file of keys and who opens it:  --keys FILE --identity FILE. If master.key is kept elsewhere, "
            "give --without-keys, and put it into the new directory before any other command runs there: one that "
            "finds none makes a new one, and nothing that was recorded can be verified with that."
        )
    opened = _keys(keys, identity) if keys is not None and identity is not None else None
    restored = restore_backup(file, state, opened)
    if json:
        print_json(restored_facts(restored))
    else:
        tell_restored(restored)


def _notes(checkpoints: list[Path]) -> dict[str, bytes]:
    from agent.audit.anchors import notes_in
    from agent.errors import UsageError

    outside = {}
    for path in checkpoints:
        try:
            with open(path, "rb") as file:
                notes = notes_in(file.read(_MOST_CHECKPOINT_BYTES))
        except OSError as error:
            raise UsageError(f"{path}: the checkpoints cannot be read ({error.strerror}).") from error
        outside.update({f"checkpoint {number} of {path}": note for number, note in enumerate(notes, start=1)})
    return outside


def _keys(file: Path, identity: str) -> Keys:
    import sys

    from agent.errors import UsageError
    from agent.usecases.backup_keys import open_keys
    from agent.usecases.vault import identities_in

    if identity == "-":
        return open_keys(file, identities_in(sys.stdin.buffer.read(_MOST_BYTES), "standard input"))
    try:
        with open(file_named(identity), "rb") as secret:
            return open_keys(file, identities_in(secret.read(_MOST_BYTES), identity))
    except OSError as error:
        raise UsageError(f"{identity}: the identity cannot be read ({error.strerror}).") from error

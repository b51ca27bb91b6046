"""Issuing and listing certificates of destruction; reading and checking them is in `certificate.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli import options
from agent.cli.certificate import certificate_app


@certificate_app.command("issue")
def issue(
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="Where the certificate is written to.")],
    disposals: Annotated[
        list[int] | None,
        typer.Argument(metavar="[DISPOSAL]...", help="Only these; left out: all that have none.", show_default=False),
    ] = None,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """Issue a signed certificate for what is erased, with the proofs that the audit log recorded it.

    Refused, with every reason, for anything that is not beyond doubt. Whoever gets it checks it with
    `certificate verify` and the keys that `certificate keys` prints.

    Example:  retentiond certificate issue --output gone.txt
    """
    import secrets

    from agent.catalogue.disposal_rows import Disposal
    from agent.cli.certifying import certifying, told, write
    from agent.errors import UsageError

    with certifying(state, config, schedule) as desk:
        pending = desk.certify.pending()
        chosen: list[Disposal] = [one for one in pending if not disposals or one.number in disposals]
        if disposals and len(chosen) < len(set(disposals)):
            missing = min(set(disposals) - {one.number for one in chosen})
            raise UsageError(f"Disposal {missing} is not erased, or is on a certificate already.")
        made = desk.certify.issue(chosen, secrets.token_hex(16), desk.now, desk.by)
        write(output, made.data)
        told({"certificate": made.certificate.heading.id, "items": len(chosen), "file": str(output)}, json=json)


@certificate_app.command("list")
def list_(
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    json: options.Json = False,
) -> None:
    """List the certificates that were issued, and how much that is erased has none yet.

    Example:  retentiond certificate list
    """
    from agent.cli.certifying import certifying, told_list

    with certifying(state, config, schedule) as desk:
        told_list(desk, json=json)


@certificate_app.command("fetch")
def fetch(
    certificate: Annotated[str, typer.Argument(metavar="ID", help="The certificate, by its id or how that begins.")],
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="Where it is written to.")],
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
) -> None:
    """Write a certificate that was issued before to a file again.

    Example:  retentiond certificate fetch 5f2c --output gone.txt
    """
    from agent.cli.certifying import certifying, write
    from agent.errors import UsageError

    with certifying(state, config, schedule) as desk:
        found = desk.catalogue.certificates.get(certificate)
        if found is None:
            raise UsageError(f'There is no certificate "{certificate}". See:  retentiond certificate list')
        write(output, found.document)


@certificate_app.command("keys")
def keys(state: options.State = None, config: options.Config = None, schedule: options.Schedule = None) -> None:
    """Print the public keys by which certificates can be checked, one a line. Publish them where people find them.

    Example:  retentiond certificate keys > published-keys.txt
    """
    from agent.cli.certifying import certifying

    with certifying(state, config, schedule) as desk:
        for key in desk.keys:
            typer.echo(key)

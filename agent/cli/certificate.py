"""`retentiond certificate`: the proof that something was destroyed, for others to read and to check."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from agent.cli import options

if TYPE_CHECKING:
    from agent.audit.checkpoint import VerifierKey
    from agent.certificate.form import SignedCertificate
    from agent.certificate.verify import Verification

_SHOWN = 20  # findings that are told one by one
_MOST_KEYS_BYTES = 65_536

certificate_app = typer.Typer(
    help="Issue certificates of destruction, read and check them. To check one, nothing but the file and two public "
    "keys is needed.\n\n"
    "Example:  retentiond certificate verify certificate.txt --key published-keys.txt",
    no_args_is_help=True,
)

_File = Annotated[Path, typer.Argument(metavar="FILE", help="A certificate.", show_default=False)]


@certificate_app.command("verify")
def verify(
    file: _File,
    key: Annotated[
        list[str],
        typer.Option(
            "--key",
            metavar="FILE|KEY",
            help="A file with public keys, one a line, or one key as it is published. The log's and that of its "
            "certificates are both needed; may be given several times.",
            show_default=False,
        ),
    ],
    json: options.Json = False,
) -> None:
    """Check signature, form, checkpoint, every proof, and that each entry of the log says what the certificate says.

    Exit code 8: something in it is false; 11: it cannot be checked, since a key is missing or it cannot be read.

    Example:  retentiond certificate verify certificate.txt --key published-keys.txt
    """
    from agent.certificate.verify import verify as check
    from agent.errors import ExitCode

    told = check(_read(file), [one for given in key for one in _keys(given)])
    if json:
        _print(_facts(told))
    else:
        _tell(told)
    if told.false:
        raise typer.Exit(ExitCode.LOG_MISMATCH)
    if told.unverifiable:
        raise typer.Exit(ExitCode.LOG_UNVERIFIABLE)


@certificate_app.command("show")
def show(
    file: _File,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="OUT", help="Write it as one HTML page.", show_default=False)
    ] = None,
    pdf: Annotated[
        Path | None,
        typer.Option("--pdf", metavar="OUT", help="Write it as a PDF with the certificate inside.", show_default=False),
    ] = None,
) -> None:
    """Print what a certificate says, or write it as a page. Whether it is true, `certificate verify` tells.

    One that contradicts itself is not shown (exit code 8).

    Example:  retentiond certificate show certificate.txt --html certificate.html
    """
    from agent.certificate.verify import verify as check
    from agent.errors import ExitCode

    told = check(_read(file), ())
    if told.certificate is None or told.false:
        _tell(told)
        raise typer.Exit(ExitCode.LOG_MISMATCH if told.false else ExitCode.LOG_UNVERIFIABLE)
    one = told.certificate
    if html is not None:
        _write(html, lambda stream: _write_page(one, stream))
    if pdf is not None:
        from agent.certificate.pdf import write_pdf

        _write(pdf, lambda stream: write_pdf(one, stream))
    if html is None and pdf is None:
        _summarise(one)


def _read(file: Path) -> bytes:
    from agent.certificate.form import LARGEST_BYTES
    from agent.errors import UsageError

    try:
        with open(file, "rb") as stream:
            return stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file}: the certificate cannot be read ({error.strerror}).") from error


def _keys(given: str) -> list[VerifierKey]:
    """The keys in a file of that name, or the one key that the text is."""
    from agent.audit.checkpoint import VerifierKey
    from agent.errors import ConfigurationError, UsageError

    if not os.path.exists(given):
        try:
            return [VerifierKey.parse(given)]
        except ConfigurationError as error:
            raise UsageError(f"--key: there is no file {given}, and as a key it cannot be read: {error}") from error
    try:
        with open(given, "rb") as stream:
            lines = stream.read(_MOST_KEYS_BYTES).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise UsageError(f"{given}: the keys cannot be read ({error.strerror}).") from error
    try:
        return [VerifierKey.parse(line) for line in lines if line.strip()]
    except ConfigurationError as error:
        raise UsageError(f"{given}: {error}") from error


def _write_page(one: SignedCertificate, stream: BinaryIO) -> None:
    import io

    from agent.certificate.html import write_html

    text = io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
    write_html(one, text)
    text.detach()


def _write(target: Path, write: Callable[[BinaryIO], None]) -> None:
    """Writes a file, readable by its owner alone; an older one stays whole until the new one is."""
    from agent.errors import UsageError

    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as stream:
                write(stream)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written ({error.strerror}).") from error
    typer.echo(f"Written: {target}")


def _facts(told: Verification) -> dict[str, Any]:
    one = told.certificate
    return {
        "good": told.good,
        "id": one.certificate.heading.id if one else None,
        "items": len(one.certificate.items) if one else None,
        "sha256": one.sha256.hex() if one else None,
        "false": list(told.false),
        "unverifiable": list(told.unverifiable),
    }


def _tell(told: Verification) -> None:
    from agent.reports.words import say_count, say_moment

    findings = [*(f"FALSE: {said}" for said in told.false), *(f"NOT CHECKED: {said}" for said in told.unverifiable)]
    for said in findings[:_SHOWN]:
        typer.echo(said)
    if len(findings) > _SHOWN:
        typer.echo(f"and {len(findings) - _SHOWN:,} more")
    if told.certificate is not None and told.good:
        heading, items = told.certificate.certificate.heading, told.certificate.certificate.items
        typer.echo(
            f"Certificate {heading.id} is genuine and whole, and the log proves it: {say_count(len(items), 'item')} "
            f"destroyed, issued {say_moment(heading.issued_at)} by {heading.organisation}."
        )


def _summarise(one: SignedCertificate) -> None:
    from agent.reports.words import say_count, say_day, say_moment, say_size

    heading, items = one.certificate.heading, one.certificate.items
    typer.echo(f"Certificate of destruction {heading.id}")
    typer.echo(f"{heading.organisation}, issued {say_moment(heading.issued_at)} by {heading.software}")
    typer.echo(f"Batch {heading.batch}, {say_count(len(items), 'item')}")
    for item in items:
        account = item.account
        typer.echo(
            f"{item.disposal:>8}  {account.class_title or account.placement}, {say_size(item.size_bytes)} on "
            f"{item.source}, due since {say_day(account.due_on)}, destroyed {say_moment(item.destroyed_at)}, "
            f"approved by {' and '.join(approval.by for approval in account.approvals)}"
        )
    for limit in heading.limits:
        typer.echo(f"May remain: {limit}")
    typer.echo("Not checked. Run: retentiond certificate verify FILE --key KEYS")


def _print(facts: dict[str, Any]) -> None:
    import json

    typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))

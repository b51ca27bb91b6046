"""The commands. Each lives in a module of its own, which imports what it needs only when it runs."""

from __future__ import annotations

import typer

from agent.cli import certify, check, detect, explain, extract, init, listing, report, scan, simulate, status
from agent.cli.audit import audit_app
from agent.cli.certificate import certificate_app
from agent.cli.dispose import dispose_app, restore, tag
from agent.cli.event import event_app
from agent.cli.hold import hold_app
from agent.cli.review import review_app
from agent.cli.schedule import schedule_app
from agent.cli.vault import vault_app

app = typer.Typer(
    name="retentiond",
    help="Finds personal data on file shares, says which retention class each file has, since when it is due and why; "
    "and, once people have approved it, quarantines and destroys it with proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="A first look, without any set-up:  retentiond scan ~/Documents",
)

app.command("init")(init.init)
app.command("scan")(scan.scan)
app.command("status")(status.status)
app.command("explain")(explain.explain)
app.command("due")(listing.due)
app.command("simulate")(simulate.simulate)
app.command("misplaced")(listing.misplaced)
app.command("duplicates")(listing.duplicates)
app.command("report")(report.report)
app.add_typer(schedule_app, name="schedule")
app.add_typer(event_app, name="event")
app.add_typer(hold_app, name="hold")
app.add_typer(audit_app, name="audit")
app.add_typer(certificate_app, name="certificate")
certificate_app.command("issue")(certify.issue)
certificate_app.command("list")(certify.list_)
certificate_app.command("fetch")(certify.fetch)
certificate_app.command("keys")(certify.keys)
app.add_typer(review_app, name="review")
app.add_typer(dispose_app, name="dispose")
app.add_typer(vault_app, name="vault")
app.command("restore")(restore)
app.command("tag")(tag)
app.command("check")(check.check)
app.command("detect")(detect.detect)
app.command("extract")(extract.extract)


def _version(wanted: bool) -> None:
    if wanted:
        from agent import __version__

        typer.echo(f"retentiond {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", is_eager=True, callback=_version
    ),
) -> None:
    """Options that stand before the command."""

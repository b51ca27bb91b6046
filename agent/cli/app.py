"""The commands. Each lives in a module of its own, which is imported only when the command is called."""

from __future__ import annotations

import typer

from agent.cli.later import LaterGroup

# What each command is called, where it lives, and what it is for: the first paragraph of its own help.
COMMANDS = {
    "init": (
        "agent.cli.init:init",
        "Write a settings file, and beside it a copy of the default schedule to make your own.",
    ),
    "scan": (
        "agent.cli.scan:scan",
        "Scan folders and tenants: which files hold personal data, which class each has, since when it is due and why.",
    ),
    "run": (
        "agent.cli.run:run",
        "Serve: watch the shares, scan what changes, keep dates, and carry out what is approved, until told to stop.",
    ),
    "jobs": (
        "agent.cli.jobs:jobs_app",
        "Show what the service does when and how it went; let a job begin at once, pause and resume it. When each "
        "is due stands in the settings, under service.jobs.",
    ),
    "status": (
        "agent.cli.status:status",
        "Show the shares, their last scans, and whether everything is accounted for; and how the service is.",
    ),
    "explain": (
        "agent.cli.explain:explain",
        "Say what is known of a file, which classes it has, and why it must stay or go, on any day.",
    ),
    "due": (
        "agent.cli.listing:due",
        "List what is due, longest due first, and how many files stand how. Only what has changed is decided on anew.",
    ),
    "simulate": (
        "agent.cli.simulate:simulate",
        "Show how the files would stand on another day, under another schedule, or both. Nothing is changed.",
    ),
    "misplaced": (
        "agent.cli.listing:misplaced",
        "List files that lie where a placement rule of the schedule says they must not.",
    ),
    "duplicates": (
        "agent.cli.listing:duplicates",
        "List documents with personal data of which there are several copies, and say which one to keep.",
    ),
    "report": (
        "agent.cli.report:report",
        "Write a report from what the last scans found: inventory, due list, coverage.",
    ),
    "restore": (
        "agent.cli.dispose:restore",
        "Give items in quarantine back, with everything they had: content, owner, rights, attributes, times.",
    ),
    "tag": (
        "agent.cli.dispose:tag",
        "Write class, due date and state of each file onto it (`user.retentiond.decided.*`), where its file "
        "system carries such marks. Files that somebody has begun to review are left alone.",
    ),
    "fsck": (
        "agent.cli.fsck:fsck",
        "Prove that every file ever seen is there, held, in the vault and readable, or gone as recorded.",
    ),
    "m365": (
        "agent.cli.m365:m365_app",
        "Find out how we stand with tenants of Microsoft 365: what works, which rights are missing or too much, which "
        "sites there are; and let our app registrations in at single sites.",
    ),
    "check": (
        "agent.cli.check:check",
        "Check the settings and the retention schedule, say what is in them, and how documents are confined here.",
    ),
    "detect": (
        "agent.cli.detect:detect",
        "Show what is found in files, without storing anything and without showing the values.",
    ),
    "extract": (
        "agent.cli.extract:extract",
        "Show how far files can be read: format, status, and where in them text was found. Nothing is stored.",
    ),
    "schedule": (
        "agent.cli.schedule:schedule_app",
        "Check, try, show and compare retention schedules.",
    ),
    "event": (
        "agent.cli.event:event_app",
        "Record what happened (someone left, a case was closed), so that the periods that wait for it begin "
        "to run. What would change is shown before anything is recorded, and nothing recorded is ever lost.",
    ),
    "hold": (
        "agent.cli.hold:hold_app",
        "Place and lift holds: a legal hold, a moratorium, the freeze for a person's request, a restriction "
        "of processing. While a hold stands, nothing may be done with what it covers.",
    ),
    "audit": (
        "agent.cli.audit:audit_app",
        "Prove that the record of events, holds and reviews is what it was.",
    ),
    "certificate": (
        "agent.cli.certify:certificate_app",
        "Issue certificates of destruction, read and check them. To check one, nothing but the file and two public "
        "keys is needed.",
    ),
    "review": (
        "agent.cli.review:review_app",
        "Look at what is due, and approve, extend, reclassify or reject it, stage by stage. Nothing is "
        "destroyed that two different people have not approved as it is; what changes afterwards must be "
        "approved again.",
    ),
    "dispose": (
        "agent.cli.dispose:dispose_app",
        "Carry out what reviews have approved: into quarantine, back, or away for good. Nothing is touched "
        "that has changed, is held, or is not approved as it stands now.",
    ),
    "backup": (
        "agent.cli.backup:backup_app",
        "Back up what is known of the files and what people did: make a backup, check it, and restore it into a new "
        "state directory. Keys are kept apart from it.",
    ),
    "vault": (
        "agent.cli.vault:vault_app",
        "Look after the vault, in which quarantined files lie encrypted: make it, prove that it can be read, "
        "change its root key, and keep the key where it outlasts this machine.",
    ),
}


class _Commands(LaterGroup):
    later = COMMANDS


app = typer.Typer(
    cls=_Commands,
    name="retentiond",
    help="Finds personal data on file shares and in Microsoft 365, says which retention class each file has, since "
    "when it is due and why; and, once people have approved it, quarantines and destroys it with proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="A first look, without any set-up:  retentiond scan ~/Documents",
)


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

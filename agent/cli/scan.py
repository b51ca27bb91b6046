"""`retentiond scan`: crawl, analyse, decide, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli import options

if TYPE_CHECKING:
    from rich.console import Console


def scan(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Folders to scan. Left out: what the settings name."),
    ] = None,
    tenant: Annotated[
        list[str] | None,
        typer.Option("--tenant", metavar="NAME", help="A tenant of Microsoft 365 in the settings, and nothing else."),
    ] = None,
    state: options.State = None,
    config: options.Config = None,
    schedule: options.Schedule = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Worker processes.", show_default=False)
    ] = None,
    json: options.Json = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing on the share. This is the only mode there is for now.")
    ] = True,
    may_change_access_times: Annotated[
        bool,
        typer.Option("--may-change-access-times", help="Also read files whose access time cannot be kept."),
    ] = False,
    new_mount: Annotated[
        bool, typer.Option("--new-mount", help="Accept that another file system answers than in the last scan.")
    ] = False,
    diff: Annotated[
        bool,
        typer.Option(
            "--diff", help="Record nothing: say which known files would gain or lose which category if scanned now."
        ),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each step on standard error.")] = False,
) -> None:
    """Scan folders and tenants: which files hold personal data, which class each has, since when it is due and why.

    Nothing at the source is changed. A scan that was interrupted goes on where it was; an unchanged file is not
    opened again. Exit code 0: every item is accounted for and could be read; 3: some could not.

    Example:  retentiond scan /srv/shares/office --jobs 4
    """
    from rich.console import Console

    from agent.cli.logs import start_logging
    from agent.cli.scanning import Scanning
    from agent.errors import ExitCode

    start_logging(verbose)
    console = Console(stderr=True)
    work = Scanning(console, state, config, schedule, jobs or 0, may_change_access_times)
    if diff:
        _tell_differences(Console(soft_wrap=True), work.compare(paths or []), json)
        return
    result = work.run(paths or [], tenant or [], new_mount=new_mount)
    if json:
        import json as codec

        typer.echo(codec.dumps(result, indent=2, ensure_ascii=False))
    else:
        _tell(Console(), result)
    if not result["reconciles"]:
        raise typer.Exit(ExitCode.NOT_RECONCILED)
    unread = result["failed"] or result["unavailable"]
    if unread or any(folder["failed"] for folder in result["folders_not_listed"]):
        raise typer.Exit(ExitCode.ITEMS_FAILED)


def _tell_differences(console: Console, result: dict[str, Any], json: bool) -> None:
    from agent.reports.words import say

    if json:
        import json as codec

        typer.echo(codec.dumps(result, indent=2, ensure_ascii=False))
        return
    for found in result["differences"]:
        words = [f"+ {say(category)}" for category in found["gained"]]
        words += [f"- {say(category)}" for category in found["lost"]]
        if found["kind_before"] != found["kind_now"]:
            words.append(
                f"looks like {found['kind_now'] or 'nothing known'}, before {found['kind_before'] or 'nothing known'}"
            )
        if found["changed"]:
            words.append("the file has changed")
        console.print(f"{found['path']}: {'; '.join(words)}", highlight=False, markup=False)
    console.print(
        f"{result['compared']:,} files analysed again, {len(result['differences']):,} would change"
        + (f", {result['not_compared']:,} could not be compared" if result["not_compared"] else "")
        + ". Nothing was recorded; a scan without --diff does that.",
        highlight=False,
    )


def _tell(console: Console, result: dict[str, Any]) -> None:
    """The result in words and one table."""
    from rich.table import Table

    from agent.reports.words import say, say_count

    skipped, failed = sum(result["skipped"].values()), sum(result["failed"].values())
    console.print(
        f"[bold]{result['seen']:,}[/bold] files seen = {result['scanned']:,} scanned + {skipped:,} skipped + "
        f"{failed:,} failed"
        + (f" + {result['unreached']:,} out of reach" if result["unreached"] else "")
        + (": every one accounted for." if result["reconciles"] else ": [bold red]THIS DOES NOT ADD UP.[/bold red]"),
        highlight=False,
    )
    if result["opened"]:
        console.print(f"{result['opened']:,} files opened in {result['seconds']:,.1f} s.", highlight=False)
    else:
        console.print(f"Nothing has changed since the last scan; no file was opened ({result['seconds']:,.1f} s).")
    for title, counts in (("Skipped", result["skipped"]), ("Failed", result["failed"])):
        for reason, count in counts.items():
            console.print(f"  {title.lower()}: {count:,} {say(reason)}", highlight=False)
    for folder in result["folders_not_listed"]:
        console.print(f"  not listed: {folder['folder']} ({say(folder['reason'])})", highlight=False, markup=False)
    for place in result["unavailable"]:
        console.print(f"  not reached: {place['share']}: {place['why']}", highlight=False, markup=False)
    table = Table("Retention class", "Files", "Due", title="What lies there, and what is due", title_justify="left")
    for class_id, counts in result["classes_due"].items():
        table.add_row(class_id, f"{result['classes'][class_id]:,}", f"{counts:,}")
    if result["classes"]:
        console.print(table)
    console.print(f"Files with personal data: {result['with_personal_data']:,}. Due for review: {result['due']:,}.")
    if result["misplaced"]:
        console.print(
            f"ALERT: {result['misplaced']:,} lie where they must not, {result['to_quarantine']:,} of them to be moved "
            "to quarantine. See: retentiond misplaced"
        )
    if count := result["shared"]["with_personal_data"]:
        console.print(
            f"ALERT: {say_count(count, 'file')} with personal data {'is' if count == 1 else 'are'} shared with anybody "
            "who has the link, or outside the organisation. The report names them, under Sharing.",
            highlight=False,
        )
    console.print(f"Report: {result['report']}", highlight=False, soft_wrap=True)

"""`retentiond jobs`: what the service does when, and how it went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli import options

if TYPE_CHECKING:
    from agent.catalogue.store import Catalogue
    from agent.model.service import Job, JobName, JobRun

jobs_app = typer.Typer(
    help="Show what the service does when and how it went; let a job begin at once, pause and resume it. When each "
    "is due stands in the settings, under service.jobs.\n\n"
    "Example:  retentiond jobs list",
    no_args_is_help=True,
)

_Name = Annotated[str, typer.Argument(metavar="JOB", help="Its name, as `jobs list` shows it.")]
_Share = Annotated[str, typer.Option("--share", help="Of which share or tenant, where there is one job for each.")]


@jobs_app.command("list")
def list_jobs(state: options.State = None, config: options.Config = None, json: options.Json = False) -> None:
    """List the jobs: when each is due next, and how its last run went.

    Example:  retentiond jobs list --json
    """
    with _catalogue(state, config) as catalogue:
        jobs = catalogue.jobs.all()
    if json:
        _print({"jobs": [job_facts(job) for job in jobs]})
    else:
        _tell(jobs)


@jobs_app.command("log")
def log(
    name: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Only this one.", show_default=False)] = None,
    share: Annotated[str | None, typer.Option("--share", help="Of this share or tenant.", show_default=False)] = None,
    last: Annotated[int, typer.Option("--last", min=1, help="How many runs.")] = 20,
    state: options.State = None,
    config: options.Config = None,
    json: options.Json = False,
) -> None:
    """List the last runs, newest first.

    Example:  retentiond jobs log reconcile --last 7
    """
    with _catalogue(state, config) as catalogue:
        runs = catalogue.jobs.runs(last, None if name is None else _named(name), share)
    if json:
        _print({"runs": [_run_facts(run) for run in runs]})
    else:
        _tell_runs(runs)


@jobs_app.command("run")
def run_now(name: _Name, share: _Share = "", state: options.State = None, config: options.Config = None) -> None:
    """Let a job begin at once, whatever its hours are. The service does it, within seconds.

    Example:  retentiond jobs run reconcile --share office
    """
    from agent import bootstrap

    with _catalogue(state, config) as catalogue:
        catalogue.jobs.ask(_named(name), share, bootstrap.now(), bootstrap.who())
        served = bool(catalogue.services.all())
    typer.echo("It begins as soon as the service has a hand free." if served else "It begins when the service does.")


@jobs_app.command("pause")
def pause(name: _Name, share: _Share = "", state: options.State = None, config: options.Config = None) -> None:
    """Let a job rest until it is resumed. A reconcile under way stops, and goes on from there.

    Example:  retentiond jobs pause reconcile --share office
    """
    from agent import bootstrap

    with _catalogue(state, config) as catalogue:
        catalogue.jobs.pause(_named(name), share, bootstrap.now(), bootstrap.who())
    typer.echo("It rests.")


@jobs_app.command("resume")
def resume(name: _Name, share: _Share = "", state: options.State = None, config: options.Config = None) -> None:
    """Let a paused job begin again when it is due.

    Example:  retentiond jobs resume reconcile --share office
    """
    with _catalogue(state, config) as catalogue:
        catalogue.jobs.resume(_named(name), share)
    typer.echo("It begins again when it is due.")


def job_facts(job: Job) -> dict[str, Any]:
    """A job as `--json` shows it."""
    return {
        "job": job.name.value,
        "share": job.share or None,
        "cron": job.cron,
        "due_at": job.due_at.isoformat(),
        "asked_at": job.asked_at.isoformat() if job.asked_at else None,
        "asked_by": job.asked_by or None,
        "paused_at": job.paused_at.isoformat() if job.paused_at else None,
        "paused_by": job.paused_by or None,
        "last_run": None if job.last is None else _run_facts(job.last),
    }


def _run_facts(run: JobRun) -> dict[str, Any]:
    return {
        "run": run.number,
        "job": run.job.value,
        "share": run.share or None,
        "began_at": run.began_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "result": run.result.value if run.result else "running",
        "said": run.said,
        "asked_by": run.asked_by or None,
    }


@contextmanager
def _catalogue(state: Path | None, config: Path | None) -> Iterator[Catalogue]:
    from agent import bootstrap

    directory = bootstrap.state_directory(state, bootstrap.settings_from(config), create=False)
    with bootstrap.open_catalogue(directory) as catalogue:
        yield catalogue


def _named(name: str) -> JobName:
    from agent.errors import UsageError
    from agent.model.service import JobName

    try:
        return JobName(name)
    except ValueError:
        raise UsageError(f'There is no job "{name}". Known are: {", ".join(JobName)}.') from None


def _tell(jobs: tuple[Job, ...]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not jobs:
        typer.echo("There are no jobs yet: the service makes them when it starts. See: retentiond run --help")
        return
    table = Table("Job", "Share", "Next", "Last", "Result", "What it said")
    for job in jobs:
        due = "asked for" if job.asked_at else f"paused by {job.paused_by}" if job.paused_at else _when(job.due_at)
        last = job.last
        ran = ("never", "", "") if last is None else (_when(last.began_at), last.result or "running", last.said)
        table.add_row(job.name.value, escape(job.share), escape(due), ran[0], ran[1], escape(ran[2]))
    Console().print(table)


def _tell_runs(runs: tuple[JobRun, ...]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("Began", "Took", "Job", "Share", "Result", "What it said")
    for run in runs:
        took = "" if run.ended_at is None else f"{(run.ended_at - run.began_at).total_seconds():,.1f} s"
        result = run.result or "running"
        table.add_row(_when(run.began_at), took, run.job.value, escape(run.share), result, escape(run.said))
    Console().print(table)


def _when(moment: Any) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def _print(facts: dict[str, Any]) -> None:
    import json

    typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))

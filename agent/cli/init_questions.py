"""The questions of `retentiond init --system` and `--m365`: few, each with the reason for asking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import typer

from agent.errors import AgentError

Answer = TypeVar("Answer")

_PARTS = ";"


def ask(question: str, why: str, default: str | None, read: Callable[[str], Answer]) -> Answer:
    """The answer, asked for again until it can be read."""
    typer.echo(f"\n{why}", err=True)
    while True:
        said = typer.prompt(question, default=default, err=True)
        try:
            return read(str(said))
        except AgentError as error:
            typer.echo(str(error), err=True)


def ask_shares(default: Sequence[str], read: Callable[[tuple[str, ...]], Answer]) -> Answer:
    return ask(
        f"Folders, as NAME=PATH{_PARTS} NAME=PATH",
        "Which folders shall be looked after? Only what lies in them is ever read.",
        f"{_PARTS} ".join(default),
        lambda said: read(parted(said)),
    )


def ask_schedule(default: str, known: Sequence[str], read: Callable[[str], Answer]) -> Answer:
    return ask(
        "Schedule",
        "Which retention schedule do you begin with? It says what may be kept how long; you get a copy to make your "
        f"own. Known are {', '.join(known)}, or name a file.",
        default,
        read,
    )


def ask_nights(default: str, read: Callable[[str], Answer]) -> Answer:
    return ask(
        "Hours",
        "When may the shares be scanned? In these hours nobody minds that the server is busy; or: always.",
        default,
        read,
    )


def ask_reviewers(read: Callable[[tuple[str, ...]], Answer]) -> Answer:
    return ask(
        f"Reviewers, as LOGIN:ROLE,ROLE:EMAIL{_PARTS} …",
        "Who takes part in reviews? Nothing is destroyed that two different people have not approved. They can be "
        "named later, in the settings.",
        "nobody yet",
        lambda said: read(() if said == "nobody yet" else parted(said)),
    )


def ask_tenant(read: Callable[[str], Answer]) -> Answer:
    return ask(
        "Tenant",
        "Which tenant of Microsoft 365? Its id, or one of its domains such as contoso.onmicrosoft.com.",
        None,
        read,
    )


def ask_cloud(known: str, read: Callable[[str], Answer]) -> Answer:
    return ask("Cloud", f"In which of Microsoft's clouds is it: {known}?", "global", read)


def ask_reader(read: Callable[[str], Answer]) -> Answer:
    return ask(
        "Reader's client id",
        "By which app registration do we sign in to scan? Its application (client) id; register it in Entra first.",
        None,
        read,
    )


def ask_writer(read: Callable[[str], Answer]) -> Answer | None:
    return ask(
        "Writer's client id",
        "By which one to label, quarantine and delete? Without one the tenant can only be observed; it can be named "
        "later.",
        "none yet",
        lambda said: None if said == "none yet" else read(said),
    )


def ask_sites(read: Callable[[str], Answer]) -> Answer:
    return ask(
        f"Sites, as https://…{_PARTS} https://…",
        "Which SharePoint sites shall be looked after? Their addresses; or all, or none. OneDrives and mailboxes can "
        "be named later, in the settings.",
        "none",
        read,
    )


def ask_officers(read: Callable[[str], Answer]) -> Answer:
    return ask(
        f"Officers, as ann@example.org{_PARTS} …",
        "Who may see the folder in which files are quarantined, besides us?",
        None,
        read,
    )


def go_ahead() -> bool:
    """Whether it may begin."""
    typer.echo("\nNothing has been written yet. What is there already is left alone.", err=True)
    return typer.confirm("Set this up?", default=True, err=True)


def parted(said: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in said.split(_PARTS) if part.strip())

"""Writes the man pages from what the commands and the settings file say of themselves.

    python packaging/man_pages.py DIRECTORY

`retentiond.1` tells all commands, `retentiond-run.8` the service if there is one, `retentiond.yaml.5` the settings.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from typer.main import get_command

from agent import __version__
from agent.cli.app import app
from agent.errors import ExitCode

ROOT = Path(__file__).parents[1]
_SERVICE = "run"
_EXIT_ROW = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)
_FILES = (
    ("/etc/retentiond/retentiond.yaml", "The settings of the service and of root, see retentiond.yaml(5)."),
    ("/var/lib/retentiond", "State: catalogue, audit log, keys, reports, and in vault/ what is in quarantine."),
    ("~/.config/retentiond/retentiond.yaml, ~/.local/state/retentiond", "The same for other users."),
)


def main(directory: str) -> None:
    """Writes the pages into the directory, which must be there."""
    pages = {"retentiond.1": command_page(), "retentiond.yaml.5": settings_page()}
    if _SERVICE in get_command(app).commands:  # type: ignore[attr-defined]
        pages["retentiond-run.8"] = service_page()
    for name, text in pages.items():
        Path(directory, name).write_text(text, encoding="utf-8")


def command_page() -> str:
    """`retentiond(1)`."""
    group: Any = get_command(app)
    commands = {name: command.load() for name, command in group.commands.items()}
    lines = [
        *_head("RETENTIOND", 1, "retentiond", "find personal data, say when it is due, and prove what was done"),
        *_section("SYNOPSIS", [".B retentiond", ".I COMMAND", r"[\fIOPTION\fR]... [\fIARGUMENT\fR]..."]),
        *_section("DESCRIPTION", [*_paragraphs(group.help or ""), ".PP", escape(group.epilog or "")]),
        ".SH COMMANDS",
    ]
    for name, command in commands.items():
        lines += _told(command, f"retentiond {name}")
    lines += _section("EXIT STATUS", list(_exit_codes()))
    lines += _section("FILES", [line for file, told in _FILES for line in _entry(file, told)])
    return _page([*lines, *_see_also("retentiond.yaml(5)")])


def service_page() -> str:
    """`retentiond-run(8)`."""
    command = get_command(app).commands[_SERVICE].load()  # type: ignore[attr-defined]
    units = "retentiond-scan.service, retentiond-dispose.service, retentiond-console.service"
    lines = [
        *_head("RETENTIOND-RUN", 8, "retentiond-run", "the service"),
        *_section("SYNOPSIS", [".B retentiond run", r"[\fIOPTION\fR]..."]),
        *_section("DESCRIPTION", list(_paragraphs(command.help or ""))),
        *_section("OPTIONS", list(_parameters(command, "retentiond run"))),
        *_section("FILES", [line for file, told in _FILES[:2] for line in _entry(file, told)]),
        *_section("UNITS", [escape(units + ". Change them with `systemctl edit`, not in place.")]),
    ]
    return _page([*lines, *_see_also("retentiond(1), retentiond.yaml(5), systemd.service(5)")])


def settings_page() -> str:
    """`retentiond.yaml(5)`: the shipped settings file as it is, for its comments say what each key means."""
    shipped = (ROOT / "config" / "retentiond.yaml").read_text(encoding="utf-8")
    intro = (
        "The settings are a YAML file. A key that is left out keeps its default, and one that is not known is an error "
        "that is told with file and line. `retentiond check` reads it without doing anything. Below stands every key "
        "with its default."
    )
    lines = [
        *_head("RETENTIOND.YAML", 5, "retentiond.yaml", "settings of retentiond"),
        *_section("DESCRIPTION", [escape(intro)]),
        *_section("KEYS", [".nf", *map(escape, shipped.splitlines()), ".fi"]),
        *_section("FILES", [line for file, told in _FILES[:1] for line in _entry(file, told)]),
    ]
    return _page([*lines, *_see_also("retentiond(1)")])


def escape(text: str) -> str:
    """The text so that roff prints it as it is."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("`", r"\(ga")
    text = text.replace("^", r"\(ha").replace("~", r"\(ti")
    return rf"\&{text}" if text.startswith(".") else text


def _head(title: str, section: int, name: str, told: str) -> list[str]:
    day = dt.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), dt.UTC).date()
    return [
        r".\" Made by packaging/man_pages.py from what the commands say of themselves.",
        f'.TH {escape(title)} {section} "{day}" "retentiond {__version__}" "retentiond"',
        *_section("NAME", [rf"{escape(name)} \- {escape(told)}"]),
    ]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f".SH {title}", *lines]


def _see_also(pages: str) -> list[str]:
    return _section("SEE ALSO", [escape(f"{pages}; how to do things: /usr/share/doc/retentiond/how-to")])


def _page(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _told(command: Any, called: str) -> Iterator[str]:
    """A command with its options, and all those below it."""
    yield rf'.SS "{escape(" ".join([called, *_arguments(command)]))}"'
    yield from _paragraphs(command.help or "")
    yield from _parameters(command, called)
    for name, below in getattr(command, "commands", {}).items():
        yield from _told(below.load() if hasattr(below, "load") else below, f"{called} {name}")


def _arguments(command: Any) -> list[str]:
    context = command.context_class(command)
    return [
        parameter.get_help_record(context)[0].partition(" <")[0]
        for parameter in command.params
        if parameter.param_type_name == "argument"
    ]


def _parameters(command: Any, called: str) -> Iterator[str]:
    context = command.context_class(command, info_name=called)
    for parameter in command.params:
        told = parameter.get_help_record(context)
        if told is not None and "--help" not in told[0]:
            yield from _entry(*told)


def _entry(what: str, told: str) -> list[str]:
    return [".TP", rf"\fB{escape(what)}\fR", escape(" ".join(told.split()))]


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.replace("\b\n", "").split("\n\n"):
        said = paragraph.strip()
        if not said:
            continue
        yield ".PP"
        if said.startswith("Example") or "\n  " in said:
            yield from (".nf", *map(escape, said.splitlines()), ".fi")
        else:
            yield escape(" ".join(said.split()))


def _exit_codes() -> Iterator[str]:
    told = dict(_EXIT_ROW.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    for code in sorted(ExitCode):
        yield from _entry(str(int(code)), told[str(int(code))].replace("`", ""))


if __name__ == "__main__":
    main(sys.argv[1])

"""README, settings file and help texts say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from agent.cli.app import app
from agent.errors import ExitCode
from agent.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LATER = get_command(app).commands  # type: ignore[attr-defined]
COMMANDS = {name: command.load() for name, command in LATER.items()}


def test_the_shipped_settings_file_shows_every_key_with_its_default() -> None:
    shipped = yaml.safe_load((ROOT / "config" / "retentiond.yaml").read_text(encoding="utf-8"))

    assert shipped == Settings().model_dump(mode="json")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_stands_in_the_readme(name: str) -> None:
    assert f"**`retentiond {name}" in README


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    assert f"retentiond {name}" in (COMMANDS[name].help or "").partition("Example:")[2]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_list_of_commands_says_of_each_what_its_own_help_says(name: str) -> None:
    first, *_ = (COMMANDS[name].help or "").split("\n\n")
    assert LATER[name].help == " ".join(first.split())


def test_the_readme_names_no_command_that_does_not_exist() -> None:
    named = set(re.findall(r"retentiond ([a-z]+)(?= |`|$)", README, re.MULTILINE))

    assert named <= set(COMMANDS) | {"is"}


def test_every_exit_code_stands_in_the_readme() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}

    assert documented == {int(code) for code in ExitCode}


def test_every_option_of_scan_stands_in_the_readme() -> None:
    options = {name for parameter in COMMANDS["scan"].params for name in parameter.opts if name.startswith("--")}

    assert options - {name for name in options if f"`{name}" in README} == set()

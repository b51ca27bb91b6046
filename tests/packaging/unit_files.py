"""Reads unit files, and system call filters as systemd expands them."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "systemd"
ROLES = ("scan", "dispose", "console")

Settings = dict[str, list[str]]


def settings_of(role: str) -> Settings:
    """Every setting of the unit with all the values it is given, in their order."""
    found: Settings = {}
    for line in (UNITS / f"retentiond-{role}.service").read_text(encoding="utf-8").splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def words_of(role: str, setting: str) -> set[str]:
    """The words of all lines of a setting."""
    return {word for value in settings_of(role).get(setting, []) for word in value.split()}


def allowed_calls(role: str) -> set[str]:
    """The system calls that the unit's filter lets through, as systemd reads its lines one after the other."""
    allowed: set[str] = set()
    for line in settings_of(role)["SystemCallFilter"]:
        calls = {call for word in line.removeprefix("~").split() for call in _expanded(word)}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed | set(_expanded("@default"))


@functools.cache
def _expanded(word: str) -> frozenset[str]:
    if not word.startswith("@"):
        return frozenset({word})
    told = subprocess.run(
        ["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    inside = (line.strip() for line in told[1:] if line.strip() and not line.strip().startswith("#"))
    return frozenset(call for one in inside for call in _expanded(one))

"""Faults a user can mend, told in plain words, each with its exit code.

Every error here carries a sentence that says what is wrong, where, and what to do.
Anything else that escapes is a defect of ours.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the command's exit status tells a script. Documented in README.md."""

    OK = 0
    DEFECT = 1
    USAGE = 2
    ITEMS_FAILED = 3
    CONFIGURATION = 4
    SOURCE_UNAVAILABLE = 5
    CATALOGUE = 6
    NOT_RECONCILED = 7
    LOG_MISMATCH = 8
    LOG_TRUNCATED = 9
    LOG_ROLLED_BACK = 10
    LOG_UNVERIFIABLE = 11
    VAULT = 12
    NOT_WHOLE = 13
    INTERRUPTED = 130


class AgentError(Exception):
    """Something a person has to mend before we can go on."""

    exit_code = ExitCode.DEFECT


class UsageError(AgentError):
    """The command was given something it cannot work with."""

    exit_code = ExitCode.USAGE


class ConfigurationError(AgentError):
    """The settings or the retention schedule say something we cannot follow."""

    exit_code = ExitCode.CONFIGURATION


class SourceUnavailable(AgentError):
    """A share or drive cannot be reached, or another one answers in its place."""

    exit_code = ExitCode.SOURCE_UNAVAILABLE


class CatalogueError(AgentError):
    """The catalogue cannot be opened, is damaged, locked, or was written by a newer version."""

    exit_code = ExitCode.CATALOGUE

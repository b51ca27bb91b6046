"""The command as one of several people gives it, in this process."""

from __future__ import annotations

import json
import re
import traceback
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from typer.testing import CliRunner

from agent import bootstrap
from agent.cli.app import app
from agent.errors import AgentError, ExitCode
from tests.soak.findings import Findings
from tests.soak.place import Place

# What a command may answer while others change what it is about.
MEANWHILE = frozenset({ExitCode.OK, ExitCode.USAGE, ExitCode.ITEMS_FAILED, ExitCode.CATALOGUE})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said, and its exit code."""

    code: int
    said: str
    error: str = ""

    @property
    def good(self) -> bool:
        return self.code == ExitCode.OK

    def facts(self) -> Any:
        """What it printed for `--json`; nothing if it refused."""
        return json.loads(self.said) if self.said.lstrip().startswith("{") else {}


class Command:
    """Runs `retentiond` over one place. Answers that no circumstance explains are findings."""

    def __init__(self, place: Place, findings: Findings) -> None:
        self._place = place
        self._findings = findings

    def run(self, by: str, *arguments: object, expected: frozenset[ExitCode] = MEANWHILE) -> Answer:
        words = [*map(str, arguments), f"--state={self._place.state}", f"--config={self._place.settings}"]
        with patch.object(bootstrap, "who", lambda: by):
            done = CliRunner().invoke(app, words, env={"COLUMNS": "250"})
        error = done.exception
        if isinstance(error, AgentError):
            answer = Answer(error.exit_code, done.stdout, str(error))
        elif error is None or isinstance(error, SystemExit):
            answer = Answer(done.exit_code, done.stdout, done.stderr)
        else:
            places = "".join(traceback.format_exception(error))
            answer = Answer(ExitCode.DEFECT, done.stdout, places)
        self._judge(arguments, answer, expected)
        return answer

    def _judge(self, arguments: tuple[object, ...], answer: Answer, expected: frozenset[ExitCode]) -> None:
        name = " ".join(str(word) for word in arguments[:2] if not str(word).startswith("-"))
        name = re.sub(r"\d+", "", name).strip()
        if answer.code not in expected:
            said = answer.error or answer.said[-1500:]
            self._findings.add("command", f"`{name}` ended with {answer.code}: {said}")
        elif not answer.good:
            line = re.sub(r"\d+", "N", (answer.error.strip() or answer.said.strip() or "?").splitlines()[0])
            line = line.replace(str(self._place.folder), "")
            self._findings.refused[f"{name}: {answer.code}: {line[:150]}"] += 1

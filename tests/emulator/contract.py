"""Every request to the graph host, and every answer, is held against Graph's description."""

from __future__ import annotations

import re

from tests.emulator.description import description
from tests.emulator.http import Reply, Request

_BY_PATH = (  # addressing by path is left out of the description; rclone does it, we do not
    re.compile(r"/drives/[^/]+/(root|items/[^/]+):/.*"),
    re.compile(r"/sites/[^/]+:/.*"),
)


class Contract:
    """Collects what is not as the description says; of `check_every` calls one is looked at."""

    def __init__(self, check_every: int = 1) -> None:
        self.violations: list[str] = []
        self._description = description()
        self._check_every = check_every
        self._seen = 0

    def check_request(self, request: Request) -> None:
        """Look at what was asked."""
        self._seen += 1
        request.is_sample = self._seen % self._check_every == 0
        if not request.is_sample:
            return
        template = self._template(request)
        if template is not None:
            self._note(request, template, "request", self._description.judge_request(request, template))

    def knows(self, request: Request) -> bool:
        """Whether the description has such an operation."""
        template = self._description.template(_relative(request))
        return template is not None and self._description.knows(request.method, template)

    def check_answer(self, request: Request, reply: Reply) -> None:
        """Look at what was answered."""
        if not request.is_sample:
            return
        template = self._description.template(_relative(request))
        if template is not None and self._description.knows(request.method, template):
            verdict = self._description.judge_answer(request, reply, template)
            self._note(request, template, f"answer {reply.status}", verdict)

    def _template(self, request: Request) -> str | None:
        path = _relative(request)
        template = self._description.template(path)
        if template is not None and self._description.knows(request.method, template):
            return template
        if not any(pattern.fullmatch(path) for pattern in _BY_PATH):
            self._note(request, path, "request", ("the description has no such operation",))
        return None

    def _note(self, request: Request, place: str, what: str, verdict: tuple[str, ...]) -> None:
        for line in verdict:
            violation = f"{request.method} {place} {what}: {line}"
            if violation not in self.violations:
                self.violations.append(violation)


def _relative(request: Request) -> str:
    return request.raw_path.removeprefix("/v1.0")

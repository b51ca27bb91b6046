"""The log of calls: what came, from whom, and what was said to it; tests read it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.emulator.http import Headers


@dataclass
class Call:
    """One call to one of the hosts.

    `path` and `query` are decoded; on the graph host the path is without the service root. `status` is 0 as long as
    nothing was answered, and stays 0 when the connection was dropped instead.
    """

    at: float  # by the emulator's clock, seconds since 1970
    host: str
    method: str
    path: str
    query: dict[str, str]
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    status: int = 0
    app: str | None = None  # client id, if the token (or the signed link) is one of ours
    cost: int = 0  # resource units
    gate_closed: bool = False  # it came although this app had been told to wait
    template: str | None = None  # of the route
    connection: int = 0
    in_batch: bool = False

    @property
    def json(self) -> Any:
        """The body as JSON; None when there is none."""
        return json.loads(self.body) if self.body else None

    @property
    def has_bearer(self) -> bool:
        """Whether credentials were sent along."""
        return "Authorization" in self.headers

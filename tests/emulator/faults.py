"""What goes wrong on purpose: a plan of faults, each for some calls, a number of times, perhaps only by chance.

    graph.faults.add(Fault(method="GET", path=r"/delta", status=429, retry_after="3", times=2))
    graph.faults.add(Fault(path=r"/retentionLabel$", method="PATCH", reset="after"))      # done, but the answer is lost
    graph.faults.add(Fault(host="downloads", cut_at=1000))                                # a truncated body
    graph.faults.add(Fault(path=r"/children", edit=lambda body: body["value"][0].update(size="large")))

The first fault that fits a call strikes. What a fault has made is not held against the contract.
"""

from __future__ import annotations

import math
import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Literal

from tests.emulator.http import Request

HostName = Literal["graph", "login", "downloads", "imds", "evil", "plain"]


@dataclass
class Fault:
    """One thing that goes wrong; without `method`, `path` and `host` it goes wrong everywhere on the graph host.

    Which calls: `path` is searched for in the decoded path and query (`/drives/b!x/root/delta?token=…`); the first
    `skip` fitting calls are spared, then `times` are struck (None: all), each with `probability`.

    Instead of an answer: `status` with `code` and `message` as the OData envelope, or `body` as it is; `retry_after` as
    the header's text, or `retry_after_date` in seconds from now as an HTTP date; `reset="before"`: nothing happens and
    the connection drops.

    With the answer, which then is real: `reset="after"`, `cut_at` bytes of the body, `stall_seconds` in its middle,
    `ignore_range`, `next_link` (replaces or adds @odata.nextLink), `edit` (changes the JSON in place), `garble`
    (changes the bytes). `delay_seconds` before anything else.
    """

    method: str | None = None
    path: str = ""
    host: HostName = "graph"
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0

    status: int | None = None
    code: str = "generalException"
    message: str = "An unspecified error has occurred."
    inner: dict[str, Any] | None = None
    body: dict[str, Any] | list[Any] | str | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: str | None = None
    retry_after_date: float | None = None

    reset: Literal["before", "after"] | None = None
    cut_at: int | None = None
    stall_seconds: float = 0.0
    delay_seconds: float = 0.0
    ignore_range: bool = False
    next_link: str | None = None
    edit: Callable[[dict[str, Any]], Any] | None = None
    garble: Callable[[bytes], bytes] | None = None

    struck: int = field(default=0, init=False)
    _met: int = field(default=0, init=False, repr=False)

    @property
    def changes_the_answer(self) -> bool:
        """Whether the answer that is sent is not the one the route gave."""
        return self.next_link is not None or self.edit is not None or self.garble is not None

    def retry_header(self, now: float) -> dict[str, str]:
        """The Retry-After header, if this fault has one; `now` is in seconds since 1970."""
        if self.retry_after_date is not None:
            return {"Retry-After": formatdate(math.ceil(now + self.retry_after_date), usegmt=True)}
        return {} if self.retry_after is None else {"Retry-After": self.retry_after}

    def closes_gate_for(self) -> float | None:
        """For how many seconds a client must not call after this; None when it was not told a time."""
        if self.retry_after_date is not None:
            return self.retry_after_date
        if self.retry_after is not None and self.retry_after.isdecimal():
            return float(self.retry_after)
        return None

    def _fits(self, host: str, method: str, target: str) -> bool:
        return self.host == host and self.method in (None, method) and re.search(self.path, target) is not None


def not_a_number(body: bytes) -> bytes:
    """Garbles JSON: the first size becomes NaN, which Python's json would read without a word."""
    return re.sub(rb'"size": ?\d+', b'"size":NaN', body, count=1)


def duplicate_keys(body: bytes) -> bytes:
    """Garbles JSON: the first id is there twice, with different values."""
    return re.sub(rb'("id": ?"[^"]*")', rb'\1,"id":"somebody-else"', body, count=1)


class Faults:
    """The plan; may be added to while the emulator runs."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put a fault at the end of the plan; `fault.struck` counts how often it struck."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """From now on everything goes well."""
        with self._lock:
            self._faults.clear()

    def strike(self, host: str, method: str, target: str) -> Fault | None:
        """The fault that this call meets."""
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if not fault._fits(host, method, target) or fault.struck == fault.times:
                    continue
                fault._met += 1
                if fault._met <= fault.skip or self._random.random() >= fault.probability:
                    continue
                fault.struck += 1
                return fault
        return None


@dataclass
class _Hook:
    method: str | None
    path: str
    act: Callable[[Request], Any]
    left: int | None


class Hooks:
    """What a test does in between: after a request has come and before it is answered, or right after the act."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hooks: dict[str, list[_Hook]] = {"before": [], "after": []}

    def add(
        self,
        method: str | None,
        path: str,
        act: Callable[[Request], Any],
        times: int | None = 1,
        moment: Literal["before", "after"] = "before",
    ) -> None:
        """Call `act` with the request for the next `times` calls that fit (None: all)."""
        with self._lock:
            self._hooks[moment].append(_Hook(method, path, act, times))

    def run(self, moment: Literal["before", "after"], request: Request, target: str) -> None:
        """Do what was planned for this call."""
        if not self._hooks[moment]:
            return
        due = []
        with self._lock:
            for hook in self._hooks[moment]:
                if hook.left == 0 or hook.method not in (None, request.method) or not re.search(hook.path, target):
                    continue
                if hook.left is not None:
                    hook.left -= 1
                due.append(hook.act)
        for act in due:
            act(request)

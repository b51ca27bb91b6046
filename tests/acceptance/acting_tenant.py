"""An office in an emulated tenant, stopped right before it acts: from there an act can be tried as often as one likes,
each time from the same moment on, in processes of its own, with something else going wrong.

There are three sorts of processes. The test has made the tenant and its state directory, and never answers a request. A
`Trial` is forked from it: the emulator runs there. Every command has a process of its own, which the trial forks before
the emulator's threads begin. So a command can be killed at any request of its own, and what it has done to the tenant
is there for the next one.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from typer.testing import CliRunner

from agent import bootstrap
from agent.cli.app import app
from agent.execution.inline import InlineExecutor
from connectors.microsoft365 import gate, graph
from tests.acceptance.killable_scan import Counting
from tests.acceptance.tenant_office import LONG_AGO, REASON, TenantOffice
from tests.emulator import Emulator
from tests.emulator.http import Problem, Request
from tests.emulator.server import ConnectionGone

DORA = "dora@contoso.example"
GOES, SHARED, STAYS = "goes", "shared", "stays"  # two that are approved, and one that is not
APPROVED = GOES, SHARED
Kind = Literal["drive", "mail"]
Where = Literal["in its place", "in quarantine", "gone", "elsewhere"]
KILLED = -signal.SIGKILL

# What becomes of one request. `away`: of that one and all that come behind it. `stumbling`: everything of the first
# sort befalls it, one after the other, as often as it is sent again.
BEFORE = "lost before", "busy 429", "busy 503", "out of order 503", "away before", "killed before"
AFTER = "lost after", "timed out 504", "away after", "killed after"  # it was done, but the answer never comes
STUMBLING = "stumbling"
_REFUSED = {
    "busy 429": Problem(429, "activityLimitReached", "Too many requests.", headers={"Retry-After": "0"}),
    "busy 503": Problem(503, "serviceNotAvailable", "Too busy.", headers={"Retry-After": "0"}),
    "out of order 503": Problem(503, "serviceNotAvailable", "Out of order."),
    "timed out 504": Problem(504, "gatewayTimeout", "The gateway did not receive an answer in time."),
}


class ActingOffice(TenantOffice):
    """One library or one mailbox with three items of which two may go, and everything that is asked of them."""

    def __init__(self, folder: Path, emulator: Emulator, kind: Kind) -> None:
        mailboxes = f"[{DORA}]" if kind == "mail" else "none"
        super().__init__(folder, emulator, mailboxes=mailboxes)
        self.kind: Kind = kind
        self.place = "Leavers" if kind == "drive" else "Inbox/Leavers"
        if kind == "mail":
            self.settings.write_text(self.settings.read_text().replace("sites: all", "sites: none"))
            schedule = (folder / "schedule.yaml").read_text()
            (folder / "schedule.yaml").write_text(schedule.replace('"Leavers/**"', '"Inbox/Leavers/**"'))
        self.mailbox = emulator.tenant.add_user(DORA, drive=False).mailbox
        self.ids = {name: self._put(name) for name in (GOES, SHARED, STAYS)}
        if kind == "drive":
            self.library.share(self.ids[SHARED], "anonymous")

    def _put(self, name: str) -> str:
        if self.kind == "drive":
            return self.file(f"{self.place}/{name}.txt")
        return self.mailbox.deliver(self.place, _text(name), received_at=LONG_AGO)

    # What the tenant has

    def where(self, name: str) -> Where:
        """Where the item lies. Raises `AssertionError` if it is not whole, or there twice."""
        return self._where_in_library(name) if self.kind == "drive" else self._where_in_mailbox(name)

    def _where_in_library(self, name: str) -> Where:
        library, id = self.library, self.ids[name]
        alike = [one.path for one in library.items() if not one.is_folder and name in one.path]
        assert len(alike) <= 1, f"{name} lies in {len(alike)} places"
        assert self.site.recycle_bin.items() == [], "something lies in the recycle bin"
        path = library.path_of(id)
        if path is None:
            assert not alike, f"{name} lies there under another id"
            return "gone"
        assert hashlib.sha256(library.content(id)).digest() == self.whole[name], f"{name} is not whole"
        if path == f"{self.place}/{name}.txt":
            return "in its place"
        return "in quarantine" if path.startswith(".retentiond quarantine/") else "elsewhere"

    def _where_in_mailbox(self, name: str) -> Where:
        box, id = self.mailbox, self.ids[name]
        assert hashlib.sha256(box.content(id)).digest() == self.whole[name], f"{name} is not whole"
        places: dict[str, Where] = {
            "Leavers": "in its place",
            ".retentiond quarantine": "in quarantine",
            "recoverableitemspurges": "gone",
        }
        return places.get(box.where(id), "elsewhere")

    def freeze(self) -> None:
        """What the items hold now is what they must hold whenever they are there."""
        read = self.library.content if self.kind == "drive" else self.mailbox.content
        self.whole = {name: hashlib.sha256(read(id)).digest() for name, id in self.ids.items()}

    # What is on record

    def records(self, state: Path) -> dict[str, str]:
        """How the last disposal of each item stands, and how the catalogue has the item, in one word each."""
        with closing(sqlite3.connect(state / "catalogue.sqlite")) as database:
            rows = database.execute(
                "SELECT i.file_id, COALESCE((SELECT d.state FROM disposal d WHERE d.item_id = i.id "
                "ORDER BY d.id DESC LIMIT 1), 'none') FROM item i"
            ).fetchall()
        by_id = {id.decode(): how for id, how in rows}
        return {name: by_id[id] for name, id in self.ids.items()}

    def numbers(self, state: Path) -> dict[str, int]:
        """The items' numbers in the catalogue."""
        with closing(sqlite3.connect(state / "catalogue.sqlite")) as database:
            by_id = {id.decode(): number for number, id in database.execute("SELECT id, file_id FROM item")}
        return {name: by_id[id] for name, id in self.ids.items()}

    # Commands

    def invoke(self, state: Path, *arguments: str, by: str = "ann") -> tuple[int, str]:
        """Runs a command in this process, as that person; gives its exit code and what it printed."""
        bootstrap.who = lambda: by
        options = [f"--state={state}", f"--config={self.settings}"]
        done = CliRunner().invoke(app, [*arguments, *options], env={"COLUMNS": "250"})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output


def _text(name: str) -> bytes:
    return f"From: <zoe@far.example>\r\nSubject: About {name}\r\n\r\nWhat {name} is about.\r\n".encode()


@dataclass
class Mishap:
    """What befalls the request of that number (from 0) of one command. Without one, requests are only counted."""

    kind: str = ""
    at: int = -1
    process: int = 0  # of the command
    made: list[str] = field(default_factory=list)  # every request, method and template
    struck: bool = False

    def before(self, request: Request) -> None:
        number = len(self.made)
        where = request.path if request.route is None else request.route.template
        self.made.append(f"{request.method} {where}")
        if self.kind in BEFORE and number == self.at:
            self._strike(self.kind)
        elif self.kind == STUMBLING and self.at <= number < self.at + 3:
            self._strike(BEFORE[number - self.at])
        elif self.kind.startswith("away") and self.struck:
            raise ConnectionGone

    def after(self, _: Request) -> None:
        if self.kind in AFTER and len(self.made) - 1 == self.at:
            self._strike(self.kind)

    def _strike(self, kind: str) -> None:
        self.struck = True
        if kind.startswith("killed"):
            os.kill(self.process, signal.SIGKILL)
        raise _REFUSED.get(kind, ConnectionGone())


class Command:
    """A process that waits to be told which command to run."""

    def __init__(self, office: ActingOffice, state: Path) -> None:
        theirs, self._ask = os.pipe()
        self._hear, answer = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            _serve(office, state, theirs, answer)
        os.close(theirs)
        os.close(answer)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Its exit code, and what it printed; `KILLED` if it was killed. Once only."""
        os.write(self._ask, json.dumps(arguments).encode())
        os.close(self._ask)
        with open(self._hear, encoding="utf-8") as told:
            said = told.read()
        code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        if code == 0:
            exit_code, output = json.loads(said)
            return exit_code, output
        assert code == KILLED, said
        return code, ""

    def end(self) -> None:
        """It is not needed after all."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


def _serve(office: ActingOffice, state: Path, asked: int, answer: int) -> None:
    """The life of a command's process. It never returns."""
    code = 1
    try:
        arguments = os.read(asked, 65536)
        _hurry()
        said = json.dumps(office.invoke(state, *json.loads(arguments)))
        code = 0
    except BaseException:  # noqa: BLE001 — whatever it is, the test has to hear of it
        said = traceback.format_exc()
    with open(answer, "w", encoding="utf-8") as told:
        told.write(said)
    os._exit(code)


def _hurry() -> None:
    """No pause between two attempts is long: nothing here gets better by waiting."""
    graph._FIRST_PAUSE_SECONDS = 0.001
    gate._LONGEST_BACKOFF_SECONDS = 0.01
    gate._LOOK_AGAIN_SECONDS = 0.01


class Trial:
    """The office from the moment on at which it was stopped. In a process that was forked for it."""

    def __init__(self, office: ActingOffice, state: Path, commands: int) -> None:
        self.office = office
        self.state = state
        self._waiting = [Command(office, state) for _ in range(commands)]
        self._mishap = Mishap()
        office.graph.__enter__()
        office.graph.on_request(None, "", lambda request: self._mishap.before(request), times=None)
        office.graph.on_request(None, "", lambda request: self._mishap.after(request), times=None, moment="after")

    def run(self, *arguments: str, mishap: Mishap | None = None) -> tuple[int, str]:
        command = self._waiting.pop()
        self._mishap = mishap or Mishap()
        self._mishap.process = command.process
        told = command.run(*arguments)
        self._mishap = Mishap()
        return told

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *_: object) -> None:
        for command in self._waiting:
            command.end()


@contextmanager
def scratch(folder: Path, state: Path) -> Iterator[Path]:
    """A copy of a state directory, gone at the end."""
    copy = folder / f"trial-{os.getpid()}"
    shutil.copytree(state, copy)
    try:
        yield copy
    finally:
        shutil.rmtree(copy)


def apart(work: Callable[[], Any]) -> Any:
    """What `work` gives, done in a forked process; it has to be JSON.

    Raises `AssertionError` with whatever `work` raises.
    """
    hear, tell = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.close(hear)
            said = json.dumps(["done", work()])
        except BaseException:  # noqa: BLE001 — whatever it is, the test has to hear of it
            said = json.dumps(["failed", traceback.format_exc()])
        with open(tell, "w", encoding="utf-8") as told:
            told.write(said)
        os._exit(0)
    os.close(tell)
    with open(hear, encoding="utf-8") as told:
        said = told.read()
    os.waitpid(process, 0)
    how, what = json.loads(said)
    assert how == "done", what
    return what


def prepare(office: ActingOffice) -> None:
    """Scans, and has two people approve what may go. What the commands import is imported here too: each of the
    processes that are forked from this one has it then."""
    office.freeze()
    state = office.state

    def invoke(at: Path, *arguments: str, by: str = "ann") -> None:
        code, said = office.invoke(at, *arguments, by=by)
        assert code == 0, said

    def work() -> list[str]:
        bootstrap.worker_pool = lambda *_, **__: InlineExecutor(Counting())
        office.graph.__enter__()
        invoke(state, "scan")
        numbers = office.numbers(state)
        for by in ("ann", "ben"):
            invoke(state, "review", "approve", *(str(numbers[name]) for name in APPROVED), *REASON, "--yes", by=by)
        with scratch(office.folder, state) as copy:
            for command in (("dispose", "run", "--yes"), ("restore", "1", *REASON, "--yes"), ("dispose", "recover")):
                invoke(copy, *command)
            for command in (("fsck",), ("audit", "verify")):
                invoke(copy, *command)
        return sorted(sys.modules)

    for name in apart(work):
        with suppress(ImportError):
            importlib.import_module(name)

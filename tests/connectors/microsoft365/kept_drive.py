"""A library of the emulated tenant in which we act: what people do there, and who reaches what."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

import pytest

from connectors.base import Connector, ItemRef, Scope
from connectors.errors import CheckedOut, ConnectorError, HeldAtSource, LockedAtSource, RecordAtSource
from connectors.keeping import Deleted, GivenBack, Keeping, Kept, Target
from connectors.microsoft365.connector import DriveConnector
from connectors.microsoft365.gate import TenantGate
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.keeping import DriveKeeping
from connectors.microsoft365.restricted import QUARANTINE_NAME
from connectors.microsoft365.sites import Wanted
from connectors.microsoft365.version import Version, content_of
from connectors.testing_kept import CONTRACT, ID, LABEL, README, TEXT
from tests.emulator import App, Call, Emulator, Fault

OFFICER = "officer@contoso.example"
RETAINED, RECORD, REGULATORY, UNKNOWN, FREE = "Retained", "Record", "Regulatory record", "Of tomorrow", "Reminder"
BEHAVIOURS = {
    LABEL: "retain",
    RETAINED: "retain",
    RECORD: "retainAsRecord",
    REGULATORY: "retainAsRegulatoryRecord",
    UNKNOWN: "unknownFutureValue",
    FREE: "doNotRetain",
}


class Ticks:
    """A clock that sleeping puts forward, together with the emulator's."""

    def __init__(self, graph: Emulator) -> None:
        self._graph = graph
        self.ahead = 0.0

    def now(self) -> float:
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds
        self._graph.clock.advance(seconds)


class AppTokens:
    """Tokens of one application, without asking the login host for them."""

    def __init__(self, graph: Emulator, app: App) -> None:
        self._graph = graph
        self._app = app
        self.issued = 0
        self.renew()

    def callback(self) -> dict[str, str]:
        return {"access_token": self._token, "token_type": "Bearer"}

    def renew(self, issued: int | None = None) -> None:
        self._token = self._graph.token_for(self._app)
        self.issued += 1


@dataclass
class KeptDrive:
    """One library, with the keeping of what is in it. `roles` are the application's."""

    graph: Emulator
    roles: frozenset[str] = frozenset({"Sites.ReadWrite.All"})
    officers: tuple[str, ...] = (OFFICER,)
    permanently: bool = True
    is_onedrive: bool = False
    keeping: Keeping = field(init=False)
    connector: Connector = field(init=False)

    def __post_init__(self) -> None:
        tenant = self.graph.tenant
        for name, behaviour in BEHAVIOURS.items():
            tenant.add_retention_label(name, behaviour)
        number = sum(1 for _ in tenant.sites())
        self.site = tenant.add_site(f"Site {number}", path=f"/sites/site{number}")
        if self.is_onedrive:
            self.drive = tenant.add_user(f"ann{number}@contoso.example", mailbox=False).drive
            self.site = self.drive.site
        else:
            self.drive = self.site.add_library("Documents")
        self.drive.columns.add("state")
        self.app = tenant.add_app(self.roles)
        self.ticks = Ticks(self.graph)
        self.scope = Scope("documents", self.drive.id)
        self.began = len(self.graph.log)
        self.restart()
        self.connector = DriveConnector(self.client(), Wanted(sites=(self.site.web_url,)))

    def client(self) -> Graph:
        gate = TenantGate(None, now=self.ticks.now, sleep=self.ticks.sleep)
        return Graph(
            AppTokens(self.graph, self.app),
            gate,
            root=self.graph.graph_url,
            ca_file=self.graph.ca_file,
            acting=True,
            sleep=self.ticks.sleep,
        )

    def restart(self) -> Keeping:
        self.keeping = DriveKeeping(
            self.client(),
            officers=self.officers,
            client_id=self.app.client_id,
            permanently=self.permanently,
            now=self.ticks.now,
        )
        return self.keeping

    # What people do

    def put(self, path: bytes, content: bytes) -> None:
        self.drive.put(path.decode(), content)

    def remove(self, path: bytes) -> None:
        self.drive.remove(self.drive.id_of(path.decode()))

    def move(self, path: bytes, to: bytes) -> None:
        self.drive.move(self.drive.id_of(path.decode()), to.decode())

    def change(self, file_id: bytes, content: bytes) -> None:
        path = self.drive.path_of(file_id.decode())
        assert path is not None
        self.drive.put(path, content)

    def carry_off(self, file_id: bytes, path: bytes) -> None:
        self.drive.move(file_id.decode(), path.decode())

    def protect(self, file_id: bytes, error: type[ConnectorError] | None) -> None:
        id = file_id.decode()
        if error is None:
            self.drive.label(id, None)
            self.drive.unlock(id)
            self.drive.check_in(id)
        elif error is CheckedOut:
            self.drive.check_out(id, "ann@contoso.example")
        elif error is LockedAtSource:
            self.drive.lock(id)
        else:
            self.drive.label(id, {HeldAtSource: RETAINED, RecordAtSource: RECORD}[error])

    # How things are

    def item(self, path: bytes) -> Target:
        entry = self.drive.entry(self.drive.id_of(path.decode()))
        assert entry is not None
        folder, _, name = path.rpartition(b"/")
        version = Version(entry.id, entry.etag, self._content_of(entry.id))
        return Target(entry.id.encode(), ItemRef(folder, name), entry.parent_id.encode(), version.encode())

    def _content_of(self, id: str) -> str:
        node = self.drive.node(id)
        assert node is not None
        hashes = {"quickXorHash": node.hash} if self.drive.quirks.hashes else {}
        return content_of({"size": node.size, "file": {"hashes": hashes}})

    def reach(self, file_id: bytes) -> ItemRef | None:
        path = self.drive.path_of(file_id.decode())
        if path is None:
            return None
        if path.startswith(f"{QUARANTINE_NAME}/") and self.reached_by(file_id) <= set(self.officers):
            return None
        folder, _, name = path.rpartition("/")
        return ItemRef(folder.encode(), name.encode())

    def reached_by(self, file_id: bytes) -> set[str]:
        """Addresses of people, names of groups, scopes of links."""
        permissions = self.drive.permissions_of(file_id.decode())
        return {each.scope or each.group or (each.person.address if each.person else "") for each in permissions}

    def content(self, file_id: bytes) -> bytes:
        return self.drive.content(file_id.decode())

    def in_quarantine(self) -> dict[str, str]:
        """Names of what lies in the quarantine folder, with the ids."""
        return {
            entry.path.partition("/")[2]: entry.id
            for entry in self.drive.items()
            if entry.path.startswith(f"{QUARANTINE_NAME}/")
        }

    def keep(self, target: Target, id: str) -> Kept:
        return self.keeping.keep(self.scope, target, id)

    # What was asked

    def calls(self, method: str | None = None, path: str = "") -> list[Call]:
        """Calls on this drive since it was made."""
        return [
            call
            for call in self.graph.log[self.began :]
            if call.path.startswith(f"/drives/{self.drive.id}")
            and method in (None, call.method)
            and re.search(path, unquote(call.path))
        ]

    def acts(self) -> list[Call]:
        """Calls that may have changed something."""
        return [call for call in self.calls() if call.method != "GET"]

    def meanwhile(
        self, method: str, path: str, deed: Callable[[], object], *, answered: bool = False, times: int = 1
    ) -> None:
        """Somebody does that when such a call on this drive comes: before it is carried out, or is answered."""
        moment: Literal["before", "after"] = "after" if answered else "before"
        at = f"^/drives/{re.escape(self.drive.id)}/{path}"
        self.graph.on_request(method, at, lambda _: deed(), times, moment)

    def fault(self, method: str, path: str, **how: Any) -> Fault:
        """That goes wrong with such calls on this drive."""
        return self.graph.faults.add(Fault(method=method, path=f"^/drives/{re.escape(self.drive.id)}/{path}", **how))


EDITED = b"agreed otherwise"


def a_kept_drive(graph: Emulator) -> Iterator[KeptDrive]:
    """For a fixture: a library with two items, and what held of all that was asked of it when the test has ended."""
    graph.faults.clear()
    kept = KeptDrive(graph)
    kept.put(CONTRACT, TEXT)
    kept.put(README, b"at the top")
    yield kept
    check_manners(kept)
    assert [call for call in graph.early_calls if call.app == kept.app.client_id] == []


def is_in_its_place(kept: KeptDrive, id: str, content: bytes = TEXT) -> bool:
    return kept.drive.path_of(id) == CONTRACT.decode() and kept.drive.content(id) == content


def is_kept(kept: KeptDrive, id: str, content: bytes = TEXT) -> bool:
    return id in kept.in_quarantine().values() and kept.drive.content(id) == content


def keep(kept: KeptDrive, path: bytes = CONTRACT, act: str = ID) -> Kept:
    return kept.keeping.keep(kept.scope, kept.item(path), act)


def kept_there(kept: KeptDrive, id: str) -> Kept | None:
    return kept.keeping.kept(kept.scope, id.encode(), ID)


def give_back(kept: KeptDrive, id: str, to: bytes = CONTRACT, folder_id: bytes = b"") -> GivenBack:
    folder, _, name = to.rpartition(b"/")
    return kept.keeping.give_back(kept.scope, id.encode(), ID, ItemRef(folder, name), folder_id)


def delete(kept: KeptDrive, there: Kept) -> Deleted:
    return kept.keeping.delete(kept.scope, there.file_id, there.id, there.version)


def refused(error: type[ConnectorError], attempt: Callable[[], object]) -> None:
    """It is refused with that very error, none of its kinds, in words that tell nothing of any item."""
    with pytest.raises(error) as refusal:
        attempt()
    assert refusal.type is error or refusal.type.__name__ == "Conflict"
    shown = repr(refusal.value)
    assert not any(word in shown for word in ("contract", "HR", "agreed", "localhost", "/drives/")), shown


def check_manners(kept: KeptDrive) -> None:
    """What holds of all that was ever asked of a drive: every act on an item follows a look at that very item, carries
    its condition, forces nothing, and names nothing by its path."""
    looked_at = ""
    put_off = False  # the last act was refused before anything came of it, and is sent again within seconds
    for call in kept.calls():
        path = call.path.removeprefix(f"/drives/{kept.drive.id}")
        assert ":" not in path, "addressed by path"
        assert "prefer" not in call.headers, "a preference might force something"
        item, _, what = path.removeprefix("/items/").partition("/")
        if call.method == "GET":
            looked_at = item if what == "" and "eTag" in call.query.get("$select", "") else looked_at
            continue
        act = (call.method, "permissions" if what.startswith("permissions/") else what)
        assert act in _KNOWN_ACTS, f"an act of another kind: {act}"
        if act in _CONDITIONAL:
            assert call.headers.get("If-Match"), f"no condition: {act}"
        if act in _ON_ITEMS:
            assert looked_at == item or put_off, f"not looked at right before: {act}"
            looked_at, put_off = "", call.status in (401, 429)  # one act, one look
        if act == ("PATCH", ""):
            assert call.query == {"@microsoft.graph.conflictBehavior": "fail"}
        if act == ("PATCH", "retentionLabel"):
            assert set(call.json) == {"name"}


_CONDITIONAL = {("PATCH", ""), ("DELETE", ""), ("PATCH", "listItem/fields"), ("POST", "permanentDelete")}
_ON_ITEMS = _CONDITIONAL | {("PATCH", "retentionLabel")}
_KNOWN_ACTS = _ON_ITEMS | {("POST", "children"), ("POST", "invite"), ("DELETE", "permissions")}

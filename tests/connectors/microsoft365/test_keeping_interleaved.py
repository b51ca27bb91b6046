"""Whatever people do and whenever they do it: nothing is lost that was not decided on.

People's deeds come in at any request of ours, before it is carried out or right after. In the end it is asked of the
tenant itself, not of what we were told, what has become of every content that somebody ever gave the item.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import ItemRef
from connectors.errors import ConnectorError, ItemChanged, PlaceTaken, SourceFault
from connectors.keeping import Deleted, Kept, Target
from connectors.microsoft365.restricted import QUARANTINE_NAME
from connectors.testing_kept import CONTRACT, ID, TEXT
from tests.connectors.microsoft365.kept_drive import FREE, OFFICER, RECORD, RETAINED, KeptDrive, check_manners
from tests.emulator import Emulator
from tests.emulator.http import Request

EXAMPLES = 200 if "RETENTIOND_TEST_LONG" in os.environ else 20

PATH = CONTRACT.decode()
SLOW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def graph() -> Iterator[Emulator]:
    with Emulator() as graph:
        yield graph


@dataclass
class People:
    """Those who work on one item while we act on it. A deed is done when its turn comes, whatever is asked then."""

    kept: KeptDrive
    id: str
    plan: dict[tuple[int, str], str]
    written: bytes = TEXT  # the content that the item had last, as people see it
    removed: bool = False  # by a person
    _asked: int = field(default=0, init=False)

    def begin(self) -> None:
        for moment in ("before", "after"):
            self.kept.graph.on_request(None, self.kept.drive.id, self._turn(moment), None, moment)  # type: ignore[arg-type]

    def end(self) -> None:
        self.plan.clear()

    def _turn(self, moment: str) -> Callable[[Request], None]:
        def turn(request: Request) -> None:
            if moment == "before":
                self._asked += 1
            if _is_right_before_deleting_permanently(request, moment):
                return  # the one moment for which the service gives us no condition
            deed = self.plan.pop((self._asked, moment), None)
            if deed is not None and self.kept.drive.path_of(self.id) is not None:
                self._do(deed)

        return turn

    def _do(self, deed: str) -> None:
        drive, path = self.kept.drive, self.kept.drive.path_of(self.id)
        assert path is not None
        match deed:
            case "edit":
                self.written = f"words {len(self.plan)} of {self._asked}".encode()
                drive.put(path, self.written)
            case "rename":
                drive.rename(self.id, f"renamed {self._asked}.txt")
            case "carry_off":
                drive.move(self.id, f"Mine/{self._asked}.txt")
            case "take_back":
                if PATH not in {entry.path for entry in drive.items()}:
                    drive.move(self.id, PATH)
            case "record" | "retain" | "free" | "unlabel":
                drive.label(self.id, {"record": RECORD, "retain": RETAINED, "free": FREE, "unlabel": None}[deed])
            case "check_out":
                drive.check_out(self.id, "ann@contoso.example")
            case "lock":
                drive.lock(self.id)
            case "share":
                drive.share(self.id, "anonymous")
            case "move_folder":
                if path == PATH:
                    drive.move(drive.id_of("HR"), f"People {self._asked}")
            case "remove_folder":
                drive.folder("HR")
                if not path.startswith("HR/"):
                    drive.remove(drive.id_of("HR"))
            case "occupy":
                if path != PATH and PATH not in {entry.path for entry in drive.items()}:
                    drive.put(PATH, b"somebody else's")
            case "remove":
                drive.remove(self.id)
                self.removed = True
            case _:
                raise AssertionError(deed)


def _is_right_before_deleting_permanently(request: Request, moment: str) -> bool:
    if moment == "before":
        return request.path.endswith("/permanentDelete")
    return request.query.get("$select") == "id,eTag"


DEEDS = st.sampled_from(
    [
        "edit", "edit", "edit", "rename", "carry_off", "take_back", "record", "retain", "free", "unlabel", "check_out",
        "lock", "share", "move_folder", "remove_folder", "occupy", "remove",
    ]
)  # fmt: skip
# The folder is looked for and proved with the first six requests; then the item is looked at, moved and deleted.
MOMENTS = st.tuples(st.integers(1, 20) | st.integers(7, 15), st.sampled_from(["before", "after"]))
PLANS = st.dictionaries(MOMENTS, DEEDS, min_size=1, max_size=4)


class TestWhateverPeopleDo:
    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_an_edit_at_whatever_moment_is_not_deleted(self, graph: Emulator, moment: str) -> None:
        for number in range(1, 21):
            for permanently in (True, False):
                plan = {(number, moment): "edit"}
                self.only_what_was_decided_on(graph, plan, permanently=permanently, conditions=True)

    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_an_edit_at_whatever_moment_is_not_taken_for_our_mark(self, graph: Emulator, moment: str) -> None:
        for number in range(1, 13):
            self.no_edit_passes_for_ours(graph, {(number, moment): "edit"}, rewrites=False)

    @SLOW
    @given(plan=PLANS, permanently=st.booleans(), conditions=st.booleans())
    def test_only_what_was_decided_on_is_deleted(
        self, graph: Emulator, plan: dict[tuple[int, str], str], permanently: bool, conditions: bool
    ) -> None:
        self.only_what_was_decided_on(graph, plan, permanently=permanently, conditions=conditions)

    @staticmethod
    def only_what_was_decided_on(
        graph: Emulator, plan: dict[tuple[int, str], str], *, permanently: bool, conditions: bool
    ) -> None:
        kept, people = _start(graph, plan, permanently=permanently)
        kept.drive.quirks.conditions = conditions
        target = kept.item(CONTRACT)
        people.begin()
        there, deleted = _keep_and_delete(kept, target)
        people.end()

        if deleted is not None and deleted.method != "nothing_there":
            assert kept.drive.path_of(people.id) is None, "said to be deleted, and still there"
            if conditions or permanently:
                assert people.written == TEXT, "words were deleted that nobody had decided on"
        elif not people.removed and kept.drive.path_of(people.id) is None:
            recycled = kept.site.recycle_bin.of(people.id)
            raise AssertionError(f"gone without a word, recycled: {recycled is not None}")
        if kept.drive.path_of(people.id) is not None:
            assert kept.drive.content(people.id) == people.written
            assert deleted is None, "said to be gone, and still there"
        _check_the_rest(kept, people, there)

    @SLOW
    @given(plan=PLANS)
    def test_what_is_taken_and_given_back_is_never_lost(
        self, graph: Emulator, plan: dict[tuple[int, str], str]
    ) -> None:
        kept, people = _start(graph, plan)
        target = kept.item(CONTRACT)
        people.begin()
        there: Kept | None = None
        with suppress(ConnectorError):
            there = kept.keeping.keep(kept.scope, target, ID)
        with suppress(ConnectorError):
            kept.keeping.give_back(kept.scope, target.file_id, ID, target.ref, target.folder_id)
        people.end()

        assert people.removed or kept.drive.content(people.id) == people.written
        _check_the_rest(kept, people, there)

    @SLOW
    @given(plan=PLANS, rewrites=st.booleans())
    def test_labels_and_marks_never_pass_an_edit_for_ours(
        self, graph: Emulator, plan: dict[tuple[int, str], str], rewrites: bool
    ) -> None:
        self.no_edit_passes_for_ours(graph, plan, rewrites=rewrites)

    @staticmethod
    def no_edit_passes_for_ours(graph: Emulator, plan: dict[tuple[int, str], str], *, rewrites: bool) -> None:
        kept, people = _start(graph, plan)
        kept.drive.quirks.office_rewrites = rewrites
        target = kept.item(CONTRACT)
        people.begin()
        versions = [target.version]
        with suppress(ConnectorError):
            versions.append(kept.keeping.label(kept.scope, target, FREE))
            then = Target(target.file_id, target.ref, target.folder_id, versions[-1])
            versions.append(kept.keeping.mark(kept.scope, then, {"state": "due"}))
        people.end()

        if not people.removed:
            assert kept.drive.content(people.id) == people.written
            entry = kept.drive.entry(people.id)
            assert entry is not None
            if entry.path == PATH and kept.item(CONTRACT).version == versions[-1]:
                assert people.written == TEXT


def _start(graph: Emulator, plan: dict[tuple[int, str], str], *, permanently: bool = True) -> tuple[KeptDrive, People]:
    kept = KeptDrive(graph, permanently=permanently)
    kept.put(CONTRACT, TEXT)
    kept.drive.restrict(kept.drive.folder(QUARANTINE_NAME), OFFICER)
    return kept, People(kept, kept.drive.id_of(PATH), dict(plan))


def _keep_and_delete(kept: KeptDrive, target: Target) -> tuple[Kept | None, Deleted | None]:
    """As a caller goes about it: what may have moved is asked for and given back, the rest is deleted."""
    keeping = kept.keeping
    try:
        there = keeping.keep(kept.scope, target, ID)
    except (SourceFault, ItemChanged, PlaceTaken):
        with suppress(ConnectorError):
            if keeping.kept(kept.scope, target.file_id, ID) is not None:
                keeping.give_back(kept.scope, target.file_id, ID, target.ref, target.folder_id)
        return None, None
    except ConnectorError:
        path = kept.drive.path_of(target.file_id.decode())
        assert path is None or not path.startswith(f"{QUARANTINE_NAME}/"), "said not to have moved, and has"
        return None, None
    try:
        return there, keeping.delete(kept.scope, there.file_id, ID, there.version)
    except ConnectorError:
        return there, None


def _check_the_rest(kept: KeptDrive, people: People, there: Kept | None) -> None:
    """Others' items are as they were, and records were never touched."""
    for entry in kept.drive.items():
        if not entry.is_folder and entry.id != people.id:
            assert kept.drive.content(entry.id) == b"somebody else's"
    assert kept.graph.violations == []
    check_manners(kept)
    assert there is None or there.file_id == people.id.encode()
    assert ItemRef(b"HR", b"contract.txt").path == CONTRACT

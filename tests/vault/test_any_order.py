"""A machine that does everything in any order, and looks each time whether all is as it should be."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent.vault.base import Fate, KeyGone, NoSpace, Strays
from agent.vault.disk import Disk
from agent.vault.keys import RootKey
from tests.vault.factories import (
    MONDAY,
    ROOT,
    an_id,
    assert_readable,
    make,
    opened,
    put,
)


class AnyOrder(RuleBasedStateMachine):
    """Whatever is done in whatever order: sealed is readable, destroyed is not, erased means its epochs are gone."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.directory = Path(tempfile.mkdtemp(prefix="vault-test-"))
        self.place = self.directory / "vault"
        disk = Disk()
        disk.sync = lambda descriptor: None  # type: ignore[method-assign]
        self.disk = disk
        make(self.place, disk)
        self.root = ROOT
        self.vault = opened(self.place, disk)
        self.fates: dict[str, Fate] = {}
        self.day = MONDAY
        self.next = 0

    def of(self, *fates: Fate) -> list[str]:
        return sorted(id for id, fate in self.fates.items() if fate in fates)

    @rule(days=st.integers(0, 2))
    def time_passes(self, days: int) -> None:
        self.day += timedelta(days)

    @precondition(lambda self: self.next < 200)
    @rule()
    def seal(self) -> None:
        id = an_id(self.next)
        self.next += 1
        try:
            put(self.vault, id, on=self.day)
        except NoSpace:
            self.ceremony()
        else:
            self.fates[id] = Fate.SEALED

    @precondition(lambda self: self.of(Fate.SEALED))
    @rule(data=st.data())
    def destroy(self, data: st.DataObject) -> None:
        ids = data.draw(st.lists(st.sampled_from(self.of(*set(self.fates.values()))), min_size=1, max_size=4))
        self.vault.remove(*ids)
        for id in ids:
            if self.fates[id] is Fate.SEALED:
                self.fates[id] = Fate.DESTROYED

    @precondition(lambda self: self.of(Fate.SEALED))
    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(self.of(Fate.SEALED)))
        self.vault.discard(id)
        del self.fates[id]

    @rule()
    def ceremony(self) -> None:
        told = self.vault.erase(self.day)
        for id in self.of(Fate.DESTROYED):
            self.fates[id] = Fate.ERASED
        assert list(told.erased) == self.of(Fate.ERASED)

    @precondition(lambda self: self.of(Fate.ERASED))
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(self.of(Fate.ERASED)))
        self.vault.forget(id)
        del self.fates[id]

    @rule(secret=st.binary(min_size=32, max_size=32))
    def change_root(self, secret: bytes) -> None:
        self.vault.close()
        former, self.root = self.root, RootKey(secret)
        self.vault = opened(self.place, self.disk, root=self.root, former=former)

    @rule()
    def reopen(self) -> None:
        self.vault.close()
        self.vault = opened(self.place, self.disk, root=self.root)

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        assert {entry.id: entry.fate for entry in self.vault.entries()} == self.fates
        assert self.vault.strays() == Strays()
        assert_readable(self.vault, *self.of(Fate.SEALED))
        for id in self.of(Fate.DESTROYED, Fate.ERASED):
            with pytest.raises(KeyGone):
                self.vault.metadata(id)

    def teardown(self) -> None:
        self.vault.close()
        shutil.rmtree(self.directory)


AnyOrder.TestCase.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
test_in_any_order = pytest.mark.slow(AnyOrder.TestCase)

"""The contract that every holding passes. A suite of tests: derive from it and say how a source is made."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.base import Scope
from connectors.errors import ScopeUnavailable
from connectors.testing_acting import AWKWARD, CONTRACT, ID, OTHER_ID, TEXT, HeldSource, fills, sha256
from connectors.testing_making import MakingContract
from connectors.testing_taking import TakingContract


class HoldingContract(TakingContract, MakingContract):
    """Derive, override the fixture `source`, and every test below, and those of both parts, judges the holding."""

    def test_another_source_under_the_same_name_is_left_alone(self, filled: HeldSource) -> None:
        other = Scope(self._scope(filled).name, "another identity")
        item = self._items(filled)[CONTRACT]
        properties = self._take(filled, AWKWARD)
        holding = filled.holding
        attempts: list[Callable[[], object]] = [
            lambda: holding.take(other, CONTRACT, item.version, OTHER_ID),
            lambda: holding.taken(other, ID),
            lambda: holding.put_back(other, ID, AWKWARD),
            lambda: holding.let_go(other, ID),
            lambda: [*holding.in_hold(other)],
            lambda: holding.make(other, AWKWARD, properties, fills(TEXT), sha256(TEXT)),
            lambda: holding.version_at(other, CONTRACT, sha256(TEXT)),
            lambda: holding.mark(other, CONTRACT, item.version, {"state": "due"}),
        ]
        for attempt in attempts:
            with pytest.raises(ScopeUnavailable):
                attempt()
        assert self._items(filled)[CONTRACT] == item
        assert AWKWARD not in self._items(filled)
        assert self._held(filled) == b"a name that is no text"

    def test_a_holding_may_be_closed_twice(self, filled: HeldSource) -> None:
        self._take(filled)
        filled.holding.close()
        filled.holding.close()

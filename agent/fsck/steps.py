"""Whether a disposal came step by step to where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.fsck.rows import Disposal, Step
from agent.model.disposal import STEPS, DisposalState

_STATES = frozenset(map(str, DisposalState))
_ALLOWED = {"": {DisposalState.PLANNED.value}, **{str(before): set(map(str, after)) for before, after in STEPS.items()}}


def chain_faults(disposal: Disposal, item: int, steps: Iterable[Step]) -> Iterator[str]:
    """What is wrong with the steps, as sentences without the beginning that names the item."""
    came_to = ""
    for step in steps:
        if step.item != item:
            yield f"step {step.number} of its disposal {disposal.number} is recorded of another item"
        if step.before != came_to:
            yield (
                f"step {step.number} of its disposal {disposal.number} goes on from {_word(step.before)}, though the "
                f"disposal had come to {_word(came_to)}: a step is missing or was changed"
            )
        elif step.after not in _ALLOWED.get(step.before, ()):
            yield (
                f"step {step.number} of its disposal {disposal.number} goes from {_word(step.before)} to "
                f"{_word(step.after)}, which no disposal may"
            )
        came_to = step.after
    if came_to != disposal.state:
        yield (
            f"its disposal {disposal.number} is recorded as {_word(disposal.state)}, but its steps came to "
            f"{_word(came_to)}"
        )


def _word(state: str) -> str:
    if state:
        return state if state in _STATES else "no known state"
    return "nothing"

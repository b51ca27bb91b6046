"""Who is told what people have recorded, in the transaction that records it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agent.model.disposal import CertificateIssued, DisposalStep, Pause
from agent.model.event import RecordedEvent
from agent.model.hold import Hold
from agent.model.review import ReviewAct

Testimony = RecordedEvent | Hold | ReviewAct | DisposalStep | Pause | CertificateIssued

# Gets the open connection and the facts as they have just been written; what it raises undoes the whole.
Witness = Callable[[Any, Sequence[Testimony]], None]


def no_witness(connection: Any, facts: Sequence[Testimony]) -> None:
    """Nobody is told."""

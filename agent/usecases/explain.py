"""Everything that is known of one item, and why it must stay or go on a given day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from agent.catalogue.base import LARGEST_NUMBER, Share
from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.model.finding import Finding
from agent.model.record import Record
from agent.retention.provenance import DateEvidence, evidence
from agent.usecases.evaluate import Evaluated, Evaluation, Terms
from connectors.base import ItemRef, read_name, show_name


@dataclass(frozen=True, slots=True)
class Explanation:
    """One item's facts, findings (without values) and decision, and how sure each of its dates is."""

    share: Share
    ref: ItemRef
    evaluated: Evaluated
    findings: tuple[Finding, ...]
    dates: tuple[DateEvidence, ...]


def explain_item(catalogue: Catalogue, terms: Terms, path: bytes, as_of: date) -> Explanation:
    """The explanation of the item at an absolute `path`. Raises `UsageError` if no scan has seen it."""
    places = places_of(catalogue, path)
    for share, ref in places:
        record = catalogue.record(share, ref, terms.schedule.captured_types)
        if record is not None:
            return _explained(catalogue, terms, share, ref, record, as_of)
    raise unseen(path, anywhere=bool(places))


def places_of(catalogue: Catalogue, path: bytes) -> tuple[tuple[Share, ItemRef], ...]:
    """Where in which share an absolute path lies: a share inside a share knows its items best, so the deepest first."""
    shares = [
        (share, location.rstrip(b"/") + b"/")
        for share in catalogue.shares()
        if path.startswith((location := read_name(share.location)).rstrip(b"/") + b"/")
    ]
    shares.sort(key=lambda place: len(place[1]), reverse=True)
    places = []
    for share, location in shares:
        folder, _, name = path[len(location) :].rpartition(b"/")
        places.append((share, ItemRef(folder, name)))
    return tuple(places)


def unseen(path: bytes, *, anywhere: bool) -> UsageError:
    """What to say of a path at which the catalogue has no item; `anywhere` says that a share lies around it."""
    if not anywhere:
        return UsageError(
            f"{show_name(path)}: this lies in no folder that has been scanned. Run: retentiond scan FOLDER"
        )
    return UsageError(
        f"{show_name(path)}: no scan has seen this item. Is the name right, and is it newer than the scan?"
    )


def explain_number(catalogue: Catalogue, terms: Terms, number: int, as_of: date) -> Explanation:
    """The explanation of the item of that number in the catalogue. Raises `UsageError` if there is none."""
    found = catalogue.item(number, terms.schedule.captured_types) if number <= LARGEST_NUMBER else None
    if found is None:
        raise UsageError(f"There is no item number {number} in the catalogue, or it is gone from its share.")
    return _explained(catalogue, terms, *found, as_of)


def _explained(
    catalogue: Catalogue, terms: Terms, share: Share, ref: ItemRef, record: Record, as_of: date
) -> Explanation:
    evaluated = Evaluation(catalogue, terms, as_of).of(record)
    return Explanation(
        share, ref, evaluated, catalogue.findings(share, ref), evidence(record, terms.schedule.time_zone, as_of)
    )

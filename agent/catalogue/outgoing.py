"""What goes out of the house for good, as the catalogue keeps it: exports handed back, and certificates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from agent.catalogue.database import Database
from agent.catalogue.disposal_tables import bundle, certificate, disposal
from agent.catalogue.reading import moment
from agent.catalogue.recording import microseconds
from agent.errors import UsageError
from agent.model.disposal import CertificateIssued


@dataclass(frozen=True, slots=True)
class Bundle:
    """An export for a recipient, whose items may go once it is confirmed. `sha256` is that of the encrypted file."""

    number: int
    recipient: str
    file_name: str
    sha256: bytes
    size_bytes: int
    items: int
    made_at: datetime
    made_by: str
    confirmed_at: datetime | None = None
    confirmed_by: str = ""
    confirmed_why: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate of destruction as it was issued; `document` is the signed JSON."""

    id: str
    issued_at: datetime
    issued_by: str
    items: int
    document: bytes


class BundleRecords:
    """The exports of one catalogue. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: Bundle, disposals: Iterable[int]) -> Bundle:
        """Records an export that is whole and durable, and that these disposals are in it; gives it with its number."""
        with self._database.transaction() as connection:
            row = {
                "recipient": new.recipient,
                "file_name": new.file_name,
                "sha256": new.sha256,
                "size_bytes": new.size_bytes,
                "items": new.items,
                "made_at": microseconds(new.made_at),
                "made_by": new.made_by,
            }
            connection.execute(bundle.insert().values(row))
            added = self.all()[-1]
            for number in disposals:
                connection.execute(disposal.update().where(disposal.c.id == number).values(bundle_id=added.number))
            return added

    def confirm(self, number: int, at: datetime, by: str, why: str) -> Bundle:
        """Records that the recipient has it. Raises `UsageError` if there is no such export, or that is known."""
        with self._database.transaction() as connection:
            found = next((one for one in self.all() if one.number == number), None)
            if found is None:
                raise UsageError(f"There is no export {number}. See them:  retentiond dispose exports")
            if found.confirmed_at is not None:
                raise UsageError(
                    f"Export {number} was confirmed on {found.confirmed_at:%Y-%m-%d} by {found.confirmed_by}."
                )
            said = {"confirmed_at": microseconds(at), "confirmed_by": by, "confirmed_why": why}
            connection.execute(bundle.update().where(bundle.c.id == number).values(said))
            return next(one for one in self.all() if one.number == number)

    def all(self) -> tuple[Bundle, ...]:
        """Every export ever made, in the order of making."""
        with self._database.faults():
            return tuple(map(_bundle, self._database.connection.execute(select(bundle).order_by(bundle.c.id))))


class CertificateRecords:
    """The certificates of one catalogue. Every call may raise `CatalogueError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: Issued, disposals: Iterable[int]) -> None:
        """Records a certificate, and that these disposals are on it."""
        with self._database.transaction() as connection:
            row = {
                "id": new.id,
                "issued_at": microseconds(new.issued_at),
                "issued_by": new.issued_by,
                "items": new.items,
                "document": new.document,
            }
            connection.execute(certificate.insert().values(row))
            for number in disposals:
                connection.execute(disposal.update().where(disposal.c.id == number).values(certificate_id=new.id))
            self._database.testify([self._fact(new)])

    @staticmethod
    def _fact(one: Issued) -> CertificateIssued:
        return CertificateIssued(one.id, one.issued_at, one.issued_by, one.items, sha256(one.document).digest())

    def facts(self) -> Iterator[CertificateIssued]:
        """What the audit log vouches for of each certificate."""
        return map(self._fact, self.all())

    def all(self) -> tuple[Issued, ...]:
        """Every certificate, in the order of issue."""
        query = select(certificate).order_by(certificate.c.issued_at, certificate.c.id)
        with self._database.faults():
            rows = self._database.connection.execute(query).all()
        return tuple(Issued(row.id, moment(row.issued_at), row.issued_by, row.items, row.document) for row in rows)

    def get(self, id: str) -> Issued | None:
        """The certificate of that id, or the only one whose id begins so."""
        found = [one for one in self.all() if one.id.startswith(id.lower())]
        return found[0] if len(found) == 1 else None


def _bundle(row: Any) -> Bundle:
    confirmed_at = None if row.confirmed_at is None else moment(row.confirmed_at)
    return Bundle(
        row.id,
        row.recipient,
        row.file_name,
        row.sha256,
        row.size_bytes,
        row.items,
        moment(row.made_at),
        row.made_by,
        confirmed_at,
        row.confirmed_by,
        row.confirmed_why,
    )

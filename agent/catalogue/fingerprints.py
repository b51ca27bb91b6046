"""Under which versions documents were analysed, and which of those are still in force."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from agent.catalogue.tables import fingerprint
from agent.model.analysis_version import AnalysisVersion


def fingerprint_of(
    connection: Connection, version: AnalysisVersion, formats: Collection[str], *, with_text: bool
) -> int:
    """The row that stands for documents with these formats, analysed under that version; made if there is none."""
    name = version.of(formats, with_text=with_text)
    found = connection.scalar(select(fingerprint.c.id).where(fingerprint.c.text == name))
    if found is not None:
        return int(found)
    values = {"text": name, "formats": " ".join(sorted(formats)), "with_text": with_text}
    made = connection.execute(fingerprint.insert().values(values))
    return int(made.inserted_primary_key[0])  # type: ignore[index]


def in_force(connection: Connection, version: AnalysisVersion) -> list[int]:
    """The rows that would be the same today: what was analysed under them need not be analysed again."""
    rows = connection.execute(select(fingerprint)).all()
    return [row.id for row in rows if row.text == version.of(row.formats.split(), with_text=row.with_text)]

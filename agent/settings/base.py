"""What several sections of the settings have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from agent.timetable.cron import check_cron
from agent.timetable.window import read_window


class Section(BaseModel):
    """A part of the settings: a key that is not known is an error, and nothing is taken for what it only looks like."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CopySettings(Section):
    """What else keeps copies of a share's files, and for how many days at most after they are gone from it."""

    kind: Literal["snapshot", "backup", "replica"]
    what: str = Field(min_length=1)
    days: int | None = Field(default=None, ge=0, le=36_500)


def _hours(value: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    spans = (value,) if isinstance(value, str) else tuple(value)
    read_window(spans)
    return spans


Cron = Annotated[str, AfterValidator(check_cron)]
Hours = Annotated[tuple[str, ...], BeforeValidator(_hours), Field(strict=False)]
StoredIn = tuple[
    Literal["server", "cloud", "local_drive", "personal_device", "removable", "outside_uk", "outside_eea"], ...
]

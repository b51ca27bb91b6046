"""What most commands begin with: the catalogue that the options name, and the terms on which it is judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.catalogue.store import Catalogue
    from agent.usecases.evaluate import Terms


@contextmanager
def opened(state: Path | None, config: Path | None, schedule: str | None) -> Iterator[tuple[Catalogue, Terms]]:
    """The catalogue that is there already, open, and the terms: schedule, form of keys, places of shares."""
    from agent import bootstrap

    settings = bootstrap.settings_from(config)
    directory = bootstrap.state_directory(state, settings, create=False)
    rules = bootstrap.schedule_from(schedule or settings.schedule)
    with bootstrap.open_catalogue(directory) as catalogue:
        yield catalogue, bootstrap.terms_of(rules, settings, directory)

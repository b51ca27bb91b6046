"""A state directory with things that are due, settings with three reviewers, and the command as each of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from agent import bootstrap
from agent.catalogue.store import Catalogue
from agent.cli.review import review_app
from agent.model.review import ActKind
from tests.usecases.review_office import PEOPLE, SCHEDULE, a_file, an_office

TWIN = b"t" * 32
CASE, CASE_2, LETTER, OLDER, COPY, DROPPED = range(1, 7)


class Office:
    """A state directory, settings with three reviewers, and the command as each of them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self._folder = folder
        self._by = "ann"
        monkeypatch.setattr(bootstrap, "who", lambda: self._by)
        (folder / "schedule.yaml").write_text(SCHEDULE)
        self.settings(days=30)
        files = (
            a_file("Cases/1/a.pdf", content=TWIN),
            "Cases/2/b.pdf",
            "Letters/c.pdf",
            replace(a_file("Older/d.pdf"), findings=()),
            a_file("Young/copy.pdf", content=TWIN),
            "Drop/g.pdf",
        )
        an_office(self.state / "catalogue.sqlite", files).close()

    def settings(self, days: int) -> None:
        people = [{"name": one.name, "roles": [*one.roles], "email": one.email or None} for one in PEOPLE]
        settings = {"reviewers": people, "reviews": {"overdue_after_days": days}, "disposition": {"mode": "propose"}}
        text = yaml.safe_dump(settings)
        (self._folder / "settings.yaml").write_text(text)

    def as_(self, by: str) -> Office:
        self._by = by
        return self

    def run(self, *arguments: str | Path | int, answer: str | bytes = "") -> str:
        """What the command printed on standard output; an error of it is raised."""
        options = [f"--state={self.state}", f"--config={self._folder / 'settings.yaml'}"]
        options.append(f"--schedule={self._folder / 'schedule.yaml'}")
        given = [*map(str, arguments), *options]
        done = CliRunner().invoke(review_app, given, input=answer, env={"COLUMNS": "250"})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    def json(self, *arguments: str | Path | int, answer: str = "") -> Any:
        return json.loads(self.run(*arguments, "--json", answer=answer))

    def acts(self) -> list[tuple[str, int, ActKind]]:
        with self.catalogue() as catalogue:
            return [(act.by, act.item_id, act.kind) for act in catalogue.reviews.all()]

    def catalogue(self) -> Catalogue:
        return bootstrap.open_catalogue(self.state)

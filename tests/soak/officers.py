"""People who use the command: reviewers, whoever places holds, and an administrator."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.base import ItemRef
from connectors.filesystem.facts import version_of
from tests.soak.book import Book
from tests.soak.command import Command
from tests.soak.findings import Findings
from tests.soak.place import ADMINISTRATOR, AREAS, DUE, OFFICER, READER, SHARE, Place

_REASON = ("--reason", "looked at it carefully")
_MOST_HOLDS = 3

Act = Callable[[], None]


class Officers:
    """All of them, by chance of a seed."""

    def __init__(self, place: Place, book: Book, command: Command, findings: Findings, chance: random.Random) -> None:
        self._place = place
        self._book = book
        self._command = command
        self._findings = findings
        self._chance = chance
        self._holds = 0

    @property
    def acts(self) -> Mapping[Act, int]:
        """What they do, and how often each as against the others."""
        return {
            self.approve: 7,
            self.reject: 1,
            self.hold: 2,
            self.lift: 2,
            self.restore: 4,
            self.ask_for_disposition: 7,
            self.ask_for_another_job: 4,
            self.look_around: 1,
        }

    def approve(self) -> None:
        """What is due, by two people; the second one does not always come to it."""
        due = self._due()
        if not due:
            return
        chosen = self._chance.sample(due, min(len(due), self._chance.randint(1, 25)))
        before = {one["item"]: self._place.version_of(one["item"]) for one in chosen}
        for by in (READER, OFFICER) if self._chance.random() < 0.9 else (READER,):
            mine = {one["item"] for one in self._list(by, "--mine")}
            numbers = [one["item"] for one in chosen if one["item"] in mine]
            if numbers:
                self._command.run(by, "review", "approve", *numbers, *_REASON, "--yes")
                self._findings.did(f"approve as {by}", len(numbers))
        for one in chosen:
            self._note_approval(one, before[one["item"]])

    def _note_approval(self, one: Mapping[str, Any], before: bytes) -> None:
        """The book takes a file for approved only if it lies there as it was when it was agreed to; or not at all."""
        path = ItemRef.parse(one["path"]).path
        try:
            version = version_of(os.lstat(self._place.at(path)))
        except FileNotFoundError:
            self._book.approved(path)
            return
        if version in (before, self._place.version_of(one["item"])):
            self._book.approved(path)

    def reject(self) -> None:
        due = self._due()
        if due:
            numbers = [one["item"] for one in self._chance.sample(due, min(len(due), 3))]
            if self._command.run(READER, "review", "reject", *numbers, *_REASON, "--yes").good:
                self._findings.did("reject", len(numbers))

    def hold(self) -> None:
        if len(self._book.holds) >= _MOST_HOLDS:
            return
        self._holds += 1
        name, folder = f"Claim {self._holds}", DUE + b"/" + self._chance.choice(AREAS)
        answer = self._command.run(
            READER, "hold", "place", name, "--kind", "legal-hold", "--path", f"{folder.decode()}/**",
            "--citation", f"claim {self._holds}", *_REASON, "--yes",
        )  # fmt: skip
        if answer.good:
            self._book.held(name, folder)
            self._findings.did("place a hold")

    def lift(self) -> None:
        if self._book.holds:
            name = self._chance.choice([*self._book.holds])
            self._book.released(name)
            if self._command.run(READER, "hold", "lift", name, "--why", "the claim was settled", "--yes").good:
                self._findings.did("lift a hold")

    def restore(self) -> None:
        found = self._command.run(READER, "dispose", "list", "--json").facts().get("disposals", [])
        there = [one for one in found if one["state"] == "quarantined"]
        paths = {one["disposal"]: ItemRef.parse(one["path"]).path for one in there}
        chosen = self._chance.sample(sorted(paths), min(len(paths), self._chance.randint(1, 5)))
        if not chosen:
            return
        told = self._command.run(READER, "restore", *chosen, *_REASON, "--yes", "--json").facts()
        for one in told.get("restored", ()):
            if one["restored"]:
                self._book.restored(paths[one["disposal"]])

    def ask_for_disposition(self) -> None:
        self._ask("disposition")

    def ask_for_another_job(self) -> None:
        job = self._chance.choice(
            ("erasure", "erasure", "reconcile", "evaluate", "vault-sample", "backup", "checkpoint")
        )
        self._ask(job, *(("--share", SHARE) if job == "reconcile" else ()))

    def _ask(self, job: str, *options: str) -> None:
        if self._command.run(ADMINISTRATOR, "jobs", "run", job, *options).good:
            self._findings.did(f"ask for {job}")

    def look_around(self) -> None:
        """What monitoring and curious people do."""
        for words in (("status", "--json"), ("audit", "verify"), ("jobs", "log", "--json"), ("due", "--json")):
            self._command.run(ADMINISTRATOR, *words)
        self._findings.did("look around")

    def _due(self) -> Sequence[Mapping[str, Any]]:
        return [one for one in self._list(READER) if one["state"] in ("proposed", "in_review", "expired")]

    def _list(self, by: str, *options: str) -> Sequence[Mapping[str, Any]]:
        items: Sequence[Mapping[str, Any]] = (
            self._command.run(by, "review", "list", "--show", 1000, "--json", *options).facts().get("items", [])
        )
        return items

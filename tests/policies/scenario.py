"""An office under one policy, over the years: files that appear, things that happen, and how every file stands.

A scenario is a YAML file under `scenarios/`, named like the schedule it tries:

    files:
      - path: Cases/2019-014/Statements/Witness one.docx
        made: 2019-05-02            the day on which it is filed
        modified: 2019-04-30        if it was written earlier than filed
        text: |                     what is in it; names and numbers are invented
          ...
        labels: [used in report]    labels at the source
        class: final-report         a class assigned at the source
        keys: {person: A. Name}     keys in marks at the source
        copy_of: path               the same bytes as another file of the scenario, in place of a text
        share: laptops              another share than "office"
    storage: {laptops: [local_drive]}
    happened:
      - {date: 2019-07-15, event: case_closed, key: case, value: 2019-014}
      - {date: 2019-08-01, correct: case_closed, key: case, value: 2019-014, to: 2019-07-20}
      - {date: 2019-08-01, withdraw: case_closed, key: case, value: 2019-014}
      - {date: 2020-01-01, hold: Smith v Example, kind: legal_hold, path: "Cases/2019-014/**", citation: claim 123}
      - {date: 2021-01-01, lift: Smith v Example}
      - {date: 2025-07-16, extend: Cases/2019-014/Report/Final report.docx, until: 2026-07-16}
    asked: [2019-07-14, 2019-07-15, 2025-07-15, 2025-07-16]

The office is played day by day: what is made until then is scanned, by the real extraction and detection, what has
happened until then is recorded, and on every day asked about each file is decided on. What comes out is compared with
the golden file of the same name; `pytest tests/policies --golden-update` writes it, a person reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from agent.catalogue.events import NewEvent
from agent.catalogue.reviews import NewAct
from agent.catalogue.store import Catalogue
from agent.execution.inline import InlineExecutor
from agent.model.analysis_version import AnalysisVersion
from agent.model.condition import StorageKind
from agent.model.decision import CLASS_MARK, KEY_MARK, LABELS_MARK, Decision
from agent.model.event import Event
from agent.model.hold import Hold, HoldKind, HoldScope
from agent.model.key import KeyForm
from agent.model.review import ActKind
from agent.retention.loader import load_schedule
from agent.usecases.analyse import Analyst, Identify
from agent.usecases.evaluate import Evaluation, Terms
from agent.usecases.holds import Holds
from agent.usecases.scan import Scan
from agent.usecases.standing import basis, bring_up_to_date
from connectors.memory import MemoryConnector
from tests.catalogue.empty import empty_at
from tests.corpus.formats import docx, eml, pdf, xlsx

POLICIES = Path(__file__).parents[2] / "config" / "policies"
FOLDER = Path(__file__).with_name("scenarios")
GOLDEN = Path(__file__).with_name("golden")
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


class Office:
    """One scenario, played. `analyst` reads and searches documents, `identify` gives the identity of a value."""

    def __init__(self, name: str, catalogue: Path, analyst: Analyst, identify: Identify) -> None:
        self._script: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        policy = POLICIES / f"{name}.yaml"
        self.schedule = load_schedule(policy.read_text(encoding="utf-8"), policy.name)
        self._analyst = analyst
        storage = {
            share: frozenset(StorageKind(kind) for kind in kinds)
            for share, kinds in self._script.get("storage", {}).items()
        }
        self._terms = Terms(self.schedule, KeyForm(self.schedule.hidden_keys, identify), storage)
        self._shares: dict[str, MemoryConnector] = {}
        self._catalogue = Catalogue.open(empty_at(catalogue), create=False)
        self._played: date = date.min

    def close(self) -> None:
        self._catalogue.close()

    def play(self) -> dict[date, dict[str, Decision]]:
        """How every file stands on every day asked about, by its path."""
        return {day: self._on(day) for day in sorted(self._script["asked"])}

    def _on(self, day: date) -> dict[str, Decision]:
        made = [file for file in self._script["files"] if self._played < file["made"] <= day]
        # What is filed on one day is scanned on that day, so that "found" is the day it was filed.
        for moment in sorted({file["made"] for file in made}):
            for file in made:
                if file["made"] == moment:
                    self._share(file).put(file["path"].encode(), self._content(file), **_facts(file))
            for share in self._shares.values():
                self._scan(share, moment)
        for fact in self._script.get("happened", []):
            if self._played < fact["date"] <= day:
                self._happen(fact)
        self._played = day
        decisions = {entry.record.path: entry.decision for entry in Evaluation(self._catalogue, self._terms, day)}
        self._compare_with_standings(day, decisions)
        return decisions

    def _compare_with_standings(self, day: date, decisions: Mapping[str, Decision]) -> None:
        """What is kept of how items stand says the same as deciding anew."""
        bring_up_to_date(self._catalogue, self._terms, day)
        due = {str(standing.ref) for standing in self._catalogue.standings.due(day)}
        assert due == {path for path, decision in decisions.items() if decision.state == "due"}

    def _share(self, file: Mapping[str, Any]) -> MemoryConnector:
        name = file.get("share", "office")
        return self._shares.setdefault(name, MemoryConnector(name, identity=name))

    def _content(self, file: Mapping[str, Any]) -> bytes:
        while "copy_of" in file:
            file = next(other for other in self._script["files"] if other["path"] == file["copy_of"])
        return content_of(file["path"], file["text"])

    def _scan(self, share: MemoryConnector, day: date) -> None:
        clock = ticking(day)
        Scan(
            share,
            share.scope,
            f"/srv/{share.scope.name}",
            self._catalogue,
            InlineExecutor(self._analyst),
            AnalysisVersion("scenario", {}, "scenario"),
            lambda: next(clock),
            lambda items, size_bytes: None,
            self._terms.form.identify,
        ).run()

    def _happen(self, fact: Mapping[str, Any]) -> None:
        at = datetime(fact["date"].year, fact["date"].month, fact["date"].day, 9, tzinfo=UTC)
        if "hold" in fact:
            self._hold(fact, at)
            return
        if "lift" in fact:
            hold = self._catalogue.holds.get(fact["lift"])
            assert hold is not None, f"there is no hold {fact['lift']}"
            self._catalogue.holds.lift(hold.number, "officer", "it is over", at, fact.get("told"))
            return
        if "extend" in fact:
            self._extend(fact["extend"], fact["until"], at)
            return
        value = self._terms.form.of(fact["key"], fact["value"])
        if "event" in fact:
            event = Event(fact["event"], fact["key"], value, fact.get("on", fact["date"]))
            self._catalogue.events.add([NewEvent(event, "scenario")], at, "officer")
            return
        kind = fact.get("correct") or fact["withdraw"]
        number = next(
            recorded.number
            for recorded in self._catalogue.events.of(fact["key"], value)
            if recorded.event.type == kind and recorded.ended_at is None
        )
        if "correct" in fact:
            new = Event(kind, fact["key"], value, fact["to"])
            self._catalogue.events.correct(number, new, at, "officer", "the date was wrong")
        else:
            self._catalogue.events.withdraw(number, at, "officer", "it did not happen")

    def _extend(self, path: str, until: date, at: datetime) -> None:
        """A reviewer lets the file stay until that day, as far as its class allows."""
        bring_up_to_date(self._catalogue, self._terms, at.date())
        number = next(record.item_id for ref, record in self._catalogue.records() if str(ref) == path)
        item = self._catalogue.reviews.items([number])[number]
        grounds = item.grounds(basis(self._terms))
        reason = "it could matter in a claim"
        act = NewAct(number, ActKind.EXTEND, "reviewer", reason, grounds, item.newest_act, until=until)
        self._catalogue.reviews.add([act], at, "officer")

    def _hold(self, fact: Mapping[str, Any], at: datetime) -> None:
        keys = tuple((key, self._terms.form.of(key, value)) for key, value in fact.get("keys", {}).items())
        condition = yaml.safe_dump({"path": fact["path"]}) if "path" in fact else ""
        scope = HoldScope(condition, tuple(fact.get("classes", ())), keys)
        kind, citation = HoldKind(fact["kind"]), fact.get("citation", "")
        hold = Hold(0, fact["hold"], kind, scope, "a reason", citation, "officer", at, until_day=fact.get("until"))
        holds = Holds(self._catalogue, self._terms)
        holds.place(holds.work_out(hold, everything=False, progress=lambda items: None), lambda items: None)


def content_of(path: str, text: str) -> bytes:
    """The text as a file of the kind that the path's ending says."""
    paragraphs = [line for line in text.splitlines() if line.strip()]
    match path.rpartition(".")[2].lower():
        case "docx":
            return docx(paragraphs)
        case "pdf":
            return pdf(paragraphs)
        case "xlsx":
            return xlsx("Sheet1", [line.split(",") for line in paragraphs])
        case "eml":
            headers, _, body = text.partition("\n\n")
            named = dict(line.split(": ", 1) for line in headers.splitlines())
            return eml(named, body.splitlines())
        case _:
            return text.encode()


def _facts(file: Mapping[str, Any]) -> dict[str, Any]:
    marks = {CLASS_MARK: file["class"]} if "class" in file else {}
    marks |= {KEY_MARK + key: value for key, value in file.get("keys", {}).items()}
    if "labels" in file:
        marks[LABELS_MARK] = ", ".join(file["labels"])
    modified, created = noon(file.get("modified", file["made"])), noon(file.get("created", file["made"]))
    return {"marks": marks, "modified_at": modified, "created_at": created}


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def ticking(day: date) -> Iterator[datetime]:
    moment = noon(day)
    while True:
        moment += timedelta(milliseconds=1)
        yield moment


def told(played: Mapping[date, Mapping[str, Decision]]) -> dict[str, dict[str, Any]]:
    """What a person reads: the life of each file, with every day on which it stands otherwise than on the day asked
    about before, and the reasons that are new then. On days that are not named, it stands as before."""
    lives: dict[str, dict[str, Any]] = {}
    before: dict[str, tuple[str, list[str]]] = {}
    for day, decisions in played.items():
        for path, decision in sorted(decisions.items()):
            stands = (_stands(decision), [reason.sentence for reason in decision.reasons])
            if before.get(path) == stands:
                continue
            known = before[path][1] if path in before else []
            because = [sentence for sentence in stands[1] if sentence not in known]
            lives.setdefault(path, {})[day.isoformat()] = {"stands": stands[0], "because": because}
            before[path] = stands
    return dict(sorted(lives.items()))


def _stands(decision: Decision) -> str:
    parts = [str(decision.state)]
    parts += [str(decision.outcome)] if decision.outcome else []
    parts += [f"from {decision.due_on}"] if decision.due_on else []
    parts += [f"class {decision.class_id}"] if decision.class_id else []
    parts += [f"placement {decision.placement}"] if decision.placement else []
    return ", ".join(parts)


Play = Callable[[str], tuple[Office, dict[date, dict[str, Decision]]]]

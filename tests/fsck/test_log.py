"""The audit log is recomputed, and held against its checkpoints and the steps it tells of."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit.checkpoint import SigningKey, create
from agent.audit.leaf import AuditKind, Leaf, Reference
from agent.audit.log import AuditLog
from agent.audit.tree import CompactRange
from agent.catalogue.store import Catalogue
from agent.errors import UsageError
from agent.fsck.base import Kind, Report, VaultFiles
from agent.fsck.check import check
from agent.fsck.merkle import Tree, leaf_hash
from agent.fsck.notes import LogKey, NotANote, read_checkpoint
from tests.disposition.house import ROOT, trail
from tests.fsck.estate import LOG_KEY, Estate, kinds, run_sql, words
from tests.usecases.review_office import NOW

OTHERS = SigningKey("others", b"o" * 32)


class Record:
    """A copy of the catalogue of a house in which nothing is done any more, to be damaged."""

    def __init__(self, folder: Path, catalogue: Path) -> None:
        self._folder = folder
        self.path = catalogue
        shutil.copyfile(folder / "catalogue.sqlite", catalogue)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return run_sql(self.path, statement, *values)

    def check(self, log_key: str | None = LOG_KEY) -> Report:
        vault = VaultFiles(self._folder / "vault", self._folder / "vault/slots", ROOT.secret)
        return check(self.path, {"office": self._folder / "share"}, vault, log_key=log_key)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a house with one item in quarantine: two approvals (entries 0 and 1), three steps (2 to 4)."""
    folder = tmp_path_factory.mktemp("house")
    made = Estate(folder)
    made.stand("quarantined")
    made.close()
    return folder


@pytest.fixture
def record(house: Path, tmp_path: Path) -> Record:
    return Record(house, tmp_path / "catalogue.sqlite")


def sql(statement: str) -> Callable[[Record], object]:
    return lambda record: record.sql(statement)


def change_leaf(position: int, hashes: Callable[[bytes, bytes], bytes], **changes: Any) -> Callable[[Record], object]:
    """Changes what an entry says. `hashes` gives the hash that is stored, of the one before and the right one."""

    def damage(record: Record) -> None:
        ((leaf, hashed),) = record.sql("SELECT leaf, hash FROM audit_leaf WHERE position = ?", position)
        said = json.loads(leaf)
        for name, value in changes.items():
            if isinstance(value, dict):
                said[name].update(value)
            else:
                said[name] = value
        changed = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        kept = hashes(hashed, leaf_hash(changed))
        record.sql("UPDATE audit_leaf SET leaf = ?, hash = ? WHERE position = ?", changed, kept, position)

    return damage


def as_before(before: bytes, right: bytes) -> bytes:
    return before


def corrected(before: bytes, right: bytes) -> bytes:
    return right


def tell(kind: AuditKind, **further: Any) -> Callable[[Record], object]:
    """Adds an entry in all form, with a checkpoint."""

    def damage(record: Record) -> None:
        with Catalogue.open(record.path) as catalogue, catalogue.recording() as connection:
            log = AuditLog(connection)
            log.append(connection, Leaf(kind, NOW, **further))
            log.checkpoint(connection, trail().signing_key)

    return damage


def resign(record: Record) -> None:
    """The last checkpoint is signed by others, in their own name."""
    ((number, note),) = record.sql("SELECT id, note FROM audit_checkpoint ORDER BY id DESC LIMIT 1")
    checkpoint = read_checkpoint(note)
    record.sql(
        "UPDATE audit_checkpoint SET note = ? WHERE id = ?", create(checkpoint.size, checkpoint.root, OTHERS), number
    )


def forge(record: Record) -> None:
    """The last checkpoint names another root above the signature of the right one."""
    ((number, note),) = record.sql("SELECT id, note FROM audit_checkpoint ORDER BY id DESC LIMIT 1")
    root = base64.b64encode(read_checkpoint(note).root)
    record.sql(
        "UPDATE audit_checkpoint SET note = ? WHERE id = ?", note.replace(root, base64.b64encode(b"x" * 32)), number
    )


DAMAGES: dict[str, tuple[Callable[[Record], object], set[Kind], str]] = {
    "first entry removed": (
        sql("DELETE FROM audit_leaf WHERE position = 0"),
        {Kind.LOG},
        "the entries before 1 are not all there",
    ),
    "entry removed": (
        sql("DELETE FROM audit_leaf WHERE position = 2"),
        {Kind.LOG},
        "no entry tells of step 1",
    ),
    "last entry removed": (
        sql("DELETE FROM audit_leaf WHERE position = 4"),
        {Kind.LOG},
        "covers 5 entries, but there are only 4",
    ),
    "all entries removed": (sql("DELETE FROM audit_leaf"), {Kind.LOG}, "there are only 0"),
    "entry changed": (
        change_leaf(3, as_before, actor="0" * 64),
        {Kind.LOG},
        "entry 3 is not what its hashes say",
    ),
    "entry changed with its hash": (
        change_leaf(3, corrected, actor="0" * 64),
        {Kind.LOG},
        "what checkpoint 4 says of the first 4 entries is not so",
    ),
    "subtrees changed": (
        sql("UPDATE audit_leaf SET subtrees = zeroblob(64) WHERE position = 3"),
        {Kind.LOG},
        "entry 3 is not what its hashes say",
    ),
    "entry listed as another kind": (
        sql("UPDATE audit_leaf SET kind = 'viewed' WHERE position = 3"),
        {Kind.LOG},
        "entry 3 is listed as another",
    ),
    "entry listed under another moment": (
        sql("UPDATE audit_leaf SET at = at + 1 WHERE position = 3"),
        {Kind.LOG},
        "entry 3 is listed as another",
    ),
    "entry made unreadable": (
        sql("UPDATE audit_leaf SET leaf = x'7b' WHERE position = 3"),
        {Kind.LOG},
        "entry 3 cannot be read",
    ),
    "entry made another thing": (
        sql("UPDATE audit_leaf SET leaf = CAST('[1]' AS BLOB) WHERE position = 3"),
        {Kind.LOG},
        "entry 3 cannot be read",
    ),
    "entry told of another step": (
        change_leaf(4, corrected, references={"step": "77"}),
        {Kind.LOG},
        "entry 4 tells of step 77 of a disposal, which the catalogue does not have",
    ),
    "entry told of another state": (
        change_leaf(4, corrected, after="restored"),
        {Kind.LOG},
        "step 3 of disposal 1 (item 1) is not as entry 4 has it",
    ),
    "entry told of another disposal": (
        change_leaf(4, corrected, references={"disposal": "2"}),
        {Kind.LOG},
        "step 3 of disposal 1 (item 1) is not as entry 4 has it",
    ),
    "step told twice": (
        tell(
            AuditKind.ITEM_QUARANTINED,
            before="sealed",
            after="quarantined",
            references={Reference.STEP: "3", Reference.DISPOSAL: "1"},
        ),
        {Kind.LOG},
        "2 entries tell of step 3",
    ),
    "step told that there is not": (
        tell(AuditKind.DISPOSAL_PLANNED, after="planned", references={Reference.STEP: "9", Reference.DISPOSAL: "1"}),
        {Kind.LOG},
        "tells of step 9",
    ),
    "checkpoint removed": (
        sql("DELETE FROM audit_checkpoint WHERE id = 2"),
        {Kind.LOG},
        "checkpoints only",
    ),
    "checkpoint made unreadable": (
        sql("UPDATE audit_checkpoint SET note = CAST('nothing' AS BLOB) WHERE id = 2"),
        {Kind.LOG},
        "checkpoint 2 cannot be read",
    ),
    "checkpoint listed under another size": (
        sql("UPDATE audit_checkpoint SET size = 1 WHERE id = 2"),
        {Kind.LOG},
        "checkpoint 2 is listed under another size",
    ),
    "checkpoint signed by others": (resign, {Kind.LOG}, "is not signed with the log's key"),
    "checkpoint forged": (forge, {Kind.LOG}, "is not signed with the log's key"),
    "last step removed": (
        sql("DELETE FROM disposal_step WHERE id = 3"),
        {Kind.LOG, Kind.WRONG_STATE},
        "its steps came to sealed",
    ),
    "step in the middle removed": (
        sql("DELETE FROM disposal_step WHERE after = 'sealed'"),
        {Kind.LOG, Kind.WRONG_STATE},
        "a step is missing or was changed",
    ),
    "all steps removed": (
        sql("DELETE FROM disposal_step"),
        {Kind.LOG, Kind.WRONG_STATE},
        "its steps came to nothing",
    ),
    "step that no disposal may take": (
        sql("UPDATE disposal_step SET after = 'erased' WHERE id = 3"),
        {Kind.LOG, Kind.WRONG_STATE},
        "goes from sealed to erased, which no disposal may",
    ),
    "step into no known state": (
        sql("UPDATE disposal_step SET after = 'Jane Doe' WHERE id = 3"),
        {Kind.LOG, Kind.WRONG_STATE},
        "goes from sealed to no known state",
    ),
    "step of another item": (
        sql("UPDATE disposal_step SET item_id = 7 WHERE id = 3"),
        {Kind.WRONG_STATE},
        "is recorded of another item",
    ),
    "step at another moment": (
        sql("UPDATE disposal_step SET at = at + 1 WHERE id = 3"),
        {Kind.LOG},
        "is not as entry 4 has it",
    ),
    "step of a disposal that there is not": (
        sql("UPDATE disposal_step SET disposal_id = 7 WHERE id = 3"),
        {Kind.LOG, Kind.WRONG_STATE},
        "Step 3 is of a disposal that the catalogue does not have",
    ),
    "disposal of an item that there is not": (
        sql("UPDATE disposal SET item_id = 7"),
        {Kind.WRONG_STATE, Kind.FOREIGN},
        "Disposal 1 is of an item that the catalogue does not have",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_changed_record_is_found(record: Record, name: str) -> None:
    damage, expected, said = DAMAGES[name]
    assert record.check().problems == ()
    damage(record)
    report = record.check()
    assert kinds(report) == expected, words(report)
    assert said in words(report)
    assert "Jane" not in words(report)


def test_without_a_key_signatures_are_not_asked_for(record: Record) -> None:
    resign(record)
    assert record.check(log_key=None).problems == ()


def test_one_fault_is_not_told_again_for_all_that_follows_from_it(record: Record) -> None:
    change_leaf(0, as_before, actor="0" * 64)(record)
    report = record.check()
    assert [problem.said for problem in report.problems] == [
        "The audit log does not hold: entry 0 is not what its hashes say. Run:  retentiond audit verify",
        "The audit log does not hold: what checkpoint 1 says of the first 1 entries is not so. "
        "Run:  retentiond audit verify",
    ]
    assert (report.log_entries, report.log_checkpoints) == (5, 5)


def test_entries_under_no_checkpoint_are_told(record: Record) -> None:
    record.sql("DELETE FROM audit_checkpoint WHERE id = 5")
    report = record.check()
    assert report.problems == ()
    assert [note.said for note in report.notes] == [
        "The last 1 entries of the audit log are under no checkpoint. Make one:  retentiond audit checkpoint"
    ]


def test_what_a_checkpoint_says_of_nothing_is_checked_too(record: Record) -> None:
    key = trail().signing_key
    right, wrong = (create(0, root, key) for root in (hashlib.sha256(b"").digest(), b"x" * 32))
    record.sql("INSERT INTO audit_checkpoint VALUES (6, 0, ?)", right)
    assert record.check().problems == ()
    record.sql("UPDATE audit_checkpoint SET note = ? WHERE id = 6", wrong)
    assert "what checkpoint 6 says of the first 0 entries is not so" in words(record.check())


# The tree


@given(st.lists(st.binary(max_size=5), max_size=70))
def test_the_tree_is_that_of_those_who_write_it(leaves: list[bytes]) -> None:
    ours, theirs = Tree(), CompactRange()
    assert ours.root() == theirs.root()
    for leaf in leaves:
        hashed = leaf_hash(leaf)
        assert ours.add(hashed) == b"".join(theirs.append(hashed))
        assert ours.root() == theirs.root()
    assert ours.size == len(leaves)


def test_the_tree_is_that_of_the_standard() -> None:
    """The root of the seven entries by which RFC 6962 implementations are commonly tested."""
    tree = Tree()
    for entry in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657"):
        tree.add(leaf_hash(bytes.fromhex(entry)))
    assert tree.root().hex() == "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"


# Notes and keys

NOTE = create(7, b"r" * 32, trail().signing_key)


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    read = read_checkpoint(NOTE)
    assert (read.origin, read.size, read.root) == ("retentiond/test", 7, b"r" * 32)
    assert LogKey.read(LOG_KEY).signed(read)


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n\n",
        NOTE[:-1],
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace(b"\n7\n", b"\n07\n"),
        NOTE.replace(b"\n7\n", b"\n-7\n"),
        NOTE.replace(b"retentiond/test\n", b"\n", 1),
        NOTE.replace(b"\n7\n", b"\n"),
        NOTE.replace("— ".encode(), b"- "),
        NOTE.partition(b"\n\n")[0] + b"\n\n",
        NOTE + b"\n",
        NOTE.replace(base64.b64encode(b"r" * 32), base64.b64encode(b"r" * 31)),
        NOTE.replace(base64.b64encode(b"r" * 32), b"not base64!"),
        b"\xff" + NOTE,
        NOTE + b"\xff",
    ],
)
def test_what_is_no_checkpoint_is_not_read_as_one(note: bytes) -> None:
    with pytest.raises(NotANote):
        read_checkpoint(note)


def test_every_changed_bit_of_a_checkpoint_shows() -> None:
    key = LogKey.read(LOG_KEY)
    for position in range(len(NOTE)):
        for bit in range(8):
            changed = NOTE[:position] + bytes([NOTE[position] ^ 1 << bit]) + NOTE[position + 1 :]
            try:
                believed = key.signed(read_checkpoint(changed))
            except NotANote:
                continue
            assert not believed, position


def test_signatures_of_others_beside_ours_do_no_harm() -> None:
    text = f"{trail().signing_key.name}\n7\n{base64.b64encode(b'r' * 32).decode()}\n"
    both = NOTE + OTHERS.sign(text).encode()
    assert LogKey.read(LOG_KEY).signed(read_checkpoint(both))
    assert not LogKey.read(OTHERS.verifier.text).signed(read_checkpoint(both))


@pytest.mark.parametrize(
    "line",
    ["", "retentiond", LOG_KEY[:-4], LOG_KEY.replace("retentiond", "another"), LOG_KEY.partition("+")[2], "a+b+c"],
)
def test_what_is_no_key_is_refused(line: str) -> None:
    with pytest.raises(UsageError, match="audit key"):
        LogKey.read(line)

"""What the check looks at, what it leaves alone, and how it says that it could not look."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.catalogue.disposal_rows import Step
from agent.errors import CatalogueError
from agent.fsck import base
from agent.fsck.base import Kind, Report, Standing
from agent.fsck.eyes import Eyes, Unknown
from agent.fsck.findings import Findings, shown
from agent.fsck.rows import Item, count_items, reading, share_locations
from agent.fsck.share import Share, ShareAway, mark_of, version_of
from agent.model.disposal import DisposalState
from connectors.filesystem.connector import identity_of
from connectors.filesystem.facts import version_of as version_by_those_who_act
from tests.fsck.estate import PATH, Estate, kinds, standings, words

S = Standing


def facts_of(folder: Path) -> dict[str, tuple[int, ...]]:
    """Everything that reading or changing a file would move."""
    return {
        str(file): (facts.st_atime_ns, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino)
        for part in ("share", "vault")
        for file in sorted([folder / part, *(folder / part).rglob("*")])
        for facts in [file.lstat()]
    }


def test_nothing_changes_on_the_share_and_in_the_vault_not_even_an_access_time(estate: Estate) -> None:
    estate.stand("quarantined")
    estate.put("Letters/a.txt")
    estate.scan()
    estate.stand("planned_and_held", "Cases/1/b.txt")
    (estate.share / "Letters/a.txt").rename(estate.share / "Letters/b.txt")
    for part in ("share", "vault"):
        for file in [estate.folder / part, *(estate.folder / part).rglob("*")]:
            os.utime(file, (1, file.stat().st_mtime), follow_symlinks=False)  # so that reading would show
    before = facts_of(estate.folder)
    rows = estate.sql("SELECT COUNT(*), MAX(id) FROM disposal_step")
    report = estate.check()
    assert standings(report) == {S.VAULTED: 1, S.HELD: 1, S.MOVED: 1}
    assert facts_of(estate.folder) == before
    assert estate.sql("SELECT COUNT(*), MAX(id) FROM disposal_step") == rows


def test_descriptors_are_closed_whatever_is_found(estate: Estate) -> None:
    estate.stand("planned_and_held")
    estate.check()  # SQLite keeps one to itself as long as others have the catalogue open
    before = len(os.listdir("/proc/self/fd"))
    estate.check()
    estate.check(shares={"office": estate.folder})
    estate.check(holds={"office": Path(PATH)})
    assert len(os.listdir("/proc/self/fd")) == before


def test_advance_is_told_of_each_item_and_of_what_is_read(estate: Estate) -> None:
    disposal = estate.stand("quarantined")
    estate.put("Letters/a.txt")
    estate.scan()
    told: list[tuple[int, int]] = []
    estate.check(advance=lambda items, size_bytes: told.append((items, size_bytes)))
    size = estate.object_of(disposal.vault_id).stat().st_size
    assert sum(items for items, _ in told) == 2
    assert sum(size_bytes for _, size_bytes in told) == size


# The vault, in part or not at all


def test_of_what_is_not_to_be_read_the_keys_are_tried(estate: Estate) -> None:
    disposal = estate.stand("quarantined")
    report = estate.check(read_objects=False)
    assert standings(report) == {S.UNREAD: 1}
    assert report.objects_read == 0
    estate.flip(estate.object_of(disposal.vault_id), 60)
    assert estate.check(read_objects=0.0).problems == ()
    assert kinds(estate.check(read_objects=True)) == {Kind.UNREADABLE}
    with open(estate.folder / "vault/keyring", "r+b") as opened:
        opened.seek(128)
        opened.write(bytes(128))
    assert kinds(estate.check(read_objects=0.0)) == {Kind.UNREADABLE}


def test_a_sample_is_some_of_them(estate: Estate) -> None:
    paths = [f"Cases/1/{number}.txt" for number in range(20)]
    for path in paths:
        estate.put(path, path.encode())
    estate.scan()
    estate.approve(*paths)
    estate.take()
    report = estate.check(read_objects=0.5)
    assert 0 < report.objects_read < 20
    assert standings(report) == {S.VAULTED: report.objects_read, S.UNREAD: 20 - report.objects_read}


@pytest.mark.parametrize(
    ("state", "standing"),
    [("quarantined", S.UNREAD), ("destroying", S.UNREAD), ("erased", S.ERASED), ("planned_and_held", S.HELD)],
)
def test_without_the_vault_its_part_is_as_recorded(estate: Estate, state: str, standing: Standing) -> None:
    estate.stand(state)
    report = estate.check(vault=None)
    assert report.problems == ()
    assert standings(report) == {standing: 1}
    assert any("The vault was not looked at" in note.said for note in report.notes)


# What comes back from a backup


def test_an_epoch_key_that_comes_back_after_an_erasure_is_found(estate: Estate) -> None:
    slots = estate.folder / "vault/slots"
    estate.stand("destroyed")
    before = slots.read_bytes()
    estate.erase()
    slots.write_bytes(before)
    report = estate.check()
    assert kinds(report) == {Kind.WRONG_STATE}
    assert "is recorded as erased, but the key of epoch" in words(report)


def test_a_tomb_under_an_epoch_that_is_there_is_found(estate: Estate) -> None:
    disposal = estate.stand("destroyed")
    estate.means.record(Step(disposal, DisposalState.ERASED, hidden_name=b"#hidden"))
    estate.sql("UPDATE disposal_step SET epoch = ''")
    report = estate.check()
    assert kinds(report) == {Kind.WRONG_STATE}
    assert "is recorded as erased, but the key of epoch" in words(report)


def test_key_files_that_come_back_make_what_was_destroyed_readable_and_that_is_found(estate: Estate) -> None:
    disposal = estate.stand("quarantined")
    keyring = estate.folder / "vault/keyring"
    before, kept = keyring.read_bytes(), estate.object_of(disposal.vault_id).read_bytes()
    estate.destroy()
    keyring.write_bytes(before)
    estate.object_of(disposal.vault_id).write_bytes(kept)
    report = estate.check()
    assert kinds(report) == {Kind.WRONG_STATE}
    assert f"the vault has an object and a key under {disposal.vault_id}" in words(report)


# Shares that cannot be looked at


def test_a_share_that_is_away_proves_nothing(estate: Estate) -> None:
    estate.stand("restored")
    estate.put("Letters/a.txt")
    estate.scan()
    estate.stand("quarantined", "Cases/1/b.txt")
    for shares, why in (
        ({}, "it was not said where it is"),
        ({"office": estate.folder / "nowhere"}, "No such file or directory"),
        ({"office": estate.folder}, "another file system answers there now"),
        ({"office": estate.share / PATH}, "Not a directory"),
    ):
        report = estate.check(shares=shares)
        assert kinds(report) == {Kind.UNPROVEN}
        assert "2 items of share 'office'" in words(report)
        assert why in words(report)
        assert standings(report) == {S.UNPROVEN: 2, S.VAULTED: 1}
        assert any("hold of share 'office' was not looked at for 2 disposals" in note.said for note in report.notes)


@pytest.mark.parametrize("state", ["planned", "conflict"])
def test_what_may_be_held_is_unproven_if_its_share_is_away(estate: Estate, state: str) -> None:
    estate.stand(state)
    report = estate.check(shares={})
    assert standings(report) == {S.UNPROVEN: 1}


def test_a_share_that_nothing_depends_on_may_be_away(estate: Estate) -> None:
    estate.stand("erased")
    report = estate.check(shares={})
    assert report.problems == ()
    assert standings(report) == {S.ERASED: 1}


def test_a_hold_may_lie_elsewhere(estate: Estate) -> None:
    estate.stand("planned_and_held")
    estate.hold.rename(estate.share / "my-hold")
    assert kinds(estate.check()) == {Kind.LOST} or standings(estate.check()) == {S.MOVED: 1}
    assert standings(estate.check(hold_name="my-hold")) == {S.HELD: 1}
    assert standings(estate.check(holds={"office": estate.share / "my-hold"})) == {S.HELD: 1}


def test_a_hold_that_is_none_cannot_be_looked_at(estate: Estate) -> None:
    estate.stand("planned_and_held")
    estate.hold.rename(estate.folder / "away")
    estate.hold.symlink_to(estate.folder / "away")
    report = estate.check()
    assert kinds(report) == {Kind.UNPROVEN}
    assert "its hold cannot be opened" in words(report)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_is_closed_proves_nothing(estate: Estate) -> None:
    estate.stand("restored")
    (estate.share / "Cases").chmod(0)
    try:
        report = estate.check()
    finally:
        (estate.share / "Cases").chmod(0o700)
    assert kinds(report) == {Kind.UNPROVEN}
    assert "Permission denied" in words(report)


class Closed(Share):
    """A share that does not let itself be looked at."""

    def at(self, folder: bytes, name: bytes) -> os.stat_result | None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def opened(kind: type[Share], root: Path) -> Share:
    descriptor = os.open(root, os.O_RDONLY)
    try:
        return kind(root, identity_of(descriptor), Path(".retentiond-hold"))
    finally:
        os.close(descriptor)


def test_why_a_place_could_not_be_looked_at_is_kept(tmp_path: Path) -> None:
    item = Item(1, 0, b"", b"a", b"", "office", ())
    share = opened(Closed, tmp_path)
    eyes = Eyes({"office": share}, None, lambda: True, lambda _: None)
    assert eyes.place(item) == Unknown("Permission denied")
    share.close()


# Places


@pytest.fixture
def share(tmp_path: Path) -> Iterator[Share]:
    made = opened(Share, tmp_path)
    yield made
    made.close()


def test_a_version_is_as_those_who_act_write_it(share: Share, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").symlink_to("a")
    os.mkfifo(tmp_path / "c")
    for name in (b"a", b"b", b"c"):
        facts = share.at(b"", name)
        assert facts is not None
        assert version_of(facts) == version_by_those_who_act(facts)
        assert len(mark_of(version_of(facts))) == 24


def test_nothing_is_followed_and_what_is_not_there_is_not(share: Share, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("folder")
    assert share.at(b"folder", b"file") is not None
    for folder, name in (
        (b"folder", b"other"),
        (b"link", b"file"),
        (b"folder/file", b"file"),
        (b"nowhere", b"file"),
        (b"", b"x" * 300),
        (b"", b"a\0b"),
        (b"a\0b", b"file"),
    ):
        assert share.at(folder, name) is None, (folder, name)


def test_another_mount_is_not_the_share() -> None:
    root = opened(Share, Path("/"))
    with pytest.raises(OSError, match=os.strerror(errno.EXDEV)):
        root.at(b"proc", b"version")
    root.close()


def test_marks_are_of_everything_but_folders_and_the_hold(tmp_path: Path) -> None:
    for name in ("a", "one/b", "one/two/c", ".retentiond-hold/d"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"content")
    (tmp_path / "link").symlink_to("one")
    share = opened(Share, tmp_path)
    expected = {mark_of(version_of((tmp_path / name).lstat())) for name in ("a", "one/b", "one/two/c", "link")}
    assert set(share.marks()) == expected
    share.close()


def test_a_walk_goes_on_where_something_cannot_be_listed(
    share: Share, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "closed/b", "open/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"content")
    right = share._folder_at

    def refuses(path: bytes) -> int:
        if path == b"closed":
            raise PermissionError(errno.EACCES, "no")
        return right(path)

    monkeypatch.setattr(share, "_folder_at", refuses)
    assert len(list(share.marks())) == 2


def test_a_share_that_is_none_is_away(tmp_path: Path) -> None:
    with pytest.raises(ShareAway, match="No such file"):
        Share(tmp_path / "nowhere", "1:1", Path("hold"))


# The catalogue


def test_a_catalogue_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    with pytest.raises(CatalogueError, match="there is no catalogue here"):
        count_items(path)
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    with pytest.raises(CatalogueError, match="SQLITE_NOTADB"):
        count_items(path)


def test_a_catalogue_of_another_version_is_not_judged(estate: Estate) -> None:
    estate.sql("UPDATE alembic_version SET version_num = '0099'")
    with pytest.raises(CatalogueError, match="another version"):
        estate.check()


def test_words_that_are_none_are_told_without_showing_them(estate: Estate) -> None:
    estate.stand("restored")
    estate.sql("UPDATE disposal SET state = CAST(x'4a616e65ff' AS TEXT)")
    with pytest.raises(CatalogueError) as told:
        estate.check()
    assert "Jane" not in str(told.value)


def test_a_catalogue_is_read_as_it_was_when_the_check_began(estate: Estate) -> None:
    estate.stand("restored")
    with reading(estate.folder / "catalogue.sqlite") as connection:
        assert connection.execute("SELECT COUNT(*) FROM item").fetchone() == (1,)
        estate.put("Letters/a.txt")
        estate.scan()
        assert connection.execute("SELECT COUNT(*) FROM item").fetchone() == (1,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM item")
    assert count_items(estate.folder / "catalogue.sqlite") == 2
    assert share_locations(estate.folder / "catalogue.sqlite") == {"office": str(estate.share)}


# Reports


def test_of_many_problems_all_are_counted_and_the_first_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.fsck.findings.MOST_TOLD", 2)
    findings = Findings()
    for number in range(5):
        findings.problem(Kind.LOST, f"{number}")
        findings.note(f"{number}")
    findings.problem(Kind.FOREIGN, "other")
    assert [one.said for one in findings.problems] == ["0", "1", "other"]
    assert findings.problem_counts == {Kind.LOST: 5, Kind.FOREIGN: 1}
    assert ([one.said for one in findings.notes], findings.note_count) == (["0", "1"], 5)


def test_a_report_that_does_not_add_up_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="not every item"):
        Report(2, {S.LIVE: 1}, (), {}, (), 0, 0, 0, 0)


def test_names_are_shown_escaped_and_never_in_what_is_said() -> None:
    assert shown(b"a", b"b\n\xff\xc3\xa9") == "a/b\\n\\xffé"
    assert shown(b"", b"b") == "b"
    assert "Jane" not in repr(base.Problem(Kind.LOST, "said", 1, "Jane.txt"))
    assert "r" * 32 not in repr(base.VaultFiles(Path("v"), Path("s"), b"r" * 32))


def test_places_are_given_beside_what_is_said(estate: Estate) -> None:
    estate.stand("restored")
    (estate.share / PATH).unlink()
    (estate.hold / "somebody's.txt").write_bytes(b"")
    (estate.objects / "note.txt").write_bytes(b"")
    report = estate.check()
    assert {problem.place for problem in report.problems} == {PATH, "somebody's.txt", "note.txt"}
    assert {problem.item for problem in report.problems} == {1, None}

"""The vault keeps what it is given, gives it back as it was, and says plainly what it cannot do."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
from pathlib import Path

import pytest

from agent.errors import AgentError, ConfigurationError
from agent.vault import store
from agent.vault.base import (
    AlreadyThere,
    Damaged,
    Entry,
    Fate,
    KeyGone,
    Opened,
    StorageFailed,
    Strays,
    WrongKey,
)
from agent.vault.disk import Disk
from agent.vault.keys import RootKey
from agent.vault.store import Vault
from tests.vault.disks import WithoutNoreplace
from tests.vault.factories import (
    MONDAY,
    ROOT,
    TUESDAY,
    an_id,
    assert_readable,
    content_of,
    make,
    memory_file,
    opened,
    put,
    taken_out,
)

A, B, C, D = map(an_id, range(1, 5))


def object_of(place: Path, id: str) -> Path:
    return place / "objects" / id[:2] / f"{id}.enc"


def test_what_was_put_in_comes_out_and_stays(vault: Vault, place: Path) -> None:
    with memory_file(content_of(A)) as source:
        sealed = vault.put(source, A, b"about", MONDAY)
    assert sealed.id == A
    assert sealed.size_bytes == len(content_of(A))
    assert sealed.stored_bytes == object_of(place, A).stat().st_size
    told = Opened(b"about", sealed.sha256, sealed.size_bytes, sealed.stored_bytes)
    with memory_file() as target:
        assert vault.restore_to(A, target) == told
        assert os.pread(target, 10_000, 0) == content_of(A)
    assert vault.verify(A) == told
    assert vault.metadata(A) == b"about"
    assert vault.fate(A) is Fate.SEALED
    assert vault.entries() == [Entry(A, Fate.SEALED, sealed.stored_bytes)]
    assert vault.strays() == Strays()


def test_it_is_still_there_after_the_vault_was_closed(place: Path) -> None:
    with opened(place) as vault:
        put(vault, A)
        vault.close()
    with opened(place) as vault:
        assert_readable(vault, A)


def test_items_of_one_day_share_an_epoch_and_those_of_another_have_another(vault: Vault) -> None:
    epochs = []
    for id, day in ((A, MONDAY), (B, TUESDAY), (C, MONDAY)):
        with memory_file() as source:
            epochs.append(vault.put(source, id, b"", day).epoch)
    assert epochs[0] == epochs[2] != epochs[1]


def test_only_its_owner_can_look_into_it(vault: Vault, place: Path) -> None:
    put(vault, A)
    for path in (place, *place.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_nothing_is_readable_from_its_files(vault: Vault, place: Path) -> None:
    put(vault, A)
    everything = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    for secret in (content_of(A)[:40], b"about", vault._keyring.key(bytes.fromhex(A), vault._slots), ROOT.secret):
        assert secret not in everything
    for epoch in vault._slots.epochs():
        assert vault._slots.key(epoch.id) not in everything


def test_an_id_is_never_used_twice_not_even_after_it_was_destroyed(vault: Vault) -> None:
    put(vault, A)
    with pytest.raises(AlreadyThere, match="knows object"):
        put(vault, A)
    vault.remove(A)
    with pytest.raises(AlreadyThere):
        put(vault, A)
    vault.erase(TUESDAY)
    vault.forget(A)
    put(vault, A)
    assert_readable(vault, A)


def test_an_unfinished_copy_is_reported_and_stands_in_the_way_until_it_is_discarded(vault: Vault, place: Path) -> None:
    put(vault, B)
    part = object_of(place, A).with_suffix(".part")
    part.parent.mkdir(mode=0o700)
    part.touch()
    assert vault.strays().parts == (A,)
    with pytest.raises(AlreadyThere, match="unfinished"):
        put(vault, A)
    vault.discard(A)
    put(vault, A)
    assert vault.strays() == Strays()


def test_where_the_file_system_cannot_rename_without_replacing_it_links(place: Path) -> None:
    with opened(place, WithoutNoreplace()) as vault:
        put(vault, A)
        assert_readable(vault, A)
        assert vault.strays() == Strays()


@pytest.mark.parametrize("disk", [Disk(), WithoutNoreplace()])
def test_an_object_that_lies_there_already_is_never_replaced(place: Path, disk: Disk, tmp_path: Path) -> None:
    object_of(place, B).parent.mkdir(mode=0o700)
    object_of(place, B).write_bytes(b"somebody's")
    with opened(place, disk) as vault:
        with pytest.raises(AlreadyThere):
            put(vault, B)
        assert object_of(place, B).read_bytes() == b"somebody's"
        assert vault.strays() == Strays(without_key=(B,))
        vault.remove(B)
        assert vault.entries() == [], "no epoch was open that its key could have been under"
    for name in ("old", "new"):
        (tmp_path / name).write_text(name)
    directory = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(FileExistsError):
        disk.rename_new(directory, "old", "new")
    os.close(directory)
    assert (tmp_path / "new").read_text() == "new"


def test_a_key_that_wears_out_while_the_vault_is_open_is_noticed(vault: Vault, place: Path) -> None:
    put(vault, A)
    (held,) = vault._keyring.held(bytes.fromhex(A))
    with (place / "keyring").open("r+b") as file:
        file.seek(held.place * 128 + 40)
        file.write(b"worn out")
    with pytest.raises(Damaged, match="does not open"):
        vault.verify(A)


def test_an_item_is_restored_into_an_empty_file_only(vault: Vault) -> None:
    put(vault, A)
    with memory_file(b"x") as target, pytest.raises(ValueError, match="empty"):
        vault.restore_to(A, target)


def test_a_damaged_or_missing_object_is_named(vault: Vault, place: Path) -> None:
    put(vault, A, B)
    with object_of(place, A).open("r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    object_of(place, B).unlink()
    with pytest.raises(Damaged, match=A):
        vault.verify(A)
    with pytest.raises(Damaged, match=f"{B} is missing"):
        vault.verify(B)
    assert vault.strays().without_object == (B,)


def test_objects_that_were_exchanged_do_not_open(vault: Vault, place: Path) -> None:
    put(vault, A, B)
    shutil.copy(object_of(place, A), object_of(place, B))
    with pytest.raises(Damaged, match="another id"):
        vault.verify(B)


def test_key_records_that_were_exchanged_do_not_open(place: Path) -> None:
    with opened(place) as vault:
        put(vault, A, B)
        one, two = (vault._keyring.held(bytes.fromhex(id))[0].place for id in (A, B))
    data = bytearray((place / "keyring").read_bytes())
    mine, theirs = data[one * 128 :][:128], data[two * 128 :][:128]
    import zlib

    body = mine[:25] + theirs[25:124]  # the names stay, the wrapped keys are exchanged, the checksums are right
    data[one * 128 : one * 128 + 128] = body + zlib.crc32(body).to_bytes(4, "big")
    (place / "keyring").write_bytes(data)
    with opened(place) as vault, pytest.raises(Damaged, match="does not open"):
        vault.verify(A)


def test_an_unknown_item_has_no_key(vault: Vault) -> None:
    for act in (vault.verify, vault.metadata, vault.remove):
        with pytest.raises(KeyGone):
            act(A)
    vault.discard(A)
    vault.forget(A)
    assert vault.fate(A) is Fate.ABSENT


@pytest.mark.parametrize("wrong", ["", "x", A.upper() + "A", f"../{A}"])
def test_an_id_that_is_none_is_refused_everywhere(vault: Vault, wrong: str) -> None:
    for act in (vault.verify, vault.metadata, vault.remove, vault.discard, vault.fate, vault.forget):
        with pytest.raises(ValueError, match="vault id"):
            act(wrong)


def test_strays_are_reported_and_left_alone(vault: Vault, place: Path) -> None:
    put(vault, A)
    (place / "objects" / "readme").touch()
    (place / "objects" / "zz").mkdir()
    (place / "objects" / "01" / "notes.txt").touch()
    (place / "objects" / "01" / f"{B}.enc").touch()  # on another's shelf
    (place / "objects" / "02").symlink_to("01")
    (place / "objects" / "03").mkdir()
    (place / "objects" / "03" / f"{C}.enc").write_bytes(b"x")
    assert vault.strays() == Strays(without_key=(C,), foreign=(f"01/{B}.enc", "01/notes.txt", "02", "readme", "zz"))
    assert vault.entries()[1] == Entry(C, Fate.ABSENT, 1)
    assert_readable(vault, A)


def test_a_vault_is_never_made_where_one_is(vault: Vault, place: Path, tmp_path: Path) -> None:
    put(vault, A)
    with pytest.raises(AlreadyThere, match="a vault here"):
        make(place)
    with pytest.raises(AlreadyThere, match="in use"):
        Vault.create(str(tmp_path / "second"), slots_path=str(place / "slots"))
    (place / "keyring").unlink()
    with pytest.raises(AlreadyThere, match="in use"):
        make(place)


def test_the_slots_may_lie_elsewhere(tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "slots")
    Vault.create(str(tmp_path / "vault"), slots_path=elsewhere, slots=8)
    with opened(tmp_path / "vault", slots_path=elsewhere) as vault:
        put(vault, A)
        assert len(vault.id) == 32
    with pytest.raises(StorageFailed, match="cannot open the vault"):
        opened(tmp_path / "vault")


def test_slots_of_another_vault_are_refused(place: Path, tmp_path: Path) -> None:
    make(tmp_path / "second")
    with pytest.raises(Damaged, match="another vault"):
        opened(place, slots_path=str(tmp_path / "second" / "slots"))


@pytest.mark.parametrize("name", ["keyring", "slots"])
@pytest.mark.parametrize("content", [b"", b"short", b"something else" * 1000])
def test_a_key_file_that_is_none_is_refused(place: Path, name: str, content: bytes) -> None:
    (place / name).write_bytes(content)
    with pytest.raises(Damaged, match="not the file"):
        opened(place)


def test_another_root_key_is_told_at_once(place: Path) -> None:
    opened(place, root=RootKey(bytes(32))).close()  # an empty vault belongs to no key yet
    with opened(place) as vault:
        put(vault, A)
    with pytest.raises(WrongKey, match="another root key"):
        opened(place, root=RootKey(bytes(32)))


def test_a_directory_that_others_can_enter_or_that_is_none_is_refused(place: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no vault"):
        opened(tmp_path / "nowhere")
    (tmp_path / "file").touch(mode=0o600)
    with pytest.raises(ConfigurationError, match="must be a directory"):
        opened(tmp_path / "file")
    place.chmod(0o750)
    with pytest.raises(ConfigurationError, match="chmod 700"):
        opened(place)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to somebody else")
def test_a_directory_of_somebody_else_is_refused(place: Path) -> None:
    os.chown(place, 12345, 12345)
    with pytest.raises(ConfigurationError, match="Run as that user"):
        opened(place)


def test_two_that_have_it_open_see_what_the_other_did(place: Path) -> None:
    with opened(place) as one, opened(place) as two:
        put(one, A, B)
        assert_readable(two, A, B)
        two.remove(A)
        assert one.fate(A) is Fate.DESTROYED
        one.erase(TUESDAY)
        assert two.fate(A) is Fate.ERASED
        assert_readable(two, B)


def test_one_that_has_it_open_under_a_former_root_key_is_told(place: Path) -> None:
    new = RootKey(bytes(32))
    with opened(place) as vault:
        put(vault, A)
        with opened(place, root=new, former=ROOT) as changed:
            assert_readable(changed, A)
        with pytest.raises(WrongKey):
            vault.verify(A)
        with pytest.raises(WrongKey, match="neither with the old"):
            opened(place, root=RootKey(bytes([1]) * 32), former=ROOT)
        opened(place, root=new, former=ROOT).close()  # again, though nothing is left to do


def _fill(place: Path, first: int) -> None:
    with opened(place) as vault:
        put(vault, *(an_id(number) for number in range(first, first + 10)))
        vault.remove(an_id(first))
        vault.erase(TUESDAY)


def test_processes_do_not_get_in_each_others_way(place: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_fill, args=(place, first)) for first in (10, 30, 50)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    with opened(place) as vault:
        for first in (10, 30, 50):
            assert_readable(vault, *(an_id(number) for number in range(first + 1, first + 10)))
            assert vault.fate(an_id(first)) is Fate.ERASED


def test_threads_do_not_get_in_each_others_way(vault: Vault) -> None:
    failed = []

    def work(first: int) -> None:
        try:
            ids = [an_id(number) for number in range(first, first + 8)]
            put(vault, *ids)
            vault.remove(ids[0])
            vault.erase(TUESDAY)
            assert_readable(vault, *ids[1:])
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=work, args=(first,)) for first in (10, 30, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_two_that_seal_under_one_id_do_not_replace_each_other(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(place) as one, opened(place) as two:
        real = store.seal

        def meanwhile(*arguments: object) -> object:
            monkeypatch.setattr(store, "seal", real)
            content = real(*arguments)  # type: ignore[arg-type]
            shutil.move(object_of(place, A).with_suffix(".part"), place / "aside")
            put(two, A)
            shutil.move(place / "aside", object_of(place, A).with_suffix(".part"))
            return content

        monkeypatch.setattr(store, "seal", meanwhile)
        with pytest.raises(AlreadyThere):
            put(one, A)
        assert_readable(two, A)
        assert one.strays() == Strays()


def test_every_error_is_a_sentence_that_a_command_can_print(vault: Vault) -> None:
    with pytest.raises(AgentError) as raised:
        vault.verify(A)
    assert str(raised.value).startswith("The key of")
    assert str(raised.value).endswith(".")


def test_a_keyring_grows_with_its_items(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.vault import keyring

    monkeypatch.setattr(keyring, "GROWTH", 4)
    make(place.parent / "small")
    with opened(place.parent / "small") as vault:
        ids = [an_id(number) for number in range(10)]
        put(vault, *ids)
        assert_readable(vault, *ids)
    with opened(place.parent / "small") as vault:
        assert_readable(vault, *ids)
        assert taken_out(vault, ids[9]) == content_of(ids[9])

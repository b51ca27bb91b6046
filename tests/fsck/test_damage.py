"""Whatever is damaged behind the backs of those who act is found, each thing by itself, and called by its kind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.fsck.base import Kind
from tests.fsck.estate import NAMED, PATH, Estate, kinds, words

KEYRING, SLOTS = "vault/keyring", "vault/slots"
KEY_PLACE, SLOT_PLACE = 128, 4096


@dataclass(frozen=True)
class Damage:
    """What is done to an item in that state, what kind of problem it is, and what is said of it."""

    state: str
    do: Callable[[Estate, str], object]
    kind: Kind
    said: str
    path: str = PATH


def remove(of: Callable[[Estate, str], Path]) -> Callable[[Estate, str], object]:
    return lambda estate, id: of(estate, id).unlink()


def the_object(estate: Estate, id: str) -> Path:
    return estate.object_of(id)


def in_the_hold(estate: Estate, id: str) -> Path:
    return estate.hold / id


def in_place(estate: Estate, id: str) -> Path:
    return estate.share / PATH


def zero(name: str, place_bytes: int) -> Callable[[Estate, str], object]:
    """Every place but the header."""

    def damage(estate: Estate, id: str) -> None:
        file = estate.folder / name
        with open(file, "r+b") as opened:
            opened.seek(place_bytes)
            opened.write(bytes(file.stat().st_size - place_bytes))

    return damage


def append(estate: Estate, id: str) -> None:
    with open(estate.object_of(id), "ab") as opened:
        opened.write(b"more")


def shorten(estate: Estate, id: str) -> None:
    os.truncate(estate.object_of(id), estate.object_of(id).stat().st_size - 1)


def swap(estate: Estate, id: str) -> None:
    other = estate.stand("quarantined", "Cases/1/b.txt").vault_id
    one, two, aside = estate.object_of(id), estate.object_of(other), estate.folder / "aside"
    one.rename(aside)
    two.rename(one)
    aside.rename(two)


def put_object(estate: Estate, id: str) -> None:
    """An object and its key, under an id of whoever asks."""
    descriptor = os.memfd_create("test")
    os.pwrite(descriptor, b"content", 0)
    estate.vault.put(descriptor, id, b"", estate.day)
    os.close(descriptor)


def put_key_alone(estate: Estate, id: str) -> None:
    put_object(estate, "f" * 32)
    estate.object_of("f" * 32).unlink()


def put_tomb(estate: Estate, id: str) -> None:
    put_object(estate, "f" * 32)
    estate.vault.remove("f" * 32)


def put_in_hold(name: str = "") -> Callable[[Estate, str], object]:
    def damage(estate: Estate, id: str) -> None:
        estate.hold.mkdir(exist_ok=True)
        (estate.hold / (name or id)).write_bytes(b"something")

    return damage


def link_from_hold(estate: Estate, id: str) -> None:
    (estate.share / PATH).parent.mkdir(exist_ok=True)
    os.link(estate.hold / id, estate.share / PATH)


def link_folder(estate: Estate, id: str) -> None:
    """The item's folder is away, and a link to it in its place."""
    (estate.share / "Cases").rename(estate.folder / "away")
    (estate.share / "Cases").symlink_to(estate.folder / "away")


def link_then_finish(*acts: str) -> Callable[[Estate, str], object]:
    """The original gets another name while it lies in the hold, and then goes on its way."""

    def damage(estate: Estate, id: str) -> None:
        link_from_hold(estate, id)
        estate.recover()
        for act in acts:
            getattr(estate, act)()

    return damage


def shelve(name: str) -> Callable[[Estate, str], object]:
    def damage(estate: Estate, id: str) -> None:
        (estate.objects / name).parent.mkdir(exist_ok=True)
        (estate.objects / name).write_bytes(b"something")

    return damage


def sql(statement: str) -> Callable[[Estate, str], object]:
    return lambda estate, id: estate.sql(statement)


def tomb(estate: Estate, id: str) -> None:
    """Its key is destroyed, and the object is put back."""
    kept = estate.object_of(id).read_bytes()
    estate.vault.remove(id)
    estate.object_of(id).write_bytes(kept)


def without_vault(estate: Estate, id: str) -> None:
    shutil.rmtree(estate.folder / "vault")


def twice_open(estate: Estate, id: str) -> None:
    estate.sql("DROP INDEX uq_disposal_one_open")
    estate.sql("CREATE TABLE another AS SELECT * FROM disposal")
    estate.sql("UPDATE another SET id = 99, vault_id = ?", "e" * 32)
    estate.sql("INSERT INTO disposal SELECT * FROM another")


K = Kind
DAMAGES = {
    # The vault
    "object deleted": Damage("quarantined", remove(the_object), K.LOST, "no object"),
    "object deleted while restoring": Damage("restoring", remove(the_object), K.LOST, "no object"),
    "object deleted before its key was": Damage("destroying", remove(the_object), K.LOST, "no object"),
    "object deleted while the original is held": Damage(
        "sealed", remove(the_object), K.UNREADABLE, "original still lies in the hold"
    ),
    "object deleted and nothing held": Damage("sealed_and_let_go", remove(the_object), K.LOST, "no object"),
    "bit of the content flipped": Damage(
        "quarantined", lambda e, id: e.flip(e.object_of(id), 60), K.UNREADABLE, "chunk 1 of 1"
    ),
    "id in the header flipped": Damage(
        "quarantined", lambda e, id: e.flip(e.object_of(id), 14), K.UNREADABLE, "another id"
    ),
    "magic flipped": Damage("quarantined", lambda e, id: e.flip(e.object_of(id), 0), K.UNREADABLE, "does not begin"),
    "object cut short": Damage("quarantined", shorten, K.UNREADABLE, "does not open"),
    "object cut to nothing": Damage(
        "quarantined", lambda e, id: os.truncate(e.object_of(id), 0), K.UNREADABLE, "shorter than a header"
    ),
    "object lengthened": Damage("quarantined", append, K.UNREADABLE, "does not open"),
    "objects swapped": Damage("quarantined", swap, K.UNREADABLE, "another id"),
    "key record zeroed": Damage("quarantined", zero(KEYRING, KEY_PLACE), K.UNREADABLE, "its key is not in the vault"),
    "bit of the key record flipped": Damage(
        "quarantined", lambda e, id: e.flip(e.folder / KEYRING, KEY_PLACE + 40), K.UNREADABLE, "its key is not"
    ),
    "epoch key gone": Damage("quarantined", zero(SLOTS, SLOT_PLACE), K.UNREADABLE, "does not open with any epoch key"),
    "key destroyed": Damage("quarantined", tomb, K.UNREADABLE, "its key was destroyed"),
    "item destroyed in the vault alone": Damage("quarantined", lambda e, id: e.vault.remove(id), K.LOST, "no object"),
    "content is another than the catalogue says": Damage(
        "quarantined", sql("UPDATE disposal SET content_hash = zeroblob(32)"), K.UNREADABLE, "not that of the item"
    ),
    "the whole vault gone": Damage("quarantined", without_vault, K.LOST, "no object"),
    "foreign object": Damage("restored", lambda e, id: put_object(e, "f" * 32), K.FOREIGN, "an object and a key"),
    "foreign key": Damage("restored", put_key_alone, K.FOREIGN, "has a key under ffff"),
    "foreign tomb": Damage(
        "restored",
        put_tomb,
        K.FOREIGN,
        "has a tomb under ffff",
    ),
    "foreign file on a shelf": Damage("restored", shelve("ab/note.txt"), K.FOREIGN, "among the vault's objects"),
    "foreign file beside the shelves": Damage("restored", shelve("note.txt"), K.FOREIGN, "among the vault's objects"),
    "object on another's shelf": Damage(
        "restored", shelve("ab/" + "f" * 32 + ".enc"), K.FOREIGN, "among the vault's objects"
    ),
    "unfinished object of nobody": Damage(
        "restored", shelve("ff/" + "f" * 32 + ".part"), K.FOREIGN, "an unfinished object"
    ),
    # The hold
    "nothing in the hold": Damage("planned_and_held", remove(in_the_hold), K.LOST, "lies nothing, and nothing in"),
    "nothing in the hold, in conflict": Damage("conflict", remove(in_the_hold), K.LOST, "lies another file"),
    "destroyed in the hold before it was sealed": Damage(
        "planned_and_held", lambda e, id: (e.hold / id).rename(e.hold / f"{id}.going"), K.LOST, "nothing in the hold"
    ),
    "foreign file in the hold": Damage("quarantined", put_in_hold("notes.txt"), K.FOREIGN, "belongs to no disposal"),
    "id of nobody in the hold": Damage("quarantined", put_in_hold("e" * 32), K.FOREIGN, "belongs to no disposal"),
    "held after it was put back": Damage("abandoned", put_in_hold(), K.WRONG_STATE, "over (abandoned)"),
    "held after it was restored": Damage("restored", put_in_hold(), K.WRONG_STATE, "over (restored)"),
    "held after it was destroyed": Damage("destroyed", put_in_hold(), K.WRONG_STATE, "recorded as destroyed"),
    "held after it was erased": Damage("erased", put_in_hold(), K.WRONG_STATE, "recorded as erased"),
    "moved into the hold by hand": Damage(
        "abandoned", lambda e, id: (e.share / PATH).rename(e.hold / id), K.WRONG_STATE, "Is that the item?"
    ),
    # In two places
    "held and in place": Damage("planned_and_held", link_from_hold, K.TWICE, "under two names"),
    "sealed and in place": Damage("sealed", link_from_hold, K.TWICE, "is sealed"),
    "quarantined and in place": Damage("sealed", link_then_finish(), K.TWICE, "is quarantined"),
    "destroyed and in place": Damage("sealed", link_then_finish("destroy"), K.TWICE, "is destroyed"),
    # In its place
    "planned and gone": Damage("planned", remove(in_place), K.LOST, "in its place lies nothing"),
    "planned and replaced": Damage(
        "planned",
        lambda e, id: ((e.share / PATH).rename(e.folder / "away"), (e.share / PATH).write_bytes(b"new")),
        K.LOST,
        "lies another file",
    ),
    "restored and gone": Damage("restored", remove(in_place), K.LOST, "is restored, but nothing lies in its place"),
    "abandoned and gone": Damage("abandoned", remove(in_place), K.LOST, "is abandoned, but nothing"),
    "relocated and gone": Damage(
        "relocated", lambda e, id: (e.share / "Elsewhere/b.txt").unlink(), K.LOST, "is relocated, but nothing"
    ),
    "folder replaced by a link": Damage(
        "restored",
        link_folder,
        K.LOST,
        "nothing lies in its place",
    ),
    # Destroyed, but not away
    "object back after it was destroyed": Damage(
        "destroyed", lambda e, id: e.object_of(id).write_bytes(b"x"), K.WRONG_STATE, "the vault has an object under"
    ),
    "unfinished object after it was destroyed": Damage(
        "destroyed",
        lambda e, id: e.object_of(id).with_suffix(".part").write_bytes(b"x"),
        K.WRONG_STATE,
        "the vault has an unfinished object under",
    ),
    "key and object back after it was erased": Damage(
        "erased", lambda e, id: put_object(e, id), K.WRONG_STATE, "the vault has an object and a key under"
    ),
    # What is to remain of it
    "what is to remain is gone": Damage(
        "sealed",
        lambda e, id: e.object_of(str(e.sql("SELECT derived_id FROM disposal")[0][0])).unlink(),
        K.UNREADABLE,
        "what is to remain of it",
        NAMED,
    ),
    # What is recorded
    "state of the disposal set to destroyed": Damage(
        "planned", sql("UPDATE disposal SET state = 'destroyed'"), K.WRONG_STATE, "its steps came to planned"
    ),
    "state of the disposal set back": Damage(
        "restored", sql("UPDATE disposal SET state = 'abandoned'"), K.WRONG_STATE, "its steps came to restored"
    ),
    "a state that there is none of": Damage(
        "restored", sql("UPDATE disposal SET state = 'Jane Doe'"), K.WRONG_STATE, "never have been recorded"
    ),
    "an id that is none": Damage(
        "restored", sql("UPDATE disposal SET vault_id = '../../etc'"), K.WRONG_STATE, "never have been recorded"
    ),
    "an id of what remains that is none": Damage(
        "restored", sql("UPDATE disposal SET derived_id = x'00'"), K.WRONG_STATE, "never have been recorded"
    ),
    "item said to be there": Damage(
        "quarantined", sql("UPDATE item SET state = 0"), K.WRONG_STATE, "there, but its disposal is quarantined"
    ),
    "item said to be in quarantine": Damage(
        "restored", sql("UPDATE item SET state = 3"), K.WRONG_STATE, "in quarantine, but its disposal is restored"
    ),
    "item said to be destroyed": Damage(
        "quarantined", sql("UPDATE item SET state = 4"), K.WRONG_STATE, "destroyed, but its disposal is quarantined"
    ),
    "destroyed item said to be gone": Damage(
        "destroyed", sql("UPDATE item SET state = 2"), K.WRONG_STATE, "by the hands of others, but its disposal is dest"
    ),
    "item in no state that there is": Damage(
        "restored", sql("UPDATE item SET state = 9"), K.WRONG_STATE, "in a state that there is none of"
    ),
    "item of no folder": Damage("restored", sql("DELETE FROM folder"), K.WRONG_STATE, "does not have"),
    "two disposals going on": Damage("quarantined", twice_open, K.WRONG_STATE, "several disposals"),
    "on a certificate but not erased": Damage(
        "quarantined", sql("UPDATE disposal SET certificate_id = '1'"), K.WRONG_STATE, "on certificate 1, but it is not"
    ),
    "certificate gone": Damage("certified", sql("DELETE FROM certificate"), K.WRONG_STATE, "no such document"),
    "certificate emptied": Damage(
        "certified", sql("UPDATE certificate SET document = x''"), K.WRONG_STATE, "no such document"
    ),
    "certificate over more items": Damage(
        "certified", sql("UPDATE certificate SET items = 2"), K.WRONG_STATE, "another number of items"
    ),
}
# These shake other things too, which are to be told as well.
ALSO = {
    "state of the disposal set to destroyed": {K.TWICE},
    "two disposals going on": {K.LOST},
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found(estate: Estate, name: str) -> None:
    damage = DAMAGES[name]
    disposal = estate.stand(damage.state, damage.path)
    assert estate.check().problems == ()
    damage.do(estate, disposal.vault_id)
    report = estate.check()
    assert kinds(report) == {damage.kind} | ALSO.get(name, set()), words(report)
    assert any(damage.said in problem.said for problem in report.problems if problem.kind is damage.kind), words(report)
    assert not report.whole
    assert sum(report.standings.values()) == report.items
    assert "Jane" not in words(report)
    assert ".txt" not in words(report)

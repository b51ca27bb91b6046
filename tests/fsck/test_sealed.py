"""Objects and key files are read by their documented formats, as those wrote them who act."""

from __future__ import annotations

import os
import secrets
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from agent.fsck.base import VaultFiles, VaultNotOpened
from agent.fsck.sealed import NotReadable, read_object
from agent.fsck.vault import Vault
from agent.vault.disk import Disk
from agent.vault.keys import RootKey
from agent.vault.store import Vault as ActingVault
from agent.vault.stream import seal

ID, KEY = bytes(range(16)), bytes(32)
ROOT, OTHER = RootKey(b"r" * 32), RootKey(b"o" * 32)
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


@contextmanager
def memory(content: bytes = b"") -> Iterator[int]:
    descriptor = os.memfd_create("test")
    try:
        os.pwrite(descriptor, content, 0)
        yield descriptor
    finally:
        os.close(descriptor)


def read(sealed: bytes, id: bytes = ID, key: bytes = KEY) -> bytes:
    with memory(sealed) as source:
        digest, size = read_object(source, key, id)
        assert size == len(sealed)
        return digest


def sealed(plain: bytes, chunk_log: int = 4, header: bytes | None = None) -> bytes:
    """Any plain bytes as an object, whether they make sense or not."""
    prefix = secrets.token_bytes(7)
    header = header or struct.pack(">8sBBBB16s7sB", b"RTDVAULT", 1, 1, chunk_log, 0, ID, prefix, 0)
    size = 1 << chunk_log
    chunks = [plain[start : start + size] for start in range(0, len(plain), size)] or [b""]
    parts = [header]
    for number, chunk in enumerate(chunks):
        nonce = header[28:35] + number.to_bytes(4, "big") + bytes([number == len(chunks) - 1])
        parts.append(AESGCM(KEY).encrypt(nonce, chunk, header))
    return b"".join(parts)


def m(data: bytes = b"") -> bytes:
    return b"M" + len(data).to_bytes(4, "big") + data


def d(offset: int, data: bytes) -> bytes:
    return b"D" + offset.to_bytes(8, "big") + len(data).to_bytes(8, "big") + data


def e(content: bytes) -> bytes:
    return b"E" + len(content).to_bytes(8, "big") + sha256(content).digest()


@given(
    st.lists(st.tuples(st.integers(0, 300_000), st.binary(min_size=1, max_size=5000)), max_size=4),
    st.integers(0, 5000),
    st.binary(max_size=200),
    st.sampled_from([4, 6, 12, 20]),
)
def test_what_the_vault_seals_is_read_with_its_holes(
    stretches: list[tuple[int, bytes]], end: int, metadata: bytes, chunk_log: int
) -> None:
    with memory() as source, memory() as target:
        for offset, data in stretches:
            os.pwrite(source, data, offset)
        os.ftruncate(source, os.fstat(source).st_size + end)
        content = os.pread(source, os.fstat(source).st_size, 0)
        seal(source, target, KEY, ID.hex(), metadata, Disk(), 1 << chunk_log)
        assert read_object(target, KEY, ID) == (sha256(content).digest(), os.fstat(target).st_size)


def test_a_hole_is_read_as_the_zeros_it_is() -> None:
    content = bytes(40) + b"data" + bytes(3_000_000)
    assert read(sealed(m(b"about") + d(40, b"data") + e(content))) == sha256(content).digest()


def test_an_empty_chunk_at_the_end_is_no_damage() -> None:
    plain = m(b"1234567") + e(b"")
    whole = sealed(plain + bytes(-len(plain) % 16))
    with pytest.raises(NotReadable, match="does not end where it should"):
        read(whole)
    prefix_header = whole[:36]
    body = m(b"0" * (16 * 4 - 5 - 41)) + e(b"")
    assert len(body) == 64
    chunks = [body[start : start + 16] for start in range(0, 64, 16)] + [b""]
    made = prefix_header
    for number, chunk in enumerate(chunks):
        nonce = prefix_header[28:35] + number.to_bytes(4, "big") + bytes([number == 4])
        made += AESGCM(KEY).encrypt(nonce, chunk, prefix_header)
    assert read(made) == sha256(b"").digest()


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        (b"", "ends in the middle"),
        (b"X", "does not begin with its metadata"),
        (b"M" + b"\xff" * 4, "does not begin with its metadata"),
        (m() + b"X", "no known kind"),
        (m(), "ends in the middle"),
        (m() + d(0, b"data")[:-1], "ends in the middle"),
        (m() + d(10, b"data") + d(0, b"data") + e(b""), "overlap"),
        (m() + d(0, b"data") + e(b"dat"), "does not end where it should"),
        (m() + d(0, b"data") + e(b"data") + b"more", "does not end where it should"),
        (m() + d(0, b"data") + e(b"tada"), "does not have the hash"),
        (m() + d(0, b"data") + e(b"data\0"), ""),
    ],
)
def test_what_makes_no_sense_inside_is_damage(plain: bytes, said: str) -> None:
    if not said:
        assert read(sealed(plain)) == sha256(b"data\0").digest()
        return
    with pytest.raises(NotReadable, match=said):
        read(sealed(plain))


def header(**changed: object) -> bytes:
    parts = {"magic": b"RTDVAULT", "version": 1, "algorithm": 1, "chunk": 4, "zero": 0, "id": ID, "prefix": b"prefix!"}
    return struct.pack(">8sBBBB16s7sB", *{**parts, "end": 0, **changed}.values())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"magic": b"RTDVAULS"}, "does not begin as an object"),
        ({"version": 2}, "does not begin as an object"),
        ({"algorithm": 2}, "does not begin as an object"),
        ({"chunk": 3}, "does not begin as an object"),
        ({"chunk": 25}, "does not begin as an object"),
        ({"zero": 1}, "does not begin as an object"),
        ({"id": bytes(16)}, "another id"),
        ({"end": 1}, "does not begin as an object"),
    ],
)
def test_a_header_that_is_none_is_damage(changed: dict[str, object], said: str) -> None:
    with pytest.raises(NotReadable, match=said):
        read(sealed(m() + e(b""), header=header(**changed)))
    assert read(sealed(m() + e(b""), header=header())) == sha256(b"").digest()


def test_what_is_shorter_than_a_header_is_damage() -> None:
    with pytest.raises(NotReadable, match="shorter than a header"):
        read(sealed(m() + e(b""))[:35])


def test_no_bit_can_change_and_no_chunk_be_cut_moved_or_doubled() -> None:
    whole = sealed(m(b"about") + d(0, b"x" * 60) + e(b"x" * 60))
    chunks = [whole[start : start + 32] for start in range(36, len(whole), 32)]
    damaged = [
        whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :] for position in range(len(whole))
    ]
    damaged += [whole[:length] for length in range(len(whole))]
    damaged += [whole[:36] + b"".join(chunks[1:]), whole[:36] + b"".join([chunks[1], chunks[0], *chunks[2:]])]
    damaged += [whole + chunks[-1], whole[:36] + chunks[0] + b"".join(chunks)]
    for one in damaged:
        with pytest.raises(NotReadable):
            read(one)
    assert read(whole) == sha256(b"x" * 60).digest()


# The vault's directory


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[ActingVault]:
    ActingVault.create(str(tmp_path / "vault"), slots=16)
    with ActingVault(str(tmp_path / "vault"), ROOT) as opened:
        yield opened


def put(vault: ActingVault, id: bytes, content: bytes, on: date = MONDAY) -> None:
    with memory(content) as source:
        vault.put(source, id.hex(), b"about", on)


def files(folder: Path, root: RootKey = ROOT) -> VaultFiles:
    return VaultFiles(folder / "vault", folder / "vault" / "slots", root.secret)


def test_keys_are_found_through_a_ceremony_and_a_change_of_the_root_key(vault: ActingVault, tmp_path: Path) -> None:
    kept, gone = bytes([1]) * 16, bytes([2]) * 16
    put(vault, kept, b"kept")
    put(vault, gone, b"gone")
    vault.remove(gone.hex())
    vault.erase(TUESDAY)
    vault.close()
    ActingVault(str(tmp_path / "vault"), OTHER, former=ROOT).close()
    ours = Vault(files(tmp_path, OTHER))
    copy = ours.take(kept)
    assert ours.read(copy, ours.key(copy))[0] == sha256(b"kept").digest()
    assert ours.take(gone).words == ""
    assert list(ours.rest()) == []
    ours.close()


def test_another_root_key_is_told(vault: ActingVault, tmp_path: Path) -> None:
    put(vault, ID, b"content")
    with pytest.raises(VaultNotOpened, match="another root key"):
        Vault(files(tmp_path, OTHER))


def test_an_object_that_went_meanwhile_is_not_readable(vault: ActingVault, tmp_path: Path) -> None:
    put(vault, ID, b"content")
    ours = Vault(files(tmp_path))
    copy = ours.take(ID)
    key = ours.key(copy)
    vault.discard(ID.hex())
    with pytest.raises(NotReadable, match="No such file"):
        ours.read(copy, key)
    ours.close()


def test_a_key_that_was_altered_does_not_open_even_if_its_place_is_sound(vault: ActingVault, tmp_path: Path) -> None:
    put(vault, ID, b"content")
    slots = tmp_path / "vault/slots"
    for place in (1, 16):  # the two copies of the epoch's key
        with open(slots, "r+b") as opened:
            opened.seek(4096 * place)
            held = bytearray(opened.read(4096))
            held[40] ^= 1
            held[-4:] = zlib.crc32(held[:-4]).to_bytes(4, "big")
            opened.seek(4096 * place)
            opened.write(held)
        ours = Vault(files(tmp_path))
        copy = ours.take(ID)
        assert (ours.damaged_places, copy.words) == (0, "an object and a key")
        if place == 1:
            assert ours.read(copy, ours.key(copy))[0] == sha256(b"content").digest()
        else:
            with pytest.raises(NotReadable, match="does not open with any epoch key"):
                ours.key(copy)
        ours.close()


def remove(name: str) -> Callable[[Path], object]:
    return lambda vault: (vault / name).unlink()


def overwrite(name: str, content: bytes, offset: int = 0) -> Callable[[Path], object]:
    def damage(vault: Path) -> None:
        with open(vault / name, "r+b") as opened:
            opened.seek(offset)
            opened.write(content)

    return damage


def link(vault: Path) -> None:
    (vault / "keyring").rename(vault / "aside")
    (vault / "keyring").symlink_to("aside")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (remove("keyring"), "keyring: this part of the vault cannot be read"),
        (remove("slots"), "slots: this part of the vault cannot be read"),
        (lambda vault: (vault / "objects").rmdir(), "objects: this part of the vault cannot be read"),
        (overwrite("keyring", b"x"), "not the file that the vault keeps there"),
        (overwrite("slots", b"x"), "not the file that the vault keeps there"),
        (overwrite("slots", b"x", 11), "not the file that the vault keeps there"),
        (lambda vault: os.truncate(vault / "keyring", 20), "not the file that the vault keeps there"),
        (overwrite("slots", b"x", 12), "that of another vault"),
        (
            lambda vault: (vault / "keyring").rename(vault / "k") and (vault / "keyring").symlink_to("k"),
            "cannot be read",
        ),
    ],
)
def test_a_vault_whose_own_files_are_others_is_not_judged(
    vault: ActingVault, tmp_path: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(tmp_path / "vault")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(VaultNotOpened, match=said):
        Vault(files(tmp_path))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_vault_that_was_never_made_is_empty(tmp_path: Path) -> None:
    ours = Vault(VaultFiles(tmp_path / "vault", tmp_path / "vault/slots", b""))
    copy = ours.take(ID)
    assert (copy.words, ours.damaged_places, ours.foreign, list(ours.rest())) == ("", 0, [], [])
    assert not ours.alive("00" * 8)
    with pytest.raises(NotReadable, match="not there"):
        ours.key(copy)
    ours.close()


def test_a_key_file_of_many_places_is_read_to_its_end(vault: ActingVault, tmp_path: Path) -> None:
    """More than is read at once, with an end that is no whole place."""
    put(vault, ID, b"content")
    keyring = tmp_path / "vault/keyring"
    places = (1 << 20) // 128 + 5
    with open(keyring, "r+b") as opened:
        opened.seek(128)
        record = opened.read(128)
        opened.seek(128)
        opened.write(bytes(128))
        opened.truncate(128 * places)
        opened.seek(128 * (places - 1))
        opened.write(record + b"half a place")
    ours = Vault(files(tmp_path))
    copy = ours.take(ID)
    assert copy.keys == (places - 1,)
    assert ours.read(copy, ours.key(copy))[0] == sha256(b"content").digest()
    assert ours.damaged_places == 0
    ours.close()

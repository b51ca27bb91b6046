"""What was sealed comes out bit for bit with its holes; what was touched in any way does not come out at all."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.vault import stream
from agent.vault.base import Damaged, SourceChanged
from agent.vault.disk import Disk
from agent.vault.stream import DATA, END, HEADER, META, TAG_BYTES, Sealer, chunk_nonce, seal, unseal, unseal_metadata
from tests.vault.factories import an_id, memory_file, read_all

KEY = bytes(range(32))
ID = an_id(7)
CHUNK = 64
PAGE = 4096

pieces = st.lists(st.tuples(st.integers(0, 3 * PAGE), st.binary(max_size=3 * CHUNK)), max_size=5)


def sealed(content: bytes, metadata: bytes = b"{}", key: bytes = KEY, id: str = ID, chunk: int = CHUNK) -> bytes:
    with memory_file(content) as source, memory_file() as target:
        seal(source, target, key, id, metadata, Disk(), chunk)
        return read_all(target)


def opened(data: bytes, key: bytes = KEY, id: str = ID) -> tuple[bytes, bytes]:
    with memory_file(data) as source, memory_file() as target:
        told = unseal(source, key, id, target, Disk())
        content = read_all(target)
        assert told.sha256 == hashlib.sha256(content).hexdigest()
        assert (told.size_bytes, told.stored_bytes) == (len(content), len(data))
        return told.metadata, content


def chunks_of(data: bytes) -> list[bytes]:
    step = CHUNK + TAG_BYTES
    return [data[at : at + step] for at in range(HEADER.size, len(data), step)]


@settings(max_examples=300 if "RETENTIOND_TEST_LONG" in os.environ else 100, deadline=None)
@given(pieces, st.integers(0, 2 * PAGE), st.binary(max_size=200), st.integers(4, 13))
def test_contents_and_holes_come_back_as_they_were(
    parts: list[tuple[int, bytes]], tail: int, metadata: bytes, log: int
) -> None:
    with memory_file() as source, memory_file() as target, memory_file() as out:
        at = 0
        for gap, data in parts:
            os.pwrite(source, data, at := at + gap)
            at += len(data)
        os.ftruncate(source, at + tail)
        content = seal(source, target, KEY, ID, metadata, Disk(), 1 << log)
        assert content.stored_bytes == os.fstat(target).st_size
        told = unseal(target, KEY, ID, out, Disk())
        assert read_all(out) == read_all(source)
        assert told.metadata == metadata == unseal_metadata(target, KEY, ID)
        assert told.sha256 == content.sha256 == hashlib.sha256(read_all(source)).hexdigest()
        assert os.fstat(out).st_blocks <= os.fstat(source).st_blocks
        assert unseal(target, KEY, ID, None, Disk()) == told


def test_a_sparse_file_takes_no_more_room_than_its_data() -> None:
    with memory_file() as source, memory_file() as target, memory_file() as out:
        os.pwrite(source, b"x" * PAGE, 40 << 20)
        os.ftruncate(source, 80 << 20)
        content = seal(source, target, KEY, ID, b"", Disk())
        assert content.size_bytes == 80 << 20
        assert content.stored_bytes < 2 * PAGE
        unseal(target, KEY, ID, out, Disk())
        assert os.fstat(out).st_blocks == os.fstat(source).st_blocks == PAGE // 512
        assert [os.lseek(out, 0, os.SEEK_DATA), os.lseek(out, 40 << 20, os.SEEK_HOLE)] == [40 << 20, (40 << 20) + PAGE]


def test_a_large_file_comes_back() -> None:
    with memory_file(os.urandom(20 << 20)) as source, memory_file() as target, memory_file() as out:
        content = seal(source, target, KEY, ID, b"", Disk())
        assert content.stored_bytes == os.fstat(target).st_size
        unseal(target, KEY, ID, out, Disk())
        assert read_all(out) == read_all(source)


@pytest.mark.parametrize("around", range(-2, 3))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_contents_that_end_near_a_border_of_a_chunk_come_back(count: int, around: int) -> None:
    frame = META.size + 2 + DATA.size + END.size
    content = os.urandom(count * CHUNK * 2 - frame + around)
    assert opened(sealed(content)) == (b"{}", content)


def test_every_flipped_bit_is_found() -> None:
    data = sealed(os.urandom(3 * CHUNK))
    for place, bit in itertools.product(range(len(data)), range(8)):
        changed = bytearray(data)
        changed[place] ^= 1 << bit
        with pytest.raises(Damaged):
            opened(bytes(changed))


def test_every_truncation_is_found() -> None:
    data = sealed(os.urandom(3 * CHUNK))
    for length in range(len(data)):
        with pytest.raises(Damaged):
            opened(data[:length])


@pytest.mark.parametrize("more", [b"\0", bytes(TAG_BYTES), bytes(CHUNK), bytes(CHUNK + TAG_BYTES), bytes(500)])
@pytest.mark.parametrize("length", [CHUNK * 4, CHUNK * 4 + 5])
def test_appended_bytes_are_found(length: int, more: bytes) -> None:
    with pytest.raises(Damaged):
        opened(sealed(os.urandom(length)) + more)


def test_chunks_that_are_swapped_doubled_or_left_out_are_found() -> None:
    data = sealed(os.urandom(6 * CHUNK))
    header, chunks = data[: HEADER.size], chunks_of(data)
    assert len(chunks) > 5
    orders: list[list[int]] = []
    for one, two in itertools.combinations(range(len(chunks)), 2):
        swapped = list(range(len(chunks)))
        swapped[one], swapped[two] = two, one
        orders.append(swapped)
    for one in range(len(chunks)):
        orders.append([*range(one), *range(one + 1, len(chunks))])
        orders.append([*range(one), one, *range(one, len(chunks))])
        orders.append([*range(len(chunks)), one])
    for order in orders:
        with pytest.raises(Damaged):
            opened(header + b"".join(chunks[number] for number in order))


@pytest.mark.parametrize("change", [{}, {"id": an_id(8)}, {"key": bytes(32)}, {"content": b"other"}])
def test_chunks_of_another_object_are_found_even_under_the_same_key_and_id(change: dict[str, object]) -> None:
    content = os.urandom(4 * CHUNK)
    data, other = sealed(content), sealed(**{"content": content, **change})  # type: ignore[arg-type]
    mine, theirs = chunks_of(data), chunks_of(other)
    for number in range(min(len(mine), len(theirs))):
        spliced = [*mine[:number], theirs[number], *mine[number + 1 :]]
        with pytest.raises(Damaged, match=f"chunk {number + 1} of"):
            opened(data[: HEADER.size] + b"".join(spliced))
    with pytest.raises(Damaged):
        opened(other[: HEADER.size] + data[HEADER.size :])


def test_an_object_does_not_open_under_another_id_or_with_another_key() -> None:
    data = sealed(b"content")
    with pytest.raises(Damaged, match="another id"):
        opened(data, id=an_id(8))
    with pytest.raises(Damaged, match="does not open with its key"):
        opened(data, key=bytes(32))


def test_no_two_seals_of_the_same_are_equal() -> None:
    assert chunks_of(sealed(b"content"))[0] != chunks_of(sealed(b"content"))[0]


def test_nothing_of_content_metadata_or_size_is_legible() -> None:
    data = sealed(b"Mrs Example " * 50, metadata=b"a telling name.docx")
    assert b"Example" not in data
    assert b"telling" not in data


def forged(*records: bytes) -> bytes:
    """An object of someone who has the key and does not keep to the format."""
    with memory_file() as target:
        sealer = Sealer(target, KEY, ID, CHUNK)
        for record in records:
            sealer.feed(record)
        sealer.close()
        return read_all(target)


META_OK = META.pack(b"M", 2) + b"{}"
NOTHING = hashlib.sha256(b"").digest()
TWO = hashlib.sha256(b"ab").digest()


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([META.pack(b"X", 2), b"{}"], "begin with its metadata"),
        ([META.pack(b"M", stream.METADATA_LIMIT + 1)], "begin with its metadata"),
        ([META.pack(b"M", 100), b"{}"], "middle of a record"),
        ([META_OK, b"Q"], "no known kind"),
        ([META_OK], "middle of a record"),
        ([META_OK, DATA.pack(b"D", 0, 1 << 60), b"ab"], "middle of a record"),
        ([META_OK, DATA.pack(b"D", 9, 2), b"ab", DATA.pack(b"D", 10, 2), b"ab"], "overlap"),
        ([META_OK, END.pack(b"E", 0, TWO)], "hash"),
        ([META_OK, DATA.pack(b"D", 0, 2), b"ab", END.pack(b"E", 1, TWO)], "longer than its size"),
        ([META_OK, END.pack(b"E", 0, NOTHING), b"more"], "behind its end"),
        ([META_OK, END.pack(b"E", 0, NOTHING), b"more" * CHUNK], "behind its end"),
        ([META_OK, END.pack(b"E", 0, NOTHING), bytes(CHUNK * 2 - 48)], "behind its end"),
    ],
)
def test_records_that_make_no_sense_are_refused_though_the_key_fits(records: list[bytes], why: str) -> None:
    with pytest.raises(Damaged, match=why):
        opened(forged(*records))


def test_the_forger_could_also_write_a_sound_object() -> None:
    assert opened(forged(META_OK, DATA.pack(b"D", 0, 2), b"ab", END.pack(b"E", 2, TWO))) == (b"{}", b"ab")


@pytest.mark.parametrize("log", [0, 3, 25, 64, 255])
def test_a_chunk_size_that_we_never_use_is_refused_before_memory_is_taken(log: int) -> None:
    header = HEADER.pack(stream.MAGIC, 1, 1, log, bytes.fromhex(ID), bytes(7))
    with pytest.raises(Damaged, match="chunk size"):
        opened(header + bytes(100))


def test_a_nonce_never_comes_twice() -> None:
    assert chunk_nonce(b"prefix7", (1 << 32) - 1, False) != chunk_nonce(b"prefix7", (1 << 32) - 1, True)
    with pytest.raises(ValueError, match="2\\^32 chunks"):
        chunk_nonce(b"prefix7", 1 << 32, False)


def test_metadata_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="16 MiB"):
        sealed(b"", metadata=bytes(stream.METADATA_LIMIT + 1))


def test_an_id_that_is_none_is_refused() -> None:
    for wrong in ("", "AB" * 16, "ab" * 15, "../" + "a" * 29, "ab" * 16 + "\n"):
        with pytest.raises(ValueError, match="32 lower-case"):
            sealed(b"", id=wrong)


class SizeChanges(Disk):
    """The file changes its size when this much was written."""

    def __init__(self, source: int, size: int, after: int):
        self.source, self.size, self.after = source, size, after

    def write(self, descriptor: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        super().write(descriptor, data, offset)
        if offset >= self.after:
            os.ftruncate(self.source, self.size)


@pytest.mark.parametrize("after", [0, HEADER.size, HEADER.size + 3 * (CHUNK + TAG_BYTES)])
@pytest.mark.parametrize("size", [0, CHUNK, 20 * CHUNK, 1000 * PAGE])
def test_a_file_that_shrinks_or_grows_meanwhile_is_refused(size: int, after: int) -> None:
    with memory_file(os.urandom(10 * CHUNK)) as source, memory_file() as target, pytest.raises(SourceChanged):
        seal(source, target, KEY, ID, b"", SizeChanges(source, size, after), CHUNK)


class NoHoles(Disk):
    def __init__(self, number: int):
        self.number = number

    def seek(self, descriptor: int, offset: int, whence: int) -> int:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP])
def test_a_file_system_that_knows_no_holes_has_data_everywhere(number: int) -> None:
    with memory_file() as source, memory_file() as target, memory_file() as out:
        os.pwrite(source, b"end", 3 * PAGE)
        assert seal(source, target, KEY, ID, b"", NoHoles(number), CHUNK).stored_bytes > 3 * PAGE
        unseal(target, KEY, ID, out, Disk())
        assert read_all(out) == read_all(source)


def test_any_other_refusal_to_seek_is_told() -> None:
    with memory_file(b"x") as source, memory_file() as target, pytest.raises(OSError, match="Input/output"):
        seal(source, target, KEY, ID, b"", NoHoles(errno.EIO), CHUNK)


class GrowsInFront(Disk):
    """Data appears behind the size that was read first."""

    def seek(self, descriptor: int, offset: int, whence: int) -> int:
        return 2 * PAGE if whence == os.SEEK_DATA else 3 * PAGE


def test_data_behind_the_size_we_went_by_is_not_sealed() -> None:
    with memory_file() as source, memory_file() as target, memory_file() as out:
        os.ftruncate(source, PAGE)
        seal(source, target, KEY, ID, b"", GrowsInFront(), CHUNK)
        assert unseal(target, KEY, ID, out, Disk()).size_bytes == PAGE
        assert not any(read_all(out))


def test_the_format_is_the_one_that_is_written_down() -> None:
    """Read with nothing of ours: vaults of this version must open for as long as they are kept."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    data = sealed(b"some content", metadata=b"meta", chunk=1 << 20)
    header, body = data[:36], data[36:]
    assert header[:12] == b"RTDVAULT\x01\x01\x14\0"
    assert header[12:28] == bytes.fromhex(ID)
    assert header[35:] == b"\0"
    plain = AESGCM(KEY).decrypt(header[28:35] + bytes(4) + b"\x01", body, header)
    record = b"M" + struct.pack(">I", 4) + b"meta" + b"D" + struct.pack(">QQ", 0, 12) + b"some content"
    assert plain == record + b"E" + struct.pack(">Q", 12) + hashlib.sha256(b"some content").digest()

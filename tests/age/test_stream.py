"""Whatever is written comes back whole to each recipient, and nothing that was altered, cut or put together does."""

from __future__ import annotations

import gc
import io
import os
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.age.base import Damaged, WrongKey
from agent.age.keys import identity_key, new_identity
from agent.age.message import decrypt, encrypt
from agent.age.stream import CHUNK_BYTES, Reader, Writer
from tests.age.samples import (
    CHUNK,
    FILE_KEY,
    FIRST,
    FIRST_RECIPIENT,
    FOREIGN,
    IN_FOREIGN,
    SECOND,
    SECOND_RECIPIENT,
    body,
    head,
    stanza,
    text64,
)

PUBLIC = identity_key(FIRST).public_key()


def test_what_another_implementation_made_is_read() -> None:
    for identity in (FIRST, SECOND):
        assert decrypt(FOREIGN, identity) == IN_FOREIGN


def test_nobody_but_a_recipient_opens_a_file() -> None:
    stranger, _ = new_identity()
    with pytest.raises(WrongKey, match="not made for this identity"):
        decrypt(FOREIGN, stranger)
    with pytest.raises(WrongKey):
        decrypt(encrypt(b"x", [FIRST_RECIPIENT]), SECOND)


@given(st.integers(0, 3), st.integers(-1, 1))
def test_any_length_comes_back_to_each_recipient(chunks: int, around: int) -> None:
    plain = os.urandom(max(0, chunks * CHUNK + around))
    sealed = encrypt(plain, [SECOND_RECIPIENT, FIRST_RECIPIENT])
    assert decrypt(sealed, FIRST) == decrypt(sealed, SECOND) == plain


@given(st.lists(st.integers(0, 3 * CHUNK), max_size=6), st.integers(0, 10))
def test_it_does_not_matter_in_which_pieces_it_is_written_and_read(lengths: list[int], at_most: int) -> None:
    pieces = [os.urandom(length) for length in lengths]
    target = Choosy(at_most * 5000 or None)
    writer = Writer(target, [FIRST_RECIPIENT])
    for piece in pieces:
        writer.write(memoryview(piece))
    writer.finish()
    source = Choosy(at_most * 5000 or None, target.getvalue())
    assert b"".join(Reader(source, FIRST)) == b"".join(pieces)


@pytest.mark.parametrize("first", [CHUNK - 1, CHUNK, CHUNK + 1])
def test_chunks_are_full_wherever_a_piece_ends(first: int) -> None:
    target = io.BytesIO()
    writer = Writer(target, [FIRST_RECIPIENT])
    for length in (first, 1, 0, CHUNK):
        writer.write(bytes(length))
    writer.finish()
    assert decrypt(target.getvalue(), FIRST) == bytes(first + 1 + CHUNK)


class Choosy(io.BytesIO):
    """Takes and gives no more than so many bytes at a time, as files without a buffer and pipes do."""

    def __init__(self, at_most: int | None, content: bytes = b"") -> None:
        super().__init__(content)
        self._at_most = at_most

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return super().write(memoryview(data)[: self._at_most])

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, self._at_most or size or 0))


def test_every_file_has_a_key_of_its_own() -> None:
    first, second = (encrypt(bytes(CHUNK), [FIRST_RECIPIENT]) for _ in range(2))
    assert len(first) == len(second)
    assert first[-CHUNK:] != second[-CHUNK:]


def test_the_same_chunk_twice_is_not_sealed_alike() -> None:
    sealed = encrypt(bytes(3 * CHUNK), [FIRST_RECIPIENT])
    assert sealed[-3 * (CHUNK + 16) :][: CHUNK + 16] != sealed[-2 * (CHUNK + 16) :][: CHUNK + 16]


def test_a_file_put_together_by_the_specification_is_read() -> None:
    whole = head(stanza(PUBLIC)) + body(bytes(CHUNK), b"end")
    assert decrypt(whole, FIRST) == bytes(CHUNK) + b"end"
    assert CHUNK == CHUNK_BYTES


def test_what_was_not_finished_never_looks_whole() -> None:
    target = io.BytesIO()
    writer = Writer(target, [FIRST_RECIPIENT])
    writer.write(bytes(2 * CHUNK))
    del writer
    gc.collect()
    with pytest.raises(Damaged):
        decrypt(target.getvalue(), FIRST)


def test_nothing_can_be_added_behind_the_end() -> None:
    writer = Writer(io.BytesIO(), [FIRST_RECIPIENT])
    writer.finish()
    for act in (writer.finish, lambda: writer.write(b"x")):
        with pytest.raises(ValueError, match="finished"):
            act()


def test_memory_does_not_grow_with_the_file() -> None:
    class Nowhere(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            return len(data)

    writer = Writer(Nowhere(), [FIRST_RECIPIENT])
    block = bytes(1 << 20)
    tracemalloc.start()
    try:
        for _ in range(16):
            writer.write(block)
        writer.finish()
        assert tracemalloc.get_traced_memory()[1] < 8 * CHUNK
    finally:
        tracemalloc.stop()


def test_a_body_that_is_cut_swapped_or_continued_is_refused() -> None:
    sealed = encrypt(os.urandom(3 * CHUNK), [FIRST_RECIPIENT])
    step = CHUNK + 16
    begin = len(sealed) - 3 * step
    start, one, two, three = sealed[:begin], *(sealed[begin + n * step :][:step] for n in range(3))
    assert start + one + two + three == sealed
    for wrong in (start, start + one, start + one + two, start + two + one + three, sealed + b"x", sealed[:-1]):
        with pytest.raises(Damaged):
            decrypt(wrong, FIRST)
    for end in range(len(start)):
        with pytest.raises(Damaged):
            decrypt(start[:end], FIRST)


def test_no_byte_of_a_file_may_be_another() -> None:
    sealed = encrypt(b"a short text", [FIRST_RECIPIENT])
    for place in range(len(sealed)):
        for change in (1, 0x20, 0x80):
            wrong = bytearray(sealed)
            wrong[place] ^= change
            with pytest.raises((Damaged, WrongKey)):
                decrypt(bytes(wrong), FIRST)


@pytest.mark.parametrize(
    ("chunks", "ends"),
    [((b"x" * CHUNK, b""), True), ((b"x" * CHUNK,), False), ((b"",), False), ((), True), ((b"x", b"y"), True)],
    ids=["an empty last chunk", "no last chunk", "no last chunk at all", "no chunk", "a short chunk in between"],
)
def test_another_form_of_the_same_content_is_refused(chunks: tuple[bytes, ...], ends: bool) -> None:
    with pytest.raises(Damaged):
        decrypt(head(stanza(PUBLIC)) + body(*chunks, ends=ends), FIRST)


def test_an_empty_file_is_one_empty_chunk() -> None:
    assert decrypt(head(stanza(PUBLIC)) + body(b""), FIRST) == b""
    assert len(encrypt(b"", [FIRST_RECIPIENT])) == len(head(stanza(PUBLIC)) + body(b""))


def test_stanzas_of_other_kinds_are_passed_over() -> None:
    for other in (
        b"-> grease- some thing\n" + b"A" * 64 + b"\nAA\n",
        b"-> ssh-ed25519 AAAA\n\n",
        b"-> X25519-other\nAA\n",
    ):
        assert decrypt(head(other, stanza(PUBLIC)) + body(b"x"), FIRST) == b"x"


_SHARE = text64(bytes(32))
_SOUND = text64(PUBLIC.public_bytes_raw())


@pytest.mark.parametrize(
    "wrong",
    [
        b"-> X25519\n\n",
        b"-> X25519 !!\n\n",
        b"-> X25519 AAAA\nAAAA\n",
        b"-> X25519 " + _SHARE + b"\n" + text64(bytes(32)) + b"\n",
        b"-> X25519 " + _SOUND + b"\nAA\n",
        b"-> X25519 " + _SOUND + b" more\n" + text64(bytes(32)) + b"\n",
        b"-> X25519 " + _SOUND + b"\n" + text64(bytes(32))[:-1] + b"B\n",
    ],
    ids=["nothing", "no base64", "too short", "low order", "a short body", "an argument more", "another base64"],
)
def test_stanzas_of_ours_that_are_nonsense_are_refused(wrong: bytes) -> None:
    with pytest.raises(Damaged):
        decrypt(head(wrong, stanza(PUBLIC)) + body(b"x"), FIRST)


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\n",
        b"hello\n--- AAAA\n",
        head(),
        head(stanza(PUBLIC), version=b"age-encryption.org/v2"),
        head(stanza(PUBLIC), b"-> two  blanks\n\n"),
        head(stanza(PUBLIC), b"-> no end of its body\n" + b"A" * 64 + b"\n"),
        head(stanza(PUBLIC), file_key=bytes(16)),
        head(stanza(PUBLIC), file_key=FILE_KEY)[:-1],
    ],
)
def test_a_head_that_is_none_is_refused(wrong: bytes) -> None:
    with pytest.raises(Damaged, match="damaged, or is none"):
        decrypt(wrong + body(b"x"), FIRST)


def test_a_head_without_end_is_given_up() -> None:
    class Endless(io.BytesIO):
        given = 0

        def readline(self, size: int | None = -1) -> bytes:
            self.given += 64
            return b"-> endless\n"[: size or 0]

    source = Endless()
    with pytest.raises(Damaged):
        Reader(source, FIRST)
    assert source.given < 64 << 20

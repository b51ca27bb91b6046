"""What people write opens with its keys, as it was written, and never otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit.texts import TextDamaged, WrappedUnder, seal, unseal
from tests.audit.entries import TEXT_KEYS

TEXT = "Frau Müller asked for it on 3 May."


@given(st.text())
def test_a_text_opens_as_it_was_written(text: str) -> None:
    sealed = seal(text, TEXT_KEYS)
    assert unseal(sealed.wrapped_key, sealed.sealed, sealed.digest, TEXT_KEYS) == text


def test_bytes_of_a_terminal_that_are_no_text_survive() -> None:
    sealed = seal("odd \udcff", TEXT_KEYS)
    assert unseal(sealed.wrapped_key, sealed.sealed, sealed.digest, TEXT_KEYS) == "odd \udcff"


def test_the_same_text_twice_shows_nothing_in_common() -> None:
    one, two = seal(TEXT, TEXT_KEYS), seal(TEXT, TEXT_KEYS)
    assert one.digest != two.digest
    assert one.sealed != two.sealed
    assert "Müller".encode() not in one.sealed + one.wrapped_key + one.digest


def test_no_changed_bit_goes_unnoticed() -> None:
    sealed = seal(TEXT, TEXT_KEYS)
    parts = [sealed.wrapped_key, sealed.sealed, sealed.digest]
    for which, part in enumerate(parts):
        for bit in range(len(part) * 8):
            changed = bytearray(part)
            changed[bit // 8] ^= 1 << bit % 8
            with pytest.raises(TextDamaged):
                unseal(*[bytes(changed) if n == which else p for n, p in enumerate(parts)], TEXT_KEYS)  # type: ignore[arg-type]


@pytest.mark.parametrize("cut", [0, 1, 15, 16, -1])
def test_no_text_that_was_cut_short_opens(cut: int) -> None:
    sealed = seal(TEXT, TEXT_KEYS)
    with pytest.raises(TextDamaged):
        unseal(sealed.wrapped_key, sealed.sealed[:cut], sealed.digest, TEXT_KEYS)
    with pytest.raises(TextDamaged):
        unseal(sealed.wrapped_key[:cut], sealed.sealed, sealed.digest, TEXT_KEYS)


def test_texts_of_two_entries_cannot_be_exchanged() -> None:
    one, two = seal("one", TEXT_KEYS), seal("two", TEXT_KEYS)
    with pytest.raises(TextDamaged, match="not the text that was written"):
        unseal(two.wrapped_key, two.sealed, one.digest, TEXT_KEYS)


def test_nothing_opens_once_the_key_above_is_another() -> None:
    sealed = seal(TEXT, TEXT_KEYS)
    with pytest.raises(TextDamaged, match="key does not open"):
        unseal(sealed.wrapped_key, sealed.sealed, sealed.digest, WrappedUnder(b"x" * 32))
    assert "kkk" not in repr(TEXT_KEYS)

"""Recipients and identities are read strictly, and what is none is told without repeating it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.age import keys
from agent.age.base import Damaged
from agent.age.keys import identity_key, new_identity, recipient_key
from agent.age.message import armour, decrypt, encrypt, unarmour
from agent.errors import UsageError
from tests.age.samples import FIRST, FIRST_RECIPIENT, SECOND, SECOND_RECIPIENT


@pytest.mark.parametrize(
    ("identity", "recipient"), [(FIRST, FIRST_RECIPIENT), (f"  {SECOND.lower()}\n", SECOND_RECIPIENT.upper())]
)
def test_an_identity_belongs_to_its_recipient(identity: str, recipient: str) -> None:
    public = identity_key(identity).public_key()
    assert public.public_bytes_raw() == recipient_key(recipient).public_bytes_raw()


def test_a_new_identity_is_of_the_form_that_age_knows() -> None:
    identity, recipient = new_identity()
    assert identity.startswith("AGE-SECRET-KEY-1")
    assert len(identity) == len(FIRST)
    assert len(recipient) == len(FIRST_RECIPIENT)
    assert decrypt(encrypt(b"x", [recipient]), identity) == b"x"
    assert new_identity() != new_identity()


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "age1",
        FIRST_RECIPIENT[:-1],
        FIRST_RECIPIENT[:-1] + "b",
        FIRST_RECIPIENT[:-1] + ("q" if FIRST_RECIPIENT[-1] != "q" else "p"),
        FIRST_RECIPIENT[:9].upper() + FIRST_RECIPIENT[9:],
        FIRST_RECIPIENT.replace("age1", "bge1"),
    ],
)
def test_a_mistyped_recipient_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match=r"not an age recipient \(age1…\), or it was mistyped"):
        encrypt(b"", [wrong])


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoj officer@example", "This is an SSH key. Ask for an age recipient"),
        ("ssh-rsa AAAAB3NzaC1yc2E", "SSH key"),
        ("ecdsa-sha2-nistp256 AAAAE2", "SSH key"),
        ("sk-ssh-ed25519@openssh.com AAAA", "SSH key"),
        ("age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt", "needs a plugin"),
        ("AGE-PLUGIN-YUBIKEY-17XFWYQ2Q4ARPR", "secret identity"),
        (FIRST, "secret identity. Give the age recipient"),
    ],
)
def test_other_kinds_of_recipients_are_refused_with_what_to_do(other: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as raised:
        encrypt(b"", [FIRST_RECIPIENT, other])
    assert other[8:] not in str(raised.value)


@pytest.mark.parametrize("wrong", ["", FIRST_RECIPIENT, FIRST[:-1] + ("Q" if FIRST[-1] != "Q" else "P")])
def test_a_mistyped_identity_is_refused_and_not_repeated(wrong: str) -> None:
    with pytest.raises(UsageError, match="age identity") as raised:
        identity_key(wrong)
    assert not wrong or wrong not in str(raised.value)


def test_a_file_for_nobody_is_not_made() -> None:
    with pytest.raises(UsageError, match="at least one"):
        encrypt(b"", [])


def test_padding_that_says_something_is_refused() -> None:
    digits = keys._CHARSET
    body = [digits.index(letter) for letter in FIRST_RECIPIENT[4:56]]
    body[-1] |= 1
    check = keys._polymod(keys._spread("age") + body + [0] * 6) ^ 1
    text = "age1" + "".join(digits[n] for n in [*body, *(check >> shift & 31 for shift in range(25, -1, -5))])
    with pytest.raises(UsageError, match="mistyped"):
        encrypt(b"", [text])


def test_a_key_that_gives_everybody_the_same_secret_is_refused() -> None:
    with pytest.raises(UsageError, match="not a key"):
        encrypt(b"", [keys._bech32(bytes(32), "age")])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "hello",
        "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n",
        armour(b"some bytes").replace("=", ""),
        armour(b"some bytes").replace("c", "!"),
        armour(b"some bytes").replace("w==", "x=="),
        armour(b"some bytes").replace("AGE ENC", "ENC"),
        "text before\n" + armour(b"some bytes"),
    ],
)
def test_text_that_is_no_age_file_is_refused(text: str) -> None:
    with pytest.raises(Damaged, match="or is none"):
        unarmour(text)


@given(st.binary(max_size=200))
def test_what_was_written_as_text_comes_back(sealed: bytes) -> None:
    text = armour(sealed)
    assert max(map(len, text.splitlines())) <= 64
    assert unarmour(text.replace("\n", "\r\n")) == sealed

"""Checkpoints are signed notes as C2SP describes them, and as others write them."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from agent.audit.checkpoint import (
    LARGEST_NOTE_BYTES,
    Checkpoint,
    NotACheckpoint,
    Signature,
    Signed,
    SigningKey,
    VerifierKey,
    create,
    parse,
    signed,
)
from agent.errors import ConfigurationError
from tests.audit import reference
from tests.audit.entries import KEY, OTHER_KEY

ROOT = b"r" * 32
NOTE = create(5, ROOT, KEY)

# The example in the documentation of golang.org/x/mod/sumdb/note.
NEUMANN = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
NEUMANN_SECRET = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
NEUMANN_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NEUMANN_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# A checkpoint that sum.golang.org once gave, and the key of that log.
GO_NOTE = (
    "go.sum database tree\n63096908\n8lHrQPRYe4KT4WQ9/Qk8/taKnD6IRHbFgfN7vQE2Y54=\n\n"
    "— sum.golang.org Az3gri/oVBN1jAhNZ/iS+W31psFAWRT20/GyrhpU6taFwulQGetBkH5S7wpGXdS935jiIGiUUAXBVHzT/P6fYhqAmAk=\n"
).encode()
GO_KEY = VerifierKey.parse("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")


def test_we_sign_as_the_note_package_of_go_does() -> None:
    key = SigningKey("PeterNeumann", NEUMANN_SECRET)
    assert key.verifier == NEUMANN
    assert key.sign(NEUMANN_TEXT) == NEUMANN_LINE


def test_the_checkpoint_of_a_log_that_others_run_is_read_and_verified() -> None:
    checkpoint = parse(GO_NOTE)
    assert (checkpoint.origin, checkpoint.size) == ("go.sum database tree", 63_096_908)
    assert checkpoint.root == base64.b64decode("8lHrQPRYe4KT4WQ9/Qk8/taKnD6IRHbFgfN7vQE2Y54=")
    in_its_key_name = replace(checkpoint, origin=GO_KEY.name)
    assert signed(in_its_key_name, [GO_KEY]) is Signed.BY_US
    assert signed(replace(in_its_key_name, text=checkpoint.text + "x"), [GO_KEY]) is Signed.FALSELY


def test_a_checkpoint_says_what_it_was_made_of_and_an_independent_reader_agrees() -> None:
    checkpoint = parse(NOTE)
    assert checkpoint == Checkpoint(KEY.name, 5, ROOT, (), checkpoint.text, checkpoint.signatures)
    assert signed(checkpoint, [KEY.verifier]) is Signed.BY_US
    assert reference.open_checkpoint(NOTE, KEY.verifier.text) == (KEY.name, 5, ROOT)
    assert NOTE.decode().startswith(f"{KEY.name}\n5\n{base64.b64encode(ROOT).decode()}\n\n— {KEY.name} ")


def test_an_empty_log_has_a_checkpoint() -> None:
    assert parse(create(0, ROOT, KEY)).size == 0


def test_only_the_public_key_is_needed_and_it_can_be_written_down() -> None:
    assert VerifierKey.parse(f" {KEY.verifier.text}\n") == KEY.verifier
    assert KEY.seed.hex() not in repr(KEY)
    assert "seed" not in repr(KEY)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not an Ed25519 verifier key"),
        ("a+b", "not an Ed25519 verifier key"),
        ("a+00000000+!!", "not an Ed25519 verifier key"),
        (KEY.verifier.text[:-4], "not an Ed25519 verifier key"),
        ("a+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode(), "not an Ed25519 verifier key"),
        ("a+00000000+" + base64.b64encode(b"\x01" + bytes(32)).decode(), "mistyped"),
        (KEY.verifier.text.replace("example", "sample"), "mistyped"),
        (KEY.verifier.text.replace("records", "rec ords"), "cannot be the name"),
    ],
)
def test_a_mistyped_key_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        VerifierKey.parse(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "a\u2003b", "a\x00"])
def test_a_log_cannot_have_every_name(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name of a log"):
        SigningKey(name, bytes(32))


def test_lines_of_witnesses_are_kept_and_count_for_nothing() -> None:
    witness = SigningKey("witness.example", bytes(32))
    checkpoint = parse(NOTE + witness.sign(parse(NOTE).text).encode())
    assert [signature.name for signature in checkpoint.signatures] == [KEY.name, "witness.example"]
    assert signed(checkpoint, [KEY.verifier]) is Signed.BY_US
    assert signed(checkpoint, [witness.verifier]) is Signed.BY_OTHERS
    longer = parse(NOTE + b"".join(b"\xe2\x80\x94 w%d %s\n" % (n, base64.b64encode(b"x" * 5000)) for n in range(8)))
    assert signed(longer, [KEY.verifier]) is Signed.BY_US
    assert len(longer.signatures) == 9
    assert longer.signatures[1] == Signature("w0", b"xxxx", b"x" * 4996)


def test_keys_are_told_apart_by_name_and_id() -> None:
    checkpoint = parse(NOTE)
    assert signed(checkpoint, [OTHER_KEY.verifier]) is Signed.BY_OTHERS
    assert signed(checkpoint, [OTHER_KEY.verifier, KEY.verifier]) is Signed.BY_US
    assert signed(checkpoint, []) is Signed.BY_OTHERS
    assert signed(parse(create(5, ROOT, OTHER_KEY)), [OTHER_KEY.verifier, KEY.verifier]) is Signed.BY_US


def test_a_key_with_another_name_cannot_speak_for_the_log() -> None:
    elsewhere = SigningKey("other.example", KEY.seed)
    text = parse(NOTE).text
    assert signed(parse(f"{text}\n{elsewhere.sign(text)}".encode()), [elsewhere.verifier]) is Signed.BY_OTHERS


def test_a_wrong_signature_by_a_key_of_ours_spoils_the_note_even_beside_a_right_one() -> None:
    checkpoint = parse(NOTE)
    wrong = replace(checkpoint.signatures[0], signature=b"\0" * 64)
    assert signed(replace(checkpoint, signatures=(wrong,)), [KEY.verifier]) is Signed.FALSELY
    assert signed(replace(checkpoint, signatures=(*checkpoint.signatures, wrong)), [KEY.verifier]) is Signed.FALSELY
    short = replace(checkpoint.signatures[0], signature=b"\0")
    assert signed(replace(checkpoint, signatures=(short,)), [KEY.verifier]) is Signed.FALSELY


def test_extension_lines_are_read_and_signed() -> None:
    text = parse(NOTE).text + "more\n"
    checkpoint = parse(f"{text}\n{KEY.sign(text)}".encode())
    assert checkpoint.extensions == ("more",)
    assert signed(checkpoint, [KEY.verifier]) is Signed.BY_US


_SIGNATURE_LINE = NOTE.decode().rpartition("\n\n")[2]
_ROOT_LINE = base64.b64encode(ROOT).decode()


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (b"", "no signature, or was cut short"),
        (NOTE[:-1], "no signature, or was cut short"),
        (NOTE + b"\n", "no signature, or was cut short"),
        (NOTE.partition(b"\n\n")[0] + b"\n", "no signature, or was cut short"),
        (b"x" * (LARGEST_NOTE_BYTES + 1), "larger"),
        (b"\xff" + NOTE, "not text"),
        (NOTE.replace(b"\n5\n", b"\n5\r\n"), "control characters"),
        (f"o\n5\n\n{_SIGNATURE_LINE}".encode(), "not an origin, a size and a root"),
        (f"\n5\n{_ROOT_LINE}\n\n{_SIGNATURE_LINE}".encode(), "not an origin, a size and a root"),
        (f"o\n05\n{_ROOT_LINE}\n\n{_SIGNATURE_LINE}".encode(), "not an origin, a size and a root"),
        (f"o\n-5\n{_ROOT_LINE}\n\n{_SIGNATURE_LINE}".encode(), "not an origin, a size and a root"),
        (f"o\n٥\n{_ROOT_LINE}\n\n{_SIGNATURE_LINE}".encode(), "not an origin, a size and a root"),
        (f"o\n{10**18}\n{_ROOT_LINE}\n\n{_SIGNATURE_LINE}".encode(), "not an origin, a size and a root"),
        (f"o\n5\n{_ROOT_LINE[:-4]}\n\n{_SIGNATURE_LINE}".encode(), "not an origin, a size and a root"),
        (f"o\n5\n{_ROOT_LINE[:-2]}J=\n\n{_SIGNATURE_LINE}".encode(), "not an origin, a size and a root"),
        (f"o\n5\ném\n\n{_SIGNATURE_LINE}".encode(), "not an origin, a size and a root"),
        (f"o\n5\n{_ROOT_LINE}\n\nmore\n\n{_SIGNATURE_LINE}".encode(), "empty line"),
        (NOTE.replace("— ".encode(), b"- "), "not a signature"),
        (NOTE + "— name\n".encode(), "not a signature"),
        (NOTE + "— name eA==\n".encode(), "not a signature"),
        (NOTE + "— name ????\n".encode(), "not a signature"),
        (NOTE + "—  eHh4eHh4\n".encode(), "a name that no key can have"),
        (NOTE + "— a+b eHh4eHh4\n".encode(), "a name that no key can have"),
    ],
)
def test_what_deviates_from_the_format_is_no_checkpoint(note: bytes, said: str) -> None:
    with pytest.raises(NotACheckpoint, match=said):
        parse(note)

"""Two officers, each alone, get the root key back from the bundle; nobody else does, and any `age` reads it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import AgentError, ConfigurationError, UsageError
from agent.vault import age
from agent.vault.base import Damaged, WrongKey
from agent.vault.disk import Disk
from agent.vault.recovery import open_bundle, restore_root_key, write_bundle
from tests.vault.factories import ROOT, an_id, assert_readable, opened, put

TODAY = date(2026, 3, 2)

# Made once with pyrage 1.4.0, another implementation of age: two identities, and a file for both.
FIRST = "AGE-SECRET-KEY-1GFDWGXPM6US0EMN3WQSUWPS2LL40YZ2TWPZ7GZN5G502MY5MKA8S2HL44G"
FIRST_RECIPIENT = "age17hahpnh0gmj08dg4rhc4erw3wekze07zltp7e5px4vlmq7jevd3q9h9ztj"
SECOND = "AGE-SECRET-KEY-1UQG5CV7UFAXD57ER8XR60VGGW0AJJGLYP63G0VYFDEFY49AE07SS9DZCWF"
SECOND_RECIPIENT = "age19dud0fmesgzkn8rqdyz46mgzckhu8kh3v9au3xymdsg0pzp09u2q50dxww"
FOREIGN = base64.b64decode(
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA0SU5BM1lqVk9YN2puVEpScUx0Si9hZmNYTkFoSU9IMFdWWllzU2puRmhJ"
    "ClRlREF3RFZrdGY1Sm9HbXJaUVowNmZHT3N5RXVjSmZ0QjVzMFRHdmlabHcKLT4gWDI1NTE5IExJVWV6VFJLWmFWbmh0S2pyUlRs"
    "K21EOFNOS0hSZ0ZNWkl0aG9sSEF3RkEKQVFDUTBrOVJhckExT3F6dmY0RUZzaUpLMkpHUUxYZ0RvMGR3alhMeU1PUQotPiA5LSp4"
    "Ji1ncmVhc2UgX2tDcEhYagpSZjBSQkhVODR2S05JZC9Tbjg4RW41enNEVmVDODJuS3laYnVBcWR6TFB0Ni85NnBiK2pYbUlXbG1E"
    "bFQyZVUKLS0tIFJ1QmJrc2toUWhmRDc1dXhpalg0aXJ3ZDdJT2JjMW02N2lBdWtHZ09jamsKvqkwx/1QgxfwbHs1x8FymLLArv2M"
    "dh2CxgIVc/m+xo4r4QLe/E4HbXUeEuQKkNIV6OFNDO10cMbnUU2OiSxP0Sq1+gSK"
)


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    path = str(tmp_path / "recovery.age")
    write_bundle(path, ROOT, an_id(9), [FIRST_RECIPIENT, SECOND_RECIPIENT], TODAY)
    return path


@pytest.mark.parametrize("identity", [FIRST, SECOND, f"  {FIRST.lower()}\n"])
def test_each_officer_alone_opens_the_bundle(bundle: str, identity: str) -> None:
    assert open_bundle(bundle, identity) == (ROOT, an_id(9))


def test_nobody_else_does(bundle: str) -> None:
    stranger, _ = age.new_identity()
    with pytest.raises(WrongKey, match="not made for this identity"):
        open_bundle(bundle, stranger)
    text = Path(bundle).read_bytes()
    assert ROOT.secret not in base64.b64decode(b"".join(text.splitlines()[1:-1]))
    assert ROOT.secret.hex().encode() not in text


def test_the_root_key_is_restored_and_opens_the_vault(bundle: str, tmp_path: Path, place: Path) -> None:
    with opened(place) as vault:
        put(vault, an_id(1))
    path = tmp_path / "root.key"
    root = restore_root_key(bundle, SECOND, str(path))
    assert path.read_bytes() == ROOT.secret
    assert path.stat().st_mode & 0o777 == 0o600
    with opened(place, root=root) as vault:
        assert_readable(vault, an_id(1))
    with pytest.raises(ConfigurationError, match="never replaced"):
        restore_root_key(bundle, FIRST, str(path))


def test_a_bundle_is_for_two_officers_at_least_and_never_replaces_one(bundle: str, tmp_path: Path) -> None:
    for too_few in ([], [FIRST_RECIPIENT], [FIRST_RECIPIENT, f" {FIRST_RECIPIENT} "]):
        with pytest.raises(UsageError, match="two different"):
            write_bundle(str(tmp_path / "other"), ROOT, an_id(9), too_few, TODAY)
    with pytest.raises(UsageError, match="mistyped"):
        write_bundle(str(tmp_path / "other"), ROOT, an_id(9), [FIRST_RECIPIENT, "age1nonsense"], TODAY)
    assert not (tmp_path / "other").exists()
    with pytest.raises(ConfigurationError, match="never replaces"):
        write_bundle(bundle, ROOT, an_id(9), [FIRST_RECIPIENT, SECOND_RECIPIENT], TODAY)
    assert Path(bundle).stat().st_mode & 0o777 == 0o600


def test_a_bundle_that_cannot_be_written_or_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot write"):
        write_bundle(str(tmp_path / "no" / "x"), ROOT, an_id(9), [FIRST_RECIPIENT, SECOND_RECIPIENT], TODAY)
    with pytest.raises(ConfigurationError, match="cannot read"):
        open_bundle(str(tmp_path / "no"), FIRST)


def test_a_bundle_that_was_damaged_anywhere_gives_no_key(bundle: str) -> None:
    text = Path(bundle).read_bytes()
    for place in range(len(text)):
        for other in (b"A", b"=", b"\xff"):
            if text[place : place + 1] in (other, b"\n"):
                continue
            Path(bundle).write_bytes(text[:place] + other + text[place + 1 :])
            try:  # the stanza of the other officer may be damaged as well: then the header is not sound either
                open_bundle(bundle, FIRST)
            except (Damaged, WrongKey):
                continue
            pytest.fail(f"byte {place} may be anything")


@pytest.mark.parametrize(
    "told",
    [[], {}, 3, {"what": "something else"}, {"what": "retentiond vault root key", "root_key": "00", "vault": ""}],
)
def test_another_age_file_is_not_taken_for_a_bundle(tmp_path: Path, told: object) -> None:
    path = tmp_path / "x.age"
    path.write_text(age.armour(age.encrypt(json.dumps(told).encode(), [FIRST_RECIPIENT])))
    with pytest.raises(Damaged, match="not a recovery bundle"):
        open_bundle(str(path), FIRST)


@pytest.mark.parametrize(
    "text", ["", "\n", "hello", "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n", age.armour(b"xx")[:-10]]
)
def test_text_that_is_no_age_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(Damaged, match="none"):
        open_bundle(str(tmp_path / "x"), FIRST)


def test_what_another_implementation_made_is_read() -> None:
    for identity in (FIRST, SECOND):
        assert age.decrypt(FOREIGN, identity) == b"made by another implementation of age"


@pytest.mark.skipif(not shutil.which("age"), reason="the command age is not installed")
def test_the_age_command_reads_what_we_made(bundle: str, tmp_path: Path) -> None:
    (tmp_path / "identity").write_text(FIRST + "\n")
    done = subprocess.run(["age", "-d", "-i", str(tmp_path / "identity"), bundle], capture_output=True, check=True)
    assert json.loads(done.stdout)["root_key"] == ROOT.secret.hex()


@given(st.integers(0, 3), st.integers(-1, 1))
def test_any_length_comes_back(chunks: int, around: int) -> None:
    plain = os.urandom(max(0, (chunks << 16) + around))
    assert age.decrypt(age.encrypt(plain, [SECOND_RECIPIENT, FIRST_RECIPIENT]), FIRST) == plain


def test_a_payload_that_is_cut_swapped_or_continued_is_refused() -> None:
    sealed = age.encrypt(os.urandom(3 << 16), [FIRST_RECIPIENT])
    step = (1 << 16) + 16
    begin = len(sealed) - 3 * step
    head, one, two, three = sealed[:begin], *(sealed[begin + n * step :][:step] for n in range(3))
    assert head + one + two + three == sealed
    for wrong in (head, head + one, head + one + two, head + two + one + three, sealed + b"x", sealed[:-1], head[:-3]):
        with pytest.raises(Damaged):
            age.decrypt(wrong, FIRST)


def test_an_empty_last_chunk_is_refused() -> None:
    """Another form of the same content: the format allows one form only."""
    identity, recipient = age.new_identity()
    real = age._CHUNK
    sealed = age.encrypt(b"", [recipient])
    assert age.decrypt(sealed, identity) == b""
    header = sealed[: sealed.rindex(b"\n", 0, -32) + 1]
    file_key = age._file_key(age._HEADER.match(sealed)[1], _secret(identity))  # type: ignore[index]
    nonce = bytes(16)
    payload = age.ChaCha20Poly1305(age._hkdf(file_key, nonce, b"payload"))
    first = payload.encrypt(age._nonce(0, False), bytes(real), None)
    last = payload.encrypt(age._nonce(1, True), b"", None)
    with pytest.raises(Damaged):
        age.decrypt(header + nonce + first + last, identity)
    full = payload.encrypt(age._nonce(0, True), bytes(real), None)
    assert age.decrypt(header + nonce + full, identity) == bytes(real)


def _secret(identity: str) -> age.X25519PrivateKey:
    return age.X25519PrivateKey.from_private_bytes(age._key_in(identity, "age-secret-key-"))


def test_stanzas_of_other_kinds_are_passed_over_and_nonsense_ones_refused() -> None:
    sealed = age.encrypt(b"x", [FIRST_RECIPIENT])
    version, rest = sealed.split(b"\n", 1)

    def with_stanza(stanza: bytes) -> bytes:
        """The stanza in front, the header's code made right again."""
        header = version + b"\n" + stanza + rest[: rest.index(b"--- ")] + b"---"
        file_key = age._file_key(age._HEADER.match(sealed)[1], _secret(FIRST))  # type: ignore[index]
        after = rest[rest.index(b"--- ") + 4 :]
        return header + b" " + age._base64(age._mac(file_key, header)) + after[after.index(b"\n") :]

    assert age.decrypt(with_stanza(b"-> grease- some thing\n" + b"A" * 64 + b"\nAA\n"), FIRST) == b"x"
    share = age._base64(bytes(32))
    for stanza in (b"-> X25519\n\n", b"-> X25519 !!\n\n", b"-> X25519 AAAA\nAAAA\n", b"-> X25519 " + share + b"\nAA\n"):
        with pytest.raises(Damaged):
            age.decrypt(with_stanza(stanza), FIRST)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "age1",
        FIRST,
        FIRST_RECIPIENT[:-1],
        FIRST_RECIPIENT[:-1] + "b",
        FIRST_RECIPIENT[:-1] + ("q" if FIRST_RECIPIENT[-1] != "q" else "p"),
        FIRST_RECIPIENT[:9].upper() + FIRST_RECIPIENT[9:],
        "ssh-ed25519 AAAA",
    ],
)
def test_a_mistyped_recipient_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match="age recipient"):
        age.encrypt(b"", [wrong])


@pytest.mark.parametrize("wrong", ["", FIRST_RECIPIENT, FIRST[:-1] + ("Q" if FIRST[-1] != "Q" else "P")])
def test_a_mistyped_identity_is_refused_and_not_repeated(wrong: str) -> None:
    with pytest.raises(UsageError, match="age identity") as raised:
        age.decrypt(FOREIGN, wrong)
    assert not wrong or wrong not in str(raised.value)


def test_padding_that_says_something_is_refused() -> None:
    digits = age._CHARSET
    body = [digits.index(letter) for letter in FIRST_RECIPIENT[4:56]]
    body[-1] |= 1
    check = age._polymod(age._spread("age") + body + [0] * 6) ^ 1
    text = "age1" + "".join(digits[n] for n in [*body, *(check >> shift & 31 for shift in range(25, -1, -5))])
    with pytest.raises(UsageError, match="mistyped"):
        age.encrypt(b"", [text])


def test_a_key_that_gives_everybody_the_same_secret_is_refused() -> None:
    with pytest.raises(UsageError, match="not a key"):
        age.encrypt(b"", [age._bech32(bytes(32), "age")])


def test_a_new_identity_is_of_the_form_that_age_knows() -> None:
    identity, recipient = age.new_identity()
    assert identity.startswith("AGE-SECRET-KEY-1")
    assert len(identity) == len(FIRST)
    assert len(recipient) == len(FIRST_RECIPIENT)
    assert age.decrypt(age.encrypt(b"x", [recipient]), identity) == b"x"


def test_a_bundle_that_could_not_be_made_durable_is_told(tmp_path: Path) -> None:
    class Failing(Disk):
        def sync(self, descriptor: int) -> None:
            raise OSError(5, "Input/output error")

    with pytest.raises(AgentError, match="Input/output"):
        write_bundle(str(tmp_path / "x"), ROOT, an_id(9), [FIRST_RECIPIENT, SECOND_RECIPIENT], TODAY, Failing())

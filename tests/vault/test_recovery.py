"""Two officers, each alone, get the root key back from the bundle; nobody else does, and any `age` reads it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from agent.age.keys import new_identity
from agent.age.message import armour, encrypt
from agent.errors import AgentError, ConfigurationError, UsageError
from agent.vault.base import Damaged, WrongKey
from agent.vault.disk import Disk
from agent.vault.recovery import open_bundle, restore_root_key, write_bundle
from tests.vault.factories import ROOT, an_id, assert_readable, opened, put

TODAY = date(2026, 3, 2)

# Made once with pyrage 1.4.0, another implementation of age.
FIRST = "AGE-SECRET-KEY-1GFDWGXPM6US0EMN3WQSUWPS2LL40YZ2TWPZ7GZN5G502MY5MKA8S2HL44G"
FIRST_RECIPIENT = "age17hahpnh0gmj08dg4rhc4erw3wekze07zltp7e5px4vlmq7jevd3q9h9ztj"
SECOND = "AGE-SECRET-KEY-1UQG5CV7UFAXD57ER8XR60VGGW0AJJGLYP63G0VYFDEFY49AE07SS9DZCWF"
SECOND_RECIPIENT = "age19dud0fmesgzkn8rqdyz46mgzckhu8kh3v9au3xymdsg0pzp09u2q50dxww"


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    path = str(tmp_path / "recovery.age")
    write_bundle(path, ROOT, an_id(9), [FIRST_RECIPIENT, SECOND_RECIPIENT], TODAY)
    return path


@pytest.mark.parametrize("identity", [FIRST, SECOND, f"  {FIRST.lower()}\n"])
def test_each_officer_alone_opens_the_bundle(bundle: str, identity: str) -> None:
    assert open_bundle(bundle, identity) == (ROOT, an_id(9))


def test_nobody_else_does(bundle: str) -> None:
    stranger, _ = new_identity()
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
    path.write_text(armour(encrypt(json.dumps(told).encode(), [FIRST_RECIPIENT])))
    with pytest.raises(Damaged, match="not a recovery bundle"):
        open_bundle(str(path), FIRST)


@pytest.mark.parametrize("text", ["", "\n", "hello", "-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n", armour(b"xx")[:-10]])
def test_text_that_is_no_age_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(Damaged, match="none"):
        open_bundle(str(tmp_path / "x"), FIRST)


@pytest.mark.skipif(not shutil.which("age"), reason="the command age is not installed")
def test_the_age_command_reads_what_we_made(bundle: str, tmp_path: Path) -> None:
    (tmp_path / "identity").write_text(FIRST + "\n")
    done = subprocess.run(["age", "-d", "-i", str(tmp_path / "identity"), bundle], capture_output=True, check=True)
    assert json.loads(done.stdout)["root_key"] == ROOT.secret.hex()


def test_a_bundle_that_could_not_be_made_durable_is_told(tmp_path: Path) -> None:
    class Failing(Disk):
        def sync(self, descriptor: int) -> None:
            raise OSError(5, "Input/output error")

    with pytest.raises(AgentError, match="Input/output"):
        write_bundle(str(tmp_path / "x"), ROOT, an_id(9), [FIRST_RECIPIENT, SECOND_RECIPIENT], TODAY, Failing())

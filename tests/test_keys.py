"""One sealed key, and a key for each purpose that tells nothing of the others."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from agent.errors import ConfigurationError
from agent.keys import MASTER_BYTES, derive, master_key


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = master_key(tmp_path / "master.key")
    assert len(first) == MASTER_BYTES
    assert first == master_key(tmp_path / "master.key") == (tmp_path / "master.key").read_bytes()
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["master.key"]
    assert master_key(tmp_path / "another.key") != first


def test_two_who_make_it_at_once_get_the_same_one(tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / f"{number}.key"
        gate = threading.Barrier(4)
        keys: list[bytes] = []

        def make(path: Path = path, gate: threading.Barrier = gate, keys: list[bytes] = keys) -> None:
            gate.wait()
            keys.append(master_key(path))

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(keys) == 4
        assert len(set(keys)) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    master_key(tmp_path / "master.key")
    (tmp_path / "master.key").chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        master_key(tmp_path / "master.key")


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_key_of_another_length_is_refused_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="holds 32 bytes"):
        master_key(path)
    assert path.read_bytes() == content


def test_a_place_where_no_key_can_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        master_key(tmp_path / "nowhere" / "master.key")


def test_each_purpose_has_a_key_of_its_own_that_stays() -> None:
    master = bytes(range(32))
    assert derive(master, "subject index") == derive(master, "subject index")
    assert len({derive(master, purpose) for purpose in ("subject index", "receipts", "", "subject indey")}) == 4
    assert derive(master, "subject index") != derive(b"\1" + master[1:], "subject index")
    assert len(derive(master, "subject index")) == 32


def test_the_derivation_is_the_one_of_the_standard() -> None:
    """RFC 5869 by hand: extract with a salt of zeros, expand one block."""
    import hashlib
    import hmac

    master = bytes(range(32))
    extracted = hmac.new(bytes(32), master, hashlib.sha256).digest()
    expanded = hmac.new(extracted, b"retentiond/subject index\x01", hashlib.sha256).digest()
    assert derive(master, "subject index") == expanded

"""RFC 9162, section 2.1, and the C2SP formats once more: written from the texts alone, without a line of agent.audit.

Everything is the recursive definition, taken literally; a proof is checked by rebuilding roots from it recursively.
"""

from __future__ import annotations

import sqlite3
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def k_of(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d: list[bytes]) -> bytes:
    """2.1.1: MTH(D_n), of the entries themselves."""
    n = len(d)
    if n == 0:
        return sha256().digest()
    if n == 1:
        return sha256(b"\0" + d[0]).digest()
    k = k_of(n)
    return sha256(b"\1" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: list[bytes]) -> list[bytes]:
    """2.1.3.1: PATH(m, D_n)."""
    n = len(d)
    if n == 1:
        return []
    k = k_of(n)
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: list[bytes]) -> list[bytes]:
    """2.1.4.1: PROOF(m, D_n)."""
    return subproof(m, d, True)


def subproof(m: int, d: list[bytes], b: bool) -> list[bytes]:
    n = len(d)
    if m == n:
        return [] if b else [mth(d)]
    k = k_of(n)
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


def root_by_path(m: int, n: int, leaf: bytes, nodes: list[bytes]) -> bytes:
    """The root of n entries that a path gives when its leaf stands at m. Consumes the path from its end."""
    if n == 1:
        return leaf
    k, above = k_of(n), nodes.pop()
    if m < k:
        return sha256(b"\1" + root_by_path(m, k, leaf, nodes) + above).digest()
    return sha256(b"\1" + above + root_by_path(m - k, n - k, leaf, nodes)).digest()


def included(m: int, n: int, leaf: bytes, nodes: list[bytes], root: bytes) -> bool:
    left = list(nodes)
    try:
        return root_by_path(m, n, leaf, left) == root and not left
    except IndexError:
        return False


def roots_by_proof(m: int, n: int, b: bool, old: bytes, nodes: list[bytes]) -> tuple[bytes, bytes]:
    """The roots of m and of n entries that a consistency proof gives."""
    if m == n:
        both = old if b else nodes.pop()
        return both, both
    k, other = k_of(n), nodes.pop()
    if m <= k:
        before, after = roots_by_proof(m, k, b, old, nodes)
        return before, sha256(b"\1" + after + other).digest()
    before, after = roots_by_proof(m - k, n - k, False, old, nodes)
    return sha256(b"\1" + other + before).digest(), sha256(b"\1" + other + after).digest()


def consistent(m: int, n: int, old: bytes, new: bytes, nodes: list[bytes]) -> bool:
    left = list(nodes)
    try:
        return roots_by_proof(m, n, True, old, left) == (old, new) and not left
    except IndexError:
        return False


def open_checkpoint(note: bytes, verifier_key: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a signed checkpoint. Raises an exception of whatever kind if there is a fault."""
    name, key_id, encoded = verifier_key.split("+", 2)
    key = b64decode(encoded)
    assert key[0] == 1
    assert sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id
    text, signatures = note.decode().rsplit("\n\n", 1)
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        assert dash == "\N{EM DASH}"
        data = b64decode(signature)
        if signer == name and data[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(data[4:], text.encode() + b"\n")
            origin, size, root = text.split("\n")
            return origin, int(size), b64decode(root)
    raise InvalidSignature


def check_database(file: Path, verifier_key: str) -> int:
    """Reads the tables and checks every checkpoint in them over the bare leaves. Gives the number of checkpoints."""
    with sqlite3.connect(file) as database:
        leaves = [row[0] for row in database.execute("SELECT leaf FROM audit_leaf ORDER BY position")]
        notes = [row[0] for row in database.execute("SELECT note FROM audit_checkpoint ORDER BY id")]
    database.close()
    for note in notes:
        origin, size, root = open_checkpoint(note, verifier_key)
        assert origin == verifier_key.split("+")[0]
        assert mth(leaves[:size]) == root
        assert size <= len(leaves)
    return len(notes)

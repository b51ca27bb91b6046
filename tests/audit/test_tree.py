"""The tree is that of RFC 9162: the published vectors, the recursive definition, and no proof of what is not so."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit import tree
from tests.audit import reference

# The reference vectors of Certificate Transparency (transparency-dev/merkle, testonly).
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ENTRIES = [bytes.fromhex(entry) for entry in INPUTS]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

LEAVES = 1_000_000 if "RETENTIOND_TEST_LONG" in os.environ else 200_000
ENTRY_LISTS = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def subtrees_of(entries: list[bytes]) -> tree.Subtree:
    """Perfect subtrees by the recursive definition."""
    return lambda level, index: reference.mth(entries[index << level : (index + 1) << level])


def grown(entries: list[bytes]) -> tuple[tree.CompactRange, tree.Subtree]:
    """The tree grown leaf by leaf, and the subtrees it told of on the way."""
    told: dict[tuple[int, int], bytes] = {}
    growing = tree.CompactRange()
    for position, entry in enumerate(entries):
        leaf = tree.leaf_hash(entry)
        for level, hashed in enumerate([leaf, *growing.append(leaf)]):
            told[level, position >> level] = hashed
            assert tree.completed_by(level, position >> level) == position
    return growing, lambda level, index: told[level, index]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_published_for_certificate_transparency(size: int) -> None:
    growing, subtree = grown(ENTRIES[:size])
    assert growing.root().hex() == tree.root(size, subtree).hex() == ROOTS[size]
    assert growing.size == size


@pytest.mark.parametrize(
    ("position", "size", "proof"),
    [
        (0, 8, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"]),
        (5, 8, ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    ],
)  # fmt: skip
def test_inclusion_proofs_are_those_published(position: int, size: int, proof: list[str]) -> None:
    assert [part.hex() for part in tree.inclusion_proof(position, size, subtrees_of(ENTRIES))] == proof


@pytest.mark.parametrize(
    ("first", "second", "proof"),
    [
        (1, 1, []),
        (6, 8, ["0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"]),
        (2, 5, ["5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]),
    ],
)  # fmt: skip
def test_consistency_proofs_are_those_published(first: int, second: int, proof: list[str]) -> None:
    assert [part.hex() for part in tree.consistency_proof(first, second, subtrees_of(ENTRIES))] == proof


@given(ENTRY_LISTS)
def test_growing_leaf_by_leaf_gives_the_recursive_definition(entries: list[bytes]) -> None:
    growing, subtree = grown(entries)
    assert growing.root() == reference.mth(entries)
    for size in range(len(entries) + 1):
        assert tree.root(size, subtree) == reference.mth(entries[:size])


@given(ENTRY_LISTS, st.data())
def test_inclusion_proofs_are_the_recursive_ones_and_both_verifiers_take_them(
    entries: list[bytes], data: st.DataObject
) -> None:
    _, subtree = grown(entries)
    size = data.draw(st.integers(1, len(entries)))
    position = data.draw(st.integers(0, size - 1))
    leaf, root = tree.leaf_hash(entries[position]), reference.mth(entries[:size])
    proof = tree.inclusion_proof(position, size, subtree)
    assert proof == reference.path(position, entries[:size])
    assert tree.verify_inclusion(leaf, position, size, proof, root)
    assert reference.included(position, size, leaf, proof, root)


@given(ENTRY_LISTS, st.data())
def test_consistency_proofs_are_the_recursive_ones_and_both_verifiers_take_them(
    entries: list[bytes], data: st.DataObject
) -> None:
    _, subtree = grown(entries)
    second = data.draw(st.integers(1, len(entries)))
    first = data.draw(st.integers(1, second))
    old, new = reference.mth(entries[:first]), reference.mth(entries[:second])
    proof = tree.consistency_proof(first, second, subtree)
    assert proof == reference.proof(first, entries[:second])
    assert tree.verify_consistency(first, second, proof, old, new)
    assert reference.consistent(first, second, old, new, proof)


def _spoilt(proof: list[bytes]) -> list[list[bytes]]:
    """A proof with a part changed, missing, doubled, exchanged, and with one too many."""
    spoilt = [[*proof, b"\0" * 32], [b"\0" * 32, *proof]]
    for index, part in enumerate(proof):
        spoilt.append([*proof[:index], bytes([part[0] ^ 1]) + part[1:], *proof[index + 1 :]])
        spoilt.append(proof[:index] + proof[index + 1 :])
        spoilt.append([*proof[:index], part, *proof[index:]])
    if len(set(proof)) > 1:
        spoilt.append(proof[::-1])
    return spoilt


def test_no_spoilt_proof_and_no_other_place_is_taken_in_any_tree_up_to_17() -> None:
    entries = [b"%d" % number for number in range(17)]
    subtree = subtrees_of(entries)
    hashes = [tree.leaf_hash(entry) for entry in entries]
    for size in range(1, 18):
        root = reference.mth(entries[:size])
        for position in range(size):
            proof = tree.inclusion_proof(position, size, subtree)
            for place in range(-1, size + 1):
                assert tree.verify_inclusion(hashes[position], place, size, proof, root) == (place == position)
            for spoilt in _spoilt(proof):
                assert not tree.verify_inclusion(hashes[position], position, size, spoilt, root)
                assert not reference.included(position, size, hashes[position], spoilt, root)


def test_no_spoilt_proof_of_consistency_is_taken_in_any_tree_up_to_17() -> None:
    entries = [b"%d" % number for number in range(17)]
    subtree = subtrees_of(entries)
    roots = [reference.mth(entries[:size]) for size in range(18)]
    for second in range(1, 18):
        for first in range(1, second + 1):
            proof = tree.consistency_proof(first, second, subtree)
            for spoilt in _spoilt(proof):
                assert not tree.verify_consistency(first, second, spoilt, roots[first], roots[second])
            if first < second:
                assert not tree.verify_consistency(first, second, [], roots[first], roots[second])
            for other in set(roots) - {roots[first]}:
                assert not tree.verify_consistency(first, second, proof, other, roots[second])
            for other in set(roots) - {roots[second]}:
                assert not tree.verify_consistency(first, second, proof, roots[first], other)


def test_everything_begins_with_the_empty_tree() -> None:
    root = reference.mth(ENTRIES)
    assert tree.consistency_proof(0, 8, subtrees_of(ENTRIES)) == []
    assert tree.verify_consistency(0, 8, [], tree.EMPTY_ROOT, root)
    assert not tree.verify_consistency(0, 8, [], root, root)
    assert not tree.verify_consistency(0, 8, [root], tree.EMPTY_ROOT, root)


@pytest.mark.parametrize(("position", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(position: int, size: int) -> None:
    with pytest.raises(ValueError, match="there is no leaf"):
        tree.inclusion_proof(position, size, subtrees_of(ENTRIES))
    assert not tree.verify_inclusion(b"", position, size, [], tree.EMPTY_ROOT)


@pytest.mark.parametrize(("first", "second"), [(-1, 3), (4, 3)])
def test_there_is_no_proof_that_a_log_shrank(first: int, second: int) -> None:
    with pytest.raises(ValueError, match="does not begin"):
        tree.consistency_proof(first, second, subtrees_of(ENTRIES))
    assert not tree.verify_consistency(first, second, [], tree.EMPTY_ROOT, tree.EMPTY_ROOT)


@pytest.mark.slow
def test_leaves_without_number_take_seconds_and_a_handful_of_hashes() -> None:
    """A fifth of a million; all of it where there is the time."""
    began = time.process_time()
    growing = tree.CompactRange()
    for number in range(LEAVES):
        growing.append(tree.leaf_hash(b"%d" % number))
    growing.root()
    assert time.process_time() - began < LEAVES / 50_000
    assert len(growing._peaks) == LEAVES.bit_count()


def test_a_proof_in_a_tree_of_a_billion_asks_for_few_subtrees() -> None:
    asked: list[tuple[int, int]] = []

    def subtree(level: int, index: int) -> bytes:
        asked.append((level, index))
        return tree.leaf_hash(b"%d %d" % (level, index))

    size, position = 10**9, 123_456_789
    proof = tree.inclusion_proof(position, size, subtree)
    tree.root(size, subtree)
    assert len(proof) <= 30
    assert len(asked) < 100

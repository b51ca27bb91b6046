"""The model that finds names of persons: a small spaCy pipeline, made from annotated office text and public sets.

`python -m training names --data FOLDER` makes the shipped one, `--leave-one-out` measures on each set what was learnt
from the others. Public sets give novels, encyclopaedias and short messages; templates and goldset give offices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from training.documents import Document, Mention, filled, goldset, templates
from training.people import fill

SEED = 20261126
TARGET = Path(__file__).parents[1] / "agent" / "detection" / "models" / "names"
_FILLINGS = 4  # of each template
_WIDTH, _DEPTH = 64, 3
_LOWERED = 0.08  # of office documents are read once more in small letters, as in chats
_MOST_PUBLIC = 5_000
_ROUNDS = 7  # over all examples
_NO_SPACE_BEFORE = frozenset(". , ; : ! ? ) ] } % 's 'm 're 've 'll 'd n't ' ’s ’ …".split())
_NO_SPACE_BEHIND = frozenset("( [ { $ £ €".split())
_PERSONS = frozenset("PER PERSON person politician writer musicalartist scientist researcher".split())


def main(data: Path, *, leave_one_out: bool) -> None:
    """Makes the model, or measures what such a model finds in sets that it has not seen."""
    public = list(public_documents(data))
    if not leave_one_out:
        train(office_documents("CDEFGHI"), public).to_disk(TARGET)
        # The words met in training are known by their hashes alone; their letters are of no use.
        (TARGET / "vocab" / "strings.json").write_text('["PERSON"]\n', encoding="utf-8")
        return
    for left in "CDEFGHI":
        pipeline = train(office_documents("CDEFGHI".replace(left, "")), public)
        precision, recall = measured(pipeline, goldset(left)[left])
        print(f"{left}: the model alone, exact spans: precision {precision:.3f}, recall {recall:.3f}", flush=True)


def office_documents(sets: str) -> list[Document]:
    """Goldset documents, twice, and templates with their gaps filled several times."""
    chance = Random(SEED)
    documents = [document for found in goldset(sets).values() for document in found] * 2
    documents += [filled(template, fill(chance)) for _ in range(_FILLINGS) for template in templates()]
    lowered = [document for document in documents if chance.random() < _LOWERED]
    return documents + [_lower(document) for document in lowered if len(document.text.lower()) == len(document.text)]


def _lower(document: Document) -> Document:
    return Document(document.id, document.kind, document.special, document.criminal, document.hard_negative,
                    document.text.lower(), document.mentions)  # fmt: skip


def public_documents(data: Path) -> Iterator[Document]:
    """Passages of the public sets below the folder, with the persons in them marked."""
    chance = Random(SEED)
    for path in (
        data / "wnut17" / "train.conll",
        data / "wnut17" / "dev.conll",
        data / "wikigold" / "wikigold.conll.txt",
    ):
        yield from _passages(_conll(path), chance)
    for path in sorted((data / "crossner").glob("*-*.txt")):
        yield from _passages(_conll(path), chance)
    for path in sorted((data / "litbank").glob("*.ann")):
        yield from _passages(_litbank(path), chance)


_Sentence = list[tuple[str, bool, bool]]  # words, whether each belongs to a person's name, whether it begins one


def _conll(path: Path) -> Iterator[_Sentence]:
    sentence: _Sentence = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        parts = line.split("\t") if "\t" in line else line.split()
        if len(parts) < 2 or parts[0].startswith("-DOCSTART"):
            if sentence:
                yield sentence
            sentence = []
            continue
        mark, _, kind = parts[-1].partition("-")
        sentence.append((parts[0], kind in _PERSONS, mark == "B"))
    if sentence:
        yield sentence


def _litbank(path: Path) -> Iterator[_Sentence]:
    text = path.with_suffix(".txt").read_text(encoding="utf-8")
    persons = []
    for line in path.read_text(encoding="utf-8").splitlines():
        parts = line.split("\t")
        kind, *offsets = parts[1].split() if len(parts) > 1 else [""]
        if kind == "PROP_PER" and len(offsets) >= 2:
            persons.append((int(offsets[0]), int(offsets[-1])))
    persons.sort(key=lambda place: place[1] - place[0])
    position = 0
    for line in text.split("\n"):
        words = [(found[0], position + found.start(), position + found.end()) for found in re.finditer(r"\S+", line)]
        marks = [(False, False)] * len(words)
        for start, end in persons:
            inside = [number for number, (_, first, last) in enumerate(words) if first >= start and last <= end]
            if inside and len(inside) <= 6 and not any(marks[number][0] for number in inside):
                for number in inside:
                    marks[number] = (True, number == inside[0])
        if words:
            yield [(word, *mark) for (word, _, _), mark in zip(words, marks, strict=True)]
        position += len(line) + 1


def _passages(sentences: Iterable[_Sentence], chance: Random) -> Iterator[Document]:
    """Up to five sentences together, put into one text as they were written."""
    waiting: list[_Sentence] = []
    number = chance.randint(1, 5)
    for sentence in sentences:
        waiting.append(sentence)
        if len(waiting) == number:
            yield _passage(waiting, chance)
            waiting, number = [], chance.randint(1, 5)
    if waiting:
        yield _passage(waiting, chance)


def _passage(sentences: Sequence[_Sentence], chance: Random) -> Document:
    text = ""
    mentions: list[Mention] = []
    for sentence in sentences:
        text += chance.choice([" ", "\n"]) if text else ""
        before, inside = "", False
        for word, person, begins in sentence:
            if before and not (word in _NO_SPACE_BEFORE or before in _NO_SPACE_BEHIND):
                text += " "
            if person and inside and not begins:
                mentions[-1] = Mention(mentions[-1].start, len(text) + len(word), "PERSON")
            elif person:
                mentions.append(Mention(len(text), len(text) + len(word), "PERSON"))
            text += word
            before, inside = word, person
    return Document("public", "none", frozenset(), False, False, text, tuple(mentions))


def train(office: Sequence[Document], public: Sequence[Document], rounds: int = _ROUNDS) -> Any:
    """A trained pipeline. The same data and seed give the same weights on the same kind of processor."""
    import spacy
    from spacy.training import Example
    from thinc.api import Adam

    spacy.util.fix_random_seed(SEED)
    chance = Random(SEED)
    pipeline = spacy.blank("en")
    recogniser = pipeline.add_pipe("ner", config=_configuration())
    recogniser.add_label("PERSON")  # type: ignore[attr-defined]  # spaCy declares none of a pipe's own methods
    chosen = [*office, *chance.sample(list(public), min(_MOST_PUBLIC, len(public)))]
    examples = [Example(pipeline.make_doc(document.text), marked(pipeline, document)) for document in chosen]
    pipeline.initialize(lambda: examples[:500])
    optimiser = Adam(0.001, beta1=0.9, beta2=0.999, L2=0.01, L2_is_weight_decay=True, grad_clip=1.0, eps=1e-8)
    words = sum(len(example.reference) for example in examples) * rounds
    step = seen = 0
    for number in range(rounds):
        chance.shuffle(examples)
        for batch in _batches(examples, min(2_000.0, 500 * 1.3**number)):
            optimiser.learn_rate = 0.0015 * min(1, (step + 1) / 100) * max(0.02, 1 - seen / words)  # type: ignore[assignment]
            pipeline.update(batch, sgd=optimiser, drop=0.15)
            step += 1
            seen += sum(len(example.reference) for example in batch)
        print(f"names: round {number + 1} of {rounds}", flush=True)
    with pipeline.use_params(optimiser.averages):
        kept = pipeline.to_bytes()
    return spacy.blank("en").from_config(pipeline.config).from_bytes(kept)


def _configuration() -> dict[str, Any]:
    return {
        "model": {
            "@architectures": "spacy.TransitionBasedParser.v2",
            "state_type": "ner",
            "extra_state_tokens": False,
            "hidden_width": 64,
            "maxout_pieces": 2,
            "use_upper": True,
            "tok2vec": {
                "@architectures": "spacy.Tok2Vec.v2",
                "embed": {
                    "@architectures": "spacy.MultiHashEmbed.v2",
                    "width": _WIDTH,
                    "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
                    "rows": [3000, 500, 1000, 1000],
                    "include_static_vectors": False,
                },
                "encode": {
                    "@architectures": "spacy.MaxoutWindowEncoder.v2",
                    "width": _WIDTH,
                    "depth": _DEPTH,
                    "window_size": 1,
                    "maxout_pieces": 3,
                },
            },
        }
    }


def marked(pipeline: Any, document: Document) -> Any:
    """The document as spaCy's, with its persons; names that do not begin and end with a word are left out."""
    from spacy.util import filter_spans

    made = pipeline.make_doc(document.text)
    spans = [
        made.char_span(mention.start, mention.end, label="PERSON", alignment_mode="contract")
        for mention in document.mentions
        if mention.type == "PERSON"
    ]
    made.ents = filter_spans([span for span in spans if span is not None and not any(token.is_space for token in span)])
    return made


def _batches(examples: Sequence[Any], size: float) -> Iterator[list[Any]]:
    batch: list[Any] = []
    words = 0
    for example in examples:
        batch.append(example)
        words += len(example.reference)
        if words >= size:
            yield batch
            batch, words = [], 0
    if batch:
        yield batch


def measured(pipeline: Any, documents: Sequence[Document]) -> tuple[float, float]:
    """Precision and recall of exact spans."""
    from spacy.training import Example

    examples = [Example(pipeline.make_doc(document.text), marked(pipeline, document)) for document in documents]
    scores = pipeline.evaluate(examples)
    return scores["ents_p"], scores["ents_r"]

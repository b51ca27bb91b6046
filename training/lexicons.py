"""Makes the lexicon of medical terms from two ontologies in the public domain (CC0 1.0).

    python -m training.lexicons FOLDER

reads `HumanDO.tsv` (Human Disease Ontology) and `symp.obo` (Symptom Ontology) in the folder and writes
`config/lexicons/medical.yaml`. Words with another common sense are left to the lexicon that is written by hand.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

LEXICONS = Path(__file__).parent.parent / "config" / "lexicons"
_MOST_WORDS = 4
# Common in general English in another sense, by reading the hits in novels and news.
_LEFT_OUT = frozenset(
    "disease syndrome pain cough depression discharge shock shakes noma anxiety stroke fever swelling weakness fatigue "
    "gas hunger thirst lethargy chills spots blush dead death fear anger crying confusion restlessness irritability "
    "sweating sleepiness tired blindness coma collapse distress lesion mass rash redness itching twitching spasm bloat "
    "burning bleeding prostration stiffness tremor symptom abscess cyst acute chronic nervousness delirium abnormality "
    "drooling sneezing nodules nodule ring tics tic crusts discoloration snoring yawning belching agitation excitement "
    "cancer infection carbuncle tongue head limp limping lump bump lesions plague measles-mumps hiccup hiccups".split()
)
_HEAD = """# Diseases and symptoms, made by training/lexicons.py: Human Disease Ontology and Symptom Ontology (CC0 1.0).
version: 1
category: health
entity_type: SC_HEALTH
"""


def diseases(path: Path) -> Iterator[str]:
    """The labels of diseases."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            yield row["label"]


def symptoms(path: Path) -> Iterator[str]:
    """The names of symptoms and their exact synonyms."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := re.match(r'(?:name: (.+)|synonym: "(.+?)" EXACT)', line):
            yield match[1] or match[2]


def terms(labels: Iterator[str]) -> set[str]:
    """The labels that people write: short, without codes and types by number."""
    found = set()
    for label in labels:
        term = re.sub(r"\s+", " ", label.strip().lower())
        if term.startswith("obsolete") or term in _LEFT_OUT or len(term) < 4 or len(term.split()) > _MOST_WORDS:
            continue
        if re.search(r"\d|[(),/:]", term) or not re.fullmatch(r"[a-zà-ÿ' -]+", term):
            continue
        found.add(term)
    # A longer term adds nothing where a shorter one stands at its end and is found in it anyway.
    return {term for term in found if not any(tail in found for tail in _tails(term))}


def _tails(term: str) -> Iterator[str]:
    words = term.split()
    for start in range(1, len(words)):
        yield " ".join(words[start:])


def main(arguments: list[str]) -> None:
    """Writes the lexicon from the folder that is named."""
    folder = Path(arguments[0])
    found = terms(iter([*diseases(folder / "HumanDO.tsv"), *symptoms(folder / "symp.obo")]))
    body = yaml.safe_dump({"normal": sorted(found)}, allow_unicode=True, default_flow_style=True, width=110)
    (LEXICONS / "medical.yaml").write_text(_HEAD + body.strip().removeprefix("{").removesuffix("}") + "\n")
    print(f"{len(found)} terms")


if __name__ == "__main__":
    main(sys.argv[1:])

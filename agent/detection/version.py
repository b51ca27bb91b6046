"""What a detector is called in the catalogue: whatever may change what it finds. Loads none of the libraries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

_RULES_REVISION = 5  # raise it whenever a rule of ours changes what is found
_PACKAGES = ("presidio-analyzer", "spacy", "phonenumbers", "hyperscan", "ahocorasick-rs")
_SHIPPED_MODELS = Path(__file__).parent / "models"


def detector_version(model: str | None, minimum_score: float, lexicons: Iterable[Path]) -> str:
    """The versions of libraries, rules, models and lexicons, and the settings that matter.

    `model` is the path of another model for names, if one is set. Raises `OSError` if a lexicon cannot be read.
    """
    parts = [f"{name} {version(name)}" for name in _PACKAGES]
    parts += [f"rules {_RULES_REVISION}", f"score {minimum_score}"]
    parts.append(f"models {_fingerprint(_files(_SHIPPED_MODELS))}")
    parts.append(f"lexicons {_fingerprint(lexicons)}")
    if model is not None:
        folder = Path(model.partition(":")[2] or model)
        parts.append(f"names {model.partition(':')[0] if ':' in model else 'spacy'} {_outline(folder)}")
    return "; ".join(parts)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md")


def _fingerprint(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name} {file.stat().st_size}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _outline(folder: Path) -> str:
    """Of a model that may be large: names and sizes of its files, and what it says of itself."""
    digest = hashlib.sha256()
    for file in _files(folder):
        digest.update(f"{file.relative_to(folder)} {file.stat().st_size}\n".encode())
    if (folder / "meta.json").is_file():
        digest.update((folder / "meta.json").read_bytes())
    return digest.hexdigest()[:16]

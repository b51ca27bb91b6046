"""Prints what the package brings, as CycloneDX 1.5 (JSON): every library with its version and licence.

python packaging/bill_of_materials.py [SITE_PACKAGES]
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from importlib.metadata import Distribution, distributions
from typing import Any

_OURS = "retentiond"


def bill(found: Sequence[Distribution]) -> dict[str, Any]:
    """The bill of materials of these distributions. The same ones always give the same bill."""
    by_name = {_key(one.metadata["Name"]): one for one in found}
    ours = by_name.pop(_OURS)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": _component(ours, "application")},
        "components": [_component(by_name[name], "library") for name in sorted(by_name)],
    }


def _component(one: Distribution, kind: str) -> dict[str, Any]:
    name, version = _key(one.metadata["Name"]), one.version
    component: dict[str, Any] = {
        "type": kind,
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
    }
    if expression := one.metadata["License-Expression"]:
        component["licenses"] = [{"expression": expression}]
    elif stated := _stated(one):
        component["licenses"] = [{"license": {"name": stated}}]
    return component


def _stated(one: Distribution) -> str:
    """The licence as older metadata say it: by classifier, or in the first line of free text."""
    classifiers = [
        line.rpartition(" :: ")[2] for line in one.metadata.get_all("Classifier", []) if line.startswith("License ::")
    ]
    return " and ".join(classifiers) or (one.metadata["License"] or "").strip().partition("\n")[0]


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(bill(list(distributions(path=sys.argv[1:] or sys.path))), indent=1) + "\n")

"""JSON of a source, read so that two readers could not take it for two things."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from connectors.errors import SourceFault


class _Hostile(ValueError):
    """It is JSON for some readers only."""


def read_object(body: bytes) -> dict[str, Any]:
    """The object that the body is.

    Raises `SourceFault` for what is not UTF-8, not JSON, too deep or no object, and for a name that is there twice or a
    number that is none.
    """
    found: object = None
    fault = ""
    try:
        found = json.loads(
            body.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_no_number, parse_float=_float
        )
    except _Hostile as error:
        fault = str(error)
    except UnicodeDecodeError:
        fault = "is not UTF-8"
    except ValueError:
        fault = "is not JSON"
    except RecursionError:
        fault = "is nested too deeply"
    if not fault and not isinstance(found, dict):
        fault = "is no object"
    if fault:
        raise SourceFault(f"the source answered with something that {fault}")
    return found  # type: ignore[return-value]  # it is a dict: anything else is a fault


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Hostile("has a name twice")
    return found


def _no_number(_text: str) -> NoReturn:
    raise _Hostile("has a number that is none")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _Hostile("has a number that is none")
    return number

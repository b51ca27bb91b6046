"""Reading the settings file: what is wrong in it is told with file, line and field, all of it at once."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agent.errors import ConfigurationError
from agent.settings.sections import Settings


def load_settings(path: Path) -> Settings:
    """The settings in `path`. Raises `ConfigurationError` that names every problem with its line and field."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot read the configuration ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: the configuration is not UTF-8 text (byte {error.start}).") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigurationError(f"{place}: this is not valid YAML: {error.problem or error.context}.") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: this is not valid YAML.") from error
    if data is None:
        return Settings()
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}:1: the configuration must be a list of `key: value` lines.")
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        problems = [_problem(path, node, detail) for detail in error.errors()]
        raise ConfigurationError("\n".join(problems)) from None
    _refuse_twins(path, node, "shares", [share.name for share in settings.shares])
    _refuse_twins(path, node, "reviewers", [reviewer.name for reviewer in settings.reviewers])
    _refuse_twins(path, node, "tenants", [tenant.name for tenant in settings.tenants])
    _refuse_shared_names(path, node, settings)
    return settings


def _refuse_twins(path: Path, node: yaml.Node | None, section: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            line = _line(node, (section, index, "name"))
            raise ConfigurationError(
                f"{path}:{line}: {section}.{index}.name: two {section} are named {name!r}. Rename one."
            )


def _refuse_shared_names(path: Path, node: yaml.Node | None, settings: Settings) -> None:
    shares = {share.name.casefold() for share in settings.shares}
    for index, tenant in enumerate(settings.tenants):
        if tenant.name.casefold() in shares:
            line = _line(node, ("tenants", index, "name"))
            raise ConfigurationError(
                f"{path}:{line}: tenants.{index}.name: a share is named {tenant.name!r} as well. Rename one."
            )


_EXPECTED = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "tuple_type": "must be a list",
    "model_type": "must hold `key: value` lines of its own",
    "missing": "is missing",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def _problem(path: Path, node: yaml.Node | None, detail: ErrorDetails) -> str:
    place = detail["loc"]
    field = ".".join(str(part) for part in place)
    line = _line(node, place)
    kind = detail["type"]
    if kind == "extra_forbidden":
        known = _keys_at(place[:-1])
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        hint = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(known)}."
        return f"{path}:{line}: {field}: there is no such key. {hint}"
    said = _EXPECTED.get(kind) or _bounds(detail)
    return f"{path}:{line}: {field}: {said}."


def _bounds(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if "ge" in context:
        return f"must be at least {context['ge']}"
    if "gt" in context:
        return f"must be above {context['gt']:g}"
    if "le" in context:
        return f"must be at most {context['le']}"
    if "error" in context:
        return str(context["error"])
    if "pattern" in context:
        return f"must be written like {context['pattern']}"
    if "expected" in context:
        return f"must be one of {context['expected']}"
    return detail["msg"][0].lower() + detail["msg"][1:]


def _keys_at(place: tuple[int | str, ...]) -> list[str]:
    """The keys that are known in the section that `place` leads to."""
    model: type[BaseModel] = Settings
    for part in place:
        if part in model.model_fields:
            model = _section_in(model.model_fields[str(part)].annotation) or model
    return list(model.model_fields)


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds: itself, several of them, or perhaps one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)


def _line(node: Any, place: tuple[int | str, ...]) -> int:
    """The line (from 1) of the node that `place` leads to, or of the deepest one on the way."""
    line: int = node.start_mark.line + 1 if node is not None else 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, node = key.start_mark.line + 1, value
                    break
            else:
                return line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line

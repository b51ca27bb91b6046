"""The settings file of a file server: the shipped one, with its comments, and what is wanted filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import yaml
from pydantic import ValidationError

from agent.errors import ConfigurationError
from agent.settings import Settings
from agent.usecases.set_up_wanted import Nights, Unsaid, Wanted, WantedReviewer, WantedShare

STATE = PurePosixPath("/var/lib/retentiond")
# Where service users find their state: left empty, each would look in a home directory that it does not have.
_STATE_LINE = "state: null\n"
# Each role makes a socket of its own there, which only its group may use.
_METRICS_LINE, _RUN = "  metrics: null\n", "/run/retentiond"
_TENANTS, _NEWLINE = "tenants: []\n", "\n"
_SHARES, _SCHEDULE, _REVIEWERS, _KEY_FILE = (
    "shares: []\n",
    "schedule: uk-default\n",
    "reviewers: []\n",
    "key_file: null",
)


def filled_in(template: str, wanted: Wanted, schedule: PurePosixPath, key_file: PurePosixPath | None) -> str:
    """The text of the settings. `schedule` is the file of the schedule; `key_file` that of the vault's key, if any."""
    text = _instead(template, _SHARES, "shares:\n" + "".join(_share_lines(wanted)))
    text = _instead(text, _SCHEDULE, f"schedule: {_text(str(schedule))}\n")
    text = _instead(text, _STATE_LINE, f"state: {STATE}\n")
    text = _instead(text, _METRICS_LINE, f"  metrics: {_RUN}\n")
    if wanted.reviewers:
        text = _instead(text, _REVIEWERS, "reviewers:\n" + "".join(map(_reviewer_line, wanted.reviewers)))
    if key_file is not None:
        text = _instead(text, _KEY_FILE, f"key_file: {_text(str(key_file))}")
    return text


def _instead(text: str, line: str, new: str) -> str:
    if text.count(line) != 1:
        raise RuntimeError(f"the shipped settings hold {line!r} not once")
    return text.replace(line, new)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON string is a YAML string, so any name is written safely


def _share_lines(wanted: Wanted) -> Iterator[str]:
    for number, share in enumerate(wanted.shares):
        yield f"  - name: {_text(share.name)}\n    path: {_text(str(share.path))}\n"
        if wanted.nights is not None:
            yield f'    window: "{wanted.nights}"\n    reconcile: "{wanted.nights.reconcile(number)}"\n'


def _reviewer_line(one: WantedReviewer) -> str:
    email = f", email: {_text(one.email)}" if one.email else ""
    return f"  - {{name: {_text(one.name)}, roles: [{', '.join(map(_text, one.roles))}]{email}}}\n"


def settings_of(text: str) -> Settings:
    """What the text of a settings file sets. Raises `ConfigurationError`, before anything has been written."""
    try:
        return Settings.model_validate(yaml.safe_load(text) or {})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise ConfigurationError(f"These settings would not be accepted: {field}: {first['msg']}.") from None


def for_the_service(template: str) -> str:
    """The shipped settings for a machine that has no share yet: only what the service itself needs is filled in."""
    return _instead(_instead(template, _STATE_LINE, f"state: {STATE}\n"), _METRICS_LINE, f"  metrics: {_RUN}\n")


def with_tenant(text: str, name: str, entry: Sequence[str]) -> str:
    """The text of the settings with a tenant of that name, whose `entry` are its lines from `name:` on, not indented.

    One of that name is replaced; everything else stays as it is, comments included. Raises `ConfigurationError` if that
    cannot be made sure of.
    """
    before = settings_of(text)
    new = _with_entry(text, before, name, entry)
    try:
        after = settings_of(new)
    except yaml.YAMLError:
        raise _by_hand(entry) from None
    others = [one for one in before.tenants if one.name != name]
    if [one for one in after.tenants if one.name != name] != others or len(after.tenants) != len(others) + 1:
        raise _by_hand(entry)
    if after.model_copy(update={"tenants": before.tenants}) != before:
        raise _by_hand(entry)
    return new


def _with_entry(text: str, before: Settings, name: str, entry: Sequence[str]) -> str:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    keys = root.value if isinstance(root, yaml.MappingNode) else []
    tenants = next((value for key, value in keys if key.value == "tenants"), None)
    if tenants is None:
        return f"{text}{'' if not text or text.endswith(_NEWLINE) else _NEWLINE}tenants:\n{_as_item(entry, 2)}"
    if not tenants.value:
        line = text.splitlines(keepends=True)[tenants.start_mark.line]
        if line.strip() != _TENANTS.strip():
            raise _by_hand(entry)
        return _lines_instead(
            text, tenants.start_mark.line, tenants.start_mark.line + 1, "tenants:\n" + _as_item(entry, 2)
        )
    if tenants.flow_style:
        raise _by_hand(entry)
    item = _as_item(entry, tenants.start_mark.column)
    names = [one.name for one in before.tenants]
    if name in names:
        old = tenants.value[names.index(name)]
        return _lines_instead(text, old.start_mark.line, _line_behind(old), item)
    behind = _line_behind(tenants)
    return _lines_instead(text, behind, behind, item)


def _as_item(entry: Sequence[str], column: int) -> str:
    """The lines as an item of a list whose dashes stand in that column."""
    first, *rest = entry
    space = " " * column
    return f"{space}- {first}\n" + "".join(f"{space}  {line}\n" for line in rest)


def _line_behind(node: yaml.Node) -> int:
    """The number of the line behind the last one of a node. Its own end would be behind comments that follow it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    line: int = node.end_mark.line
    return line if node.end_mark.column == 0 and line > node.start_mark.line else line + 1


def _lines_instead(text: str, begin: int, end: int, new: str) -> str:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith(_NEWLINE):
        lines[-1] += _NEWLINE
    return "".join([*lines[:begin], new, *lines[end:]])


def _by_hand(entry: Sequence[str]) -> ConfigurationError:
    return ConfigurationError(
        "The settings are written so that a tenant cannot be added without changing something else. Write this under "
        f"`tenants` yourself:\n{_as_item(entry, 2)}"
    )


def shares_in(settings: Settings) -> tuple[WantedShare, ...]:
    """The shares that the settings name."""
    return tuple(WantedShare(share.name, PurePosixPath(share.path)) for share in settings.shares)


def differences(
    settings: Settings,
    shares: tuple[WantedShare, ...] | None,
    reviewers: tuple[WantedReviewer, ...] | None,
    nights: Nights | Unsaid | None,
) -> tuple[str, ...]:
    """The options by which something else was said than the settings say. What was not said makes no difference."""
    told = []
    if shares is not None and set(shares) != set(shares_in(settings)):
        told.append("--share")
    there = {WantedReviewer(one.name, one.roles, one.email) for one in settings.reviewers}
    if reviewers is not None and set(reviewers) != there:
        told.append("--reviewer")
    window = () if nights is None else (str(nights),)
    if nights is not Unsaid.UNSAID and {window} != {share.window for share in settings.shares}:
        told.append("--nights")
    return tuple(told)


def may_act(settings: Settings) -> bool:
    """Whether anything may be carried out at all: then the service must be able to write to the shares."""
    how = settings.disposition
    return "act" in (how.mode, *how.classes.values())

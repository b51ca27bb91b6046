"""Every key of the settings is checked, and a mistake is told with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigurationError
from agent.settings import Settings, load_settings

ROOT = Path(__file__).parents[1]


def _load(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "retentiond.yaml").write_text(text)
    return load_settings(tmp_path / "retentiond.yaml")


def test_the_shipped_file_shows_every_key_with_its_default() -> None:
    assert load_settings(ROOT / "config" / "retentiond.yaml") == Settings()
    text = (ROOT / "config" / "retentiond.yaml").read_text()
    for section in (Settings, type(Settings().extraction), type(Settings().detection), type(Settings().reviews)):
        for key in section.model_fields:
            assert f"{key}:" in text


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert _load(tmp_path, "") == _load(tmp_path, "# nothing\n") == Settings()


def test_what_is_set_is_taken(tmp_path: Path) -> None:
    text = "shares:\n  - name: office\n    path: /srv/office\njobs: 3\nextraction:\n  memory_mib: 512\n"
    settings = _load(tmp_path, text)
    assert [(share.name, share.path) for share in settings.shares] == [("office", "/srv/office")]
    assert (settings.jobs, settings.extraction.memory_mib, settings.schedule) == (3, 512, "uk-default")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nscheduel: x\n", ":1: a: there is no such key"),
        ("jobs: 1\nscheduel: x\n", ":2: scheduel: there is no such key. Did you mean `schedule`?"),
        ("zzz: x\n", "Known here: shares, tenants, schedule"),
        ("jobs: '3'\n", ":1: jobs: must be a whole number"),
        ("jobs: 1.5\n", ":1: jobs: must be a whole number"),
        ("files_per_second: 0\n", ":1: files_per_second: must be above 0"),
        ("jobs: 300\n", ":1: jobs: must be at most 256"),
        ("schedule: 5\n", ":1: schedule: must be text"),
        ("shares: office\n", ":1: shares: must be a list"),
        ("shares:\n  - office\n", ":2: shares.0: must hold `key: value` lines"),
        ("shares:\n  - name: ''\n    path: /x\n", ":2: shares.0.name: must not be empty"),
        ("extraction: 5\n", ":1: extraction: must hold `key: value` lines"),
        ("detection:\n  minimum_score: 2.0\n", ":2: detection.minimum_score: must be at most 1"),
        ("detection:\n  minimum_score: high\n", ":2: detection.minimum_score: must be a number"),
        ("detection:\n  phone_regions: [XX]\n", ":2: detection.phone_regions: must be countries"),
        ("detection:\n  references: [{type: PERSON, pattern: x}]\n", ":2: detection.references.0.type: must be one of"),
        ("detection:\n  references: [{type: EMPLOYEE_ID, pattern: '('}]\n", "must be a regular expression"),
        ("reviewers: ann\n", ":1: reviewers: must be a list"),
        ("reviewers:\n  - {name: ann, roles: []}\n", ":2: reviewers.0.roles: must not be empty"),
        ("reviewers:\n  - {name: ann}\n", ":2: reviewers.0.roles: is missing"),
        ("reviewers:\n  - {name: ann, roles: ['']}\n", ":2: reviewers.0.roles.0: must not be empty"),
        ("reviewers:\n  - {name: ann, roles: [a], mail: x}\n", ":2: reviewers.0.mail: there is no such key. Did you"),
        ("reviewers:\n  - {name: ann, roles: [a], email: ann}\n", ":2: reviewers.0.email: must be written like"),
        ("reviews:\n  overdue_after_days: 0\n", ":2: reviews.overdue_after_days: must be at least 1"),
        ("reviews:\n  overdue: 5\n", ":2: reviews.overdue: there is no such key. Known here: overdue_after_days."),
        (
            "reviewers:\n  - {name: ann, roles: [a]}\n  - {name: ann, roles: [b]}\n",
            ":3: reviewers.1.name: two reviewers are named 'ann'. Rename one.",
        ),
        ("access_times: never\n", ":1: access_times: must be one of 'keep' or 'may_change'"),
        ("jobs: 1\n  more: 2\n", ":2:"),
        ("a: &x [*y]\n", "not valid YAML"),
        ("just words\n", ":1: the configuration must be"),
        ("\x00", "not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_line_and_field(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        _load(tmp_path, text)
    assert said in str(told.value)
    assert str(told.value).startswith(str(tmp_path / "retentiond.yaml"))


def test_reviewers_are_taken_with_their_roles(tmp_path: Path) -> None:
    text = "reviewers:\n  - {name: ann, roles: [data protection officer, lead]}\n"
    text += "  - {name: b, roles: [x], email: b@c}\n"
    ann, other = _load(tmp_path, text + "reviews: {overdue_after_days: 7}\n").reviewers
    assert (ann.name, ann.roles, ann.email, other.email) == ("ann", ("data protection officer", "lead"), None, "b@c")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as told:
        _load(tmp_path, "jobs: many\nschedule: 5\nstat: x\n")
    assert len(str(told.value).splitlines()) == 3


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "none.yaml", tmp_path / "folder"):
        with pytest.raises(ConfigurationError, match="cannot read"):
            load_settings(path)


def test_yaml_cannot_make_objects(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not valid YAML"):
        _load(tmp_path, "schedule: !!python/object/apply:os.system ['true']\n")

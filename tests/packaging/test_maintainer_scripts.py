"""Removing the package, even for good, destroys no record unless somebody has said so."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from agent import __version__
from tests.packaging.unit_files import ROOT

DEBIAN = ROOT / "packaging" / "debian"
_RECORDS = ("var/lib/retentiond/catalogue.sqlite", "var/lib/retentiond/vault/slots", "etc/retentiond/retentiond.yaml")
_KEY = "etc/retentiond/credstore/retentiond-vault.cred"
_DROP_IN = "etc/systemd/system/retentiond-dispose.service.d/shares.conf"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for name in (*_RECORDS, _KEY, _DROP_IN):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="ascii")
    return tmp_path


def _after(script: str, machine: Path, *arguments: str, answer: str | None) -> str:
    """Runs a maintainer script on that machine. `answer` is what debconf has for its question; none: no debconf."""
    text = (DEBIAN / f"retentiond.{script}").read_text(encoding="utf-8")
    text = re.sub(r"(?<![\w/])/(?=(?:var/lib|etc|run|usr/share)/)", f"{machine}/", text)
    if answer is not None:
        debconf = machine / "usr/share/debconf/confmodule"
        debconf.parent.mkdir(parents=True, exist_ok=True)
        debconf.write_text(f"db_input() {{ :; }}\ndb_go() {{ :; }}\ndb_get() {{ RET={answer}; }}\n", encoding="ascii")
    ran = subprocess.run(["sh", "-s", "--", *arguments], input=text, capture_output=True, text=True, check=True)
    return ran.stderr


@pytest.mark.parametrize("answer", [None, "false", ""])
def test_purge_keeps_records_vault_and_keys_and_says_where(machine: Path, answer: str | None) -> None:
    told = _after("postrm", machine, "purge", answer=answer)

    assert all((machine / name).exists() for name in (*_RECORDS, _KEY))
    assert f"{machine}/var/lib/retentiond is kept" in told
    assert f"{machine}/etc/retentiond is kept" in told
    assert not (machine / _DROP_IN).parent.exists()


def test_purge_destroys_them_if_somebody_has_said_so(machine: Path) -> None:
    _after("postrm", machine, "purge", answer="true")

    assert not (machine / "var/lib/retentiond").exists()
    assert not (machine / "etc/retentiond").exists()


@pytest.mark.parametrize("action", ["remove", "upgrade", "abort-install", "disappear"])
def test_nothing_but_purge_touches_anything_whatever_was_said(machine: Path, action: str) -> None:
    _after("postrm", machine, action, answer="true")

    assert all((machine / name).exists() for name in (*_RECORDS, _KEY, _DROP_IN))


def test_the_question_is_answered_no_by_itself() -> None:
    template = (DEBIAN / "retentiond.templates").read_text(encoding="utf-8")

    assert "Template: retentiond/purge-records\nType: boolean\nDefault: false\n" in template


@pytest.mark.parametrize("script", ["postinst", "prerm", "postrm"])
def test_maintainer_scripts_are_sound(script: str) -> None:
    path = DEBIAN / f"retentiond.{script}"

    subprocess.run(["sh", "-n", path], check=True)
    assert path.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    assert "set -e\n" in path.read_text(encoding="utf-8")


def test_the_package_has_the_version_of_the_software() -> None:
    first = (DEBIAN / "changelog").read_text(encoding="utf-8").splitlines()[0]

    assert first.startswith(f"retentiond ({__version__}) ")

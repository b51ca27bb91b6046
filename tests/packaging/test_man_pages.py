"""The man pages say of every command what it says of itself, in a form that man can show."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.packaging.unit_files import ROOT


@pytest.fixture(scope="module")
def man_pages() -> ModuleType:
    found = importlib.util.spec_from_file_location("man_pages", ROOT / "packaging" / "man_pages.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(man_pages: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("man")
    man_pages.main(str(directory))
    return directory


def test_every_command_and_every_one_below_it_has_its_part(pages: Path) -> None:
    text = (pages / "retentiond.1").read_text(encoding="utf-8").replace(r"\-", "-")
    told = set(re.findall(r'^\.SS "retentiond ([a-z ]+[a-z])', text, re.MULTILINE))

    assert {"scan", "dispose", "dispose run", "vault verify", "audit verify", "review approve"} <= told
    assert "--may-change-access-times" in text
    assert ".SH EXIT STATUS" in text


def test_every_key_of_the_settings_file_is_told(pages: Path) -> None:
    text = (pages / "retentiond.yaml.5").read_text(encoding="utf-8")
    shipped = (ROOT / "config/retentiond.yaml").read_text(encoding="utf-8")

    for key in re.findall(r"^ *([a-z_]+):", shipped, re.MULTILINE):
        assert key in text


@pytest.mark.skipif(not shutil.which("man"), reason="needs Debian's man-db")
def test_man_has_nothing_to_complain_of(pages: Path) -> None:
    for page in sorted(pages.iterdir()):
        told = subprocess.run(["man", "--warnings", "-l", page], capture_output=True, text=True)
        assert (told.returncode, told.stderr) == (0, "")


def test_what_roff_would_take_for_its_own_is_shown_as_it_is(man_pages: ModuleType) -> None:
    assert man_pages.escape(".nf") == r"\&.nf"
    assert man_pages.escape(r"'\d{4}' --x") == r"\(aq\ed{4}\(aq \-\-x"

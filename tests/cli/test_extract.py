"""What the pipeline would read is told file by file, and the text only when it is asked for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from agent.errors import ExitCode
from tests.corpus import formats

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def test_each_file_of_a_folder_is_told_as_one_object(retentiond: Command, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "below").mkdir(parents=True)
    (folder / "a.txt").write_text("one\ntwo\n")
    (folder / "below" / "b.docx").write_bytes(formats.docx(["a secret word"]))
    (folder / "below" / "c.png").write_bytes(formats.png())
    (folder / "link").symlink_to("a.txt")

    done = retentiond("extract", folder, "--jsonl")
    told = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 0, done.stderr
    assert [(Path(one["path"]).name, one["format"], one["status"]) for one in told] == [
        ("a.txt", "txt", "ok"),
        ("b.docx", "docx", "ok"),
        ("c.png", "png", "empty"),
    ]
    assert told[0]["locations"] == {"line": 2}
    assert set(told[0]) == {"path", "format", "status", "reasons", "characters", "locations", "seconds"}
    assert "secret" not in done.stdout
    assert not (tmp_path / "state").exists()


def test_the_text_comes_with_its_places_when_asked_for(retentiond: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")

    (told,) = map(json.loads, retentiond("extract", tmp_path / "a.txt", "--jsonl", "--text").stdout.splitlines())
    plain = retentiond("extract", tmp_path / "a.txt", "--text").stdout

    assert told["text"] == [{"text": "one\ntwo\n", "places": [[0, "line=1"], [4, "line=2"]]}]
    assert "8 characters in 2 line" in plain
    assert "one\ntwo\n" in plain


def test_a_path_that_is_not_there_is_named(retentiond: Command, tmp_path: Path) -> None:
    done = retentiond("extract", tmp_path / "nowhere")

    assert done.returncode == ExitCode.USAGE
    assert "nowhere: there is no such file or folder" in done.stderr

"""What the processes that parse ask of the kernel, seen from outside."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.corpus import flat_office, formats
from tests.extraction import traced
from tests.extraction.traced import _judged, trace


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_no_document_makes_a_process_reach_the_network_start_a_program_or_change_a_file(tmp_path: Path) -> None:
    share = tmp_path / "share"
    shutil.copytree(flat_office.FOLDER, share)
    leak = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    (share / "leak.xml").write_text(leak)
    (share / "leak.docx").write_bytes(formats.zipped({"word/document.xml": leak.encode()}))
    (share / "link.html").write_text("<img src='http://192.0.2.1/x'><link rel=stylesheet href='http://192.0.2.1/y'>")
    seen = trace(share)
    assert seen.let_through == []
    assert seen.processes
    assert seen.refused >= 7, "the test at the start of a process should have been refused what it tried"


_START = [
    '10 execve("/usr/bin/python3", ["python3", "-I", "-c", "..."], 0x1) = 0',
    "10 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7) = 11",
]


@pytest.mark.parametrize(
    "call",
    [
        "11 socket(AF_INET, SOCK_STREAM, 0) = 4",
        '11 openat(AT_FDCWD, "/tmp/x", O_WRONLY|O_CREAT, 0666) = 4',
        '11 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 4',
        '11 execve("/bin/sh", ["sh"], 0x1) = 0',
        "11 clone(child_stack=NULL, flags=SIGCHLD) = 12",
        '11 unlink("/tmp/x") = 0',
        "11 kill(10, SIGTERM) = 0",
    ],
)
def test_the_watch_notices_what_is_let_through(call: str) -> None:
    assert _judged([*_START, call]).let_through == [call]
    refused = call.rpartition(" = ")[0] + " = -1 EPERM (Operation not permitted)"
    assert _judged([*_START, refused]).let_through == []
    first, _, rest = call.partition(") = ")
    interrupted = [
        f"{first} <unfinished ...>",
        "10 getpid() = 10",
        f"11 <... {call.split()[1].split('(')[0]} resumed>) = {rest}",
    ]
    assert _judged([*_START, *interrupted]).let_through == [interrupted[0]]


def test_calls_of_other_processes_are_not_judged() -> None:
    assert _judged([*_START, "10 socket(AF_INET, SOCK_STREAM, 0) = 4"]) == traced.Traced({"11"})

"""A document can end the process that parses it, and nothing else."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.extraction.base import MAX_CHUNK_CHARACTERS, Chunk, Extractor, Limits
from agent.extraction.budget import Budget, LimitReached
from agent.extraction.frames import BadFrame, chunk_of, extraction_of
from agent.extraction.process import ExtractionUnavailable, ProcessExtractor
from agent.extraction.testing import ExtractorContract, take
from agent.model.outcome import ExtractionStatus
from tests.corpus import formats


class TestProcess(ExtractorContract):
    @pytest.fixture
    def extractor(self, one_process: ProcessExtractor) -> Extractor:
        return one_process


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    file = tmp_path / "letter.txt"
    file.write_text("a letter\n")
    return file


def _with(**limits: object) -> Iterator[ProcessExtractor]:
    extractor = ProcessExtractor(Limits(**limits))  # type: ignore[arg-type]
    yield extractor
    extractor.close()


@pytest.fixture
def impatient() -> Iterator[ProcessExtractor]:
    yield from _with(wall_seconds=1.0)


@pytest.fixture
def sparing() -> Iterator[ProcessExtractor]:
    yield from _with(output_characters=10_000, expanded_bytes=200_000, members=3)


def _process_of(extractor: ProcessExtractor) -> int:
    assert extractor._child is not None
    return extractor._child.pid


def test_a_process_that_is_killed_costs_its_document_and_no_other(impatient: ProcessExtractor, letter: Path) -> None:
    take(impatient, letter)
    held = _process_of(impatient)
    os.kill(held, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, [held, signal.SIGKILL]).start()
    extraction, _ = take(impatient, letter)
    assert (extraction.status, extraction.reasons[0]) == (ExtractionStatus.KILLED, "crashed")
    assert take(impatient, letter)[0].status is ExtractionStatus.OK


def test_a_document_that_takes_too_long_is_given_up(
    impatient: ProcessExtractor, tmp_path: Path, letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(impatient, letter)
    os.kill(_process_of(impatient), signal.SIGSTOP)
    began = time.monotonic()
    extraction, _ = take(impatient, letter)
    assert (extraction.status, extraction.reasons[0]) == (ExtractionStatus.KILLED, "timeout")
    assert time.monotonic() - began < 3
    assert take(impatient, letter)[0].status is ExtractionStatus.OK


def test_of_a_document_that_no_reader_survives_what_looks_like_text_is_read(
    impatient: ProcessExtractor, tmp_path: Path
) -> None:
    (tmp_path / "odd").write_bytes(b"\x01\x02NI number AB 12 34 56 C\xff\xfe" + "wide text here".encode("utf-16-le"))
    take(impatient, tmp_path / "odd")
    os.kill(_process_of(impatient), signal.SIGSTOP)
    extraction, chunks = take(impatient, tmp_path / "odd")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.KILLED, ("timeout", "strings_only"))
    assert "".join(chunk.text for chunk in chunks) == "NI number AB 12 34 56 C\nwide text here\n"


def test_the_time_that_others_take_with_the_text_is_not_counted(impatient: ProcessExtractor, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("a word and another\n" * 20_000)
    with open(tmp_path / "long.txt", "rb") as document:
        extraction = impatient.extract(document.fileno(), b"long.txt", lambda chunk: time.sleep(0.3))
    assert extraction.status is ExtractionStatus.OK


def test_a_process_serves_many_documents_however_large_its_parent_is(letter: Path) -> None:
    ballast = bytearray(400 * 1024 * 1024)
    extractor = ProcessExtractor(Limits())
    take(extractor, letter)
    first = _process_of(extractor)
    take(extractor, letter)
    assert _process_of(extractor) == first
    extractor.close()
    assert len(ballast)


def test_too_much_processor_time_is_told_as_such(tmp_path: Path) -> None:
    extractor = ProcessExtractor(Limits(cpu_seconds=0, wall_seconds=30))
    (tmp_path / "hard.json").write_text("[" + ",".join(['{"a":[1,2,3]}'] * 1_900_000) + "]")
    extraction, _ = take(extractor, tmp_path / "hard.json")
    extractor.close()
    assert (extraction.status, extraction.reasons[0]) == (ExtractionStatus.KILLED, "cpu")


def test_too_much_memory_is_told_as_such(tmp_path: Path, letter: Path) -> None:
    extractor = ProcessExtractor(Limits(memory_bytes=400 * 1024 * 1024))
    (tmp_path / "large.json").write_text("[" + ",".join(['[{"a":"b"}]'] * 2_500_000) + "]")
    extraction, _ = take(extractor, tmp_path / "large.json")
    again, _ = take(extractor, letter)
    extractor.close()
    assert (extraction.status, extraction.reasons[0]) == (ExtractionStatus.KILLED, "memory")
    assert again.status is ExtractionStatus.OK


def test_memory_too_small_to_start_is_told_with_the_setting() -> None:
    extractor = ProcessExtractor(Limits(memory_bytes=16 * 1024 * 1024))
    with pytest.raises(ExtractionUnavailable, match=r"extraction\.memory_mib"):
        take(extractor, Path(__file__))


def test_a_document_that_swells_is_given_up_at_the_limit(tmp_path: Path) -> None:
    extractor = ProcessExtractor(Limits(expanded_bytes=200_000))
    (tmp_path / "bomb.docx").write_bytes(formats.docx(["word " * 4_000_000]))
    extraction, _ = take(extractor, tmp_path / "bomb.docx")
    extractor.close()
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("expansion_limit",))


def test_a_text_beyond_the_limit_is_kept_up_to_it(sparing: ProcessExtractor, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("word\n" * 100_000)
    extraction, chunks = take(sparing, tmp_path / "long.txt")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("output_limit",))
    assert 9_000 < sum(len(chunk.text) for chunk in chunks) <= 10_000


def test_a_document_that_takes_long_gives_what_was_read_in_time(tmp_path: Path) -> None:
    extractor = ProcessExtractor(Limits(reading_seconds=0.2))
    (tmp_path / "long.csv").write_text("Name,Number\n" + "Zoe,17\n" * 3_000_000)
    began = time.monotonic()
    extraction, chunks = take(extractor, tmp_path / "long.csv")
    extractor.close()
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("time_limit",))
    assert chunks
    assert time.monotonic() - began < 3


def test_many_parts_end_as_partial(sparing: ProcessExtractor, tmp_path: Path) -> None:
    part = "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    head = 'From: a@x.example\r\nTo: b@x.example\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    (tmp_path / "many.eml").write_text(head + part * 50 + "--b--\r\n")
    extraction, _ = take(sparing, tmp_path / "many.eml")
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("member_limit",))


def test_messages_nested_without_end_stop_at_the_depth_limit(tmp_path: Path) -> None:
    extractor = ProcessExtractor(Limits(depth=4))
    message = b"From: a@x.example\r\nTo: b@x.example\r\n\r\ninnermost\r\n"
    for _ in range(10):
        message = formats.eml({"From": "a@x.example", "To": "b@x.example"}, ["outer"], ("inner.eml", message))
    (tmp_path / "deep.eml").write_bytes(message)
    extraction, _ = take(extractor, tmp_path / "deep.eml")
    extractor.close()
    assert (extraction.status, extraction.reasons) == (ExtractionStatus.PARTIAL, ("depth_limit",))


def test_the_process_has_no_right_that_it_does_not_need(one_process: ProcessExtractor, letter: Path) -> None:
    take(one_process, letter)
    process = Path("/proc") / str(_process_of(one_process))
    status = (process / "status").read_text()
    limits = (process / "limits").read_text()
    assert "NoNewPrivs:\t1" in status
    assert all(f"{name}  " in limits for name in ("Max file size", "Max core file size"))
    rows = {line[:25].strip(): line[25:].split()[:2] for line in limits.splitlines()[1:]}
    assert rows["Max file size"] == rows["Max core file size"] == ["0", "0"]
    assert rows["Max address space"] == [str(Limits().memory_bytes + 256 * 1024 * 1024)] * 2
    assert b"PATH" not in (process / "environ").read_bytes()
    opened = {os.readlink(link) for link in (process / "fd").iterdir()}
    assert not any(str(letter.parent) in target for target in opened)


def test_what_must_be_refused_is_refused(one_process: ProcessExtractor) -> None:
    confinement = one_process.confinement()
    assert confinement.unrefused == ()
    assert confinement.landlock > 0


_TRYING = """
import os, sys
sys.path.insert(0, sys.argv[1])
from agent.extraction import confinement
from agent.extraction.base import Limits
def held(*_): return 0
for name in sys.argv[2].split():
    setattr(confinement, name, held)
limits = Limits(memory_bytes=1 << 30)
version = confinement.confine(limits)
print(version, *confinement.unrefused(limits))
"""


@pytest.mark.parametrize(
    ("without", "told"),
    [
        ("", ""),
        ("_restrict_files", "read"),
        ("_filter_calls", "network exec fork trace"),  # newer versions of Landlock refuse to kill, too
        ("_restrict_files _filter_calls", "network exec fork trace read write"),
    ],
)
def test_the_test_of_the_confinement_notices_what_is_missing(without: str, told: str) -> None:
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", _TRYING, root, without], stdout=subprocess.PIPE, text=True, check=True, cwd="/"
    )
    assert set(done.stdout.split()[1:]) - {"kill"} == set(told.split())


_READING = """
import sys
sys.path.insert(0, sys.argv[1])
from agent.extraction import confinement
from agent.extraction.base import Limits
confinement.confine(Limits())
import encodings.cp850
try:
    open(sys.argv[1] + "/README.md")
except PermissionError:
    print("refused")
"""


def test_the_process_reads_libraries_and_nothing_that_lies_beside_our_own_code() -> None:
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", _READING, root], stdout=subprocess.PIPE, text=True, check=True, cwd="/"
    )
    assert done.stdout == "refused\n"


def test_without_confinement_documents_are_read_only_if_that_is_allowed(
    letter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.extraction.process._START", _UNCONFINED)
    with pytest.raises(ExtractionUnavailable, match="confinement: if_possible"):
        take(ProcessExtractor(Limits()), letter)
    allowed = ProcessExtractor(Limits(), unconfined=True)
    assert take(allowed, letter)[0].status is ExtractionStatus.OK
    assert "network" in allowed.confinement().unrefused
    allowed.close()


_UNCONFINED = """
import sys; sys.path.insert(0, sys.argv.pop(1))
from agent.extraction import confinement, zygote
confinement._filter_calls = lambda: None
zygote.main()
"""


def test_the_zygote_is_replaced_when_something_has_killed_it(letter: Path) -> None:
    extractor = ProcessExtractor(Limits())
    take(extractor, letter)
    assert extractor._zygote is not None
    killed, orphan = extractor._zygote, extractor._child
    killed._process.kill()
    first, _ = take(extractor, letter)  # its process may end while the document is read, before, or after
    assert first.status in (ExtractionStatus.OK, ExtractionStatus.KILLED)
    if extractor._child is orphan:
        assert orphan is not None
        select.select([orphan._ended], [], [], 10)
    assert take(extractor, letter)[0].status is ExtractionStatus.OK
    assert extractor._zygote is not killed
    extractor.close()


def test_a_process_makes_room_for_a_fresh_one_after_many_documents(letter: Path) -> None:
    extractor = ProcessExtractor(Limits())
    served = set()
    for _ in range(201):
        take(extractor, letter)
        if extractor._child is not None:
            served.add(extractor._child.pid)
    extractor.close()
    assert len(served) == 2


def test_the_process_ends_with_ours(letter: Path) -> None:
    parent = os.fork()
    if parent == 0:
        extractor = ProcessExtractor(Limits())
        take(extractor, letter)
        (letter.parent / "pid").write_text(str(_process_of(extractor)))
        os.kill(_process_of(extractor), signal.SIGSTOP)  # too busy to see that we are gone
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)
    process = Path("/proc") / (letter.parent / "pid").read_text()
    deadline = time.monotonic() + 5
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        while "Z (zombie)" not in (process / "status").read_text():
            assert time.monotonic() < deadline, "the parsing process outlived us"
            time.sleep(0.02)


def test_an_error_in_the_callers_code_ends_the_process_and_is_raised(letter: Path) -> None:
    extractor = ProcessExtractor(Limits())

    def fail(chunk: Chunk) -> None:
        raise KeyError("the caller's own")

    with open(letter, "rb") as document, pytest.raises(KeyError):
        extractor.extract(document.fileno(), b"letter.txt", fail)
    assert take(extractor, letter)[0].status is ExtractionStatus.OK
    extractor.close()


_GOOD_CHUNK = {"text": "abc", "places": [[0, "page=1"]]}
_GOOD_END = {"status": "ok", "format": "txt", "reasons": [], "characters": 3, "met": ["txt"]}


def test_sound_frames_are_understood() -> None:
    assert chunk_of(_GOOD_CHUNK).location_at(2) == "page=1"
    assert extraction_of(_GOOD_END).characters == 3


@pytest.mark.parametrize(
    "change",
    [
        {"text": ""},
        {"text": "x" * (MAX_CHUNK_CHARACTERS + 1)},
        {"text": 5},
        {"places": []},
        {"places": [[1, "page=1"]]},
        {"places": [[0, "page=1"], [0, "page=2"]]},
        {"places": [[0, "page=1"], [3, "page=2"]]},
        {"places": [[True, "page=1"]]},
        {"places": [[0, "page=Zo\u00eb"]]},
        {"places": [[0, "x" * 500]]},
        {"places": [0, 1]},
        {"places": [[0, "sheet=1&cell=C7+"]]},
        {"places": [[0, "+"]]},
        {"more": 1},
    ],
)
def test_a_chunk_that_is_none_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadFrame):
        chunk_of({**_GOOD_CHUNK, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"status": "fine"},
        {"format": "a sentence out of the document"},
        {"reasons": "word"},
        {"reasons": ["two words"]},
        {"reasons": ["w"] * 200},
        {"characters": -1},
        {"characters": True},
        {"met": "txt"},
        {"met": ["a sentence out of the document"]},
        {"more": 1},
    ],
)
def test_a_result_that_is_none_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadFrame):
        extraction_of({**_GOOD_END, **change})


@pytest.mark.parametrize("said", [b"X\0\0\0\0", b"C\xff\xff\xff\xff", b"C\0\0\0\x02{]", b"R\0\0\0\x02{}"])
def test_a_process_that_says_what_it_may_not_is_ended(
    letter: Path, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    extractor = ProcessExtractor(Limits(wall_seconds=5))
    take(extractor, letter)
    child = extractor._child
    assert child is not None
    ours, theirs = socket.socketpair()
    with child.connection, theirs:
        child.connection = ours
        theirs.sendall(said)
        child_is_there = type(child).gone
        monkeypatch.setattr(type(child), "gone", False)
        extraction, _ = take(extractor, letter)
        monkeypatch.setattr(type(child), "gone", child_is_there)
    assert (extraction.status, extraction.reasons[0]) == (ExtractionStatus.KILLED, "bad_answer")
    assert take(extractor, letter)[0].status is ExtractionStatus.OK
    assert child.pid != _process_of(extractor)
    extractor.close()


def test_what_a_budget_allows_is_counted_to_the_last_unit() -> None:
    budget = Budget(Limits(output_characters=10, expanded_bytes=10, members=2, depth=2))
    budget.write(10)
    budget.expand(10)
    budget.enter(2)
    for spend in (lambda: budget.write(1), lambda: budget.expand(1), lambda: budget.enter(3)):
        with pytest.raises(LimitReached):
            spend()

"""Documents per second to text in one confined process, beside markitdown on the formats that both read.

markitdown is installed by hand, in an environment of its own, since it brings a third of a gigabyte along:

    python3 -m venv .retentiond/markitdown
    .retentiond/markitdown/bin/pip install 'markitdown[docx,xlsx,xls,pptx,pdf,outlook]'
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from agent.extraction.base import Limits
from agent.extraction.process import ProcessExtractor
from agent.model.outcome import ExtractionStatus
from tests.corpus import flat_office
from tests.corpus.office_share import make_office_share

_MARKITDOWN = Path(".retentiond/markitdown/bin/python")
_BOTH = frozenset(
    {"csv", "docx", "eml", "epub", "html", "json", "msg", "pdf", "pptx", "xls", "xlsx", "xml", "txt", "md"}
)
_GIVEN = frozenset(ExtractionStatus(word) for word in ("ok", "empty", "partial", "encrypted"))
# What runs in markitdown's own environment: a file's path in, its seconds and characters out.
_DRIVER = """
import json, sys, time, logging, resource, warnings
warnings.simplefilter("ignore"); logging.disable(50)
from markitdown import MarkItDown
converter = MarkItDown()
for line in sys.stdin:
    began = time.process_time()
    try:
        characters = len(converter.convert(line.rstrip("\\n")).text_content)
    except BaseException:
        characters = -1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([time.process_time() - began, characters, peak]), flush=True)
"""


@dataclass
class _Sum:
    files: int = 0
    read: int = 0
    characters: int = 0
    seconds: float = 0.0

    def add(self, seconds: float, characters: int) -> None:
        self.files += 1
        self.read += characters > 0
        self.characters += max(0, characters)
        self.seconds += seconds

    def __str__(self) -> str:
        rate = self.files / self.seconds if self.seconds else 0
        return f"{self.read:>5} with text {self.characters:>10,} characters {rate:>8,.0f}/s"


def measure(folder: Path | None) -> None:
    """Prints how every file of the sample documents, or of `folder`, ends, and the rates by format."""
    with tempfile.TemporaryDirectory(prefix="retentiond-documents-") as scratch:
        if folder is None:
            make_office_share(Path(scratch) / "share")
            places = [Path(scratch) / "share", flat_office.FOLDER]
        else:
            places = [folder]
        files = sorted(
            file for place in places for file in place.rglob("*") if file.is_file() and not file.is_symlink()
        )
        _measure(files)


def _measure(files: list[Path]) -> None:
    size = sum(file.stat().st_size for file in files)
    print(f"Extracting: {len(files)} files, {size / 1e6:,.1f} MB, one confined process, no OCR; processor time")
    ours: dict[str, _Sum] = {}
    ends: Counter[str] = Counter()
    kinds: dict[Path, str] = {}
    peak = 0
    extractor = ProcessExtractor(Limits())
    extractor.confinement()
    began = time.monotonic()
    total = _Sum()
    for file in files:
        before = _children_seconds(extractor)
        with open(file, "rb") as document:
            extraction = extractor.extract(document.fileno(), os.fsencode(file.name), lambda chunk: None)
        seconds = max(_children_seconds(extractor) - before, 1e-4)
        child = extractor._child
        peak = max(peak, _most_resident(child.pid) if child else 0)
        ends[extraction.status.value] += 1
        kinds[file] = extraction.format
        ours.setdefault(extraction.format, _Sum()).add(seconds, extraction.characters)
        total.add(seconds, extraction.characters)
    wall = time.monotonic() - began
    extractor.close()
    good = sum(ends[status] for status in _GIVEN)
    print(f"  {len(files) / wall:,.0f} documents/s and {size / wall / 1e6:,.1f} MB/s of wall clock; ", end="")
    print(f"{total.read} with text, {good / len(files):.1%} ok, empty, partial or encrypted; {dict(ends)}; ", end="")
    print(f"resident memory at most {peak / 1e6:,.0f} MB")
    shared = [file for file in files if kinds[file] in _BOTH and str(file).isprintable()]
    theirs, their_peak = _markitdown(shared, kinds)
    for kind in sorted(ours):
        print(f"  {kind:8} {ours[kind].files:>4} files  {ours[kind]}", end="")
        print(f"   markitdown {theirs[kind]}  {_times(ours[kind], theirs[kind])}" if kind in theirs else "")
    if theirs:
        both_ours, both_theirs = (_together(sums, theirs) for sums in (ours, theirs))
        print(f"  both     {both_ours.files:>4} files  {both_ours}   markitdown {both_theirs}  ", end="")
        print(f"{_times(both_ours, both_theirs)}, {their_peak / 1e3:,.0f} MB")
    print()


def _most_resident(process: int) -> int:
    """The most memory that a process has held, in bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _children_seconds(extractor: ProcessExtractor) -> float:
    """Processor seconds of the process that parses; a fresh one begins at nothing."""
    child = extractor._child
    if child is None:
        return 0.0
    fields = Path(f"/proc/{child.pid}/schedstat").read_text().split()
    return int(fields[0]) / 1e9


def _markitdown(files: list[Path], kinds: dict[Path, str]) -> tuple[dict[str, _Sum], float]:
    if not _MARKITDOWN.exists():
        print(f"  (markitdown is not installed in {_MARKITDOWN.parent.parent}; see benchmarks/extracting.py)")
        return {}, 0.0
    environment = {"PATH": os.environ["PATH"], "ORT_DISABLE_TELEMETRY": "1", "HOME": "/nonexistent"}
    sums: dict[str, _Sum] = {}
    peak = 0.0
    with subprocess.Popen(
        [_MARKITDOWN, "-c", _DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout
        for file in files:
            process.stdin.write(f"{file.absolute()}\n")
            process.stdin.flush()
            seconds, characters, peak = json.loads(process.stdout.readline())
            sums.setdefault(kinds[file], _Sum()).add(seconds, characters)
        process.stdin.close()
    return sums, peak


def _together(sums: dict[str, _Sum], kinds: dict[str, _Sum]) -> _Sum:
    together = _Sum()
    for kind in kinds:
        for field in ("files", "read", "characters", "seconds"):
            setattr(together, field, getattr(together, field) + getattr(sums[kind], field))
    return together


def _times(ours: _Sum, theirs: _Sum) -> str:
    return f"{theirs.seconds / ours.seconds:.1f} x" if ours.seconds else ""

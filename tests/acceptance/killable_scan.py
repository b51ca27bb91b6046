"""Runs one real scan of a folder with work that is quick and always the same, so that a test can kill it anywhere.

python killable_scan.py SHARE STATE
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from agent import bootstrap
from agent.execution.inline import InlineExecutor
from agent.model.finding import Finding
from agent.model.outcome import Extraction, ExtractionStatus
from agent.settings import Settings
from agent.usecases import scan
from agent.usecases.analyse import Analysis


class Counting:
    """Finds in each file one made-up value that depends on its bytes."""

    def __call__(self, descriptor: int, name: bytes) -> Analysis:
        content = os.pread(descriptor, 4096, 0)
        digest = hashlib.sha256(content).digest()
        finding = Finding("EMAIL_ADDRESS", digest[:16], 0.9, len(content) % 7 + 1, f"line={len(name)}")
        return Analysis(Extraction(ExtractionStatus.OK, "text", (), len(content)), (finding,), 1, digest)

    def close(self) -> None:
        """Nothing to let go of."""


def main(share: Path, state: Path) -> None:
    scan._BATCH_RESULTS = 50  # small batches: more places to be killed between
    connector = bootstrap.share_connector(share, "share", state, Settings())
    with bootstrap.open_catalogue(bootstrap.state_directory(state, Settings(), create=True), create=True) as catalogue:
        result, opened = scan.Scan(
            connector,
            connector.scopes()[0],
            str(share),
            catalogue,
            InlineExecutor(Counting()),
            "fingerprint",
            bootstrap.now,
            lambda items, size_bytes: None,
        ).run()
    sys.stdout.write(f"{result.seen} {result.reconciles} {opened}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

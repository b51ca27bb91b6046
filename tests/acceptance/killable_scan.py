"""One real scan of a folder with work that is quick and always the same, so that a test can kill it anywhere."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from agent import bootstrap
from agent.cli.logs import start_logging
from agent.execution.inline import InlineExecutor
from agent.model.analysis_version import AnalysisVersion
from agent.model.finding import Finding
from agent.model.outcome import Extraction, ExtractionStatus
from agent.settings import Settings
from agent.usecases import intake
from agent.usecases.analyse import Analysis
from agent.usecases.scan import Scan
from connectors.filesystem import walk


class Counting:
    """Finds in each file one made-up value that depends on its bytes."""

    def __call__(self, descriptor: int, name: bytes) -> Analysis:
        content = os.pread(descriptor, 4096, 0)
        digest = hashlib.sha256(content).digest()
        finding = Finding("EMAIL_ADDRESS", digest[:16], 0.9, len(content) % 7 + 1, f"line={len(name)}")
        return Analysis(Extraction(ExtractionStatus.OK, "text", (), len(content)), (finding,), 1, digest)

    def close(self) -> None:
        """Nothing to let go of."""


def run_scan(share: Path, state: Path) -> tuple[int, bool]:
    """Scans the folder; gives how many items were seen, and whether every one is accounted for."""
    start_logging(verbose=False)
    intake._BATCH_RESULTS = 40  # small batches: more places to be killed between
    walk._CHANGES_PER_PAGE = 20
    connector = bootstrap.share_connector(share, "share", state, Settings())
    with bootstrap.open_catalogue(bootstrap.state_directory(state, Settings(), create=True), create=True) as catalogue:
        result, _ = Scan(
            connector,
            bootstrap.scope_of(connector, share),
            str(share),
            catalogue,
            InlineExecutor(Counting()),
            AnalysisVersion("shared", {}, "detector"),
            bootstrap.now,
            lambda items, size_bytes: None,
        ).run()
    return result.seen, result.reconciles

"""The command, but of documents only the bytes are looked at: a service is up in a moment, without any detector."""

from __future__ import annotations

from agent import bootstrap
from agent.cli import main
from agent.execution.inline import InlineExecutor
from tests.acceptance.killable_scan import Counting

if __name__ == "__main__":
    bootstrap.worker_pool = lambda *_, **__: InlineExecutor(Counting())  # type: ignore[assignment, return-value]
    main()

"""Waiting until something happens in a folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

from watchdog.events import FileClosedEvent, FileCreatedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from agent.errors import UsageError

LONGEST_WAIT_SECONDS = 60.0  # a network drive tells nothing of what others do there: look all the same


def changes(folder: Path, settle_seconds: float) -> Iterator[None]:
    """Yields at once, and then each time that a file has come into the folder, `settle_seconds` after it did; and at
    the latest after a minute. Never ends. Raises `UsageError` if the folder cannot be watched."""
    happened = threading.Event()

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            happened.set()

    observer = Observer()
    try:
        wanted = [FileCreatedEvent, FileMovedEvent, FileClosedEvent]
        observer.schedule(Handler(), os.fspath(folder), recursive=False, event_filter=wanted)
        observer.start()
    except OSError as error:
        raise UsageError(f"{folder}: this folder cannot be watched ({error.strerror}).") from error
    pause = threading.Event()  # never set: it only waits, and can be interrupted
    try:
        while True:
            happened.clear()
            yield
            happened.wait(LONGEST_WAIT_SECONDS)
            pause.wait(settle_seconds + 0.2)
    finally:
        observer.stop()
        observer.join()

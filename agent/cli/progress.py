"""A bar for long work when a terminal is there, silence when not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

Advance = Callable[[int, int], None]


class _Rate(ProgressColumn):
    """Items and bytes per second so far."""

    def render(self, task: Task) -> Text:
        seconds = task.elapsed or 0.0
        if seconds < 1:
            return Text("")
        size = decimal(int(task.fields["size_bytes"] / seconds))
        return Text(f"{task.completed / seconds:,.0f} files/s, {size}/s")


class _Count(ProgressColumn):
    """How many items have been dealt with, out of how many if that is known."""

    def render(self, task: Task) -> Text:
        return Text(
            f"{task.completed:,.0f} of {task.total:,.0f} files" if task.total else f"{task.completed:,.0f} files"
        )


@contextmanager
def scan_progress(console: Console, title: str, count: Callable[[threading.Event], int | None]) -> Iterator[Advance]:
    """Shows the bar while the block runs; the block calls what it gets with (items, bytes) as they are done.

    `count` finds out, in a thread of its own, how many items there are; it gives up when its event is set.
    """
    if not console.is_terminal:
        yield lambda items, size_bytes: None
        return
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        _Count(),
        _Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    stop = threading.Event()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None, size_bytes=0)

        def measure() -> None:
            total = count(stop)
            if total is not None:
                progress.update(task, total=total)

        def advance(items: int, size_bytes: int) -> None:
            size_bytes += progress.tasks[task].fields["size_bytes"]
            progress.update(task, advance=items, size_bytes=size_bytes)

        counter = threading.Thread(target=measure, name="count", daemon=True)
        counter.start()
        try:
            yield advance
        finally:
            stop.set()
            counter.join()


@contextmanager
def counting(console: Console, title: str) -> Iterator[Callable[[int], None]]:
    """Shows how many files have been dealt with while the block runs, which calls what it gets with further ones."""
    if not console.is_terminal:
        yield lambda items: None
        return
    columns = (TextColumn("[bold]{task.description}"), _Count(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda items: progress.update(task, advance=items)

"""The log of a service: to the journal with fields, else one JSON object a line on standard error; for a person at a
terminal, sentences.

Only what `entries` lets through is told, also of what libraries log and of errors that nobody has foreseen.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

from agent.observing.entries import Entry, entry_of, place_of
from agent.observing.journal_socket import SOCKET, JournalSocket, is_journal
from agent.observing.sentences import MESSAGE_IDS, sentence, told_as

IDENTIFIER: Final = "retentiond"
_PRIORITIES: Mapping[str, int] = {"critical": 2, "error": 3, "exception": 3, "warning": 4, "info": 6, "debug": 7}


def start_service_log(
    role: str,
    journal_stream: str,
    *,
    log_item_names: bool = False,
    debug: bool = False,
    stream: TextIO | None = None,
    socket_path: str = SOCKET,
) -> ServiceLog:
    """Sends whatever is logged from now on to the journal, if `journal_stream` (the variable `$JOURNAL_STREAM`) says
    that standard error goes there, else to `stream` (standard error).

    Exceptions that nobody catches, in any thread, go the same way instead of being printed. With `log_item_names` the
    paths of files are told, which may be personal data themselves.
    """
    stream = stream or sys.stderr
    journal = JournalSocket(socket_path) if is_journal(_descriptor(stream), journal_stream) else None
    log = ServiceLog(role, journal, stream, log_item_names)
    level = logging.DEBUG if debug else logging.INFO
    structlog.configure(
        processors=[structlog.processors.add_log_level, log.reduce],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: log,
        cache_logger_on_first_use=False,
    )
    _route_libraries()
    _route_uncaught()
    return log


class ServiceLog:
    """Where the entries of one process go. May be used from any thread."""

    def __init__(self, role: str, journal: JournalSocket | None, stream: TextIO, item_names: bool) -> None:
        self._role = role
        self._journal = journal
        self._stream = stream
        self._item_names = item_names
        self._lock = threading.Lock()

    def reduce(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> tuple[tuple[Entry], dict[str, Any]]:
        """The last of structlog's processors: leaves what may be told."""
        if event.get("exc_info") is True:
            event["exc_info"] = sys.exc_info()
        return (entry_of(event, item_names=self._item_names),), {}

    def msg(self, entry: Entry) -> None:
        """Tells one entry. Never raises for a journal or a standard error that takes nothing."""
        if self._journal is not None:
            try:
                self._journal.send(self._journal_fields(entry))
            except OSError:
                pass  # standard error goes to the same place by another way
            else:
                return
        try:
            with self._lock:
                self._stream.write(self._line(entry) + "\n")
                self._stream.flush()
        except (OSError, ValueError):
            pass

    log = debug = info = warning = warn = error = err = critical = fatal = exception = msg

    def _line(self, entry: Entry) -> str:
        now = datetime.now(UTC)
        if self._stream.isatty():  # somebody tries the service by hand
            return f"{now.astimezone():%H:%M:%S}  {sentence(entry)}"
        line: dict[str, object] = {"at": now.isoformat(timespec="milliseconds"), "level": entry.level}
        return json.dumps(line | {"event": entry.event, "message": sentence(entry), "role": self._role, **entry.fields})

    def _journal_fields(self, entry: Entry) -> dict[str, str]:
        fields = {
            "MESSAGE": sentence(entry),
            "PRIORITY": str(_PRIORITIES.get(entry.level, 6)),
            "SYSLOG_IDENTIFIER": IDENTIFIER,
            "RETENTIOND_EVENT": entry.event,
            "RETENTIOND_ROLE": self._role,
        }
        if (message_id := MESSAGE_IDS.get(told_as(entry))) is not None:
            fields["MESSAGE_ID"] = message_id
        told = {f"RETENTIOND_{name.upper()}": _written(value) for name, value in entry.fields.items()}
        return told | fields


def _written(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _descriptor(stream: TextIO) -> int:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return -1


class _LibraryHandler(logging.Handler):
    """Tells that a library has logged something, and where; not what, since that may quote anything."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger("retentiond.library")
        level = "critical" if record.levelno >= logging.CRITICAL else record.levelname.lower()
        tell = getattr(log, level, log.warning)
        kind = record.exc_info[0] if record.exc_info else None
        tell("library.message", logger=record.name, where=f"{record.module}:{record.lineno}", error=kind)


def _route_libraries() -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(_LibraryHandler(logging.WARNING))
    root.setLevel(logging.WARNING)
    logging.raiseExceptions = False  # a record that cannot be formatted would be printed as it is

    def tell(message: object, category: type[Warning], filename: str, lineno: int, *_: object, **__: object) -> None:
        module = filename.rpartition("/")[2].removesuffix(".py")
        structlog.get_logger("retentiond.library").warning(
            "library.message", logger=module, where=f"{module}:{lineno}", error=category
        )

    warnings.showwarning = tell


def _route_uncaught() -> None:
    def told(error: BaseException | None, trace: TracebackType | None) -> None:
        log = structlog.get_logger("retentiond.service")
        log.critical("error.unforeseen", error=error or Exception, where=place_of(trace) or "unknown:0")

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            told(error, trace)

    sys.excepthook = hook
    threading.excepthook = lambda given: told(given.exc_value, given.exc_traceback)
    sys.unraisablehook = lambda given: told(given.exc_value, given.exc_traceback)

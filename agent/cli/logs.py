"""Logging for a person at a terminal: quiet unless asked, always on standard error."""

from __future__ import annotations

import logging
import sys

import structlog


def start_logging(verbose: bool) -> None:
    """Sends what happens, as dotted facts with fields, to standard error; warnings and worse unless `verbose`."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO if verbose else logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )

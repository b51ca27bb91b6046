"""Puts a process of the service together: its roles, its log, its place in the queue for processor and storage."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

import structlog

from agent import bootstrap
from agent.daemon.base import Life, OpenWork
from agent.daemon.beats import Beats
from agent.daemon.disposing import disposing
from agent.daemon.metrics import offered
from agent.daemon.notify import Notifier
from agent.daemon.scanning import scanning
from agent.daemon.supervisor import Supervisor
from agent.errors import ExitCode
from agent.execution.priority import quieten
from agent.model.service import Role
from agent.observing.journal import start_service_log
from agent.settings import Settings

log = structlog.get_logger("retentiond.service")


def serve(
    role: Role, state: Path, settings: Settings, load: Callable[[], Settings], config: Path | None = None
) -> ExitCode:
    """Serves in that role until SIGTERM. `load` reads the settings again on SIGHUP; `config` is their file, if named.

    Raises `AgentError` for what is wrong from the start: settings, schedule, or another process in the same role.
    """
    _check(settings)  # a mistake in the schedule ends us now, as one in the settings has before
    notifier = Notifier.from_environment(os.environ)
    journal = os.environ.get("JOURNAL_STREAM", "")
    start_service_log(role.value, journal, log_item_names=settings.service.log_item_names)
    life = Life(Beats())
    with ExitStack() as opened:
        for one in _roles(role):
            opened.enter_context(_sole_server(state, one))
        quieted = quieten(settings.service.nice, settings.service.idle_io)
        log.info("service.quieted", nice=quieted.nice, storage=quieted.storage.value)
        opened.enter_context(offered(settings, state, role, life))
        return Supervisor(settings, _works(role, state, life, config), life, notifier, lambda: _check(load())).run()


def _check(settings: Settings) -> Settings:
    """The settings, whose schedule can be loaded. Raises `ConfigurationError`."""
    bootstrap.schedule_from(settings.schedule)
    return settings


def _roles(role: Role) -> tuple[Role, ...]:
    return (Role.SCAN, Role.DISPOSE) if role is Role.ALL else (role,)


def _works(role: Role, state: Path, life: Life, config: Path | None) -> Mapping[str, OpenWork]:
    works: dict[Role, OpenWork] = {
        Role.SCAN: partial(scanning, state=state, life=life),
        Role.DISPOSE: partial(disposing, state=state, life=life, config=config),
    }
    return {one.value: works[one] for one in _roles(role)}


def _sole_server(state: Path, role: Role) -> AbstractContextManager[None]:
    """Holds the role in this state directory. Raises `UsageError` if another process does."""
    return bootstrap.alone(
        state / f"service-{role}.lock",
        f"{state}: another process serves in the role {role} here. Stop it first, or name another --state.",
    )

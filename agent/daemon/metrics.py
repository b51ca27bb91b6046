"""Offers metrics and health of one process, if the settings ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from agent import bootstrap
from agent.daemon.base import Life
from agent.model.service import Role
from agent.observing.address import LoopbackAddress, UnixAddress, parse_address
from agent.observing.base import Facts
from agent.settings import Settings

log = structlog.get_logger("retentiond.service")


@contextmanager
def offered(settings: Settings, state: Path, role: Role, life: Life) -> Iterator[None]:
    """Metrics are served meanwhile. Raises `ConfigurationError` if they cannot be."""
    if settings.service.metrics is None:
        yield
        return
    from agent.observing.metrics import registry_of
    from agent.observing.metrics_server import MetricsServer
    from agent.tenancy.observed import tenants_observed
    from agent.usecases.health import health
    from agent.usecases.observed import observed

    schedule = bootstrap.schedule_from(settings.schedule)

    def facts() -> Facts:
        with bootstrap.open_catalogue(state) as catalogue:
            return observed(
                catalogue,
                bootstrap.now(),
                bootstrap.today(schedule),
                reviews=life.reviews,
                anchoring=settings.service.checkpoint_file is not None,
                recipients=recipients(settings),
                throttled=dict(life.throttled),
                errors=dict(life.errors),
                tenants=tenants_observed(settings, state),
            )

    address = address_of(settings.service.metrics, role)
    with MetricsServer(address, registry_of(facts), lambda: health(facts(), bootstrap.now())):
        log.info("metrics.offered")
        yield


def address_of(said: str, role: Role) -> UnixAddress | LoopbackAddress:
    """Where one role offers its metrics: a socket of its name in the directory, or the port for the role that reads and
    the next one for the role that changes. Raises `ConfigurationError`."""
    if said.startswith("/"):
        name = Role.SCAN if role is Role.ALL else role
        return parse_address(f"{said.rstrip('/')}/{name}.sock")
    address = parse_address(said)
    if isinstance(address, LoopbackAddress) and role is Role.DISPOSE and address.port:
        return LoopbackAddress(address.host, address.port + 1)
    return address


def recipients(settings: Settings) -> tuple[str, ...]:
    """Every address to which mail is sent."""
    mail = settings.service.mail
    if mail is None:
        return ()
    return (*mail.administrators, *(one.email for one in settings.reviewers if one.email))

"""Connectors and keepings of a tenant, as its settings want them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.settings import TenantSettings
from agent.tenancy.credentials import app_of
from agent.tenancy.reach import Reach, lacks_of

if TYPE_CHECKING:
    from connectors.base import Connector
    from connectors.keeping import Keeping

# Of which kind a place of a tenant is, as the catalogue names it.
DRIVES, MAILBOXES = "microsoft365-drives", "microsoft365-mailboxes"
_MIB = 1 << 20


def drive_connector(reach: Reach, *, spool_directory: Path | None = None) -> Connector | None:
    """What scans SharePoint and OneDrive as the settings want; none if they want neither. It closes its Graph."""
    tenant = reach.tenant
    if tenant.sites == "none" and tenant.onedrives == "none":
        return None
    from connectors.microsoft365.connector import DriveConnector
    from connectors.microsoft365.sites import Wanted

    wanted = Wanted(
        tenant.sites == "all",
        tenant.sites if isinstance(tenant.sites, tuple) else (),
        tenant.exclude,
        tenant.libraries,
        tenant.exclude_libraries,
        () if tenant.onedrives == "none" else tenant.onedrives,
        tenant.columns,
    )
    return DriveConnector(
        reach.graph("sharepoint"),
        wanted,
        roles=reach.tokens.roles,
        spool_directory=spool_directory,
        largest_bytes=tenant.largest_file_mib * _MIB,
        full_every_days=tenant.full_every_days,
        spend=spend_of(tenant, reach.sleep),
    )


def mailbox_connector(reach: Reach, *, spool_directory: Path | None = None) -> Connector | None:
    """What scans mailboxes as the settings want; none if they want none. It closes its Graph."""
    tenant = reach.tenant
    if tenant.mailboxes == "none":
        return None
    from connectors.microsoft365.mailboxes import MailboxConnector, WantedMailboxes

    return MailboxConnector(
        reach.graph("exchange"),
        WantedMailboxes(tenant.mailboxes),
        spool_directory=spool_directory,
        largest_bytes=tenant.largest_file_mib * _MIB,
        full_every_days=tenant.full_every_days,
        spend=spend_of(tenant, reach.sleep),
    )


def drive_keeping(reach: Reach) -> Keeping:
    """What quarantines, gives back, deletes and labels files, by the writer's rights."""
    from connectors.microsoft365.keeping import DriveKeeping

    tenant, writer = reach.tenant, app_of(reach.tenant, "writer")
    identity = writer.managed_identity if isinstance(writer.managed_identity, str) else ""
    return DriveKeeping(
        reach.graph("sharepoint"),
        officers=tenant.quarantine_officers,
        client_id=writer.client_id or identity,
        permanently="driveItem.permanentDelete" not in lacks_of(tenant),
        recycle_days=tenant.recycle_bin_days,
    )


def mail_keeping(reach: Reach) -> Keeping:
    """The same for messages of mailboxes."""
    from connectors.microsoft365.mail_keeping import MailKeeping

    return MailKeeping(
        reach.graph("exchange"),
        permanently="message.permanentDelete" not in lacks_of(reach.tenant),
        recoverable_days=reach.tenant.recoverable_items_days,
    )


def spend_of(tenant: TenantSettings, sleep: Callable[[float], None] = time.sleep) -> Callable[[int], None]:
    """What is told of downloaded bytes and waits so that no more than `mib_per_second` of the settings come through."""
    if tenant.mib_per_second is None:
        return lambda _: None
    from connectors.pace import Pace

    pace = Pace(bytes_per_second=tenant.mib_per_second * _MIB, sleep=sleep)

    def spend(size_bytes: int) -> None:
        pace.before_opening()
        pace.after_opening(size_bytes, None)

    return spend

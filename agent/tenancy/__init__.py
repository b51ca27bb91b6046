"""The composition root of Microsoft 365: how the settings of a tenant become sign-ins, gates, connectors and keepings.

What speaks to Microsoft is an extra, so that it is imported only here, and only when it is used.
"""

from agent.tenancy.crawl import Crawl, Place, crawling
from agent.tenancy.credentials import Role, app_of, credential_file, credential_of, expires_at, read_credential_file
from agent.tenancy.keepings import Keepings
from agent.tenancy.reach import Budget, Reach, Workload, budget_of, cloud_of, lacks_of, sign_in_of, tenants_named
from agent.tenancy.sources import drive_connector, drive_keeping, mail_keeping, mailbox_connector, spend_of

__all__ = [
    "Budget",
    "Crawl",
    "Keepings",
    "Place",
    "Reach",
    "Role",
    "Workload",
    "app_of",
    "budget_of",
    "cloud_of",
    "crawling",
    "credential_file",
    "credential_of",
    "drive_connector",
    "drive_keeping",
    "expires_at",
    "lacks_of",
    "mail_keeping",
    "mailbox_connector",
    "read_credential_file",
    "sign_in_of",
    "spend_of",
    "tenants_named",
]

"""Our own settings: one YAML file, every key checked, errors with file, line and field.

`config/retentiond.yaml` shows every key with its default.
"""

from agent.settings.base import CopySettings
from agent.settings.loading import load_settings
from agent.settings.sections import (
    BackupSettings,
    CapSettings,
    DetectionSettings,
    DispositionSettings,
    ExtractionSettings,
    JobSettings,
    MailSettings,
    Mode,
    ReferenceSettings,
    ReviewerSettings,
    ReviewSettings,
    ServiceSettings,
    Settings,
    ShareSettings,
    VaultSettings,
)
from agent.settings.tenants import AppSettings, TenantSettings

__all__ = [
    "AppSettings",
    "BackupSettings",
    "CapSettings",
    "CopySettings",
    "DetectionSettings",
    "DispositionSettings",
    "ExtractionSettings",
    "JobSettings",
    "MailSettings",
    "Mode",
    "ReferenceSettings",
    "ReviewSettings",
    "ReviewerSettings",
    "ServiceSettings",
    "Settings",
    "ShareSettings",
    "TenantSettings",
    "VaultSettings",
    "load_settings",
]

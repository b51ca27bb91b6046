"""Which application roles suffice for what, as the permission tables of the documentation have it."""

from __future__ import annotations

READ_SITES = frozenset({"Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"})
READ_FILES = READ_SITES | {"Files.Read.All", "Files.ReadWrite.All"}
WRITE_FILES = frozenset({"Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All", "Files.ReadWrite.All"})
WRITE_SITES = WRITE_FILES - {"Files.ReadWrite.All"}
FULL_CONTROL = frozenset({"Sites.FullControl.All"})
READ_USERS = frozenset({"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
READ_ORGANIZATION = READ_USERS | {"Organization.Read.All"}
READ_LABELS = frozenset({"RecordsManagement.Read.All", "RecordsManagement.ReadWrite.All"})

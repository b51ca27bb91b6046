"""The emulated tenant: its applications, people, sites, drives and retention labels.

Everything in it is made by a test, and may be changed by a test at any moment, also between two requests of one call.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tests.emulator.apps import App, Apps
from tests.emulator.change_log import ChangeLog
from tests.emulator.clock import Clock
from tests.emulator.drive_items import Drive
from tests.emulator.labels import BEHAVIOURS, RetentionLabel, new_label
from tests.emulator.permissions import Permission, to_group, to_person
from tests.emulator.recycle_bin import Preserved, RecycleBin

if TYPE_CHECKING:
    from tests.emulator.mail import Mailbox

_SYSTEM_LIBRARIES = {"Site Assets": "documentLibrary", "Style Library": "documentLibrary"}
_ACCESS = {"read": 1, "write": 2, "owner": 3, "fullcontrol": 3}


class Site:
    """A SharePoint site, or the site behind a person's OneDrive.

    `state` is "open", "read_only", "locked", "archived" or "deleted". With a `retention_policy`, what is deleted leaves
    a copy in the Preservation Hold library.
    """

    def __init__(
        self, tenant: Tenant, name: str, host: str, path: str, data_location: str, parent: Site | None = None
    ) -> None:
        self.tenant, self.name, self.host, self.path, self.parent = tenant, name, host, path, parent
        self.data_location = data_location
        self.collection_id: str = parent.collection_id if parent else tenant.unique()
        self.web_id = tenant.unique()
        self.created_at = tenant.clock.now()
        self.told = 0
        self.revision = 1
        self.state = "open"
        self.blocked_by = (423, "resourceLocked")  # status and code while it is locked, archived or read-only
        self.retention_policy = False
        self.is_personal = False
        self.recycle_bin: RecycleBin = parent.recycle_bin if parent else RecycleBin(tenant.clock)
        self.preservation_hold: list[Preserved] = parent.preservation_hold if parent else []
        self.sites: list[Site] = []
        self.drives: list[Drive] = []

    def __repr__(self) -> str:
        return f"Site({self.name!r})"

    @property
    def id(self) -> str:
        return f"{self.host},{self.collection_id},{self.web_id}"

    @property
    def web_url(self) -> str:
        return f"https://{self.host}{self.path}"

    @property
    def preservation_library(self) -> str:
        return "Preservation Hold Library"

    def add_site(self, name: str, path: str | None = None) -> Site:
        """A site below this one."""
        path = f"{self.path.rstrip('/')}/{_slug(name)}" if path is None else path
        site = Site(self.tenant, name, self.host, path, self.data_location, self)
        self.sites.append(site)
        self.tenant.take_site(site)
        return site

    def add_library(self, name: str, *, template: str = "documentLibrary", hidden: bool = False) -> Drive:
        drive = Drive(self, name, template=template, hidden=hidden)
        self.drives.append(drive)
        return self.tenant.take_drive(drive)

    def remove_library(self, drive: Drive) -> None:
        """The library is gone with all that is in it."""
        self.drives.remove(drive)
        self.tenant.forget_drive(drive)

    def add_system_libraries(self) -> None:
        """What every real site has beside the libraries that people work in."""
        for name, template in _SYSTEM_LIBRARIES.items():
            self.add_library(name, template=template)
        self.add_library("Form Templates", hidden=True)
        self.add_library(self.preservation_library, template="genericList", hidden=True)

    def permissions(self) -> list[Permission]:
        """What a new library of this site begins with."""
        return [
            to_group(f"{self.name} {group}", role)
            for group, role in (("Owners", "owner"), ("Members", "write"), ("Visitors", "read"))
        ]

    def become(self, state: str, *, status: int = 423, code: str = "resourceLocked") -> None:
        """From now on the site is "open", "read_only", "locked", "archived" or "deleted". What it refuses meanwhile is
        answered with that status and code (a deleted one's answer is always 404)."""
        self.state, self.blocked_by = state, (status, code)
        self.tenant.tell(self)

    def rename(self, name: str) -> None:
        self.name = name
        self.tenant.tell(self)


class User:
    """A person of the tenant; with a OneDrive once it was provisioned, with a mailbox once there is a licence."""

    def __init__(self, tenant: Tenant, address: str, shown: str, id: str) -> None:
        self.tenant, self.address, self.shown, self.id = tenant, address, shown, id
        self.enabled = True
        self._drive: Drive | None = None
        self._mailbox: Mailbox | None = None

    def __repr__(self) -> str:
        return f"User({self.id})"

    @property
    def drive(self) -> Drive:
        """The person's OneDrive. Raises LookupError if there is none."""
        if self._drive is None:
            raise LookupError("this person has no OneDrive")
        return self._drive

    @property
    def has_drive(self) -> bool:
        return self._drive is not None

    @property
    def mailbox(self) -> Mailbox:
        """The person's mailbox. Raises LookupError if there is none."""
        if self._mailbox is None:
            raise LookupError("this person has no mailbox")
        return self._mailbox

    @property
    def has_mailbox(self) -> bool:
        return self._mailbox is not None

    def provision_drive(self, data_location: str = "GBR") -> Drive:
        """The person opens OneDrive for the first time."""
        slug = self.address.replace("@", "_").replace(".", "_")
        site = self.tenant.make_personal_site(self.shown, f"/personal/{slug}", data_location)
        drive = Drive(site, "OneDrive", kind="business", owner=self)
        drive.root.special.permissions = [to_person(self.address, "owner", self.tenant.domain)]
        site.drives.append(drive)
        self._drive = self.tenant.take_drive(drive)
        return drive

    def give_mailbox(self) -> Mailbox:
        from tests.emulator.mail import Mailbox

        self._mailbox = Mailbox(self, self.tenant.clock)
        return self._mailbox


class Tenant:
    """Everything that belongs to one organisation. `lock` is taken by whatever reads or changes it."""

    def __init__(self, id: str | None = None, clock: Clock | None = None, *, seed: int = 7) -> None:
        self.chance = random.Random(seed)
        self.id = id or self.unique()
        self.clock = clock or Clock()
        self.lock = threading.RLock()
        self.domain = "contoso.example"
        self.host = "contoso.sharepoint.com"
        self.apps = Apps()
        self.labels: dict[str, RetentionLabel] = {}
        self.users: dict[str, User] = {}
        self.site_log: ChangeLog[Site] = ChangeLog()
        self.site_epoch = 0
        self._sites: dict[str, Site] = {}
        self._drives: dict[str, Drive] = {}
        self._grants: dict[tuple[str, str], str] = {}

    def unique(self) -> str:
        """A GUID that no other has; the same in every run."""
        return str(uuid.UUID(int=self.chance.getrandbits(128)))

    # Applications

    def add_app(self, roles: Iterable[str] = (), **terms: Any) -> App:
        """Registers an application; `Apps.add` says what else can be given."""
        return self.apps.add(roles, **terms)

    def app_of(self, client_id: str) -> App | None:
        return self.apps.of(client_id)

    def grant(self, app: App, site: Site, access: str) -> None:
        """Lets an application that has Sites.Selected into one site: `read`, `write`, `owner` or `fullcontrol`."""
        self._grants[app.client_id, site.collection_id] = access

    def withdraw(self, app: App, site: Site) -> None:
        self._grants.pop((app.client_id, site.collection_id), None)

    def grants_of(self, site: Site) -> dict[str, str]:
        """Client id to access, for everything that was let into that site alone."""
        return {
            client: access for (client, collection), access in self._grants.items() if collection == site.collection_id
        }

    def lets_in(self, app: App, site: Site, access: str) -> bool:
        """Whether a grant for that site gives the application such access."""
        granted = self._grants.get((app.client_id, site.collection_id), "")
        return _ACCESS.get(granted, 0) >= _ACCESS[access]

    # People, sites and drives

    def add_user(
        self, address: str, *, drive: bool = True, mailbox: bool = True, shown: str = "", data_location: str = "GBR"
    ) -> User:
        """A person; without `drive` the OneDrive was never provisioned."""
        shown = shown or address.partition("@")[0].replace(".", " ").title()
        user = User(self, address, shown, str(uuid.uuid5(uuid.NAMESPACE_DNS, address.lower())))
        self.users[user.id] = user
        if drive:
            user.provision_drive(data_location)
        if mailbox:
            user.give_mailbox()
        return user

    def user(self, id: str) -> User | None:
        """The person of that id or address."""
        by_address = (each for each in self.users.values() if each.address.lower() == id.lower())
        return self.users.get(id) or next(by_address, None)

    def remove_user(self, user: User) -> None:
        del self.users[user.id]

    def add_site(self, name: str, path: str | None = None, *, data_location: str = "GBR") -> Site:
        site = Site(self, name, self.host, f"/sites/{_slug(name)}" if path is None else path, data_location)
        return self.take_site(site)

    def make_personal_site(self, name: str, path: str, data_location: str) -> Site:
        site = Site(self, name, self.host.replace(".", "-my.", 1), path, data_location)
        site.is_personal = True
        return self.take_site(site)

    def take_site(self, site: Site) -> Site:
        with self.lock:
            self._sites[site.id] = site
            self.tell(site)
        return site

    def take_drive(self, drive: Drive) -> Drive:
        with self.lock:
            self._drives[drive.id] = drive
        return drive

    def forget_drive(self, drive: Drive) -> None:
        with self.lock:
            del self._drives[drive.id]

    def sites(self) -> Iterator[Site]:
        """All sites that were not deleted, those of people's OneDrives among them."""
        return (site for site in list(self._sites.values()) if site.state != "deleted")

    def site(self, id: str) -> Site | None:
        """The site of that id; its first or its first two parts are enough for the topmost of a collection."""
        if (known := self._sites.get(id)) is not None:
            return known
        return next((site for site in self._sites.values() if site.parent is None and id == site.collection_id), None)

    def site_at(self, host: str, path: str) -> Site | None:
        path = "/" + path.strip("/")
        return next(
            (each for each in self.sites() if each.host == host and each.path.rstrip("/") == path.rstrip("/")), None
        )

    def drive(self, id: str) -> Drive | None:
        return self._drives.get(id)

    def tell(self, site: Site) -> None:
        """Something about the site changed."""
        site.revision += 1
        self.site_log.tell(site, self.clock.time())

    # Retention labels

    def add_retention_label(self, name: str, behaviour: str = "retain") -> RetentionLabel:
        """A label of the catalogue; `unknownFutureValue` is what Graph says for a behaviour newer than its version."""
        assert behaviour in BEHAVIOURS, behaviour
        self.labels[name] = new_label(name, behaviour, self.clock.now())
        return self.labels[name]

    def retention_label(self, name: str) -> RetentionLabel:
        """Raises KeyError."""
        return self.labels[name]


def _slug(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())

"""Finding out how we stand with a tenant: whether we can sign in, what answers us, which sites there are; and letting
an app registration in at single sites.

It only reads, but for `grant`. What the answers mean for what is wanted is told by `tenant_rights`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, Protocol
from urllib.parse import quote, unquote, urlsplit

from agent.settings import TenantSettings
from agent.usecases.tenant_rights import Excess, Extent, Held, Role, Row, Standing, excess, rows, wanted_of
from connectors.errors import (
    ConnectorError,
    ItemNotFound,
    LockedAtSource,
    NotSignedIn,
    PermissionDenied,
    Throttled,
    Unsupported,
)

Right = Literal["read", "write", "owner", "fullcontrol"]
GRANTS: tuple[Right, ...] = ("read", "write", "owner", "fullcontrol")  # from the least to the greatest
Object = Mapping[str, Any]

_SITE = "$select=id,name,displayName,webUrl,siteCollection,isPersonalSite"
_PERMISSION_COST = 5


class Sent(Protocol):
    """What a changing request was answered."""

    @property
    def status(self) -> int: ...


class Asking(Protocol):
    """What asks Graph."""

    def get(self, path: str, *, cost: float = 1, headers: Mapping[str, str] | None = None) -> dict[str, Any]: ...

    def all(
        self, path: str, *, cost: float = 2, headers: Mapping[str, str] | None = None
    ) -> Iterator[dict[str, Any]]: ...

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, cost: float = 2) -> Sent: ...


@dataclass(frozen=True, slots=True)
class Way:
    """How one app reaches the tenant: the roles of its token, and what asks for files and for mail."""

    roles: Callable[[], frozenset[str]]
    files: Callable[[], Asking]
    mail: Callable[[], Asking]


@dataclass(frozen=True, slots=True)
class Silent:
    """A site or mailbox that was named in the settings and did not answer, and why."""

    kind: Literal["site", "mailbox"]
    place: str = field(repr=False)
    why: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of asking as one app. `roles` is none if it could not sign in; `problem` says why."""

    roles: frozenset[str] | None
    problem: str = ""
    silent: tuple[Silent, ...] = ()

    @property
    def held(self) -> Held:
        """The same, as the rules want it."""
        kinds = [one.kind for one in self.silent]
        return Held(self.roles, kinds.count("site"), kinds.count("mailbox"))


@dataclass(frozen=True, slots=True)
class Access:
    """How we stand with a tenant."""

    answered: Mapping[Role, Answered]
    rows: tuple[Row, ...]
    excess: tuple[Excess, ...]

    @property
    def works(self) -> bool:
        """Whether everything works that is wanted, and every app that is named can sign in."""
        signed_in = all(one.roles is not None for one in self.answered.values())
        return signed_in and all(row.standing is not Standing.FAILS for row in self.rows)


def access(tenant: TenantSettings, ways: Mapping[Role, Way], lacks: frozenset[str]) -> Access:
    """How we stand with it. `ways` has one for each app that the settings name; `lacks` is what the cloud lacks."""
    wanted = wanted_of(tenant, lacks)
    answered = {app: _asked(tenant, way) for app, way in ways.items()}
    held = {app: one.held for app, one in answered.items()}
    too_much = [one for app, found in held.items() for one in excess(wanted, app, found.roles or frozenset())]
    return Access(answered, rows(wanted, held[Role.READER], held.get(Role.WRITER)), tuple(too_much))


def _asked(tenant: TenantSettings, way: Way) -> Answered:
    try:
        roles = way.roles()
    except NotSignedIn as error:
        return Answered(None, str(error))
    wanted = wanted_of(tenant)
    silent: list[Silent] = []
    if wanted.sites is Extent.LISTED:
        silent += _silent("site", tenant.sites, way.files, lambda url: f"{site_path(url)}?$select=id")
    if wanted.mailboxes is Extent.LISTED:
        silent += _silent("mailbox", tenant.mailboxes, way.mail, _inbox)
    return Answered(roles, "", tuple(silent))


def _silent(
    kind: Literal["site", "mailbox"], places: Sequence[str], graph: Callable[[], Asking], path: Callable[[str], str]
) -> Iterator[Silent]:
    for place in places:
        try:
            graph().get(path(place))
        except ConnectorError as error:
            yield Silent(kind, place, why(error))


def _inbox(user: str) -> str:
    return f"/users/{quote(user, safe='@')}/mailFolders/inbox?$select=id"


_CODE = re.compile(r"\(HTTP [^()]*\)")
_WORDS: tuple[tuple[type[ConnectorError], str], ...] = (
    (ItemNotFound, "there is none, or the app was not let in there"),
    (PermissionDenied, "the app is not allowed to read it"),
    (LockedAtSource, "it is locked or archived"),
    (Throttled, "the tenant asks us to wait"),
    (Unsupported, "the address is none that Microsoft knows"),
)


def why(error: ConnectorError) -> str:
    """Why something does not answer, in a few words with what Microsoft called it."""
    words = next((words for kind, words in _WORDS if isinstance(error, kind)), None)
    if words is None:
        return str(error)
    code = _CODE.search(str(error))
    return f"{words} {code.group()}" if code else words


def site_path(url: str) -> str:
    """The path in Graph of the site at that address."""
    parts = urlsplit(url)
    path = unquote(parts.path).strip("/")
    return f"/sites/{parts.hostname}:/{quote(path, safe='/')}" if path else f"/sites/{parts.hostname}"


@dataclass(frozen=True, slots=True)
class Site:
    """A SharePoint site; `data_location` is Microsoft's code of the place where it lies, empty if it says none."""

    id: str = field(repr=False)
    url: str
    name: str
    data_location: str
    looked_at: bool


def sites(tenant: TenantSettings, graph: Asking) -> Iterator[Site | Silent]:
    """The sites that the app may see: all of them, or if it may not list those, the ones that the settings name.

    Of these some may not answer. Raises `ConnectorError`.
    """
    try:
        for found in graph.all(f"/sites/getAllSites?{_SITE}"):
            if found.get("isPersonalSite") is not True:
                yield _site(tenant, found)
    except PermissionDenied:
        if not isinstance(tenant.sites, tuple):
            raise
        yield from named_sites(tenant, tenant.sites, graph)


def searched_sites(tenant: TenantSettings, graph: Asking) -> Iterator[Site]:
    """The sites that a person who has signed in can find; Microsoft does not promise that these are all."""
    for found in graph.all(f"/sites?search=*&{_SITE}"):
        yield _site(tenant, found)


def named_sites(tenant: TenantSettings, urls: Sequence[str], graph: Asking) -> Iterator[Site | Silent]:
    """The sites at these addresses, or why one does not answer."""
    for url in urls:
        try:
            yield _site(tenant, graph.get(f"{site_path(url)}?{_SITE}"))
        except ConnectorError as error:
            yield Silent("site", url, why(error))


def _site(tenant: TenantSettings, found: Object) -> Site:
    collection = found.get("siteCollection")
    location = _text(collection.get("dataLocationCode")) if isinstance(collection, Mapping) else ""
    url, name = _text(found.get("webUrl")), _text(found.get("displayName")) or _text(found.get("name"))
    return Site(_text(found.get("id")), url, name, location, is_looked_at(tenant, url, name))


def is_looked_at(tenant: TenantSettings, url: str, name: str) -> bool:
    """Whether the settings want this site."""
    words = [word.casefold() for word in (url, unquote(urlsplit(url).path), name)]
    if any(fnmatchcase(word, pattern.casefold()) for word in words for pattern in tenant.exclude):
        return False
    listed = tenant.sites if isinstance(tenant.sites, tuple) else ()
    return tenant.sites == "all" or url.rstrip("/").casefold() in map(str.casefold, listed)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Granted:
    """What became of a grant: `before` is what the app had at the site, if anything; `done`: it was made now."""

    site: Site
    before: Right | None
    done: bool


def granted(site: Site, client_id: str, graph: Asking) -> Right | None:
    """The greatest right that the app has at the site by a grant of its own. Raises `ConnectorError`."""
    roles: set[object] = set()
    for permission in graph.all(f"/sites/{quote(site.id, safe=',')}/permissions", cost=_PERMISSION_COST):
        if client_id.casefold() in map(str.casefold, _apps(permission)):
            roles.update(permission.get("roles") or ())
    return next((right for right in reversed(GRANTS) if right in roles), None)


def _apps(permission: Object) -> Iterator[str]:
    for key in ("grantedToIdentitiesV2", "grantedToIdentities"):
        for identity in permission.get(key) or ():
            app = identity.get("application") if isinstance(identity, Mapping) else None
            if isinstance(app, Mapping):
                yield _text(app.get("id"))


def grant(site: Site, client_id: str, name: str, right: Right, graph: Asking) -> Granted:
    """Lets the app in at the site, with that right, unless it has it or a greater one. Raises `ConnectorError`."""
    before = granted(site, client_id, graph)
    if before is not None and GRANTS.index(before) >= GRANTS.index(right):
        return Granted(site, before, False)
    body = {"roles": [right], "grantedToIdentities": [{"application": {"id": client_id, "displayName": name}}]}
    graph.send("POST", f"/sites/{quote(site.id, safe=',')}/permissions", body, cost=_PERMISSION_COST)
    return Granted(site, before, True)

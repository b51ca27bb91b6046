"""Which drives there are: the libraries of SharePoint sites, and people's OneDrives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

from connectors.base import Scope
from connectors.errors import (
    ItemNotFound,
    LockedAtSource,
    PermissionDenied,
    ScopeUnavailable,
    SourceFault,
    Unsupported,
)
from connectors.microsoft365.batch import get_each
from connectors.microsoft365.facts import id_of
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.links import quoted
from connectors.microsoft365.unavailable import made_unavailable, why

Object = Mapping[str, Any]

_SITE = "$select=id,name,displayName,webUrl,siteCollection,isPersonalSite"
_DRIVE = "$select=id,name,driveType,webUrl"
_USER = "$select=id,userPrincipalName,mail"
_DEEPEST = 32  # sites in sites
_ONEDRIVE = "OneDrive"

# What SharePoint keeps for itself in every site. Addresses stay the same in all languages, names do not.
_OF_THE_SYSTEM = frozenset(
    {
        "siteassets",
        "site assets",
        "style library",
        "formservertemplates",
        "form templates",
        "preservationholdlibrary",
        "preservation hold library",
        "sitepages",
        "site pages",
        "_catalogs",
    }
)
_HELD_BACK = frozenset({"preservationholdlibrary", "preservation hold library"})

# Where a location code is of the European Economic Area: nothing more has to be said than that it is not the UK.
_EEA = frozenset(
    "AUT BEL BGR CYP CZE DEU DNK ESP EST EUR FIN FRA GRC HRV HUN IRL ISL ITA LIE LTU LUX LVA MLT NLD NOR POL PRT ROU "
    "SVK SVN SWE".split()
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which drives of a tenant are read.

    `all_sites`, or `sites` by URL (`https://contoso.sharepoint.com/sites/hr`) or by path on the tenant's main host
    (`/sites/hr`); sites within them come along. `exclude`: patterns (`*`, `?`; case does not matter) of sites, by URL,
    path or name, and of people, by address. `libraries` and `exclude_libraries`: patterns of names; without
    `libraries` all but those that SharePoint keeps for itself. `onedrives`: everybody's (`"all"`), or those of these
    people, by address. `columns`: internal names of columns whose values are taken as marks.
    """

    all_sites: bool = False
    sites: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    exclude_libraries: tuple[str, ...] = ()
    onedrives: Literal["all"] | tuple[str, ...] = field(default=(), repr=False)
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A site or OneDrive that is wanted, but of which it could not be found out which drives it has, and why."""

    name: str = field(repr=False)
    reason: str


@dataclass(frozen=True, slots=True)
class Drives:
    """The drives found, each with the code of the place in which its data lies (`""` where that is not told)."""

    scopes: tuple[Scope, ...]
    data_locations: Mapping[str, str]
    unreachable: tuple[Unreachable, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    drive_id: str
    name: str
    url: str
    data_location: str


def find_drives(graph: Graph, wanted: Wanted) -> Drives:
    """All drives that are wanted, in the order of their names.

    A site that is locked, archived, deleted or closed to us is told as unreachable, and the others are found all the
    same; a person without a OneDrive has none. Raises `ScopeUnavailable` if the tenant as a whole cannot be asked.
    """
    search = _Search(graph, wanted)
    with made_unavailable():
        search.sites()
        search.onedrives()
    found = sorted(search.found.values(), key=lambda each: (each.name.casefold(), each.drive_id))
    names = Counter(each.name.casefold() for each in found)
    scopes = tuple(
        Scope(
            each.name if names[each.name.casefold()] == 1 else f"{each.name} ({each.drive_id[-8:]})",
            each.drive_id,
            each.url,
            stored_in(each.data_location),
        )
        for each in found
    )
    return Drives(scopes, {each.drive_id: each.data_location for each in found}, tuple(search.unreachable))


def stored_in(data_location: str) -> tuple[str, ...]:
    """What sort of place that is: words of the settings. Without a code nothing is known but that it is a cloud; a code
    that we do not know is taken for the furthest."""
    code = data_location.upper()
    if code in ("", "GBR"):
        return ("cloud",)
    return ("cloud", "outside_uk") if code in _EEA else ("cloud", "outside_uk", "outside_eea")


class _Search:
    """One search through a tenant."""

    def __init__(self, graph: Graph, wanted: Wanted) -> None:
        self.found: dict[str, _Found] = {}
        self.unreachable: list[Unreachable] = []
        self._graph = graph
        self._wanted = wanted
        self._sites: dict[str, tuple[str, Object]] = {}  # by id: the name by which people know it, and what was said

    def sites(self) -> None:
        if self._wanted.all_sites:
            for site in self._every_site():
                self._take_site(site, "", 0)
        for place in self._wanted.sites:
            self._named_site(place)
        for name, site in self._sites.values():
            try:
                self._libraries(name, site)
            except _NOT_THIS_ONE as error:
                self.unreachable.append(Unreachable(name, why(error)))

    def onedrives(self) -> None:
        if self._wanted.onedrives == "all":
            people = {address: user_id for user_id, address in self._everybody()}
        else:
            people = {address: address for address in self._wanted.onedrives}
        people = {
            address: user_id for address, user_id in people.items() if not _matches((address,), self._wanted.exclude)
        }
        if not people:
            return
        paths = [f"/users/{quoted(user_id)}/drive?{_DRIVE}" for user_id in people.values()]
        for address, drive in zip(people, self._each_drive(list(people), paths), strict=True):
            if drive is not None:
                self._take(f"{_ONEDRIVE}/{address}", drive, "")

    # Sites

    def _every_site(self) -> Iterator[Object]:
        try:
            yield from self._graph.all(f"/sites/getAllSites?{_SITE}")
        except PermissionDenied:
            raise ScopeUnavailable(
                "the application may not list all sites of the tenant (it needs Sites.Read.All; with Sites.Selected, "
                "name the sites in the settings)"
            ) from None

    def _named_site(self, place: str) -> None:
        try:
            self._take_site(self._graph.get(f"{self._address(place)}?{_SITE}"), "", 0)
        except _NOT_THIS_ONE as error:
            self.unreachable.append(Unreachable(place, why(error)))

    def _address(self, place: str) -> str:
        """The path in Graph of the site of that URL, or of that path on the main host."""
        parts = urlsplit(place)
        host = parts.hostname or self._main_host()
        path = unquote(parts.path).strip("/")
        return f"/sites/{host}:/{quote(path, safe='/')}" if path else f"/sites/{host}"

    def _main_host(self) -> str:
        root = self._graph.get(f"/sites/root?{_SITE}")
        return urlsplit(_text(root.get("webUrl"))).hostname or "root"

    def _take_site(self, site: Object, above: str, depth: int) -> None:
        """Takes the site, and those in it, unless it is left out."""
        site_id, name = id_of(site), _text(site.get("displayName")) or _text(site.get("name"))
        if not site_id or site.get("isPersonalSite") is True or self._is_left_out(site, name):
            return
        name = f"{above}/{_flat(name)}" if above else _flat(name) or "Site"
        known = self._sites.get(site_id)
        if known is not None and (not above or known[0] == name):
            return
        self._sites[site_id] = (name, site)
        if depth >= _DEEPEST:
            return
        try:
            for inner in self._graph.all(f"/sites/{quoted(site_id)}/sites?{_SITE}"):
                self._take_site({"siteCollection": site.get("siteCollection"), **inner}, name, depth + 1)
        except _NOT_THIS_ONE:
            return  # told of the site itself, when its libraries are asked for

    def _is_left_out(self, site: Object, name: str) -> bool:
        url = _text(site.get("webUrl"))
        return _matches((url, unquote(urlsplit(url).path), name), self._wanted.exclude)

    def _libraries(self, site_name: str, site: Object) -> None:
        collection = site.get("siteCollection")
        location = _text(collection.get("dataLocationCode")) if isinstance(collection, Mapping) else ""
        if isinstance(collection, Mapping) and isinstance(collection.get("archivalDetails"), Mapping):
            self.unreachable.append(Unreachable(site_name, "the site is archived"))
            return
        for drive in self._graph.all(f"/sites/{quoted(id_of(site))}/drives?{_DRIVE}"):
            if self._is_wanted(drive):
                self._take(f"{site_name}/{_flat(_text(drive.get('name'))) or 'Library'}", drive, location)

    def _is_wanted(self, drive: Object) -> bool:
        name = _text(drive.get("name"))
        words = {name.casefold(), unquote(urlsplit(_text(drive.get("webUrl"))).path).rpartition("/")[2].casefold()}
        if words & _HELD_BACK or _matches((name,), self._wanted.exclude_libraries):
            return False
        if self._wanted.libraries:
            return _matches((name,), self._wanted.libraries)
        return not words & _OF_THE_SYSTEM

    # OneDrives

    def _everybody(self) -> Iterator[tuple[str, str]]:
        try:
            for user in self._graph.all(f"/users?{_USER}"):
                user_id, address = id_of(user), _text(user.get("userPrincipalName")) or _text(user.get("mail"))
                if user_id and address:
                    yield user_id, address
        except PermissionDenied:
            raise ScopeUnavailable(
                "the application may not list the people of the tenant (it needs User.Read.All), or name the OneDrives "
                "in the settings"
            ) from None

    def _each_drive(self, addresses: Sequence[str], paths: Sequence[str]) -> Iterator[Object | None]:
        """Everybody's drive. Most answer together; where one is refused, all are asked one by one."""
        try:
            yield from get_each(self._graph, paths)
        except _NOT_THIS_ONE:
            for address, path in zip(addresses, paths, strict=True):
                try:
                    yield get_each(self._graph, [path])[0]
                except _NOT_THIS_ONE as error:
                    self.unreachable.append(Unreachable(f"{_ONEDRIVE}/{address}", why(error)))
                    yield None

    def _take(self, name: str, drive: Object, data_location: str) -> None:
        if drive_id := id_of(drive):
            self.found[drive_id] = _Found(drive_id, name, _text(drive.get("webUrl")), data_location)


# Said of one site or drive: the others answer all the same.
_NOT_THIS_ONE = (ItemNotFound, LockedAtSource, PermissionDenied, SourceFault, Unsupported)


def _matches(words: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(word.casefold(), pattern.casefold()) for word in words for pattern in patterns)


def _flat(name: str) -> str:
    """A name that does not look like two."""
    return name.replace("/", "-").strip()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

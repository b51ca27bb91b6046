"""What a route of the emulator sees and gives back, and the table the routes hang in.

A module with routes exports `routes(tenant) -> Routes`; emulator.py includes it. A route looks like this:

    def routes(tenant: Tenant) -> Routes:
        table = Routes()

        @table.get("/drives/{drive}/items/{item}", cost=1, roles=READ_FILES, selected="read")
        def item(request: Request) -> Reply:
            entry = tenant.drive(request.params["drive"]).entry(request.params["item"])
            if entry is None:
                raise Problem(404, "itemNotFound", "The resource could not be found.")
            return Reply(200, entry.as_json(request.select))

        return table

- The path is relative to the service root (`/v1.0`). `{name}` is one segment, already decoded; `{name...}` is the rest
  of the path, slashes included (`/drives/{drive}/root:/{path...}`). A trailing `()` of a segment and a trailing slash
  of the path are dropped before matching, so `delta` and `delta()` are one route. A literal segment wins over a
  placeholder; `{name...}` comes last, the longest template first. Part of a segment may be literal:
  `/sites/{host}:/{path...}`.
- `cost` is in resource units, a number or a function of the request. `workload` is "spo" (default), "exchange" or
  "directory"; only "spo" pays units. An "exchange" route names its mailbox `{user}`: at most four calls at once.
- `roles`: the application roles that suffice, any one of them; None: any token. `selected="read"`: an app that has none
  of them but Sites.Selected is let in if `Routes.granted(request, "read")` says so (the tenant sets it on its table).
- `raise Problem(...)` anywhere below a handler becomes the OData error envelope.
- Pre-authenticated links: `request.sign("/any/path/of/yours")` gives a link to the downloads host that works for an
  hour of the emulator's clock; the path is served by `@table.download("/any/path/of/{yours}")`, without bearer; a
  `Content` (or bytes) as body is served with Range. Use params or `request.query` to find out what is meant.
- Long bodies: `Reply(200, Content(size_bytes, read))`, or an iterator of bytes (sent in chunks).
- $batch: `request.dispatch("GET", "/drives/…?$select=id", headers, json)` runs another call through the table as a part
  of this one (units, roles, faults and all) and gives its Reply; it never raises Problem.
- Handlers run in many threads at once; a lock over the tenant's state is theirs to take.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Protocol

from tests.emulator.apps import App

Workload = Literal["spo", "exchange", "directory"]
JSON = dict[str, Any] | list[Any]


class Problem(Exception):
    """What Graph says instead of an answer; becomes the OData error envelope."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        inner: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.message = status, code, message
        self.inner = inner
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Content:
    """Bytes made when they are asked for: `read(start, stop)` yields those from start up to, not including, stop."""

    size_bytes: int
    read: Callable[[int, int], Iterable[bytes]]

    @staticmethod
    def of(data: bytes) -> Content:
        """The content that is these bytes."""
        return Content(len(data), lambda start, stop: (data[start:stop],))


@dataclass
class Reply:
    """An answer: a JSON value, bytes, content or a stream of bytes; None is an empty body."""

    status: int
    body: JSON | bytes | Content | Iterator[bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_json(self) -> bool:
        """Whether the body is a value that will be sent as JSON."""
        return isinstance(self.body, dict | list)


class Headers(dict[str, str]):
    """Header fields by lower-case name; looking one up does not mind the case."""

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        super().__init__((name.lower(), value) for name, value in pairs)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class Service(Protocol):
    """What a request may ask of the emulator it came to."""

    def root(self, request: Request) -> str: ...

    def sign(self, request: Request, path: str, lifetime_seconds: float) -> str: ...

    def dispatch(self, request: Request, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply: ...


@dataclass
class Request:
    """One call, as a route sees it."""

    method: str
    path: str  # decoded, relative to the service root
    query: dict[str, str]  # decoded; the last of several values
    headers: Headers
    body: bytes
    now: datetime  # by the emulator's clock
    service: Service = field(repr=False)
    raw_path: str = ""  # as it came: still encoded, with the service root, without the query
    params: dict[str, str] = field(default_factory=dict)
    app: App | None = None
    roles: frozenset[str] = frozenset()  # of the token: application roles, or delegated scopes
    delegated: bool = False  # a person signed in, not the application alone
    route: Route | None = field(default=None, repr=False)
    connection: int = 0  # which connection it came over
    is_sample: bool = True  # whether it is held against Graph's description

    @cached_property
    def json(self) -> Any:
        """The body as JSON; {} when there is none. Raises Problem 400 when it is not JSON."""
        if not self.body:
            return {}
        try:
            return json.loads(self.body)
        except ValueError:
            raise Problem(400, "BadRequest", "Unable to read JSON request payload.") from None

    @property
    def prefer(self) -> frozenset[str]:
        """What the Prefer header asks for, one string each: `odata.maxpagesize=50`; quotes as they came."""
        return frozenset(part.strip() for part in self.headers.get("Prefer", "").split(",") if part.strip())

    @property
    def select(self) -> frozenset[str] | None:
        """The properties that $select names; None when everything is wanted."""
        names = self.query.get("$select")
        return None if names is None else frozenset(name.strip() for name in names.split(",") if name.strip())

    def link(self, path: str, query: Mapping[str, str]) -> str:
        """A whole link to this service (for nextLink and deltaLink); `path` is decoded and starts with a slash."""
        encoded = urllib.parse.urlencode(query, quote_via=urllib.parse.quote, safe="$!*'(),:")
        return self.service.root(self) + urllib.parse.quote(path, safe="/!$,:()'") + (f"?{encoded}" if encoded else "")

    def sign(self, path: str, lifetime_seconds: float = 3600) -> str:
        """A pre-authenticated link to what `@table.download(path)` serves."""
        return self.service.sign(self, path, lifetime_seconds)

    def dispatch(self, method: str, url: str, headers: Mapping[str, str] | None = None, json_body: Any = None) -> Reply:
        """Another call as part of this one ($batch); `url` is relative to the service root and may have a query."""
        body = b"" if json_body is None else json.dumps(json_body).encode()
        return self.service.dispatch(self, method, url, headers or {}, body)


Handler = Callable[[Request], Reply]
Cost = int | Callable[[Request], int]


@dataclass(frozen=True)
class Route:
    """A handler, and on what terms it may be called."""

    method: str
    template: str
    handler: Handler
    cost: Cost = 1
    roles: frozenset[str] | None = None
    selected: str | None = None
    workload: Workload = "spo"
    granted: Callable[[Request, str], bool] | None = None
    pattern: re.Pattern[str] = field(default=re.compile(""), repr=False)

    def cost_of(self, request: Request) -> int:
        """The resource units that this call takes."""
        return self.cost(request) if callable(self.cost) else self.cost

    def admits(self, request: Request) -> bool:
        """Whether the token's roles, or a grant for the site in question, are enough."""
        if self.roles is None or self.roles & request.roles:
            return True
        if self.selected is None or "Sites.Selected" not in request.roles or self.granted is None:
            return False
        return self.granted(request, self.selected)


class Routes:
    """A table of routes. `granted(request, access)` says whether Sites.Selected suffices for this request."""

    def __init__(self) -> None:
        self.granted: Callable[[Request, str], bool] | None = None
        self._routes: list[Route] = []
        self._by_length: dict[tuple[str, int], list[Route]] = {}
        self._open_ended: list[Route] = []

    def get(self, template: str, **terms: Any) -> Callable[[Handler], Handler]:
        """Hang a handler for GET here; see the module's text for the terms."""
        return self.on("GET", template, **terms)

    def post(self, template: str, **terms: Any) -> Callable[[Handler], Handler]:
        """Hang a handler for POST here."""
        return self.on("POST", template, **terms)

    def patch(self, template: str, **terms: Any) -> Callable[[Handler], Handler]:
        """Hang a handler for PATCH here."""
        return self.on("PATCH", template, **terms)

    def put(self, template: str, **terms: Any) -> Callable[[Handler], Handler]:
        """Hang a handler for PUT here."""
        return self.on("PUT", template, **terms)

    def delete(self, template: str, **terms: Any) -> Callable[[Handler], Handler]:
        """Hang a handler for DELETE here."""
        return self.on("DELETE", template, **terms)

    def download(self, template: str) -> Callable[[Handler], Handler]:
        """Hang a handler for signed links here; GET on the downloads host, no bearer."""
        return self.on("DOWNLOAD", template)

    def on(
        self,
        method: str,
        template: str,
        *,
        cost: Cost = 1,
        roles: Collection[str] | None = None,
        selected: str | None = None,
        workload: Workload = "spo",
    ) -> Callable[[Handler], Handler]:
        """Hang a handler for any method here."""

        def hang(handler: Handler) -> Handler:
            self._add(
                Route(
                    method,
                    template,
                    handler,
                    cost,
                    None if roles is None else frozenset(roles),
                    selected,
                    workload,
                    lambda request, access: self.granted is not None and self.granted(request, access),
                    _pattern(template),
                )
            )
            return handler

        return hang

    def include(self, other: Routes) -> None:
        """Take over all routes of another table; the other's `granted` stays theirs."""
        for route in other._routes:
            self._add(route)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route for this decoded path, and its parameters."""
        path = normal(path)
        for route in self._by_length.get((method, path.count("/")), []):
            if match := route.pattern.fullmatch(path):
                return route, _parameters(match)
        for route in self._open_ended:
            if route.method == method and (match := route.pattern.fullmatch(path)):
                return route, _parameters(match)
        return None

    def methods(self, path: str) -> list[str]:
        """The methods that this path knows; empty when there is no such path."""
        path = normal(path)
        return sorted({route.method for route in self._routes if route.pattern.fullmatch(path)} - {"DOWNLOAD"})

    def _add(self, route: Route) -> None:
        self._routes.append(route)
        if "...}" in route.template:
            self._open_ended.append(route)
            self._open_ended.sort(key=lambda r: -len(r.template))
            return
        same = self._by_length.setdefault((route.method, route.template.count("/")), [])
        same.append(route)
        same.sort(key=lambda r: [segment.count("{") for segment in r.template.split("/")])


_SLASH_INSIDE = "\x00"  # a slash that came as %2F does not part segments


def decoded(raw_path: str) -> str:
    """The path as routes match it: every segment decoded by itself."""
    if "%" not in raw_path:
        return raw_path
    return "/".join(urllib.parse.unquote(segment).replace("/", _SLASH_INSIDE) for segment in raw_path.split("/"))


def normal(path: str) -> str:
    """The path without a trailing slash and without the empty brackets of functions."""
    return path.replace("()/", "/").removesuffix("/").removesuffix("()")


def _parameters(match: re.Match[str]) -> dict[str, str]:
    return {name: value.replace(_SLASH_INSIDE, "/") for name, value in match.groupdict().items()}


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)(\.\.\.)?\}", template)
    text = ""
    for literal, name, rest in zip(parts[0::3], [*parts[1::3], None], [*parts[2::3], None], strict=True):
        text += re.escape(literal)
        if name is not None:
            text += f"(?P<{name}>.+?)" if rest else f"(?P<{name}>[^/]+)"
    return re.compile(text, re.DOTALL)

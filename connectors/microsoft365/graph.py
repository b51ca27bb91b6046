"""Requests to Microsoft Graph: when to send, when to send again, and what an answer means.

What goes through here are raw links and raw JSON. The library's models lose delta links, buffer whole files, share
state between threads and send the bearer to whatever host a link names; its request pipeline is used (see `pipeline`).
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit
from weakref import WeakSet

from connectors.errors import ConnectorError, NotSignedIn, SourceFault, Throttled
from connectors.microsoft365.answers import LinkExpired, read_refusal, refusal, retry_after_seconds
from connectors.microsoft365.gate import TenantGate
from connectors.microsoft365.links import Origin, secure
from connectors.microsoft365.pipeline import Client, Got, Lost, Pieces
from connectors.microsoft365.session import Http
from connectors.microsoft365.strict_json import read_object

_TRIES = 4
_FIRST_PAUSE_SECONDS, _SLICE_SECONDS = 1.0, 1.0
_MOST_PAGES = 1_000_000
_MOST_REDIRECTS = 3
_NO_CONTENT = 204
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 500, 502, 503, 504)  # a second attempt may well succeed
_LINK_IS_OVER = (401, 403, 404, 410)
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_UNSPEAKABLE = re.compile(r"[^A-Za-z0-9 ._-]")  # in a header
_MAY_HAVE_HAPPENED = "the answer was lost, and it may have happened all the same"


class TokenSource(Protocol):
    """What `auth.Tokens` and `auth.DeviceTokens` give."""

    @property
    def issued(self) -> int: ...

    def callback(self) -> dict[str, str]: ...

    def renew(self, issued: int | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered. `json` is none where there was no body."""

    status: int
    json: dict[str, Any] | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list. `next` leads to the next one; `delta`, on the last page of changes, to what comes later."""

    items: list[dict[str, Any]] = field(repr=False)
    next: str | None = field(repr=False)
    delta: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Wish:
    """One request, as often as it may be sent."""

    method: str
    url: str = field(repr=False)
    cost: float
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    patience_seconds: float | None = None
    delta: bool = False
    streamed: bool = False
    signed_in: bool = True

    @property
    def harmless(self) -> bool:
        """Whether it changes nothing, so that it may be sent twice."""
        return self.method == "GET"


class Graph:
    """Asks Graph. Every request passes the gate, is signed in, bounded in time and size, and sent again if it is safe.

    `root` ends with the version (`https://graph.microsoft.com/v1.0`). `acting` requests go before others at the gate.
    `company` goes into the User-Agent, by which Microsoft tells applications apart. For several threads; each has its
    own connections.

    Paths begin with `/` and are relative to `root`; what is put into them has to be quoted (`links.quoted`). Whole
    links are followed only where they lead to `root`'s own host. All calls raise what `answers.refusal` makes of a
    refusal; `NotSignedIn` if a renewed token does not help; `Throttled` if waiting would take longer than the gate's
    patience; `SourceFault` if the source does not answer properly after a few tries. What may change something is sent
    once: if its answer is lost, `SourceFault` says so, and only the caller can find out by looking; a second attempt
    could be refused with what the first has done (`ItemChanged`, `ItemNotFound`), and that would be told as somebody
    else's doing.
    """

    def __init__(
        self,
        tokens: TokenSource,
        gate: TenantGate,
        *,
        root: str,
        ca_file: str | None = None,
        proxy: str | None = None,
        acting: bool = False,
        company: str = "",
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.gate = gate
        self.root = root.rstrip("/")
        self._origin = Origin.of(self.root)
        self._tokens = tokens
        self._acting = acting
        self._sleep = sleep
        self._chance = chance
        agent = user_agent(company)
        self._new_session: Callable[[], Http] = lambda: Http(ca_file, proxy, agent)
        self._mine = threading.local()
        self._clients: WeakSet[Client] = WeakSet()  # a thread that ends takes its own along
        self._lock = threading.Lock()

    def get(self, path: str, *, cost: float = 1, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The object at that path or link; an empty one where the source says that there is no content (204)."""
        got = self._asked(_Wish("GET", self._origin.url(path), cost, headers or {}))
        return {} if got.status == _NO_CONTENT else read_object(got.body)

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        cost: float = 2,
        headers: Mapping[str, str] | None = None,
        patience_seconds: float | None = None,
    ) -> Answer:
        """Has something changed (`POST`, `PATCH`, `PUT`, `DELETE`), and gives what was answered.

        With `patience_seconds`, it is given up with `Throttled` rather than sent later than that: for acts that must
        follow closely on a look.
        """
        got = self._asked(_Wish(method, self._origin.url(path), cost, headers or {}, body, patience_seconds))
        return Answer(got.status, read_object(got.body) if got.body.strip() else None, got.headers)

    def listed(self, path: str, *, cost: float = 2, headers: Mapping[str, str] | None = None) -> Listed:
        """One page of the list at that path or link. Raises `Resync` where the source has forgotten where we were."""
        url = self._origin.url(path)
        delta = urlsplit(url).path.rpartition("/")[2].startswith("delta")
        page = read_object(self._asked(_Wish("GET", url, cost, headers or {}, delta=delta)).body)
        items = page.get("value")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise SourceFault("the source answered with something that is no list")
        following, later = self._link(page, "@odata.nextLink"), self._link(page, "@odata.deltaLink")
        if following is not None and (later is not None or following == url):
            raise SourceFault("the source answered with a list that has no end")
        return Listed(items, following, later)

    def all(self, path: str, *, cost: float = 2, headers: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Everything on all pages of the list at that path."""
        seen: set[int] = set()
        link: str | None = path
        while link is not None:
            if hash(link) in seen or len(seen) >= _MOST_PAGES:
                raise SourceFault("the source answered with a list that has no end")
            seen.add(hash(link))
            page = self.listed(link, cost=cost, headers=headers)
            yield from page.items
            link = page.next

    @contextmanager
    def download(self, url: str, offset: int = 0, *, cost: float = 1) -> Iterator[Pieces]:
        """The content behind a pre-authenticated link, from the byte at `offset` on, in pieces of 64 KiB at most.

        No bearer goes there. Redirects are followed to secure links. Raises `LinkExpired`, and `SourceFault` also while
        it is read, if it breaks off.
        """
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        with ExitStack() as held:
            for _ in range(_MOST_REDIRECTS + 1):
                wish = _Wish("GET", secure(url), cost, headers, streamed=True, signed_in=False)
                got = self._asked(wish, held)
                if got.stream is not None:
                    break
                url = _redirected(url, got)
            else:
                raise SourceFault("the source sends us from one place to the next")
            held.enter_context(got.stream)
            yield Pieces(got.stream, offset)

    @contextmanager
    def bytes_of(self, path: str, cost: float = 1, *, headers: Mapping[str, str] | None = None) -> Iterator[Pieces]:
        """What is at a path of Graph itself, as bytes in pieces; otherwise as `download`."""
        with ExitStack() as held:
            got = self._asked(_Wish("GET", self._origin.url(path), cost, headers or {}, streamed=True), held)
            if got.stream is None:
                raise SourceFault("the source sends us elsewhere")
            held.enter_context(got.stream)
            yield Pieces(got.stream)

    def pause(self, failed: int) -> None:
        """Waits after the attempt of that number has failed: about 1, 2, 4 … seconds."""
        seconds = _FIRST_PAUSE_SECONDS * 2.0 ** (failed - 1) * (0.5 + self._chance())
        while seconds > 0:
            self._sleep(min(seconds, _SLICE_SECONDS))
            seconds -= _SLICE_SECONDS

    def close(self) -> None:
        """Closes the connections of all threads. Safe to call twice."""
        with self._lock:
            clients, self._mine = list(self._clients), threading.local()
        for client in clients:
            client.reconnect()

    def _asked(self, wish: _Wish, held: ExitStack | None = None) -> Got:
        """Sends it as often as that is safe and useful. A stream keeps its place at the gate until `held` ends."""
        patience = self.gate.patience_seconds if wish.patience_seconds is None else wish.patience_seconds
        deadline = self.gate.now() + patience
        renewed = False
        failed = 0
        while True:
            if wish.signed_in:
                self._tokens.callback()  # not while others wait for our place at the gate
            issued = self._tokens.issued
            with ExitStack() as place:
                place.enter_context(self.gate.passing(wish.cost, self._acting, max(0.0, deadline - self.gate.now())))
                outcome = self._client().ask(
                    wish.method, wish.url, wish.body, wish.headers, streamed=wish.streamed, signed_in=wish.signed_in
                )
                error = self._judged(outcome, wish)  # closes the gate before others take our place
                if error is None and held is not None:
                    held.push(place.pop_all())
            if error is None and isinstance(outcome, Got):
                return outcome
            if isinstance(error, NotSignedIn) and wish.signed_in and not renewed:
                self._tokens.renew(issued)
                renewed = True
                continue
            if isinstance(error, Throttled):
                continue  # the gate lets us through when we may ask again, or says that this would take too long
            failed += 1
            if failed >= _TRIES or not _may_ask_again(outcome, wish):
                raise error or SourceFault(_MAY_HAVE_HAPPENED)
            self.pause(failed)

    def _client(self) -> Client:
        client: Client | None = getattr(self._mine, "client", None)
        if client is None:
            client = Client(self._new_session(), self._tokens.callback)
            self._mine.client = client
            with self._lock:
                self._clients.add(client)
        return client

    def _judged(self, outcome: Got | Lost, wish: _Wish) -> ConnectorError | None:
        """What is wrong with an outcome, if anything; the gate is told what concerns everybody."""
        if isinstance(outcome, Lost):
            self._client().reconnect()
            return SourceFault(_MAY_HAVE_HAPPENED if outcome.sent and not wish.harmless else outcome.words)
        if outcome.status < 300 or (outcome.status in _REDIRECTS and wish.streamed):
            self._pass_on_budget(outcome)
            return None
        if not wish.signed_in and outcome.status in _LINK_IS_OVER:
            return LinkExpired(f"the link to the content does not work any more (HTTP {outcome.status})")
        said = read_refusal(outcome.status, outcome.body, outcome.headers)
        error = refusal(said, outcome.headers, method=wish.method, delta=wish.delta)
        if isinstance(error, Throttled):
            self.gate.throttled(_asked_to_wait(outcome.headers))
        elif outcome.status == 503:
            self.gate.throttled(None)
        if outcome.status == 503:
            self._client().reconnect()
        if not wish.harmless and not _is_certain(outcome.status, error):
            return SourceFault(f"{_MAY_HAVE_HAPPENED} ({said})")
        return error

    def _pass_on_budget(self, got: Got) -> None:
        limit, remaining, reset = (
            _number(got.headers.get(f"RateLimit-{name}")) for name in ("Limit", "Remaining", "Reset")
        )
        if limit is not None and remaining is not None and reset is not None:
            self.gate.told(limit, remaining, reset)

    def _link(self, page: Mapping[str, Any], name: str) -> str | None:
        link = page.get(name)
        if link is None:
            return None
        if not isinstance(link, str):
            raise SourceFault("the source gave us a link that is none")
        return self._origin.url(link)


def user_agent(company: str) -> str:
    """How we name ourselves, in the form by which Microsoft recognises applications that are not its partners'."""
    return f"NONISV|{_UNSPEAKABLE.sub('', company) or 'retentiond'}|retentiond/{metadata.version('retentiond')}"


def _may_ask_again(outcome: Got | Lost, wish: _Wish) -> bool:
    """Whether a second attempt may succeed and can do no harm. What changes something is sent once."""
    if isinstance(outcome, Lost):
        return wish.harmless or not outcome.sent
    return wish.harmless and outcome.status in _PASSING


def _is_certain(status: int, error: ConnectorError) -> bool:
    """Whether a refusal says for sure that nothing was done. What stands between us and the source may not know."""
    if status == 503:
        return isinstance(error, Throttled)
    return status not in _PASSING or not isinstance(error, SourceFault | Throttled)


def _asked_to_wait(headers: Mapping[str, str]) -> float | None:
    """For how long, in seconds: the longer of the two things that an answer may say."""
    said = (retry_after_seconds(headers), _number(headers.get("RateLimit-Reset")))
    return max((seconds for seconds in said if seconds is not None), default=None)


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text.strip()) else None


def _redirected(url: str, got: Got) -> str:
    location = got.headers.get("Location")
    if not location:
        raise SourceFault("the source sends us nowhere")
    return urljoin(url, location)

"""One request through the library's pipeline, and what became of it. No second attempt and no opinion here.

Of the library, its request is used and not its client: the client adds a queue, which loses requests when threads share
it, and the models of all of Microsoft 365.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import requests
import urllib3
from office365.graph_request import GraphRequest
from office365.runtime.http.http_method import HttpMethod
from office365.runtime.http.request_options import RequestOptions
from office365.runtime.transport.base import BaseTransport

from connectors.errors import NotSignedIn, SourceFault
from connectors.microsoft365.session import Http

CHUNK_BYTES = 64 << 10  # of a larger one more would be lost when a connection breaks in it
_LARGEST_ANSWER_BYTES = 64 << 20
_LARGEST_REFUSAL_BYTES = 64 << 10
_LONGEST_ANSWER_SECONDS = 300.0  # for those who send a byte now and then
_METHODS = {method.value.upper(): method for method in HttpMethod}
_NOT_SENT = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
)
_LENGTH = re.compile(r"[0-9]{1,18}")
_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
_DEEPEST = 5
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


@dataclass(frozen=True, slots=True)
class Got:
    """An answer. `stream` is what is still to be read of it, where that was asked for."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    stream: requests.Response | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer, or not all of it. If `sent` is false, the request has not left us either."""

    sent: bool
    words: str


class _Transport(BaseTransport):
    """Sends with our session, as it is: streaming, without following redirects."""

    def __init__(self, session: Http) -> None:
        self._session = session

    def execute(self, request: RequestOptions) -> requests.Response:
        body: dict[str, Any] = {} if request.data is None else {"json": request.data}
        method = request.method.value.upper()
        return self._session.request(method, request.url, headers=request.headers, stream=True, **body)

    def close(self) -> None:
        self._session.close()


class _Request(GraphRequest):
    """The library's request, of which refusals come back like any other answer."""

    @staticmethod
    def _raise_for_status(response: requests.Response) -> None:
        """The library would put message, URL and guidance into an exception. Status and body are looked at by us."""


class Client:
    """Asks through the library's pipeline, for one thread. `token` gives what the library's token callback gives."""

    def __init__(self, session: Http, token: Callable[[], dict[str, str]]) -> None:
        self._request = _Request().with_access_token(token)
        self._request.transport = _Transport(session)

    def reconnect(self) -> None:
        """The next request gets a connection of its own."""
        self._request.transport.close()

    def ask(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        *,
        streamed: bool = False,
        signed_in: bool = True,
    ) -> Got | Lost:
        """Sends one request and reads its answer, all of it unless it is `streamed` and no refusal.

        Without `signed_in` it carries no bearer. Raises `NotSignedIn` where there is no token.
        """
        options = RequestOptions(
            url=url, method=_METHODS[method], data=None if body is None else dict(body), headers=dict(headers)
        )
        send = self._request.execute_request_direct if signed_in else self._request.transport.execute
        refused = ""
        try:
            response = send(options)
            status = response.status_code
            if streamed and 200 <= status < 300:
                return Got(status, response.headers, b"", response)
            with response:
                most = _LARGEST_ANSWER_BYTES if status < 300 else _LARGEST_REFUSAL_BYTES
                return Got(status, response.headers, _read(response, most, whole=status < 300))
        except NotSignedIn as error:
            refused = str(error)
        except _BROKEN as error:
            lost = _lost(error)
        if refused:
            raise NotSignedIn(refused)
        return lost


def _read(response: requests.Response, most: int, *, whole: bool) -> bytes:
    """The body; of a refusal only the beginning. Raises `SourceFault` for one that is too long or does not end."""
    began = time.monotonic()
    body = bytearray()
    for piece in response.iter_content(CHUNK_BYTES):
        body += piece
        if len(body) > most:
            if whole:
                raise SourceFault("the source answered with more than any answer has")
            break
        if time.monotonic() - began > _LONGEST_ANSWER_SECONDS:
            raise SourceFault("the source does not come to the end of its answer")
    return bytes(body)


def _lost(error: Exception) -> Lost:
    """What became of a request that ended so. Its text names hosts, paths and queries and is dropped."""
    reason: object = error
    for _ in range(_DEEPEST):  # requests' own around urllib3's around the cause
        if isinstance(reason, ssl.SSLCertVerificationError):
            return Lost(False, "the source's certificate is not one that we trust")
        if isinstance(reason, _NOT_SENT):
            return Lost(False, "the source cannot be reached")
        inner = getattr(reason, "args", ())
        reason = getattr(reason, "reason", None) or (inner[0] if inner else None)
    return Lost(True, "the source broke off, or took too long")


class Pieces:
    """What is still to come of an answer, in pieces of 64 KiB at most, from the byte at `offset` of the whole on.

    A server may give all of it though a part was asked for: what comes before the offset is dropped. `total_bytes` is
    the length of the whole, where it is told. Raises `SourceFault` at once where another part has come, and while it is
    read, if it breaks off.
    """

    def __init__(self, response: requests.Response, offset: int = 0) -> None:
        begins, self.total_bytes = _part(response)
        if begins > offset:
            raise SourceFault("the source gave another part of the content than was asked for")
        self._incoming = response.iter_content(CHUNK_BYTES)
        self._skip = offset - begins

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        while True:
            piece = self._piece()
            if piece is None:
                raise StopIteration
            dropped = min(self._skip, len(piece))
            self._skip -= dropped
            if len(piece) > dropped:
                return piece[dropped:]

    def _piece(self) -> bytes | None:
        broken = False
        piece: bytes | None = None
        try:
            piece = next(self._incoming, None)
        except _BROKEN:
            broken = True
        if broken:  # raised here, where what the library says is not part of it
            raise SourceFault("the content broke off")
        return piece


def _part(response: requests.Response) -> tuple[int, int | None]:
    """At which byte of the whole an answer begins, and how long the whole is."""
    if response.status_code != 206:
        length = response.headers.get("Content-Length", "")
        plain = "Content-Encoding" not in response.headers
        return 0, int(length) if plain and _LENGTH.fullmatch(length) else None
    given = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if given is None:
        raise SourceFault("the source gave a part of the content and did not say which")
    total = given.group(2)
    return int(given.group(1)), None if total == "*" else int(total)

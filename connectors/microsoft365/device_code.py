"""Signing in a person who sits elsewhere: he opens a page and types in a code. For the administrator's set-up only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msal  # type: ignore[import-untyped]

from connectors.errors import NotSignedIn
from connectors.microsoft365.auth import claims_of, codes_of, granted
from connectors.microsoft365.session import Http

_PENDING, _SLOWER = "authorization_pending", "slow_down"
_SLICE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What to show to the person: the page to open, and the code to type in there within so many seconds."""

    url: str
    user_code: str = field(repr=False)
    lives_seconds: float


class DeviceTokens:
    """A person's token, as `Graph` wants it. It lives in memory only, and for about an hour.

    `begin` gives the code to show, `finish` waits until the person has signed in; both raise `NotSignedIn`. `sleep` is
    called with at most a second at a time and may raise what shall end the wait. Not for several threads.
    """

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        login: str,
        scopes: Sequence[str],
        http: Http,
        *,
        known_login: bool = True,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._terms = {
            "client_id": client_id,
            "authority": f"{login}/{tenant_id}",
            "instance_discovery": None if known_login else False,
            "http_client": http,
        }
        self._http = http
        self._scopes = list(scopes)
        self._sleep = sleep
        self._now = now
        self._app: Any = None
        self._flow: dict[str, Any] = {}
        self._ends_at = 0.0
        self._token = ""

    @property
    def issued(self) -> int:
        """How many tokens were given out so far."""
        return 1 if self._token else 0

    def begin(self) -> DeviceCode:
        """Asks for a code."""
        flow = _answered(self._initiated)
        code, url, lives = flow.get("user_code"), flow.get("verification_uri"), flow.get("expires_in")
        if not (isinstance(code, str) and isinstance(url, str) and isinstance(lives, int | float)):
            raise NotSignedIn(f"the sign-in service gives us no code ({codes_of(flow)})")
        self._flow, self._ends_at = flow, self._now() + lives
        return DeviceCode(url, code, float(lives))

    def finish(self) -> None:
        """Waits until the person has signed in and agreed, has refused, or the code has expired."""
        while True:
            answer = _answered(self._polled)
            token = answer.get("access_token")
            if isinstance(token, str) and token:
                self._token = token
                return
            error = answer.get("error")
            if error not in (_PENDING, _SLOWER) or self._now() >= self._ends_at:
                raise NotSignedIn(f"nobody has signed in with that code ({codes_of(answer)})")
            self._wait(float(self._flow["interval"]))  # which the library lengthens when it is told to

    def callback(self) -> dict[str, str]:
        """The token in the form that the Graph library wants. Raises `NotSignedIn`."""
        if not self._token:
            raise NotSignedIn("nobody has signed in yet")
        return {"access_token": self._token, "token_type": "Bearer"}

    def renew(self, issued: int | None = None) -> None:
        """Raises `NotSignedIn`: a person has to be asked again."""
        raise NotSignedIn("the person has to sign in again")

    def roles(self) -> frozenset[str]:
        """What the person has agreed to. Raises `NotSignedIn`."""
        return granted(claims_of(self.callback()["access_token"]))

    def close(self) -> None:
        """Forgets the person and closes connections. Safe to call twice."""
        self._app = None
        self._token = ""
        self._http.close()

    def _initiated(self) -> Mapping[str, Any]:
        self._app = msal.PublicClientApplication(**self._terms)
        flow: Mapping[str, Any] = self._app.initiate_device_flow(scopes=self._scopes)
        return flow

    def _polled(self) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._app.acquire_token_by_device_flow(self._flow, exit_condition=lambda _: True)
        return answer

    def _wait(self, seconds: float) -> None:
        while seconds > 0:
            self._sleep(min(seconds, _SLICE_SECONDS))
            seconds -= _SLICE_SECONDS


def _answered(ask: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """What the library answers. Its exceptions tell tenants, hosts and answers, and are dropped."""
    answer: Mapping[str, Any] = {}
    failed = False
    try:
        answer = ask()
    except Exception:  # noqa: BLE001 - whatever it is
        failed = True
    if failed:
        raise NotSignedIn("the sign-in service cannot be reached, or has not answered as it should")
    return dict(answer)

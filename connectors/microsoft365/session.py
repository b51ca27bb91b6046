"""HTTP as we want it: bounded waiting, our own certificates, no redirects, nothing remembered and nothing logged.

Both the sign-in library and the Graph library are given this session, so that one set of rules holds for all traffic.
"""

from __future__ import annotations

import logging
import os
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies

TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two pieces of an answer

# urllib3 logs every path with its query (names, tokens in links), msal logs answers of the sign-in service, office365
# logs what went wrong with its listeners. None of that may reach a log of ours, at whatever level somebody sets.
_SILENT = logging.CRITICAL + 1
_TALKATIVE = ("urllib3", "requests", "msal", "msal_extensions", "office365", "charset_normalizer")


def keep_quiet() -> None:
    """Silences the loggers of the libraries and cuts them off from the root logger and its handlers. Idempotent.

    Either alone would do. Only who sets a level on one of these loggers and hangs a handler onto it hears of anything:
    that takes intent.
    """
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(_SILENT)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())  # without one, warnings would go to standard error


class Http(requests.Session):
    """A session that sets on every request what `requests` would else take from the environment.

    `ca_file` is the PEM file of the authorities to trust instead of the usual ones. `proxy` is the URL of the proxy for
    all requests; without it the environment's holds. Plain `http` is spoken with the machine's own identity service
    only, and never by a proxy. Never used are `.netrc` (it would replace our bearer) and cookies. Not for several
    threads at once.
    """

    def __init__(self, ca_file: str | None = None, proxy: str | None = None, user_agent: str | None = None) -> None:
        keep_quiet()
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        if user_agent:
            self.headers["User-Agent"] = user_agent
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        self._verify: str | bool = ca_file or bundle or True
        self._proxy = proxy
        self._by_environment: dict[str, dict[str, str]] = {}

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **settings: Any) -> requests.Response:
        """As in `requests`, but trust, proxy and redirects are ours to say."""
        text = url.decode("ascii") if isinstance(url, bytes) else url
        settings.setdefault("timeout", TIMEOUT)
        settings["proxies"] = self._proxies_to(text)
        settings["verify"] = self._verify
        settings["allow_redirects"] = False
        return super().request(method, url, *args, **settings)

    def _proxies_to(self, url: str) -> dict[str, str]:
        parts = urlsplit(url)
        if parts.scheme != "https":
            return {}
        if self._proxy:
            return {"https": self._proxy}
        if parts.netloc not in self._by_environment:  # reading it takes longer than all else that is done for a request
            self._by_environment[parts.netloc] = dict(get_environ_proxies(url))
        return self._by_environment[parts.netloc]

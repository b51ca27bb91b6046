"""Plain requests to the emulator, as anybody could send them: what the emulator's own tests speak with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests

from tests.emulator import App, Emulator


class PlainClient:
    """One application's way to the emulator, with a new token for each call.

    Links and paths are both taken; redirects are not followed.
    """

    def __init__(self, graph: Emulator, app: App, *, delegated: bool = False) -> None:
        self.graph = graph
        self.app = app
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = graph.ca_file
        self._delegated = delegated

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """The answer, whatever it is. Header names are written with underscores: `If_Match="*"`."""
        url = path if path.startswith("https:") else self.graph.graph_url + path
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named["Authorization"] = f"Bearer {self.graph.token_for(self.app, self._delegated)}"
        return self._session.request(
            method, url, json=body, headers=named, allow_redirects=False, timeout=30, verify=self.graph.ca_file
        )

    def get(self, path: str, status: int = 200, **headers: str) -> Any:
        return self._checked("GET", path, None, status, headers)

    def patch(self, path: str, body: Any, status: int = 200, **headers: str) -> Any:
        return self._checked("PATCH", path, body, status, headers)

    def post(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        return self._checked("POST", path, body, status, headers)

    def delete(self, path: str, status: int = 204, **headers: str) -> Any:
        return self._checked("DELETE", path, None, status, headers)

    def download(self, url: str, **headers: str) -> requests.Response:
        """What a signed link gives, asked for without a token."""
        return requests.get(url, headers=headers, verify=self.graph.ca_file, timeout=30)

    def pages(self, path: str, **headers: str) -> Iterator[dict[str, Any]]:
        """All pages of a list or a change feed."""
        link: str | None = path
        while link is not None:
            page = self.get(link, **headers)
            link = page.get("@odata.nextLink")
            yield page

    def all(self, path: str, **headers: str) -> list[dict[str, Any]]:
        """The entries of all pages."""
        return [entry for page in self.pages(path, **headers) for entry in page["value"]]

    def close(self) -> None:
        self._session.close()

    def _checked(self, method: str, path: str, body: Any, status: int, headers: dict[str, str]) -> Any:
        answer = self.ask(method, path, body, **headers)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:400]}"
        return answer.json() if answer.content else None


def code_of(answer: Any) -> str:
    """The error code of a refusal."""
    return str(answer["error"]["code"])

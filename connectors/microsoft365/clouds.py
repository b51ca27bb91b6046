"""Microsoft's clouds: where each signs in, where its Graph is, and what that lacks.

The library's own table sends GCC to the wrong Graph, so that it is not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Cloud:
    """`login` and `graph` are `https` origins without a path."""

    name: str
    login: str
    graph: str

    @property
    def root(self) -> str:
        """Where Graph's version 1.0 begins."""
        return f"{self.graph}/v1.0"

    @property
    def scope(self) -> str:
        """What a token is asked for: all that the application has been granted."""
        return f"{self.graph}/.default"


_WORLDWIDE = ("https://login.microsoftonline.com", "https://graph.microsoft.com")
_AMERICAN = "https://login.microsoftonline.us"

CLOUDS: Mapping[str, Cloud] = MappingProxyType(
    {
        cloud.name: cloud
        for cloud in (
            Cloud("global", *_WORLDWIDE),
            Cloud("gcc", *_WORLDWIDE),  # for American authorities, but behind the worldwide endpoints
            Cloud("gcc_high", _AMERICAN, "https://graph.microsoft.us"),
            Cloud("dod", _AMERICAN, "https://dod-graph.microsoft.us"),
            Cloud("china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
        )
    }
)

# From Microsoft's own schema of each cloud. That a feature is in it does not prove that it works there.
_LACKING: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "global": frozenset(),
        "gcc": frozenset(),
        "gcc_high": frozenset({"message.permanentDelete"}),
        "dod": frozenset({"message.permanentDelete"}),
        "china": frozenset({"message.permanentDelete", "message.delta"}),
    }
)


def lacks(name: str) -> frozenset[str]:
    """What Graph of that cloud does not have, of what we use: `message.permanentDelete`, `message.delta`.

    Raises `KeyError` for a cloud that is not in `CLOUDS`.
    """
    return _LACKING[name]

"""IP addresses, told apart from versions and numbers of sections."""

from __future__ import annotations

import ipaddress

import regex

from agent.detection.recognisers.judged import (
    CASE_IGNORED,
    CERTAIN,
    DOUBTFUL,
    LIKELY,
    UNLIKELY,
    JudgedRecognizer,
    shapes,
)
from agent.detection.recognisers.labels import labels_before
from agent.detection.recognisers.vocabulary import Kind

_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_V4 = r"(?<![\w.@-])(?:" + _BYTE + r"\.){3}" + _BYTE + r"(?![\w-]|\.\d|/\d)"
_V6 = r"(?<![\w:.])(?=[0-9a-f:]{0,39}:[0-9a-f:]{0,39}:)[0-9a-f:]{2,39}(?<!:)(?![\w:]|\.\d|/\d)"
_VERSION = regex.compile(
    r"\b(?:v|ver|version|versions|release|rel|build|firmware|fw|patch(?:ed to)?|upgraded? to|updated? to|section|s"
    r"|clause|para|paragraph|appendix|annex|part|chapter|§|browser|chrome|firefox|edge|opera|software|app|ha|driver|bios|agent"
    r"|client v|sw|policy|item|rule|note|step|fig|figure|table|iso|bs|oid)[\s.:/(]{0,3}(?:to )?$"
    r"|\bversion\b[^,;\n]{0,30}$",
    regex.IGNORECASE,
)


class InternetAddressRecognizer(JudgedRecognizer):
    """IP addresses of version 4 and 6. Scores: 0.95 with a word for a network before, 0.75 without; 0.3 where it may
    be a version, 0.1 behind a word for one."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="IP_ADDRESS",
            patterns=shapes("IP_ADDRESS", (_V4, LIKELY), (_V6, LIKELY)),
            global_regex_flags=CASE_IGNORED,
        )

    def invalidate_result(self, pattern_text: str) -> bool:
        try:
            address = ipaddress.ip_address(pattern_text)
        except ValueError:
            return True
        return address.is_unspecified or (address.version == 6 and len(pattern_text) < 6)

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        before = text[max(0, start - 45) : start]
        if _VERSION.search(before) or (before[-1:].lower() == "v"):
            return UNLIKELY
        labels = labels_before(text, start)
        if labels and labels[0].kind == Kind.OTHER and labels[0].adjacent:
            return UNLIKELY
        if labels and labels[0].kind == Kind.INTERNET:
            return CERTAIN
        parts = text[start:end].split(".")
        if len(parts) == 4 and (
            parts[0] == "0"
            or all(len(part) == 1 for part in parts)
            or (parts[1:3] == ["0", "0"] and parts[0] != "127" and parts[0] != "10")
        ):
            return DOUBTFUL
        return LIKELY

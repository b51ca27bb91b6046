"""E-mail addresses of any domain."""

from __future__ import annotations

from presidio_analyzer.predefined_recognizers import EmailRecognizer

from agent.detection.recognisers.judged import CASE_IGNORED, CERTAIN, JudgedRecognizer, shapes

_LOCAL = r"(?<![\w.%+/=~-])[\w%+=~](?:[\w.%+=~'’-]{0,62}[\w%+=~])?"
_DOMAIN = r"(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:\p{L}{2,24}|xn--[a-z0-9-]{2,59})"
_ADDRESS = _LOCAL + "@" + _DOMAIN + r"(?![\p{L}\p{N}_@-]|\.[\p{L}\p{N}])"


class EmailAddressRecognizer(JudgedRecognizer, EmailRecognizer):
    """E-mail addresses, 0.95 always. Presidio asks the network for the list of top-level domains, and would miss those
    that exist inside an organisation only (`.local`, `.internal`)."""

    def __init__(self) -> None:
        super().__init__(patterns=shapes("EMAIL_ADDRESS", (_ADDRESS, CERTAIN)))
        self.context = []
        self.global_regex_flags = CASE_IGNORED

    def validate_result(self, pattern_text: str) -> None:
        return None

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        return score

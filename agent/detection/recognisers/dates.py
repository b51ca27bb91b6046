"""How dates are written in Britain, as one expression; letters for digits as scanners read them included."""

from __future__ import annotations

_D = r"[\dOolI]"
_DAY = r"(?:0?[1-9]|[12lI]" + _D + r"|3[01Oo]|[0Oo]" + _D + ")"
_MONTH = r"(?:0?[1-9]|1[0-2]|[Oo]" + _D + r"|[lI][0-2Oo])"
_YEAR = r"(?:(?:1[89]|20|l9|2[Oo])" + _D + r"{2}|['’]?\d{2})"
_FULL_YEAR = r"(?:1[89]|20)\d{2}"
_NAME = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_SEPARATED = "|".join(
    _DAY + separator + _MONTH + separator + _YEAR for separator in ("/", r"\.", "-", " ", " / ", r"\. ", " - ", "–")
)

DATE = (
    r"(?:" + _FULL_YEAR + r"([-/.])\d{2}\1\d{2}"
    r"|(?:" + _SEPARATED + r")"
    r"|\d{1,2}/\d{1,2}/" + _FULL_YEAR + r"|\d{1,2}(?:st|nd|rd|th)?[ -]?(?:of )?" + _NAME + r"[ ,-]{0,2}" + _YEAR + r""
    r"|" + _NAME + r" \d{1,2}(?:st|nd|rd|th)?,? " + _YEAR + r")"
)

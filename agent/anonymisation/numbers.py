"""What a cell with a number shows: a date where its style says so, else digits."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from agent.anonymisation.markup import Kind, tokens
from agent.anonymisation.package import given
from agent.anonymisation.page import Page

# Number formats that show a date (ECMA-376 part 1, 18.8.30); custom ones are told by their letters.
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NOT_LETTERS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_MOST_DIGITS = 30


class Numbers:
    """How the numbers of one workbook are shown."""

    def __init__(self, styles: Page | None, *, from_1904: bool) -> None:
        self._epoch = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 — no time zone
        self._dates = [] if styles is None else _date_styles(styles)

    def shown(self, style: str, number: str) -> str:
        """The date in ISO form, or the number without an exponent."""
        try:
            if style.isdigit() and int(style) < len(self._dates) and self._dates[int(style)]:
                moment = self._epoch + timedelta(days=float(number))
                return moment.date().isoformat() if float(number).is_integer() else moment.isoformat(" ", "minutes")
            plain = Decimal(number)
        except (ValueError, OverflowError, InvalidOperation):
            return number
        return format(plain, "f") if abs(plain.adjusted()) < _MOST_DIGITS else number


def _date_styles(page: Page) -> list[bool]:
    """For each style of cells, whether it shows a date."""
    custom: dict[str, bool] = {}
    styles: list[bool] = []
    in_cells = False
    for token in tokens(page.text):
        if token.name == "cellXfs":
            in_cells = token.kind is Kind.OPEN
        elif token.kind is Kind.OPEN and token.name == "numFmt":
            said = given(page, token)
            custom[said.get("numFmtId", "")] = _shows_date(said.get("formatCode", "").replace("&quot;", '"'))
        elif token.kind is Kind.OPEN and token.name == "xf" and in_cells:
            number = given(page, token).get("numFmtId", "0")
            styles.append(custom.get(number, number.isdigit() and int(number) in _DATE_FORMATS))
    return styles


def _shows_date(code: str) -> bool:
    letters = _NOT_LETTERS.sub("", code.split(";")[0]).lower()
    return "general" not in letters and ("y" in letters or "d" in letters or "mmm" in letters)

"""By what a value is known once its text is forgotten: a keyed hash of its normal form (ADR 0003)."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import unicodedata

import phonenumbers

IDENTITY_BYTES = 16

_COMPACT = frozenset(
    {
        "CREDIT_CARD",
        "EMPLOYEE_ID",
        "CASE_REFERENCE",
        "IBAN_CODE",
        "UK_BANK_ACCOUNT",
        "UK_COMPANY_NUMBER",
        "UK_DRIVING_LICENCE",
        "UK_NHS",
        "UK_NINO",
        "UK_PASSPORT",
        "UK_POSTCODE",
        "UK_UTR",
        "UK_VAT",
        "UK_VEHICLE_REGISTRATION",
    }
)


def normal_form(entity_type: str, value: str) -> str:
    """The form in which two spellings of one value are equal."""
    text = unicodedata.normalize("NFKC", value)
    if entity_type in _COMPACT:
        return "".join(char for char in text if char.isalnum()).upper()
    if entity_type == "PHONE_NUMBER":
        return _phone(text)
    if entity_type == "IP_ADDRESS":
        return _address(text)
    if entity_type == "DATE_OF_BIRTH":
        return _date(text)
    if entity_type == "STREET_ADDRESS":
        return " ".join(
            "".join(char if char.isalnum() else " " for char in text.replace("'", "").replace("’", ""))
            .casefold()
            .split()
        )
    return " ".join(text.casefold().split())


def _phone(text: str) -> str:
    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        return "".join(char for char in text if char.isdigit())
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        return text.strip().casefold()


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE_PART = re.compile(r"\d+|[a-z]{3,}")
_THIS_CENTURY = 30  # of a year with two digits: until then it is in this century


def _date(text: str) -> str:
    """A date as year, month and day; British order, unless the year comes first. Otherwise the text."""
    parts = [part for part in _DATE_PART.findall(text.casefold()) if part.isdigit() or part[:3] in _MONTHS]
    if len(parts) != 3:
        return " ".join(text.casefold().split())
    if len(parts[0]) == 4:
        parts.reverse()
    if parts[0].isalpha():
        parts[:2] = parts[1], parts[0]
    day, month, year = (str(_MONTHS.index(part[:3]) + 1) if part.isalpha() else part for part in parts)
    if len(year) == 2:
        year = ("20" if int(year) <= _THIS_CENTURY else "19") + year
    return f"{year}-{month.zfill(2)}-{day.zfill(2)}"


class FindingIdentity:
    """Names values by HMAC-SHA-256 under one key. Without the key, nobody can test a guess against the catalogue."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod=hashlib.sha256)

    def of(self, entity_type: str, value: str) -> bytes:
        """16 bytes that are the same for every spelling of the value and for no other value of that type."""
        keyed = self._keyed.copy()
        keyed.update(f"{entity_type}\0{normal_form(entity_type, value)}".encode("utf-8", "surrogatepass"))
        return keyed.digest()[:IDENTITY_BYTES]

"""By what a value is known once its text is forgotten: a keyed hash of its normal form (ADR 0003)."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
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
        "UK_DRIVING_LICENCE",
        "UK_NHS",
        "UK_NINO",
        "UK_PASSPORT",
        "UK_POSTCODE",
        "UK_UTR",
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


class FindingIdentity:
    """Names values by HMAC-SHA-256 under one key. Without the key, nobody can test a guess against the catalogue."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod=hashlib.sha256)

    def of(self, entity_type: str, value: str) -> bytes:
        """16 bytes that are the same for every spelling of the value and for no other value of that type."""
        keyed = self._keyed.copy()
        keyed.update(f"{entity_type}\0{normal_form(entity_type, value)}".encode("utf-8", "surrogatepass"))
        return keyed.digest()[:IDENTITY_BYTES]

"""The recognisers that we run, one by one: Presidio's default list leaves UK ones out and takes US ones in (ADR 0008).

The words that make a match surer are given anew: Presidio compares them with single words, so that its own phrases
("national insurance") never match. Scores say how sure a match is without such a word; 0.4 is told by default.
"""

from __future__ import annotations

import re

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    EmailRecognizer,
    IbanRecognizer,
    IpRecognizer,
    NhsRecognizer,
    PhoneRecognizer,
    SpacyRecognizer,
    UkDrivingLicenceRecognizer,
    UkNinoRecognizer,
    UkPassportRecognizer,
    UkPostcodeRecognizer,
    UkVehicleRegistrationRecognizer,
)

LANGUAGE = "en"

_CASE_COUNTS = re.DOTALL | re.MULTILINE

# A passport number is nine digits (older ones) and says nothing by itself; a passport must be named before it.
_PASSPORT_DIGITS = Pattern("UK passport, digits", r"\b\d{9}\b", 0.05)
_POSTCODE = Pattern("UK postcode", UkPostcodeRecognizer.PATTERNS[0].regex, 0.4)
# Numbers as they are dialled in the UK, assigned or not: the library knows only assigned ones, people mistype them.
_DIALLED = Pattern(
    "UK telephone number",
    r"(?<![\w.+-])(?:\+44[ .-]?(?:\(0\)[ .-]?)?|\(?0)(?:[1-37-9]\d{1,4}\)?[ .-]?\d{3,4}[ .-]?\d{3,4})(?![\w-]|\.\d)",
    0.4,
)
_PHONE_WORDS = ["phone", "telephone", "tel", "mobile", "mob", "fax", "call", "ring", "contact", "landline", "number"]

# The lengths of card numbers by the first digit of the issuer (ISO/IEC 7812).
_CARD_LENGTHS = {"2": (16,), "3": (14, 15, 16), "4": (13, 16, 19), "5": (16,), "6": (16, 19)}


class LocalEmailRecognizer(EmailRecognizer):
    """E-mail addresses of any domain. Presidio asks the network for the list of top-level domains, and would miss the
    domains that exist inside an organisation only (`.local`, `.internal`)."""

    def validate_result(self, pattern_text: str) -> bool:
        last = pattern_text.rpartition(".")[2]
        return len(last) >= 2 and not last.isdigit()


class IssuedCardRecognizer(CreditCardRecognizer):
    """Card numbers of a length that their issuer uses: a bar code may pass the check digit, too."""

    def validate_result(self, pattern_text: str) -> bool:
        digits = "".join(char for char in pattern_text if char.isdigit())
        return len(digits) in _CARD_LENGTHS.get(digits[:1], ()) and bool(super().validate_result(pattern_text))


class IssuedNhsRecognizer(NhsRecognizer):
    """NHS numbers, without the one that a form shows as an example: a single digit ten times over."""

    def invalidate_result(self, pattern_text: str) -> bool:
        return len({char for char in pattern_text if char.isdigit()}) == 1


class DialledNumberRecognizer(PatternRecognizer):
    """Telephone numbers by their shape: nine or ten digits after the leading zero."""

    def __init__(self) -> None:
        super().__init__(supported_entity="PHONE_NUMBER", patterns=[_DIALLED], context=_PHONE_WORDS)

    def invalidate_result(self, pattern_text: str) -> bool:
        digits = "".join(char for char in pattern_text.replace("(0)", "") if char.isdigit())
        return len(digits.removeprefix("44" if pattern_text.startswith("+") else "0")) not in (9, 10)


def recognisers(*, names: bool) -> list[EntityRecognizer]:
    """Every recogniser; with `names` also the one that takes persons from the language model."""
    vehicles = UkVehicleRegistrationRecognizer(
        context=["vehicle", "registration", "reg", "plate", "vrn", "vrm", "dvla", "v5c", "mot", "car", "van"]
    )
    passports = UkPassportRecognizer(
        patterns=[*UkPassportRecognizer.PATTERNS, _PASSPORT_DIGITS], context=["passport", "hmpo"]
    )
    vehicles.global_regex_flags = passports.global_regex_flags = _CASE_COUNTS
    listed: list[EntityRecognizer] = [
        IssuedCardRecognizer(context=["credit", "debit", "card", "visa", "mastercard", "amex", "pan"]),
        LocalEmailRecognizer(context=["email", "e-mail", "mail", "contact"]),
        IbanRecognizer(context=["iban", "account", "bank", "swift", "bic"]),
        IpRecognizer(context=["ip", "ipv4", "ipv6", "address", "host", "client", "server"]),
        IssuedNhsRecognizer(context=["nhs", "health", "patient", "hospital"]),
        PhoneRecognizer(context=_PHONE_WORDS, supported_regions=("GB",)),
        DialledNumberRecognizer(),
        UkDrivingLicenceRecognizer(context=["driving", "driver", "licence", "license", "dvla"]),
        UkNinoRecognizer(context=["nino", "ni", "nat", "insurance", "national"]),
        passports,
        UkPostcodeRecognizer(patterns=[_POSTCODE], context=["postcode", "post", "postal", "address"]),
        vehicles,
    ]
    if names:
        listed.append(SpacyRecognizer(supported_entities=["PERSON"], supported_language=LANGUAGE))
    return listed


def registry(*, names: bool) -> RecognizerRegistry:
    """The recognisers in the form Presidio's engine takes."""
    return RecognizerRegistry(recognizers=recognisers(names=names), supported_languages=[LANGUAGE])

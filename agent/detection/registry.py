"""The recognisers that we run, one by one (ADR 0008). What each finds, and how sure: docs/reference/recognisers.md."""

from __future__ import annotations

from collections.abc import Iterable

from presidio_analyzer import EntityRecognizer, RecognizerRegistry

from agent.detection.recognisers.bank import BankAccountRecognizer, BankIbanRecognizer
from agent.detection.recognisers.birth import BirthDateRecognizer
from agent.detection.recognisers.card import PaymentCardRecognizer
from agent.detection.recognisers.internet import InternetAddressRecognizer
from agent.detection.recognisers.licence import DrivingLicenceRecognizer
from agent.detection.recognisers.mail import EmailAddressRecognizer
from agent.detection.recognisers.nhs import NhsNumberRecognizer
from agent.detection.recognisers.nino import NinoRecognizer
from agent.detection.recognisers.passport import PassportRecognizer
from agent.detection.recognisers.phone import DialledNumberRecognizer, RegionalPhoneRecognizer
from agent.detection.recognisers.postcode import PostcodeRecognizer
from agent.detection.recognisers.references import (
    CaseReferenceRecognizer,
    EmployeeIdRecognizer,
    OrganisationReferenceRecognizer,
)
from agent.detection.recognisers.street import StreetAddressRecognizer
from agent.detection.recognisers.tax import CompanyNumberRecognizer, UtrRecognizer, VatRecognizer
from agent.detection.recognisers.vehicle import VehicleRegistrationRecognizer

LANGUAGE = "en"

# Found so that they are taken for nothing else; they belong to organisations, not to people.
NOT_PERSONAL = frozenset({"UK_VAT", "UK_COMPANY_NUMBER"})


def recognisers(
    *, regions: Iterable[str] = (), references: Iterable[tuple[str, str, str]] = ()
) -> list[EntityRecognizer]:
    """Every recogniser, new.

    `regions` are ISO 3166 codes of countries beside GB whose telephone numbers are found in their national form.
    `references` are (entity type, regular expression, expression for the words before or "") of an organisation's own
    references; raises `regex.error` or `ValueError` for an expression that is none.
    """
    beside = sorted(set(regions) - {"GB"})
    listed: list[EntityRecognizer] = [
        NhsNumberRecognizer(),
        NinoRecognizer(),
        PassportRecognizer(),
        DrivingLicenceRecognizer(),
        UtrRecognizer(),
        VatRecognizer(),
        CompanyNumberRecognizer(),
        VehicleRegistrationRecognizer(),
        BankAccountRecognizer(),
        BankIbanRecognizer(),
        PaymentCardRecognizer(),
        PostcodeRecognizer(),
        StreetAddressRecognizer(),
        BirthDateRecognizer(),
        DialledNumberRecognizer(),
        EmailAddressRecognizer(),
        InternetAddressRecognizer(),
        EmployeeIdRecognizer(),
        CaseReferenceRecognizer(),
        *(OrganisationReferenceRecognizer(*reference) for reference in references),
    ]
    return [*listed, RegionalPhoneRecognizer(beside)] if beside else listed


def registry(*, regions: Iterable[str] = (), references: Iterable[tuple[str, str, str]] = ()) -> RecognizerRegistry:
    """The recognisers in the form Presidio's engine takes."""
    return RecognizerRegistry(
        recognizers=recognisers(regions=regions, references=references), supported_languages=[LANGUAGE]
    )

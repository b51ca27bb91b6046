"""Which legal kind of data each entity type is."""

from __future__ import annotations

from agent.model.finding import DataCategory

ENTITY_CATEGORIES = {
    "PERSON": DataCategory.IDENTITY,
    "DATE_OF_BIRTH": DataCategory.IDENTITY,
    "EMAIL_ADDRESS": DataCategory.CONTACT,
    "PHONE_NUMBER": DataCategory.CONTACT,
    "STREET_ADDRESS": DataCategory.CONTACT,
    "UK_POSTCODE": DataCategory.CONTACT,
    "UK_NINO": DataCategory.IDENTIFICATION_NUMBER,
    "UK_NHS": DataCategory.IDENTIFICATION_NUMBER,
    "UK_PASSPORT": DataCategory.IDENTIFICATION_NUMBER,
    "UK_DRIVING_LICENCE": DataCategory.IDENTIFICATION_NUMBER,
    "UK_UTR": DataCategory.IDENTIFICATION_NUMBER,
    "UK_VEHICLE_REGISTRATION": DataCategory.IDENTIFICATION_NUMBER,
    "UK_BANK_ACCOUNT": DataCategory.FINANCIAL,
    "IBAN_CODE": DataCategory.FINANCIAL,
    "CREDIT_CARD": DataCategory.FINANCIAL,
    "IP_ADDRESS": DataCategory.TECHNICAL,
    "EMPLOYEE_ID": DataCategory.EMPLOYMENT,
    "CASE_REFERENCE": DataCategory.CASE,
    "SC_HEALTH": DataCategory.HEALTH,
    "SC_RACE": DataCategory.RACE_ETHNICITY,
    "SC_RELIGION": DataCategory.RELIGION_BELIEF,
    "SC_POLITICAL": DataCategory.POLITICAL_OPINION,
    "SC_UNION": DataCategory.TRADE_UNION,
    "SC_SEXUAL": DataCategory.SEX_LIFE_ORIENTATION,
    "SC_GENETIC": DataCategory.GENETIC,
    "SC_BIOMETRIC": DataCategory.BIOMETRIC,
    "SC_CRIMINAL": DataCategory.CRIMINAL,
}


def category_of(entity_type: str) -> DataCategory:
    """The legal kind of an entity type. Raises `KeyError` for one that does not exist."""
    return ENTITY_CATEGORIES[entity_type]

"""A value is known by the same hash however it is spelled, and only under one key."""

from __future__ import annotations

import pytest

from agent.detection.identity import IDENTITY_BYTES, FindingIdentity, normal_form

KEY = FindingIdentity(b"k" * 32)


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        ("UK_NINO", ["AB 12 34 56 C", "ab123456c", "AB-12-34-56-C", "AB\u00a0123456\u00a0C"]),
        ("UK_NHS", ["999 000 0018", "9990000018", "999-000-0018"]),
        ("PHONE_NUMBER", ["020 7946 0018", "+44 20 7946 0018", "+44 (0)20 7946 0018", "(020) 7946-0018"]),
        ("EMAIL_ADDRESS", ["Tamsin@Quillfeather.example", "tamsin@quillfeather.EXAMPLE"]),
        ("IP_ADDRESS", ["2001:db8::1", "2001:0db8:0:0:0:0:0:1"]),
        ("CREDIT_CARD", ["4111 1111 1111 1111", "4111-1111-1111-1111"]),
        ("DATE_OF_BIRTH", ["03/04/1985", "3.4.85", "1985-04-03", "3rd April 1985", "April 3rd, 1985", "03 Apr '85"]),
        ("STREET_ADDRESS", ["9b St John's Road", "9B St. Johns Road"]),
        ("UK_VAT", ["402 1188 04", "402118804"]),
        ("PERSON", ["Tamsin  Quillfeather", "TAMSIN QUILLFEATHER", "Tamsin\nQuillfeather"]),
    ],
)
def test_spellings_of_one_value_share_an_identity(kind: str, spellings: list[str]) -> None:
    assert len({KEY.of(kind, spelling) for spelling in spellings}) == 1, [normal_form(kind, each) for each in spellings]


def test_other_values_types_and_keys_have_other_identities() -> None:
    base = KEY.of("UK_NINO", "AB 12 34 56 C")
    assert len(base) == IDENTITY_BYTES
    assert base != KEY.of("UK_NINO", "AB 12 34 57 C")
    assert base != KEY.of("CASE_REFERENCE", "AB 12 34 56 C")
    assert base != FindingIdentity(b"l" * 32).of("UK_NINO", "AB 12 34 56 C")


@pytest.mark.parametrize("kind", ["PHONE_NUMBER", "IP_ADDRESS", "PERSON", "UK_NINO", "DATE_OF_BIRTH", "STREET_ADDRESS"])
@pytest.mark.parametrize("value", ["", "?", "\ud800", "1.2.3.4.5", "x" * 10_000])
def test_any_value_has_an_identity(kind: str, value: str) -> None:
    assert len(KEY.of(kind, value)) == IDENTITY_BYTES

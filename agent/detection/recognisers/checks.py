"""Check digits. Each takes the digits alone and says whether they agree; none of them makes a number certain."""

from __future__ import annotations


def nhs_agrees(digits: str) -> bool:
    """NHS number (Data Dictionary): ten digits, weights 10 to 2, modulus 11; the health numbers of Scotland (CHI) and
    Northern Ireland use the same check. One number in eleven agrees by chance."""
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    return sum(int(digit) * weight for digit, weight in zip(digits, range(10, 0, -1), strict=True)) % 11 == 0


def utr_agrees(digits: str) -> bool:
    """Unique Taxpayer Reference (HMRC): ten digits, the first is the check by modulus 11."""
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    weights = (6, 7, 8, 9, 10, 5, 4, 3, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits[1:], weights, strict=True))
    return "21987654321"[total % 11] == digits[0]


def vat_agrees(digits: str) -> bool:
    """VAT registration (HMRC): nine digits, weights 8 to 2, modulus 97, old or new style; three more are a branch."""
    if len(digits) not in (9, 12):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits[:7], range(8, 1, -1), strict=True))
    total += int(digits[7:9])
    return total % 97 == 0 or (total + 55) % 97 == 0


def luhn_agrees(digits: str) -> bool:
    """Luhn (ISO/IEC 7812), for payment cards. One number in ten agrees by chance."""
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    plain = [int(digit) for digit in digits[-1::-2]]
    return bool(digits) and (sum(plain) + sum(value - 9 if value > 9 else value for value in doubled)) % 10 == 0

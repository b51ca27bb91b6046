"""The kind of record that a text looks like."""

from __future__ import annotations

import numpy
import pytest

from agent.detection.kinds import BUCKETS, FILE, KINDS, LONGEST, KindSearch, features
from agent.model.record_kind import RecordKind

INVOICE = """INVOICE   No. 20417        Date 4 March
To: Harrow Vale Lettings
Qty  Description                 Unit     Net
3    Replacement door closers    41.00    123.00
VAT 20%                                    24.60
Total due                                 147.60
Payment within 30 days. Bank: sort code 20-11-43, account 12345678
"""
PAYSLIP = """PAYSLIP  Month 5   Employee: Janet Pryor   Tax code 1257L   NI table A
Basic pay 1,942.10   Overtime 88.00   PAYE tax 178.20   NI 112.44   Pension 97.10
Gross 2,030.10   Net pay 1,642.36   paid by BACS
"""
SUBJECT_ACCESS = """Dear Data Protection Officer,
Subject access request under Article 15 UK GDPR
Please send me a copy of all personal data that you hold about me, including emails which mention me by name.
You have one month to reply. I enclose a copy of my passport as proof of identity.
"""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (INVOICE, RecordKind.INVOICE),
        (PAYSLIP, RecordKind.PAYROLL),
        (SUBJECT_ACCESS, RecordKind.RIGHTS_REQUEST),
    ],
)
def test_a_plain_case_is_told(text: str, kind: RecordKind) -> None:
    told = KindSearch().kinds(text)
    assert told[0][0] == kind
    assert [confidence for _, confidence in told] == sorted((c for _, c in told), reverse=True)


@pytest.mark.parametrize("text", ["", "   \n", "\u200b", "qwx zzk vvq"])
def test_what_says_nothing_is_not_told(text: str) -> None:
    assert KindSearch().kinds(text) == []


def test_below_the_measured_confidence_nothing_is_told() -> None:
    with numpy.load(FILE, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    sure = float(KindSearch(arrays).confidences(INVOICE).max())
    assert KindSearch({**arrays, "threshold": numpy.asarray([sure - 0.01])}).kinds(INVOICE)
    assert KindSearch({**arrays, "threshold": numpy.asarray([sure + 0.01])}).kinds(INVOICE) == []


def test_only_the_beginning_is_read() -> None:
    beginning = (INVOICE * 60)[:LONGEST]
    search = KindSearch()
    assert search.kinds(beginning) == search.kinds(beginning + PAYSLIP * 100)


def test_confidences_are_shares_of_one() -> None:
    shares = KindSearch().confidences(PAYSLIP)
    assert len(shares) == len(KINDS)
    assert abs(float(shares.sum()) - 1) < 1e-6


def test_a_text_of_any_letters_has_features() -> None:
    for text in ("\ud800", "a", "ab", "İ" * 10_000, "\x00" * 10, "مرحبا"):
        buckets, values = features(text, numpy.ones(2 * BUCKETS))
        assert len(buckets) == len(values)

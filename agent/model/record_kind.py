"""The kinds of record that can be told by content, in the words of an office."""

from __future__ import annotations

from enum import StrEnum


class RecordKind(StrEnum):
    """What a document is, whoever it speaks of. `none` is no record about people that needs a schedule."""

    RECRUITMENT = "recruitment"
    PERSONNEL_FILE = "personnel-file"
    PAYROLL = "payroll"
    DISCIPLINARY = "disciplinary"
    CRIMINAL_RECORD_CHECK = "criminal-record-check"
    SICKNESS = "sickness"
    CASE_FILE = "case-file"
    CASE_REPORT = "case-report"
    CASE_CORRESPONDENCE = "case-correspondence"
    THIRD_PARTY_COMPLAINT = "third-party-complaint"
    RIGHTS_REQUEST = "rights-request"
    BREACH_RECORD = "breach-record"
    CLIENT_CONTRACT = "client-contract"
    CLIENT_RECORD = "client-record"
    INVOICE = "invoice"
    TRAINING = "training"
    ENQUIRY = "enquiry"
    MARKETING = "marketing"
    MEETING = "meeting"
    NONE = "none"

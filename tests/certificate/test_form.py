"""The bytes of a certificate: one way to write each, and none of them can be changed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit.checkpoint import VerifierKey
from agent.certificate import form
from agent.certificate.document import Certificate, Copy, CopyKind, LogEntry, Sanitisation
from agent.certificate.fields import NotACertificate
from agent.certificate.form import UnknownVersion, decode, encode, open_note, sign
from agent.certificate.verify import verify
from agent.model.disposal import Approval
from agent.model.schedule import Disposition, Officer
from tests.certificate import reference
from tests.certificate.destroyed import KEY, KEYS, a_batch, the_full_batch

GOLDEN = Path(__file__).with_name("golden") / "certificate.txt"
SIGNED = the_full_batch().issue()
SMALL = a_batch(1).issue()
LONG = "RETENTIOND_TEST_LONG" in os.environ
TEXTS = [key.text for key in KEYS]


def resigned(said: object) -> bytes:
    """Whatever JSON, signed by the right key."""
    text = said if isinstance(said, str) else json.dumps(said, sort_keys=True, separators=(",", ":")) + "\n"
    return f"{text}\n{KEY.sign(text)}".encode()


def refuses(data: bytes) -> bool:
    """Whether we and the reference both take it for no good certificate."""
    good = verify(data, KEYS).good
    try:
        reference.check(data, TEXTS)
    except Exception:  # noqa: BLE001 - the reference says no in whatever way
        return not good
    assert good
    return False


def test_the_certificate_is_the_golden_one(golden_update: bool) -> None:
    if golden_update:
        GOLDEN.write_bytes(SIGNED.data)
    assert SIGNED.data == GOLDEN.read_bytes(), "if this is meant: make golden, and read what changed"


def test_a_certificate_verifies_by_us_and_by_the_reference() -> None:
    assert verify(SIGNED.data, KEYS).good
    assert verify(SIGNED.data, KEYS).certificate == SIGNED
    assert [item["disposal"] for item in reference.check(SIGNED.data, TEXTS)["items"]] == [1, 2]


def test_the_first_line_is_json_and_all_of_it_is_ascii_but_the_dash_of_the_signature() -> None:
    first, empty, below = SIGNED.data.decode().split("\n", 2)
    assert json.loads(first)["organisation"] == "Example Training Ltd"
    assert empty == ""
    assert below.startswith("— records.example.org/audit/certificates ")
    assert first.isascii()


def test_no_byte_can_be_changed() -> None:
    """Every fifth, in its lowest bit; the next test goes over all places."""
    survived = []
    for place in range(0, len(SMALL.data), 5):
        changed = bytes([SMALL.data[place] ^ 1])
        if verify(SMALL.data[:place] + changed + SMALL.data[place + 1 :], KEYS).good:
            survived.append(place)
    assert survived == []


@pytest.mark.slow
def test_no_byte_can_be_changed_or_taken_out_or_put_in_and_nothing_cut_off() -> None:
    """At every place one of these, in turn; all of them where there is the time."""
    data = SMALL.data
    for place, byte in enumerate(data):
        before, after = data[:place], data[place + 1 :]
        attacks = [
            before + bytes([byte ^ (1 << place % 8)]) + after,
            before + after,
            before + bytes([byte, byte]) + after,
            before,
        ]
        for attack in attacks if LONG else [attacks[place % 4]]:
            assert not verify(attack, KEYS).good, place


def test_the_reference_finds_a_changed_byte_too() -> None:
    for place in range(0, len(SMALL.data), 19):
        assert refuses(SMALL.data[:place] + bytes([SMALL.data[place] ^ 1]) + SMALL.data[place + 1 :])


def _objects(said: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all objects in a JSON value, outermost first."""
    if isinstance(said, dict):
        yield path
    for key, inside in said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ():
        yield from _objects(inside, (*path, key))


def _at(said: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        said = said[key]
    return said


SAID = json.loads(SIGNED.text)
OBJECTS = list(_objects(SAID))


def test_no_field_can_be_taken_out_even_by_who_can_sign() -> None:
    """But for those that may be missing, where their absence means something else and makes another certificate."""
    may_be_missing = {"placement", "at", "doubts", "remains_until"}
    taken = 0
    for path in OBJECTS:
        for name in _at(SAID, path):
            said = json.loads(SIGNED.text)
            del _at(said, path)[name]
            if name not in may_be_missing or (name == "at" and "copies" not in path):
                assert not verify(resigned(said), KEYS).good, (path, name)
                taken += 1
            assert not verify(SIGNED.data.replace(SIGNED.text.encode(), resigned(said).split(b"\n")[0]), KEYS).good
    assert taken > 100


def test_no_field_can_be_added_even_by_who_can_sign() -> None:
    for path in OBJECTS:
        said = json.loads(SIGNED.text)
        _at(said, path)["note"] = "and more"
        told = verify(resigned(said), KEYS)
        assert "a field that a certificate does not have" in told.false[0], path


@pytest.mark.parametrize(
    "value", [None, True, 1.5, -1, 2**63, [], {}, "", "a\x1b[2J", "\ud800", "a\u202eb", ["x"], [1]]
)
def test_no_field_takes_a_value_of_another_kind(value: object) -> None:
    """Whoever can sign may sign other facts, but nothing that is no fact at all."""
    free = {"rule", "clock", "class_id", "class_title", "size_bytes"}
    for path in OBJECTS:
        for name, now in _at(SAID, path).items():
            if type(now) is type(value) and (value in ([], ["x"]) or name in free):
                continue
            said = json.loads(SIGNED.text)
            _at(said, path)[name] = value
            assert not verify(resigned(said), KEYS).good, (path, name, value)


def _spellings() -> Iterator[str]:
    text = SIGNED.text
    yield text.replace('{"act":', '{ "act":')
    yield text.replace(":", ": ")
    yield text.replace('"by":"ann"', '"by":"bob","by":"ann"')
    yield text.replace('"by":"ann"', '"by":"\\u0061nn"')
    yield text.replace('"batch":"7",', "").replace('"version":1', '"version":1,"batch":"7"')
    yield text.replace("T09:00:00.000000Z", "T09:00:00.000000+00:00")
    yield text.replace("T09:00:00.000000Z", "T10:00:00.000000+01:00")
    yield text.replace("T09:00:00.000000Z", "T09:00:00Z")
    yield text.replace('"size_bytes":48213', '"size_bytes":48213.0')
    yield text.replace('"size_bytes":48213', '"size_bytes":4.8213e4')
    yield text.replace('"doubts":["open_unknown"', '"doubts":[],"doubts":["open_unknown"')
    yield text.replace('"due_on":"2026-09-30"', '"due_on":"20260930"')
    yield text.replace('"due_on":"2026-09-30"', '"due_on":"2026-02-30"')
    yield text.replace('"category":"clear_attempted"', '"category":"clear_attempted","doubts":[]')
    yield text.replace('"outcome":"destroy"', '"outcome":"burn"')
    yield text.replace('"issued_at":"2026-11-24T09', '"issued_at":"2026-11-24T25')
    yield f"[{text.strip()}]\n"
    yield text.strip() + "1\n"
    yield "7\n"
    yield "[" * 100_000 + "\n"
    yield '{"version":' + "9" * 5000 + "}\n"


@pytest.mark.parametrize("text", list(_spellings()), ids=lambda text: str(len(text)))
def test_there_is_one_spelling_only(text: str) -> None:
    assert text != SIGNED.text
    with pytest.raises(NotACertificate):
        decode(text)
    assert refuses(resigned(text))


def test_items_cannot_be_taken_out_doubled_or_put_in_another_order() -> None:
    line = SIGNED.text.encode()
    for items in (SAID["items"][:1], SAID["items"][::-1], SAID["items"] + SAID["items"][:1], []):
        text = resigned({**SAID, "items": items}).split(b"\n")[0] + b"\n"
        assert refuses(SIGNED.data.replace(line, text))


def test_another_version_is_told_as_such() -> None:
    with pytest.raises(UnknownVersion):
        decode(SIGNED.text.replace('"version":1}', '"version":3}'))


NOTES: list[Callable[[bytes], bytes]] = [
    lambda data: b"",
    lambda data: data[:-1],
    lambda data: data + b"\n",
    lambda data: data.replace(b"\n\n", b"\n"),
    lambda data: data.replace(b"\n\n", b"\n\n\n"),
    lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: b"\xef\xbb\xbf" + data,
    lambda data: data + data.split(b"\n\n")[1],
    lambda data: data.replace("— ".encode(), b"- "),
    lambda data: data.replace(b"audit/certificates ", b"audit/certificates  "),
    lambda data: data.replace(b"audit/certificates ", b"audit\x1b[2J/certificates "),
    lambda data: data.replace(b"audit/certificates ", b"audit\xff/certificates "),
    lambda data: data.replace(b"audit/certificates ", b"audit+/certificates "),
    lambda data: data[:-2] + b"==\n",
    lambda data: data[:-3] + b"=\n",
    lambda data: data[:-3] + bytes([data[-3] + 1]) + data[-2:],
]


@pytest.mark.parametrize("change", NOTES, ids=range(len(NOTES)))
def test_only_one_line_with_one_signature_below_is_a_certificate(change: Callable[[bytes], bytes]) -> None:
    assert refuses(change(SIGNED.data))
    with pytest.raises(NotACertificate):
        open_note(change(SIGNED.data))


def test_a_file_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form, "LARGEST_BYTES", len(SIGNED.data) - 1)
    with pytest.raises(NotACertificate, match="larger"):
        open_note(SIGNED.data)


def test_two_keys_of_one_name_and_key_id_must_both_have_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four bytes of a hash can be made to agree; whoever does that must not win by it."""
    monkeypatch.setattr(VerifierKey, "key_id", property(lambda key: b"same"))
    twin = VerifierKey(KEY.name, bytes(32))
    text, signature = open_note(sign(SIGNED.certificate, KEY).data)
    assert form.signed_by(text, signature, [KEY.verifier]) == "by_us"
    assert form.signed_by(text, signature, [KEY.verifier, twin]) == "falsely"


texts = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda text: not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
hashes = st.binary(min_size=32, max_size=32)
moments = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=timezone(timedelta(hours=naive.hour % 5)))
)
wholes = st.integers(0, 2**63 - 1)
copies = st.builds(
    Copy,
    kind=st.sampled_from(CopyKind),
    method=st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True),
    category=st.sampled_from(Sanitisation),
    at=st.none() | moments,
    doubts=st.lists(texts, max_size=2).map(tuple),
    remains_until=st.none() | st.dates(),
)
approvals = st.builds(Approval, act=wholes, by=texts, stage=texts, at=moments)
certificates = st.builds(
    lambda limits, officers, words, whole, moment, hashed, approved, copied, day, outcome: Certificate(
        replace(SIGNED.certificate.heading, limits=tuple(limits), officers=tuple(officers), issued_at=moment),
        words,
        (
            replace(
                SIGNED.certificate.items[0],
                disposal=whole,
                pseudonym=hashed,
                outcome=outcome,
                account=replace(
                    SIGNED.certificate.items[1].account, approvals=tuple(approved), due_on=day, clock=words
                ),
                erased_at=moment,
                copies=tuple(copied),
                evidence=replace(
                    SIGNED.certificate.items[0].evidence, erased=LogEntry(whole, words.encode(), (hashed,) * 2)
                ),
            ),
        ),
    ),
    st.lists(texts, max_size=2),
    st.lists(st.builds(Officer, texts, texts, texts), max_size=2),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1),
    wholes,
    moments,
    hashes,
    st.lists(approvals, max_size=2),
    st.lists(copies, max_size=2),
    st.dates(),
    st.sampled_from(Disposition),
)


@given(certificates)
def test_what_is_written_is_read_again(certificate: Certificate) -> None:
    text = encode(certificate)
    assert decode(text) == certificate
    assert text.isascii()
    assert text.count("\n") == 1
    assert encode(decode(text)) == text


def test_moments_are_written_in_utc_and_days_as_they_are() -> None:
    at = datetime(2026, 6, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    heading = replace(SIGNED.certificate.heading, issued_at=at)
    text = encode(replace(SIGNED.certificate, heading=heading))
    assert '"issued_at":"2026-05-31T23:30:00.000000Z"' in text
    assert decode(text).heading.issued_at == datetime(2026, 5, 31, 23, 30, tzinfo=UTC)
    assert decode(text).items[0].account.due_on == date(2026, 9, 30)


def test_a_fault_is_told_by_its_place_and_never_by_its_value() -> None:
    with pytest.raises(NotACertificate) as told:
        decode(SIGNED.text.replace('"by":"ann"', '"by":"an\\u0007n"'))
    assert str(told.value) == "items 1 account approvals 1 by has characters that cannot be shown"

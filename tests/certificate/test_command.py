"""`retentiond certificate`, as a user runs it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from agent.certificate.form import sign
from agent.certificate.html import write_html
from tests.certificate.destroyed import KEY, KEYS, LOG_KEY, Made, a_disposed, the_full_batch
from tests.conftest import Command

SIGNED = the_full_batch().issue()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "certificate.txt"
    path.write_bytes(SIGNED.data)
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.txt"
    path.write_text("".join(f"{key.text}\n\n" for key in KEYS))
    return path


def test_a_good_certificate_is_told_with_what_it_says(retentiond: Command, certificate: Path, keys: Path) -> None:
    done = retentiond("certificate", "verify", certificate, "--key", keys)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Certificate 0123456789abcdef0123456789abcdef is genuine and whole, and the log proves it: 2 items destroyed, "
        "issued 24 Nov 2026, 09:05 UTC by Example Training Ltd.\n"
    )
    told = json.loads(retentiond("certificate", "verify", certificate, "--key", keys, "--json").stdout)
    assert told == {
        "good": True,
        "id": "0123456789abcdef" * 2,
        "items": 2,
        "sha256": SIGNED.sha256.hex(),
        "false": [],
        "unverifiable": [],
    }


def test_keys_may_be_given_as_they_are_published(retentiond: Command, certificate: Path) -> None:
    given = [part for key in KEYS for part in ("--key", key.text)]
    assert retentiond("certificate", "verify", certificate, *given).returncode == 0


def test_a_changed_certificate_ends_with_exit_code_8(retentiond: Command, certificate: Path, keys: Path) -> None:
    certificate.write_bytes(SIGNED.data.replace(b'"by":"ann"', b'"by":"eve"'))
    done = retentiond("certificate", "verify", certificate, "--key", keys)
    assert done.returncode == 8
    assert done.stdout.startswith("FALSE: Its signature is false")
    assert "genuine" not in done.stdout
    assert not json.loads(retentiond("certificate", "verify", certificate, "--key", keys, "--json").stdout)["good"]


def test_what_cannot_be_checked_ends_with_exit_code_11(
    retentiond: Command, certificate: Path, keys: Path, tmp_path: Path
) -> None:
    done = retentiond("certificate", "verify", certificate, "--key", LOG_KEY.verifier.text)
    assert done.returncode == 11
    assert done.stdout.startswith("NOT CHECKED: It is signed by records.example.org/audit/certificates")
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear auditor")
    done = retentiond("certificate", "verify", letter, "--key", keys, "--json")
    assert done.returncode == 11
    assert json.loads(done.stdout)["id"] is None
    endless = retentiond("certificate", "verify", "/dev/zero", "--key", keys)
    assert (endless.returncode, "larger than any certificate" in endless.stdout) == (11, True)


def test_many_findings_are_counted(retentiond: Command, tmp_path: Path, keys: Path) -> None:
    many = Made([a_disposed(number) for number in range(1, 13)], vault_keys=the_full_batch().vault_keys).issue()
    forged = sign(
        type(many.certificate)(many.certificate.heading, SIGNED.certificate.checkpoint, many.certificate.items), KEY
    )
    path = tmp_path / "forged.txt"
    path.write_bytes(forged.data)
    done = retentiond("certificate", "verify", path, "--key", keys)
    assert done.returncode == 8
    assert done.stdout.splitlines()[-1] == "and 16 more"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("nothing", "there is no file nothing, and as a key it cannot be read"),
        ("x" * 5_000, "and as a key it cannot be read"),
        ("/", "the keys cannot be read (Is a directory)"),
    ],
)
def test_what_is_no_key_is_told(retentiond: Command, certificate: Path, key: str, said: str) -> None:
    done = retentiond("certificate", "verify", certificate, "--key", key)
    assert (done.returncode, said in done.stderr) == (2, True)


def test_a_file_without_keys_in_it_is_told_by_its_name(retentiond: Command, certificate: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("no key at all\n")
    done = retentiond("certificate", "verify", certificate, "--key", wrong)
    assert (done.returncode, f"{wrong}: This is not an Ed25519 verifier key" in done.stderr) == (2, True)
    missing = retentiond("certificate", "verify", tmp_path / "not there", "--key", KEYS[0].text)
    assert (missing.returncode, "the certificate cannot be read" in missing.stderr) == (2, True)


def test_a_certificate_is_shown_as_text_and_as_a_page(retentiond: Command, certificate: Path, tmp_path: Path) -> None:
    shown = retentiond("certificate", "show", certificate)
    assert shown.returncode == 0
    assert "Unsuccessful applicants, 48.2 kB on office, due since 30 Sep 2026" in shown.stdout
    assert "patients, 96.4 kB on clients <north>" in shown.stdout
    assert "approved by ann and ben" in shown.stdout
    assert "May remain: What the drive keeps" in shown.stdout
    assert shown.stdout.endswith("Not checked. Run: retentiond certificate verify FILE --key KEYS\n")
    page = tmp_path / "page.html"
    written = retentiond("certificate", "show", certificate, "--html", page)
    assert (written.returncode, written.stdout) == (0, f"Written: {page}\n")
    expected = io.StringIO()
    write_html(SIGNED, expected)
    assert page.read_text(encoding="utf-8") == expected.getvalue()
    assert page.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["certificate.txt", "page.html"]


def test_a_certificate_that_contradicts_itself_is_not_shown(
    retentiond: Command, certificate: Path, tmp_path: Path
) -> None:
    text = SIGNED.text.replace('"disposal":1,', '"disposal":9,')
    certificate.write_text(f"{text}\n{KEY.sign(text)}", encoding="utf-8")
    done = retentiond("certificate", "show", certificate, "--html", tmp_path / "page.html")
    assert done.returncode == 8
    assert "FALSE: Disposal 9" in done.stdout
    assert not (tmp_path / "page.html").exists()
    certificate.write_text("Dear auditor")
    assert retentiond("certificate", "show", certificate).returncode == 11


def test_a_page_that_cannot_be_written_is_told(retentiond: Command, certificate: Path, tmp_path: Path) -> None:
    done = retentiond("certificate", "show", certificate, "--html", tmp_path / "no" / "page.html")
    assert (done.returncode, "cannot be written (No such file or directory)" in done.stderr) == (2, True)


@pytest.mark.slow
def test_a_pdf_is_written_or_it_is_said_what_it_needs(retentiond: Command, certificate: Path, tmp_path: Path) -> None:
    done = retentiond("certificate", "show", certificate, "--pdf", tmp_path / "page.pdf")
    if done.returncode == 0:
        assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF-")
    else:
        assert (done.returncode, "A PDF needs" in done.stderr) == (2, True)
        assert not (tmp_path / "page.pdf").exists()

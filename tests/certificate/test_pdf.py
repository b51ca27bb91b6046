"""The PDF, where WeasyPrint and its libraries are there; and what is said where they are not."""

from __future__ import annotations

import io
import re
import sys
import warnings
import zlib
from typing import TextIO

import pypdfium2
import pytest

from agent.certificate.form import SignedCertificate
from agent.certificate.pdf import write_pdf
from agent.errors import UsageError
from tests.certificate.destroyed import the_full_batch

# It leaves a file of its own open, and warns of a library that it can still do without.
of_weasyprint = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:HarfBuzz-Subset:DeprecationWarning"
)
SIGNED = the_full_batch().issue()


def _weasyprint() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that it can still do without
        try:
            import weasyprint
        except (ImportError, OSError):
            return False
    return bool(weasyprint.__version__)


needs_weasyprint = pytest.mark.skipif(
    not _weasyprint(), reason="needs the extra pdf, and Debian's libpangoft2-1.0-0 with a font"
)


@pytest.mark.slow
@needs_weasyprint
@of_weasyprint
def test_the_pdf_says_what_the_page_says_and_carries_the_certificate() -> None:
    stream = io.BytesIO()
    write_pdf(SIGNED, stream)
    document = pypdfium2.PdfDocument(stream.getvalue())
    try:
        said = " ".join("".join(page.get_textpage().get_text_range() for page in document).split())
        assert "Certificate of destruction" in said
        assert "Example Training Ltd" in said
        assert "Unsuccessful applicants" in said
        assert f"Page 1 of {len(document)}" in said
        assert document.get_metadata_value("Title") == f"Certificate of destruction {'0123456789abcdef' * 2}"
        assert document.count_attachments() == 1
        attached = document.get_attachment(0)
        assert attached.get_name() == f"certificate-{'0123456789abcdef' * 2}.txt"
        assert bytes(attached.get_data()) == SIGNED.data
        width, height = document[0].get_size()
        assert (round(width), round(height)) == (595, 842)
        assert document.is_tagged()
        streams = re.findall(rb"/FlateDecode[^>]*>>\nstream\n(.*?)\nendstream", stream.getvalue(), re.DOTALL)
        assert any(b'pdfaid:part="3"' in zlib.decompress(one) for one in streams)
    finally:
        document.close()


@pytest.mark.slow
@needs_weasyprint
@of_weasyprint
@pytest.mark.parametrize("url", ["https://192.0.2.1/mark.png", "file:///etc/hostname", "data:image/png;base64,AAAA"])
def test_a_page_that_asks_for_something_outside_makes_no_pdf(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    from weasyprint.urls import FatalURLFetchingError

    def write_html(one: SignedCertificate, stream: TextIO) -> None:
        stream.write(f'<img src="{url}">')

    monkeypatch.setattr("agent.certificate.pdf.write_html", write_html)
    with pytest.raises(FatalURLFetchingError):
        write_pdf(SIGNED, io.BytesIO())


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(UsageError, match=r"pip install 'retentiond\[pdf\]'"):
        write_pdf(SIGNED, io.BytesIO())


def test_without_its_libraries_it_is_said_which(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        def __getattr__(self, name: str) -> object:
            raise OSError("cannot load library 'libgobject-2.0-0'")

    monkeypatch.setitem(sys.modules, "weasyprint", Missing())
    with pytest.raises(UsageError, match=r"libpangoft2-1\.0-0"):
        write_pdf(SIGNED, io.BytesIO())

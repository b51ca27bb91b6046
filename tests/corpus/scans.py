"""Pictures of typed pages, as a scanner makes them: without any text but what can be seen."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import pypdfium2

from tests.corpus import formats

_DOTS_AN_INCH = 150


def page(paragraphs: Sequence[str]) -> tuple[int, int, bytes]:
    """Width, height and grey pixels of the first page on which the paragraphs are printed."""
    document = pypdfium2.PdfDocument(formats.pdf(paragraphs))
    bitmap = document[0].render(scale=_DOTS_AN_INCH / 72, grayscale=True)
    rows = bytes(bitmap.buffer)
    pixels = b"".join(rows[row * bitmap.stride :][: bitmap.width] for row in range(bitmap.height))
    return bitmap.width, bitmap.height, pixels


def photograph(paragraphs: Sequence[str]) -> bytes:
    """The page as a PNG."""
    return formats.png(*page(paragraphs))


def scanned_pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF whose pages are pictures and nothing else."""
    kids = " ".join(f"{3 + 3 * number} 0 R" for number in range(len(pages)))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode()]
    for number, paragraphs in enumerate(pages):
        width, height, pixels = page(paragraphs)
        packed = zlib.compress(pixels)
        shown = b"595 0 0 842 0 0 cm /Im Do"
        first = 3 + 3 * number
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /XObject << /Im %d 0 R >> >> "
            b"/Contents %d 0 R >>" % (first + 1, first + 2),
            b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 "
            b"/Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (width, height, len(packed), packed),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        ]
    return formats.pdf_file(objects)

"""A certificate as a PDF for the archive: PDF/A-3a, tagged, with the certificate itself inside as an attachment.

WeasyPrint lays it out; it comes with the extra `retentiond[pdf]`, and is loaded only when a PDF is asked for.
"""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO

from agent.certificate.form import SignedCertificate
from agent.certificate.html import write_html
from agent.errors import UsageError


def write_pdf(one: SignedCertificate, stream: BinaryIO) -> None:
    """Writes the certificate as a PDF. It is not checked: that is for `verify`.

    Raises `UsageError` if WeasyPrint, or a library of the system that it needs, is not installed.
    """
    try:
        from weasyprint import HTML, Attachment
        from weasyprint.urls import URLFetcher
    except ImportError:
        raise UsageError("A PDF needs the extra: pip install 'retentiond[pdf]'. The HTML page needs nothing.") from None
    except OSError:
        raise UsageError(
            "A PDF needs libraries that the system lacks. On Debian: sudo apt-get install libpangoft2-1.0-0 "
            "libharfbuzz-subset0 fonts-dejavu-core. The HTML page needs nothing."
        ) from None
    page = io.StringIO()
    write_html(one, page)
    heading = one.certificate.heading
    attached = Attachment(
        file_obj=io.BytesIO(one.data),
        name=f"certificate-{heading.id}.txt",
        description="The certificate itself, signed",
        created=heading.issued_at,
        modified=heading.issued_at,
        relationship="Source",
    )
    nothing = URLFetcher(
        allowed_protocols=(), fail_on_errors=True
    )  # the page is whole; whatever it asks for is a fault
    HTML(string=page.getvalue(), url_fetcher=nothing).write_pdf(
        stream, attachments=[attached], pdf_identifier=hashlib.sha256(one.data).digest(), pdf_variant="pdf/a-3a"
    )

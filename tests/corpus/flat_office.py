"""Flat OpenDocument files with a value in every place that LibreOffice can write: the sources of `libreoffice/`.

`python -m tests.corpus.flat_office` has LibreOffice write them in every format it knows; that is done by hand when
this file changes, and the results are kept, since LibreOffice is not needed to run the tests.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent / "libreoffice"
TARGETS = {
    "letter": ("odt", "docx", "doc", "rtf", "pdf", "html", "epub"),
    "sheet": ("ods", "xlsx", "xls", "pdf", "html"),
    "talk": ("odp", "pptx", "ppt", "pdf"),
}

_SPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office", "text": "text", "table": "table", "style": "style", "draw": "drawing", "meta": "meta",
        "number": "datastyle", "form": "form", "presentation": "presentation", "script": "script",
        "svg": "svg-compatible", "fo": "xsl-fo-compatible",
    }.items()
)  # fmt: skip
_SPACES += (
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:xforms="http://www.w3.org/2002/xforms" xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"'
)
_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_META = """<office:meta><meta:initial-creator>Qcreator</meta:initial-creator><dc:creator>Qlastauthor</dc:creator>
<dc:title>Qtitle</dc:title><dc:subject>Qsubject</dc:subject><dc:description>Qdescription</dc:description>
<meta:keyword>Qkeyword</meta:keyword><meta:user-defined meta:name="Client">Qcustomproperty</meta:user-defined>
</office:meta>"""


def _document(kind: str, styles: str, body: str) -> str:
    mimetype = {"text": "text", "spreadsheet": "spreadsheet", "presentation": "presentation"}[kind]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document {_SPACES} office:version="1.3" '
        f'office:mimetype="application/vnd.oasis.opendocument.{mimetype}">{_META}{styles}'
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document>"
    )


def letter() -> str:
    """A text with notes, comment, tracked deletion, text box, alt text, link, table, field and hidden text."""
    styles = """<office:automatic-styles>
<style:page-layout style:name="pm1"><style:page-layout-properties fo:page-width="21cm" fo:page-height="29.7cm"/>
<style:header-style><style:header-footer-properties fo:min-height="1cm"/></style:header-style>
<style:footer-style><style:header-footer-properties fo:min-height="1cm"/></style:footer-style></style:page-layout>
<style:style style:name="hid" style:family="text"><style:text-properties text:display="none"/></style:style>
<style:style style:name="fr1" style:family="graphic"><style:graphic-properties style:wrap="none"/></style:style>
</office:automatic-styles>
<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="pm1">
<style:header><text:p>Qpageheader</text:p></style:header><style:footer><text:p>Qpagefooter</text:p></style:footer>
</style:master-page></office:master-styles>"""
    body = f"""<text:tracked-changes><text:changed-region text:id="ct1"><text:deletion>
<office:change-info><dc:creator>Qdeletedby</dc:creator><dc:date>2024-01-05T10:00:00</dc:date></office:change-info>
<text:p>Qdeleted</text:p></text:deletion></text:changed-region></text:tracked-changes>
<text:user-field-decls><text:user-field-decl office:value-type="string" office:string-value="Qfield"
 text:name="reference"/></text:user-field-decls>
<text:h text:outline-level="1">Qheading</text:h>
<text:p>Qbody<text:change text:change-id="ct1"/> and Qsplit<text:span>ted</text:span> word</text:p>
<text:p>Note<text:note text:id="n1" text:note-class="footnote"><text:note-citation>1</text:note-citation>
<text:note-body><text:p>Qfootnote</text:p></text:note-body></text:note> and
<text:note text:id="n2" text:note-class="endnote"><text:note-citation>i</text:note-citation>
<text:note-body><text:p>Qendnote</text:p></text:note-body></text:note></text:p>
<text:p>Comment<office:annotation office:name="c1"><dc:creator>Qcommentauthor</dc:creator>
<dc:date>2024-01-05T10:00:00</dc:date><text:p>Qcomment</text:p></office:annotation> here</text:p>
<text:p><text:a xlink:type="simple" xlink:href="mailto:qlink@example.org">mail</text:a>
 <text:user-field-get text:name="reference">Qfield</text:user-field-get>
 <text:span text:style-name="hid">Qhidden</text:span></text:p>
<text:p><draw:frame draw:name="f1" text:anchor-type="paragraph" svg:width="5cm" svg:height="2cm">
<draw:text-box><text:p>Qtextbox</text:p></draw:text-box></draw:frame></text:p>
<text:p><draw:frame draw:name="p1" text:anchor-type="as-char" svg:width="1cm" svg:height="1cm"><draw:image>
<office:binary-data>{_PICTURE}</office:binary-data></draw:image><svg:title>Qalttitle</svg:title>
<svg:desc>Qalttext</svg:desc></draw:frame></text:p>
<table:table table:name="t1"><table:table-column table:number-columns-repeated="2"/>
<table:table-row><table:table-cell><text:p>Name</text:p></table:table-cell><table:table-cell><text:p>Reference</text:p>
</table:table-cell></table:table-row><table:table-row><table:table-cell><text:p>Qcellone</text:p></table:table-cell>
<table:table-cell><text:p>Qcelltwo</text:p></table:table-cell></table:table-row></table:table>
<text:list><text:list-item><text:p>Qbullet</text:p></text:list-item></text:list>
<text:p>Zo\u00eb Qu\u00e9bec \u0141\u00f3d\u017a \u0645\u0631\u064a\u0645 \u674e</text:p>"""
    return _document("text", styles, body)


def sheet() -> str:
    """A workbook with a date, a comment, a hidden sheet and column, a defined name and a link."""
    styles = """<office:automatic-styles>
<number:date-style style:name="N1"><number:day number:style="long"/><number:text>/</number:text><number:month
 number:style="long"/><number:text>/</number:text><number:year number:style="long"/></number:date-style>
<style:style style:name="day" style:family="table-cell" style:data-style-name="N1"/>
<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>
<style:page-layout style:name="pm1"><style:header-style><style:header-footer-properties fo:min-height="1cm"/>
</style:header-style><style:footer-style><style:header-footer-properties fo:min-height="1cm"/></style:footer-style>
</style:page-layout></office:automatic-styles>
<office:master-styles><style:master-page style:name="Default" style:page-layout-name="pm1">
<style:header><text:p>Qpageheader</text:p></style:header><style:footer><text:p>Qpagefooter</text:p></style:footer>
</style:master-page></office:master-styles>"""
    body = """<table:table table:name="Staff"><table:table-column table:number-columns-repeated="2"/>
<table:table-column table:visibility="collapse"/><table:table-column table:number-columns-repeated="2"/>
<table:table-row>
<table:table-cell office:value-type="string"><text:p>Name</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>Date of birth</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>Remark</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>Contact</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>Greeting</text:p></table:table-cell></table:table-row>
<table:table-row>
<table:table-cell office:value-type="string"><office:annotation><dc:creator>Qcommentauthor</dc:creator>
<text:p>Qcomment</text:p></office:annotation><text:p>Qcell</text:p></table:table-cell>
<table:table-cell table:style-name="day" office:value-type="date" office:date-value="1984-03-17">
<text:p>17/03/1984</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>Qhiddencolumn</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>
<text:a xlink:type="simple" xlink:href="mailto:qlink@example.org">mail</text:a></text:p>
</table:table-cell>
<table:table-cell table:formula="of:=&quot;Qformula&quot;&amp;[.A2]" office:value-type="string"
 office:string-value="QformulaQcell"><text:p>QformulaQcell</text:p></table:table-cell></table:table-row>
</table:table>
<table:table table:name="Qsheetname" table:style-name="ta2"><table:table-column/>
<table:table-row><table:table-cell office:value-type="string"><text:p>Qhiddensheet</text:p></table:table-cell>
</table:table-row></table:table>
<table:named-expressions><table:named-range table:name="Qdefinedname"
 table:base-cell-address="$Staff.$A$1" table:cell-range-address="$Staff.$A$2"/></table:named-expressions>"""
    return _document("spreadsheet", styles, body)


def talk() -> str:
    """A presentation with notes, a comment, alt text, a table and a hidden slide."""
    styles = """<office:automatic-styles>
<style:page-layout style:name="pm1"><style:page-layout-properties fo:page-width="28cm" fo:page-height="21cm"/>
</style:page-layout>
<style:style style:name="dp2" style:family="drawing-page"><style:drawing-page-properties
 presentation:visibility="hidden"/></style:style>
</office:automatic-styles>
<office:master-styles><style:master-page style:name="Default" style:page-layout-name="pm1">
<draw:frame svg:x="1cm" svg:y="19cm" svg:width="9cm" svg:height="1cm"><draw:text-box>
<text:p>Qmaster</text:p></draw:text-box>
</draw:frame></style:master-page></office:master-styles>"""
    body = f"""<draw:page draw:name="one" draw:master-page-name="Default">
<draw:frame svg:x="1cm" svg:y="1cm" svg:width="9cm" svg:height="2cm"><draw:text-box><text:p>Qslide</text:p>
</draw:text-box></draw:frame>
<draw:frame svg:x="1cm" svg:y="9cm" svg:width="1cm" svg:height="1cm"><draw:image><office:binary-data>{_PICTURE}
</office:binary-data></draw:image><svg:title>Qalttitle</svg:title><svg:desc>Qalttext</svg:desc></draw:frame>
<draw:frame svg:x="1cm" svg:y="5cm" svg:width="9cm" svg:height="2cm"><draw:text-box><text:p>
<text:a xlink:type="simple" xlink:href="mailto:qlink@example.org">mail</text:a></text:p></draw:text-box></draw:frame>
<office:annotation svg:x="1cm" svg:y="1cm"><dc:creator>Qcommentauthor</dc:creator><dc:date>2024-01-05T10:00:00</dc:date>
<text:p>Qcomment</text:p></office:annotation>
<presentation:notes><draw:frame presentation:class="notes" svg:x="1cm" svg:y="12cm" svg:width="9cm" svg:height="5cm">
<draw:text-box><text:p>Qnotes</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>
<draw:page draw:name="two" draw:style-name="dp2" draw:master-page-name="Default">
<draw:frame svg:x="1cm" svg:y="1cm" svg:width="9cm" svg:height="2cm"><draw:text-box><text:p>Qhiddenslide</text:p>
</draw:text-box></draw:frame></draw:page>"""
    return _document("presentation", styles, body)


def main() -> int:
    """Has LibreOffice write every source in every format."""
    FOLDER.mkdir(exist_ok=True)
    for name, source, ending in (("letter", letter, "fodt"), ("sheet", sheet, "fods"), ("talk", talk, "fodp")):
        with tempfile.TemporaryDirectory() as folder:
            flat = Path(folder) / f"{name}.{ending}"
            flat.write_text(source(), encoding="utf-8")
            for target in TARGETS[name]:
                subprocess.run(
                    [
                        *("soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless"),
                        *("--convert-to", target, "--outdir", str(FOLDER), str(flat)),
                    ],
                    check=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())

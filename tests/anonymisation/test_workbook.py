"""Workbooks: cells of every kind, and the names that formulas go by."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.anonymisation.base import CannotAnonymise
from tests.anonymisation.desk import JANE, PACKAGE, PHONE, RELATIONS, SHEET, Words, book, package, part, run, unzipped

PERSON = "&lt;PERSON&gt;"
SHEET1 = "xl/worksheets/sheet1.xml"


def rows(content: bytes) -> str:
    """What stands in the sheet's rows."""
    return part(content, SHEET1).partition("<sheetData>")[2].partition("</sheetData>")[0]


def strings(*texts: str) -> str:
    """The part of shared texts, each of which is markup."""
    return f"<sst {SHEET}>{''.join(f'<si>{text}</si>' for text in texts)}</sst>"


def test_a_shared_text_goes_for_all_cells_and_is_read_behind_its_heading() -> None:
    shared = strings("<t>Name</t>", "<t>Phone</t>", "<t>Jane Doe</t>", "<r><t>07700</t></r><r><t>900123</t></r>")
    cells = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>' + "".join(
        f'<row r="{row}"><c r="A{row}" t="s"><v>2</v></c><c r="B{row}" t="s"><v>3</v></c></row>' for row in (2, 3)
    )
    find = Words()

    result, done = run(book(cells, xl__sharedStrings_xml=shared), "xlsx", find)

    assert rows(result) == cells
    assert part(result, "xl/sharedStrings.xml") == strings(
        "<t>Name</t>", "<t>Phone</t>", f"<t>{PERSON}</t>", "<r><t>&lt;PHONE_NUMBER&gt;</t></r><r><t></t></r>"
    )
    assert f"Name\tPhone\t\nName: {JANE}\tPhone: {PHONE}\t\nName: {JANE}\tPhone: {PHONE}\t\n" in find.seen
    assert done.replaced == {"PERSON": 1, "PHONE_NUMBER": 1}


def test_texts_that_no_cell_uses_and_how_they_are_spoken_are_cleaned() -> None:
    shared = strings(
        "<t>x</t>", "<t>Jane Doe </t>", '<t xml:space="preserve">Jane Doe</t><rPh sb="0" eb="1"><t>Jane Doe</t></rPh>'
    )
    cells = '<row><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>9</v></c><c r="C1" t="s"><v>?</v></c></row>'

    result, done = run(book(cells, xl__sharedStrings_xml=shared), "xlsx")

    assert part(result, "xl/sharedStrings.xml") == shared.replace(
        "<t>Jane Doe </t>", f'<t xml:space="preserve">{PERSON} </t>'
    ).replace(JANE, PERSON)
    assert done.replaced == {"PERSON": 3}


def test_a_number_that_goes_makes_its_cell_a_text() -> None:
    cells = (
        '<row r="1"><c r="A1" s="0"><v>7700900123</v></c><c r="B1" t="n" s="0"><v>7.700900123E9</v></c>'
        '<c r="C1"><f>A1+0</f><v>7700900123</v></c><c r="D1"><v>42.50</v></c><c r="E1"><v>1E+99</v></c></row>'
    )

    result, done = run(book(cells), "xlsx", Words({"7700900123": "PHONE_NUMBER"}))

    label = "&lt;PHONE_NUMBER&gt;"
    assert rows(result) == (
        f'<row r="1"><c r="A1" s="0" t="str"><v>{label}</v></c><c r="B1" t="str" s="0"><v>{label}</v></c>'
        f'<c r="C1" t="str"><v>{label}</v></c><c r="D1"><v>42.50</v></c><c r="E1"><v>1E+99</v></c></row>'
    )
    assert done.replaced == {"PHONE_NUMBER": 3}


STYLES = (
    f'<styleSheet {SHEET}><numFmts><numFmt numFmtId="164" formatCode="dd&quot;.&quot;mm.yyyy"/>'
    '<numFmt numFmtId="165" formatCode="0.00&quot;d&quot;"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>'
)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ('s="1"><v>29282</v>', "1980-03-02"),
        ('s="2"><v>29282.5</v>', "1980-03-02 12:00"),
        ('s="3"><v>29282</v>', "29282"),
        ('s="0"><v>29282</v>', "29282"),
        ('s="9"><v>29282</v>', "29282"),
        ('s="1"><v>1E+99</v>', "1E+99"),
        ('s="1"><v>soon</v>', "soon"),
        ('t="d"><v>1980-03-02</v>', "1980-03-02"),
        ('t="str"><f>x</f><v>caf&#233;</v>', "café"),
        ('t="inlineStr"><is><r><t>1980-</t></r><r><t>03_x002D_02</t></r></is>', "1980-03-02"),
    ],
)
def test_cells_are_read_as_they_are_shown(cell: str, shown: str) -> None:
    find = Words()

    run(book(f'<row><c r="A1" {cell}</c></row>', xl__styles_xml=STYLES), "xlsx", find)

    assert f"{shown}\t\n" in find.seen


def test_a_date_that_goes_makes_its_cell_a_text() -> None:
    cells = '<row><c r="A1" s="1"><v>29282</v></c></row>'
    find = Words({"1980-03-02": "DATE_OF_BIRTH"})

    assert rows(run(book(cells, xl__styles_xml=STYLES), "xlsx", find)[0]) == (
        '<row><c r="A1" s="1" t="str"><v>&lt;DATE_OF_BIRTH&gt;</v></c></row>'
    )


def test_a_workbook_that_counts_from_1904_does() -> None:
    from_1904 = f'<workbook {SHEET}><workbookPr date1904="1"/><sheets><sheet name="S" sheetId="1"/></sheets></workbook>'
    find = Words()

    run(
        book('<row><c r="A1" s="1"><v>27820</v></c></row>', xl__styles_xml=STYLES, xl__workbook_xml=from_1904),
        "xlsx",
        find,
    )

    assert "1980-03-02\t\n" in find.seen


def test_truths_errors_and_empty_cells_say_nothing() -> None:
    cells = '<row><c r="A1" t="b"><v>1</v></c><c r="B1" t="e"><v>#N/A</v></c><c r="C1"/></row><row/>'
    find = Words()

    assert rows(run(book(cells), "xlsx", find)[0]) == cells
    assert find.seen == ["Sheet1\n"]


def test_cells_without_a_reference_have_no_heading() -> None:
    cell = '<c t="inlineStr"><is><t>{}</t></is></c>'
    cells = "".join(
        f"<row>{''.join(cell.format(text) for text in row)}</row>" for row in (("Name", "Town"), ("Al Roe", "Ash"))
    )
    find = Words({})

    run(book(cells), "xlsx", find)

    assert "Name\tTown\t\nTown: Al Roe\tTown: Ash\t\n" in find.seen


def test_texts_in_formulas_go_and_a_formula_that_would_break_becomes_a_text() -> None:
    cells = (
        '<row><c r="A1" t="str"><f>IF(B1="Jane Doe",1,"x&amp;y")</f><v>x</v></c>'
        '<c r="B1" t="str"><f>SUM(7700900123,1)</f><v>x</v></c></row>'
    )

    result, _ = run(book(cells), "xlsx", Words({JANE: "PERSON", "7700900123": "PHONE_NUMBER"}))

    assert '<f>IF(B1="&lt;PERSON&gt;",1,"x&amp;y")</f>' in rows(result)
    assert "<f>&quot;&lt;PHONE_NUMBER&gt;&quot;</f>" in rows(result)


SHEETS = (
    f'<workbook {SHEET}><sheets><sheet name="Jane Doe" sheetId="1"/><sheet name="Al Roe&apos;s" sheetId="2"/>'
    '<sheet name="PERSON" sheetId="3"/><sheet name="Sum" sheetId="4"/></sheets><definedNames>'
    "<definedName name=\"Jane_Doe\">'Jane Doe'!$A$1</definedName><definedName "
    'name="Jane_Doe" localSheetId="2">Sum!B2</definedName>'
    '<definedName name="_xlnm.Print_Area">Sum!$A$1</definedName><definedName '
    'name="who">"Jane Doe"</definedName></definedNames></workbook>'
)


def test_sheets_and_ranges_are_renamed_with_all_that_goes_by_their_names() -> None:
    cells = (
        "<row><c r=\"A1\"><f>'Jane Doe'!A1+'al roe''s'!B1+SUM(Jane_Doe)+Sum!A1&amp;\"'Jane "
        "Doe'!\"&amp;other</f><v>1</v></c></row>"
    )
    pivot = (
        f'<p {SHEET}><cacheSource><worksheetSource ref="A1:B2" sheet="Jane Doe"/>'
        '<worksheetSource name="jane_doe"/></cacheSource></p>'
    )
    links = (
        f'<worksheet {SHEET}><sheetData/><hyperlinks><hyperlink ref="A1" location="\'Jane '
        "Doe'!A1\"/></hyperlinks></worksheet>"
    )
    chart = "<c:chart xmlns:c='c'><c:f>'Jane Doe'!$A$1:$A$9</c:f></c:chart>"
    document = book(
        cells, xl__workbook_xml=SHEETS, xl__pivotCache__pivotCacheDefinition1_xml=pivot,
        xl__worksheets__sheet2_xml=links,
        xl__charts__chart1_xml=chart,
    )  # fmt: skip
    find = Words({JANE: "PERSON", "Al Roe": "PERSON"})

    result, _ = run(document, "xlsx", find)

    named = part(result, "xl/workbook.xml")
    assert [text.partition('"')[0] for text in named.split('<sheet name="')[1:]] == [
        "PERSON 2",
        "PERSON&apos;s",
        "PERSON",
        "Sum",
    ]
    assert [text.partition('"')[0] for text in named.split('<definedName name="')[1:]] == [
        "PERSON",
        "PERSON",
        "_xlnm.Print_Area",
        "who",
    ]
    assert ">&apos;PERSON 2&apos;!$A$1<" in named
    assert ">Sum!B2<" in named
    assert '>"&lt;PERSON&gt;"<' in named
    formula = rows(result)
    assert "<f>&apos;PERSON 2&apos;!A1+&apos;PERSON&apos;&apos;s&apos;!B1+SUM(PERSON)+Sum!A1&amp;" in formula
    assert "&apos;&lt;PERSON&gt;&apos;!" in formula or "'&lt;PERSON&gt;'!" in formula
    assert 'sheet="PERSON 2"' in part(result, "xl/pivotCache/pivotCacheDefinition1.xml")
    assert 'name="PERSON"' in part(result, "xl/pivotCache/pivotCacheDefinition1.xml")
    assert 'location="&apos;PERSON 2&apos;!A1"' in part(result, "xl/worksheets/sheet2.xml")
    assert "<c:f>&apos;PERSON 2&apos;!$A$1:$A$9</c:f>" in part(result, "xl/charts/chart1.xml")


def test_sheets_that_would_be_called_alike_are_numbered() -> None:
    names = ("Jane Doe", "Al Roe", "Bo Poe")
    sheets = "".join(f'<sheet name="{name}" sheetId="{number}"/>' for number, name in enumerate(names, 1))
    find = Words(dict.fromkeys(names, "PERSON"))

    result, _ = run(book(xl__workbook_xml=f"<workbook {SHEET}><sheets>{sheets}</sheets></workbook>"), "xlsx", find)

    named = part(result, "xl/workbook.xml").split('<sheet name="')[1:]
    assert [text.partition('"')[0] for text in named] == ["PERSON", "PERSON 2", "PERSON 3"]


def test_a_long_name_of_a_sheet_stays_short_enough() -> None:
    name = "Jane Doe, statement for the bank"[:31]
    twice = (
        f'<workbook {SHEET}><sheets><sheet name="{name}" sheetId="1"/><sheet name="x" sheetId="2"/></sheets></workbook>'
    )

    result, _ = run(book(xl__workbook_xml=twice), "xlsx", Words({"Jane": "EMAIL_ADDRESS"}))

    given = part(result, "xl/workbook.xml").partition('<sheet name="')[2].partition('"')[0]
    assert given == "EMAIL_ADDRESS Doe, statement for the bank"[:31]


ASIDE = {
    "xl/comments1.xml": (
        f"<comments {SHEET}><commentList><comment><text><r><t>X</t></r></text></comment></commentList></comments>"
    ),
    "xl/threadedComments/threadedComment1.xml": "<T><threadedComment><text>X</text></threadedComment></T>",
    "xl/drawings/drawing1.xml": (
        '<xdr:wsDr xmlns:xdr="x" xmlns:a="a"><xdr:cNvPr id="1" name="X" descr="X"/><a:t>X</a:t></xdr:wsDr>'
    ),
    "xl/drawings/vmlDrawing1.vml": (
        '<xml xmlns:v="v"><v:shape alt="X"><v:textbox><div><font>X</font></div></v:textbox></v:shape></xml>'
    ),
    "xl/pivotCache/pivotCacheRecords1.xml": '<r><s v="X"/></r>',
    "xl/tables/table1.xml": '<table><tableColumn id="1" name="X"/><tableColumn id="2" name="y"/></table>',
    "xl/externalLinks/externalLink1.xml": '<e><sheetName val="X"/><cell t="str"><v>X</v></cell></e>',
    "xl/connections.xml": (
        '<connections><connection name="X" description="X"><dbPr connection="User=X"/></connection></connections>'
    ),
    "docProps/app.xml": '<Properties xmlns:vt="vt"><TitlesOfParts><vt:lpstr>X</vt:lpstr></TitlesOfParts></Properties>',
}


@pytest.mark.parametrize("name", ASIDE)
def test_every_part_beside_the_sheets_is_searched(name: str) -> None:
    result, done = run(book(**{name: ASIDE[name].replace("X", JANE)}), "xlsx")

    assert part(result, name) == ASIDE[name].replace("X", PERSON)
    assert done.replaced["PERSON"] == ASIDE[name].count("X")


SHEET_ASIDE = (
    '<dataValidation prompt="X" promptTitle="X" error="X"><formula1>"X,y"</formula1></dataValidation>',
    '<filterColumn><filters><filter val="X"/></filters><customFilter val="X"/></filterColumn>',
    '<hyperlink ref="A1" display="X" tooltip="X"/>',
    '<conditionalFormatting><cfRule text="X"><formula>A1="X"</formula></cfRule></conditionalFormatting>',
    '<scenarios><scenario name="X" comment="X"><inputCells val="X"/></scenario></scenarios>',
)


@pytest.mark.parametrize("markup", SHEET_ASIDE)
def test_everything_beside_the_cells_is_searched(markup: str) -> None:
    sheet = f"<worksheet {SHEET}><sheetData/>{markup.replace('X', JANE)}</worksheet>"

    result, done = run(book(xl__worksheets__sheet1_xml=sheet), "xlsx")

    assert part(result, SHEET1) == f"<worksheet {SHEET}><sheetData/>{markup.replace('X', PERSON)}</worksheet>"
    assert done.replaced["PERSON"] == markup.count("X")


def test_codes_in_page_headers_part_words() -> None:
    header = '<oddHeader>&amp;L&amp;"Arial,Bold"&amp;12Jane Doe&amp;CPage &amp;P&amp;K00FF00Jane Doe</oddHeader>'
    sheet = f"<worksheet {SHEET}><sheetData/><headerFooter>{header}</headerFooter></worksheet>"

    result, _ = run(book(xl__worksheets__sheet1_xml=sheet), "xlsx", Words({" Jane Doe ": "PERSON"}))

    assert '&amp;L&amp;"Arial,Bold"&amp;1&lt;PERSON&gt;amp;CPage' not in part(result, SHEET1)
    assert part(result, SHEET1).count(PERSON) == 2


def test_numbers_and_dates_that_a_pivot_table_or_chart_keeps_stay_numbers_and_dates() -> None:
    parts = {
        "xl/pivotCache/pivotCacheRecords1.xml": '<r><n v="7700900123"/><d v="1980-03-02T00:00:00"/></r>',
        "xl/pivotCache/pivotCacheDefinition1.xml": (
            '<p refreshedBy="jdoe"><sharedItems minValue="1" maxValue="7700900123" maxDate="1980-03-02T00:00:00"/></p>'
        ),
        "xl/charts/chart1.xml": '<c:c xmlns:c="c"><c:v>7700900123</c:v></c:c>',
    }
    find = Words({"7700900123": "PHONE_NUMBER", "1980-03-02": "DATE_OF_BIRTH"})

    result, _ = run(book(**parts), "xlsx", find)

    for name, text in parts.items():
        expected = text.replace("7700900123", "0").replace("1980-03-02", "1980-01-01").replace("jdoe", "Author")
        assert part(result, name) == expected


def test_who_commented_and_where_the_file_lay_is_neutral() -> None:
    parts = {
        "xl/comments1.xml": f"<comments {SHEET}><authors><author>jdoe</author></authors></comments>",
        "xl/persons/person.xml": (
            '<personList><person displayName="jdoe" id="{1}" userId="jdoe" providerId="AD"/></personList>'
        ),
        "xl/threadedComments/threadedComment1.xml": '<T><threadedComment dT="2026-03-01T10:00:00.00"/></T>',
        "xl/workbook.xml": (
            f'<workbook {SHEET} xmlns:x="x"><x:absPath url="C:\\Users\\jdoe\\"/><fileSharing '
            'userName="jdoe"/><sheets/></workbook>'
        ),
    }

    result, _ = run(book(**parts), "xlsx")

    for name in parts:
        assert "jdoe" not in part(result, name)
        assert "2026" not in part(result, name)


def test_a_table_whose_columns_would_be_called_alike_is_refused() -> None:
    table = '<table><tableColumn id="1" name="{}"/><tableColumn id="2" name="{}"/></table>'
    find = Words({JANE: "PERSON", "Al Roe": "PERSON"})
    document = book(xl__tables__table1_xml=table.format("Jane Doe", "Al Roe"))

    with pytest.raises(CannotAnonymise, match="Convert to Range"):
        run(document, "xlsx", find)


def test_what_a_printer_was_told_and_the_history_of_cells_go_with_what_leads_to_them() -> None:
    relation = '<Relationship Id="rId{}" Type="t" Target="{}"/>'
    relations = f'<Relationships xmlns="{PACKAGE}/relationships">{{}}</Relationships>'
    types = (
        f'<Types xmlns="{PACKAGE}/content-types"><Override PartName="/xl/revisions/userNames.xml" ContentType="u"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="w"/></Types>'
    )
    sheet = (
        f'<worksheet {SHEET} xmlns:r="{RELATIONS}"><sheetData/><pageSetup paperSize="9" '
        'r:id="rId1"/><drawing r:id="rId2"/></worksheet>'
    )
    document = book(
        **{
            "[Content_Types].xml": types,
            "xl/worksheets/sheet1.xml": sheet,
            "xl/worksheets/_rels/sheet1.xml.rels": relations.format(
                relation.format(1, "../printerSettings/printerSettings1.bin")
                + relation.format(2, "/xl/drawings/drawing1.xml")
                + '<Relationship Id="rId3" Target="https://x.example" TargetMode="External"/>'
            ),
            "xl/_rels/workbook.xml.rels": relations.format(relation.format(7, "revisions/userNames.xml")),
            "_rels/.rels": relations.format(relation.format(1, "xl/workbook.xml")),
            "xl/_rels/gone.xml.rels": relations.format(relation.format(8, "revisions/userNames.xml")),
            "xl/printerSettings/printerSettings1.bin": b"\\\0\\\0P\0R\0N\0",
            "xl/revisions/userNames.xml": "<users><userInfo name='jdoe'/></users>",
            "xl/revisions/_rels/revisionHeaders.xml.rels": relations.format(""),
        }
    )

    result, _ = run(document, "xlsx")

    assert [name for name in unzipped(document) if name not in unzipped(result)] == [
        "xl/printerSettings/printerSettings1.bin",
        "xl/revisions/userNames.xml",
        "xl/revisions/_rels/revisionHeaders.xml.rels",
    ]
    assert part(result, SHEET1) == sheet.replace('r:id="rId1"', "")
    assert part(result, "xl/worksheets/_rels/sheet1.xml.rels").count("<Relationship ") == 2
    assert part(result, "_rels/.rels") == relations.format(relation.format(1, "xl/workbook.xml"))
    assert "rId2" in part(result, "xl/worksheets/_rels/sheet1.xml.rels")
    assert "rId7" not in part(result, "xl/_rels/workbook.xml.rels")
    assert "userNames" not in part(result, "[Content_Types].xml")
    assert "workbook" in part(result, "[Content_Types].xml")


@given(
    st.lists(
        st.lists(st.one_of(st.just(JANE), st.text("ab &<'\"", min_size=1, max_size=4)), min_size=1, max_size=3),
        max_size=4,
    )
)
def test_whatever_stands_in_other_cells_stays(table: list[list[str]]) -> None:
    cell = '<c t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>'
    cells = "".join(f"<row>{''.join(cell.format(escape(text)) for text in row)}</row>" for row in table)

    assert rows(run(book(cells), "xlsx")[0]) == cells.replace(JANE, PERSON)


def test_a_workbook_without_its_main_part_is_refused() -> None:
    with pytest.raises(CannotAnonymise, match="damaged"):
        run(package({"xl/other.xml": "<a/>"}), "xlsx")

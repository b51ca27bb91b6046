"""What a workbook works out: formulas go with results that must go, and pivot tables stay sound."""

from __future__ import annotations

import pytest

from agent.anonymisation.base import CannotAnonymise
from tests.anonymisation.desk import JANE, PACKAGE, SHEET, Words, book, part, run, unzipped

PERSON = "&lt;PERSON&gt;"


def rows(content: bytes) -> str:
    """What stands in the sheet's rows."""
    return part(content, "xl/worksheets/sheet1.xml").partition("<sheetData>")[2].partition("</sheetData>")[0]


def test_a_pivot_table_whose_items_would_be_called_alike_is_refused() -> None:
    def pivot(*names: str) -> bytes:
        items = "".join(f'<s v="{name}"/>' for name in names)
        fields = f"<cacheField><sharedItems>{items}</sharedItems></cacheField>" * 2
        return book(xl__pivotCache__pivotCacheDefinition1_xml=f"<p {SHEET}>{fields}</p>")

    find = Words({JANE: "PERSON", "Al Roe": "PERSON"})

    result, _ = run(pivot(JANE, "x"), "xlsx", find)
    assert f'<s v="{PERSON}"/><s v="x"/>' in part(result, "xl/pivotCache/pivotCacheDefinition1.xml")
    with pytest.raises(CannotAnonymise, match="Delete the pivot table"):
        run(pivot(JANE, "Al Roe"), "xlsx", find)


CHAIN = {
    "xl/calcChain.xml": f'<calcChain {SHEET}><c r="A1" i="1"/></calcChain>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId9" '
    'Type="calcChain" Target="calcChain.xml"/></Relationships>',
}


def test_a_formula_goes_with_its_result_and_so_does_the_order_of_working_out() -> None:
    cells = (
        '<row><c r="A1" t="str"><f>"Jane"&amp;" Doe"&amp;"Jane Doe"</f><v>Jane Doe</v></c>'
        '<c r="B1"><f>SUM(1,2)</f><v>3</v></c></row>'
    )

    result, done = run(book(cells, **CHAIN), "xlsx")

    assert rows(result) == (f'<row><c r="A1" t="str"><v>{PERSON}</v></c><c r="B1"><f>SUM(1,2)</f><v>3</v></c></row>')
    assert "xl/calcChain.xml" not in unzipped(result)
    assert "calcChain" not in part(result, "xl/_rels/workbook.xml.rels")
    assert done.replaced == {"PERSON": 1}


def test_formulas_whose_results_may_stay_stay_with_their_order() -> None:
    cells = '<row><c r="A1"><f>SUM(1,2)</f><v>3</v></c><c r="B1" t="str"><f>"of Jane Doe"</f></c></row>'

    result, _ = run(book(cells, **CHAIN), "xlsx")

    assert rows(result) == cells.replace(JANE, PERSON)
    assert unzipped(result).keys() >= CHAIN.keys()


def test_cells_that_share_a_formula_lose_it_together_and_others_keep_theirs() -> None:
    shared = '<row><c r="{0}1" t="str"><f t="shared" ref="{0}1:{0}2" si="{2}">X{1}</f><v>a</v></c></row>'
    follower = '<row><c r="{0}2" t="str"><f t="shared" si="{2}"/><v>{1}</v></c></row>'
    cells = (
        shared.format("A", 1, 0)
        + follower.format("A", JANE, 0)
        + shared.format("B", 1, 1)
        + follower.format("B", "b", 1)
    )

    result, _ = run(book(cells), "xlsx")

    assert rows(result) == (
        f'<row><c r="A1" t="str"><v>a</v></c></row><row><c r="A2" t="str"><v>{PERSON}</v></c></row>'
        + shared.format("B", 1, 1)
        + follower.format("B", "b", 1)
    )

from __future__ import annotations

import io
import itertools
import re
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from agent.reports import totals
from agent.reports.base import Report, ReportRow
from agent.reports.html import write_html
from tests.reports.factories import HOSTILE, TODAY, a_coverage, a_report, a_row

GOLDEN = Path(__file__).with_name("golden") / "report.html"


def page_of(report: Report) -> str:
    stream = io.StringIO()
    write_html(report, stream)
    return stream.getvalue()


def text_of(report: Report, selector: str = "body") -> str:
    node = LexborHTMLParser(page_of(report)).css_first(selector)
    assert node is not None
    return " ".join(node.text(separator=" ").split())


def test_the_page_is_the_golden_one(report: Report, golden_update: bool) -> None:
    page = page_of(report)
    if golden_update:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(page, encoding="utf-8")
        return

    assert page == GOLDEN.read_text(encoding="utf-8"), "if this is meant: make golden, and read what changed"


def test_hostile_names_stay_text(report: Report) -> None:
    tree = LexborHTMLParser(page_of(report))

    assert tree.css("script, iframe, object, embed, link, base, form") == []
    assert not [name for node in tree.css("*") for name in node.attributes if name.startswith("on")]
    shown = {node.text() for node in tree.css("#inventory .path")}
    assert set(HOSTILE) <= shown
    assert "Locked <away>" in {node.text() for node in tree.css("#coverage .path")}


def test_the_page_refers_to_nothing_outside_itself(report: Report) -> None:
    page = page_of(report)
    tree = LexborHTMLParser(page)

    references = [
        value
        for node in tree.css("*")
        for name, value in node.attributes.items()
        if name in {"src", "srcset", "href", "xlink:href", "data", "action", "poster", "background"}
    ]
    assert {value for value in references if not (value or "").startswith("#")} == set()
    style = tree.css_first("style")
    assert style is not None
    assert not re.search(r"url\(|@import|https?:", style.text())
    policy = tree.css_first('meta[http-equiv="Content-Security-Policy"]')
    assert policy is not None
    assert policy.attributes["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert "style=" not in page


def test_every_link_inside_the_page_has_its_target(report: Report) -> None:
    tree = LexborHTMLParser(page_of(report))

    names = [node.attributes["id"] for node in tree.css("[id]")]
    assert len(names) == len(set(names))
    assert {link.attributes["href"] for link in tree.css("a")} <= {f"#{name}" for name in names}


def test_every_table_header_says_what_it_heads_and_every_picture_what_it_shows(report: Report) -> None:
    tree = LexborHTMLParser(page_of(report))

    assert {node.attributes.get("scope") for node in tree.css("th")} == {"row", "col"}
    pictures = tree.css("svg")
    assert pictures
    assert all(node.attributes.get("aria-label") or node.attributes.get("aria-hidden") for node in pictures)
    root = tree.css_first("html")
    assert root is not None
    assert root.attributes["lang"] == "en-GB"


def test_the_key_figures_are_right(report: Report) -> None:
    said = text_of(report, "#summary")

    assert "Files seen 1,244 on 2 shares" in said
    assert "Hold personal data 2 1 of them special category" in said
    assert "Due 1 the oldest since 3 Oct 2019" in said
    assert "Not read 35 5 of them could not be" in said


def test_a_share_that_does_not_reconcile_says_so_in_words(report: Report) -> None:
    coverage = text_of(report, "#coverage")

    assert "✓ Reconciled: 1,234 seen = 1,200 scanned + 30 skipped + 4 failed." in coverage
    assert "✗ Not reconciled: 10 seen + 2 out of reach ≠ 8 scanned + 0 skipped + 1 failed." in coverage
    assert "The scan did not come to its end" in coverage
    assert "no permission" in coverage
    assert "the share itself" in coverage
    assert "The counts do not add up" in text_of(report, "#summary")


def test_a_sound_scan_raises_no_alarm() -> None:
    said = text_of(a_report([a_row("a.txt")]))

    assert "Every file seen is accounted for." in said
    assert "✗" not in said
    assert "!" not in said


def test_reports_without_rows_or_coverage_are_still_pages() -> None:
    assert "No file is on record." in text_of(a_report([]))
    assert "No share has been scanned yet." in text_of(replace(a_report([]), coverage=()))


def test_the_due_list_is_oldest_first_and_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "DUE_ROWS", 3)
    days = [date(2020, 1, day) for day in (9, 2, 7, 1, 8, 3, 6, 5, 4)]
    report = a_report([a_row(f"{day}.txt", state="due", due_on=day, disposition="review") for day in days])

    tree = LexborHTMLParser(page_of(report))

    assert [node.text() for node in tree.css("#due .path")] == ["2020-01-01.txt", "2020-01-02.txt", "2020-01-03.txt"]
    assert "9 files, oldest first." in text_of(report, "#due")
    assert "6 more stand in the CSV report." in text_of(report, "#due")


def test_the_inventory_puts_sensitive_data_first_then_personal_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "INVENTORY_ROWS", 3)
    rows = [
        *(a_row(f"plain {number}.txt") for number in range(9)),
        a_row("personal.txt", categories=("identity",), findings={"PERSON": 1}),
        a_row("criminal.txt", categories=("criminal",), findings={"SC_CRIMINAL": 1}),
    ]

    tree = LexborHTMLParser(page_of(a_report(rows)))

    assert [node.text() for node in tree.css("#inventory .path")] == ["criminal.txt", "personal.txt", "plain 0.txt"]
    assert "8 more stand in the CSV report." in text_of(a_report(rows), "#inventory")


def test_the_chart_by_year_draws_far_years_together() -> None:
    rows = [
        *(a_row(f"{year}.txt", state="due", due_on=date(year, 5, 1)) for year in (1970, 2005, 2011, 2012, 2026)),
        *(a_row(f"{year}.txt", state="keep", due_on=date(year, 5, 1)) for year in (2027, 2036, 2099)),
    ]
    chart = LexborHTMLParser(page_of(a_report(rows))).css(".chart")[0]

    lines = [" ".join(cell.text() for cell in line.css("th, td.number")) for line in chart.css("tbody tr")]

    assert TODAY.year == 2026
    assert lines == ["2011 and before 3 0", "2012 1 0", "2026 1 0", "2027 0 1", "2036 and after 0 2"]


def test_a_file_that_was_not_read_is_not_called_free_of_personal_data() -> None:
    report = a_report([a_row("a.zip", outcome="skipped(unsupported)", extraction="unsupported"), a_row("b.txt")])

    cells = LexborHTMLParser(page_of(report)).css('#inventory td[data-label="Personal data"]')

    assert [cell.text() for cell in cells] == ["not known", "none found"]


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_colour_has_the_contrast_of_wcag_aa(dark: bool) -> None:
    css = (files("agent.reports") / "templates" / "report.css").read_text(encoding="utf-8")
    light_block, dark_block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark_block if dark else light_block))

    pairs = [
        *itertools.product(("ink", "faint", "accent"), ("paper", "shade")),
        *((name, f"{name}-shade") for name in ("good", "bad", "open")),
    ]

    assert [pair for pair in pairs if _contrast(colours[pair[0]], colours[pair[1]]) < 4.5] == []
    assert _contrast(colours["second"], colours["paper"]) >= 3


@pytest.mark.parametrize("places", [1, 2])
def test_a_file_is_shown_with_its_share_unless_there_is_only_one(places: int) -> None:
    report = a_report([a_row("a.txt")], *[a_coverage()] * places)

    assert bool(LexborHTMLParser(page_of(report)).css("#inventory .share")) == (places > 1)


def _shared(*rows: ReportRow) -> LexborHTMLParser:
    return LexborHTMLParser(page_of(a_report(rows)))


def test_what_is_shared_beyond_the_organisation_is_counted_by_category() -> None:
    tree = _shared(
        a_row("a.txt", sharing="anonymous", categories=("contact", "identity"), findings={"PERSON": 1}),
        a_row("b.txt", sharing="anonymous", categories=("identity",), findings={"PERSON": 1}),
        a_row("c.txt", sharing="external"),
        a_row("d.txt", sharing="organisation", categories=("identity",), findings={"PERSON": 1}),
        a_row("e.txt", sharing="people", categories=("identity",), findings={"PERSON": 1}),
    )

    lines = [[cell.text() for cell in line.css("th, td")] for line in tree.css("#sharing table:first-of-type tbody tr")]

    assert lines == [
        ["anybody who has the link", "2", "2", "names and dates of birth (2), contact details (1)"],
        ["people outside the organisation", "1", "0", "none found"],
    ]
    assert [node.text() for node in tree.css("#sharing .path")] == ["a.txt", "b.txt", "c.txt"]
    assert "2 files with personal data are shared beyond the organisation" in tree.css_first("#summary").text()  # type: ignore[union-attr]


def test_of_what_is_shared_the_gravest_comes_first_and_what_is_left_out_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(totals, "SHARED_ROWS", 3)
    criminal: dict[str, Any] = {"categories": ("criminal",), "findings": {"SC_CRIMINAL": 1}}
    personal: dict[str, Any] = {"categories": ("identity",), "findings": {"PERSON": 1}}
    tree = _shared(
        *(a_row(f"plain {number}.txt", sharing="anonymous") for number in range(9)),
        a_row("external.txt", sharing="external", **personal),
        a_row("anonymous.txt", sharing="anonymous", **personal),
        a_row("criminal.txt", sharing="external", **criminal),
    )

    assert [node.text() for node in tree.css("#sharing .path")] == ["criminal.txt", "anonymous.txt", "external.txt"]
    assert "The first 3 are shown; 9 more stand in the CSV report." in tree.css_first("#sharing").text()  # type: ignore[union-attr]


def test_where_nothing_is_shared_so_widely_nothing_is_said_of_it() -> None:
    tree = _shared(a_row("a.txt", sharing="people", categories=("identity",), findings={"PERSON": 1}), a_row("b.txt"))

    assert tree.css('#sharing, a[href="#sharing"]') == []
    assert "beyond the organisation" not in tree.text()

"""The page: everything that the certificate says, and nothing that breaks out of it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from agent.certificate.document import OF_SERVICES, CopyKind, Sanitisation
from agent.certificate.form import SignedCertificate
from agent.certificate.html import write_html
from agent.model.disposal import Approval
from agent.model.schedule import Officer
from tests.certificate.destroyed import BEGAN, Made, a_disposed, a_heading, an_account, the_full_batch

GOLDEN = Path(__file__).with_name("golden") / "certificate.html"
SIGNED = the_full_batch().issue()
HOSTILE = ("<script>alert(1)</script>", "\" onmouseover='alert(2)'", "{{ 7 * 7 }}", "</style><b>", "a&lt;b")


def page_of(signed: SignedCertificate) -> str:
    stream = io.StringIO()
    write_html(signed, stream)
    return stream.getvalue()


def text_of(signed: SignedCertificate, selector: str = "body") -> str:
    node = LexborHTMLParser(page_of(signed)).css_first(selector)
    assert node is not None
    return " ".join(node.text(separator=" ").split())


def hostile() -> SignedCertificate:
    """A certificate with a hostile text in every place that takes one."""
    script, handler, braces, style, entity = HOSTILE
    account = an_account(
        1,
        schedule_id=script,
        schedule_version=handler,
        class_id=braces,
        class_title=style,
        mandate=entity,
        rule=script,
        clock=handler,
        placement=braces,
        approvals=(Approval(1, script, handler, BEGAN), Approval(2, style, braces, BEGAN)),
    )
    heading = a_heading(
        organisation=script,
        software=handler,
        batch=braces,
        statement=style,
        limits=HOSTILE,
        officers=(Officer(script, handler, style),),
    )
    return Made([a_disposed(1, account=account, source=script)], heading=heading).issue()


def test_the_page_is_the_golden_one(golden_update: bool) -> None:
    if golden_update:
        GOLDEN.write_text(page_of(SIGNED), encoding="utf-8")
    assert page_of(SIGNED) == GOLDEN.read_text(encoding="utf-8"), "if this is meant: make golden, and read what changed"


def test_hostile_texts_stay_text() -> None:
    tree = LexborHTMLParser(page_of(hostile()))
    assert tree.css("script, iframe, object, embed, link, base, form, b") == []
    assert not [name for node in tree.css("*") for name in node.attributes if name.startswith("on")]
    assert len(tree.css("style")) == 1
    shown = {node.text() for node in tree.css("td, th, li, .lead")}
    assert set(HOSTILE) <= shown
    assert "49" not in " ".join(shown)


def test_the_page_refers_to_nothing_outside_itself() -> None:
    page = page_of(hostile())
    tree = LexborHTMLParser(page)
    references = [
        value
        for node in tree.css("*")
        for name, value in node.attributes.items()
        if name in {"src", "srcset", "href", "xlink:href", "data", "action", "poster", "background"}
    ]
    names = [node.attributes["id"] for node in tree.css("[id]")]
    assert len(names) == len(set(names))
    assert set(references) <= {f"#{name}" for name in names}
    style = tree.css_first("style")
    assert style is not None
    assert not re.search(r"url\(|@import|https?:", style.text())
    policy = tree.css_first('meta[http-equiv="Content-Security-Policy"]')
    assert policy is not None
    assert policy.attributes["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert "style=" not in page


def test_the_page_can_be_read_by_ear_and_printed_on_a4() -> None:
    tree = LexborHTMLParser(page_of(SIGNED))
    root = tree.css_first("html")
    assert root is not None
    assert root.attributes["lang"] == "en-GB"
    assert {node.attributes.get("scope") for node in tree.css("th")} == {"row", "col"}
    levels = [int(node.tag[1]) for node in tree.css("h1, h2, h3, h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    labelled = {node.attributes["aria-labelledby"] for node in tree.css("[aria-labelledby]")}
    assert labelled <= {node.attributes["id"] for node in tree.css("[id]")}
    assert "size: A4" in page_of(SIGNED)


def test_every_fact_stands_on_the_page() -> None:
    said = text_of(SIGNED)
    certificate = SIGNED.certificate
    heading, (first, second) = certificate.heading, certificate.items
    texts = [heading.id, heading.organisation, heading.software, heading.statement, *heading.limits]
    texts += [part for officer in heading.officers for part in (officer.role, officer.name, officer.contact)]
    texts += [SIGNED.sha256.hex(), SIGNED.signature.name, "2 items, 144.6 kB", "24 Nov 2026, 09:05 UTC"]
    for item in (first, second):
        account = item.account
        texts += [item.pseudonym.hex(), item.content.hex(), item.source, f"{item.size_bytes:,} bytes"]
        texts += [account.schedule_id, account.mandate, account.rule, account.clock, account.placement]
        texts += [account.class_id, account.class_title, item.destroyed_by]
        texts += [part for approval in account.approvals for part in (approval.by, approval.stage)]
        entries = (item.evidence.sealed, item.evidence.destroyed, item.evidence.erased)
        texts += [entry.leaf.decode() for entry in entries]
    texts += ["other files or snapshots may share its blocks", "31 Dec 2026", "hand back, then destroy"]
    texts += ["clear, attempted through the file system", "beyond use: out of reach, not overwritten", "30 Sep 2026"]
    assert [text for text in texts if text not in said] == []
    shown = LexborHTMLParser(page_of(SIGNED)).css("pre")
    assert shown[1].text() == certificate.checkpoint
    assert SIGNED.data.decode().endswith(shown[2].text())


def test_copies_that_were_not_dealt_with_say_so() -> None:
    backup = replace(SIGNED.certificate.items[0].copies[2], remains_until=None)
    rows = {
        copy.kind: " ".join(node.text(separator=" ").split())
        for copy in (backup, replace(backup, kind=CopyKind.SNAPSHOT, remains_until=date(2027, 1, 2)))
        for node in LexborHTMLParser(page_of(Made([a_disposed(1, other_copies=(copy,))]).issue())).css("tr")
        if node.text().startswith(copy.kind)
    }
    assert rows[CopyKind.BACKUP].endswith("not dealt with none known no end is known")
    assert rows[CopyKind.SNAPSHOT].endswith("not dealt with none known 2 Jan 2027")


def test_a_certificate_without_officers_has_no_table_of_them() -> None:
    made = Made([a_disposed(1)], heading=a_heading(officers=()))
    assert "Who answers for it" not in text_of(made.issue())
    assert "Who answers for it" in text_of(SIGNED)


def test_no_word_of_a_vocabulary_is_shown_as_the_file_spells_it() -> None:
    backup = SIGNED.certificate.items[0].copies[2]
    ours = {CopyKind.ORIGINAL, CopyKind.VAULT_COPY} | OF_SERVICES  # those of services: see `test_at_source.py`
    kinds = [replace(backup, kind=kind) for kind in CopyKind if kind not in ours]
    categories = [replace(backup, category=category) for category in Sanitisation if category is not Sanitisation.PURGE]
    made = Made([a_disposed(1, other_copies=(*kinds, *categories))])
    cells = [node.text() for node in LexborHTMLParser(page_of(made.issue())).css("article table:nth-of-type(3) tr")]
    assert len(cells) == 1 + 2 + len(kinds) + len(categories)
    assert [cell for cell in cells if "_" in cell] == []


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("block", [0, 1])
def test_every_text_colour_has_the_contrast_of_wcag_aa(block: int) -> None:
    css = (files("agent.certificate") / "templates" / "certificate.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    screen = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[0]))
    colours = screen | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", blocks[block]))
    for name in ("ink", "faint", "accent"):
        for ground in ("paper", "shade"):
            high, low = sorted((_luminance(colours[name]), _luminance(colours[ground])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ground)

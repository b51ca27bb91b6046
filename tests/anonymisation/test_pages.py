"""Web pages and XML: texts, attributes, comments, scripts; tags stay as they are."""

from __future__ import annotations

import html
import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from agent.anonymisation.base import CannotAnonymise
from agent.anonymisation.coding import ADDRESS, CELL_TEXT, MARKUP, PAGE, PLAIN, QUOTED, Coding
from agent.anonymisation.markup import Kind, tokens
from tests.anonymisation.desk import JANE, Words, run

PERSON = "&lt;PERSON&gt;"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>Jane <b>Doe</b>, ok</p>", f"<p>{PERSON}<b></b>, ok</p>"),
        ("<p>Jane&nbsp;Doe &amp Jane&#32Doe</p>", f"<p>{PERSON} &amp {PERSON}</p>"),
        (
            '<img alt="Jane Doe" title=\'Jane Doe\' class="Jane Doe">',
            f'<img alt="{PERSON}" title=\'{PERSON}\' class="Jane Doe">',
        ),
        ('<input value=07700900123 data-who="Jane Doe">', f'<input value=PHONE_NUMBER data-who="{PERSON}">'),
        (
            '<a href="https://x.example/?q=Jane%20Doe&amp;a=1">x</a>',
            '<a href="https://x.example/?q=PERSON&amp;a=1">x</a>',
        ),
        ('<img src="data:text/plain,Jane Doe">', '<img src="data:text/plain,Jane Doe">'),
        ("<!-- Jane Doe --><p>x</p>", "<!-- <PERSON> --><p>x</p>"),
        (
            "<script>var a = '<b' + \"Jane Doe\";</SCRIPT><p>Jane Doe</p>",
            f"<script>var a = '<b' + \"<PERSON>\";</SCRIPT><p>{PERSON}</p>",
        ),
        ("<p title=it's>Jane Doe's 'x'</p>", f"<p title=it's>{PERSON}'s 'x'</p>"),
        ('<p title="x>Jane Doe</p>', f'<p title="x>{PERSON}</p>'),
        ("<p x='\"' alt='Jane Doe' / title = \"Jane Doe\">", f"<p x='\"' alt='{PERSON}' / title = \"{PERSON}\">"),
        ("<style>p{}</style><script>Jane Doe", "<style>p{}</style><script><PERSON>"),
        ("<!DOCTYPE html><p>1 < 2, Jane Doe", f"<!DOCTYPE html><p>1 < 2, {PERSON}"),
        ('<?php Jane Doe ?><p>Jane Doe<a title="open', f'<?php <PERSON> ?><p>{PERSON}<a title="open'),
    ],
)
def test_a_page_keeps_its_tags(before: str, after: str) -> None:
    find = Words({JANE: "PERSON", "Jane\xa0Doe": "PERSON", "07700900123": "PHONE_NUMBER"})

    assert run(before.encode(), "html", find)[0].decode() == after


def test_blocks_and_cells_part_words() -> None:
    find = Words({})

    run(b"<p>one</p><p>two <i>three</i></p><table><tr><td>Jane</td><td>Doe</td></tr></table>", "html", find)

    assert find.seen[0].split() == ["one", "two", "three", "Jane", "Doe"]
    assert "\tJane\t\tDoe\t" in find.seen[0]


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        (b'<meta charset="iso-8859-15"><p>' + "10 € Zoë".encode("iso-8859-15"), "10 € Zoë"),
        ('<meta charset="iso-8859-15"><p>10 € Zoë'.encode(), "10 € Zoë"),
        ("<p>Zoë".encode("cp1252"), "Zoë"),
        ("<p>na\u00efve ".encode() + b"Ren\xe9", "na\u00efve Ren\u00e9"),
    ],
)  # fmt: skip
def test_a_page_is_read_in_the_charset_that_it_tells_where_it_is_no_utf_8(page: bytes, seen: str) -> None:
    find = Words({})

    assert run(page, "html", find)[0] == page
    assert seen in find.seen[0]


def test_xml_of_any_kind_is_cleaned_in_texts_and_attributes() -> None:
    file = (
        '<?xml version="1.0" encoding="ISO-8859-1"?><list xmlns:a="urn:Jane Doe"><!-- Jane Doe --><?do Jane Doe?>'
        '<a:who name="Jane Doe" born="x">café &amp; Jane Doe</a:who><who><![CDATA[Jane Doe]]></who></list>'
    )
    find = Words()

    result, done = run(file.encode("iso-8859-1"), "xml", find)

    assert result.decode("iso-8859-1") == (
        '<?xml version="1.0" encoding="ISO-8859-1"?><list xmlns:a="urn:Jane Doe"><!-- <PERSON> --><?do <PERSON>?>'
        f'<a:who name="{PERSON}" born="x">café &amp; {PERSON}</a:who><who><![CDATA[<PERSON>]]></who></list>'
    )
    assert done.replaced == {"PERSON": 5}
    assert "name: Jane Doe\nborn: x\nwho: café & Jane Doe\n" in find.seen[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_xml_keeps_its_byte_order_mark(encoding: str) -> None:
    file = "<a>é Jane Doe</a>".encode(encoding)

    assert run(file, "xml")[0] == "<a>é &lt;PERSON&gt;</a>".encode(encoding)


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "Jane Doe">]><a>&b;</a>', "entities of its own"),
        (b"<a><b></a>", "damaged"),
        (b"<a>" * 401 + b"</a>" * 401, "damaged"),
        (b'<?xml version="1.0" encoding="x-none"?><a/>', "damaged"),
        (b'<?xml version="1.0" encoding="us-ascii"?><a>\xc3\xa9</a>', "damaged"),
        (b'\xef\xbb\xbf<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>', "damaged"),
        (b"\xff\xfe<\0a\0/\0>\0\0", "damaged"),
    ],
)
def test_xml_that_is_damaged_or_could_grow_is_refused(file: bytes, why: str) -> None:
    with pytest.raises(CannotAnonymise, match=why) as refused:
        run(file, "xml")
    assert JANE not in str(refused.value)


_BY_HAND = regex.compile(r"""<(/?)([A-Za-z_][^\s/>]*+)(?:[^>=]|=\s*+(?:"[^"]*"|'[^']*')?+)*+>""")


@given(st.text("<>/ab\"'= -!", max_size=30))
def test_tags_are_told_as_another_engine_tells_them(text: str) -> None:
    plain = text.replace("<!", "")
    told = [
        plain[token.start : token.end]
        for token in tokens(plain)
        if token.kind in (Kind.OPEN, Kind.CLOSE) and token.start < token.end
    ]

    assert told == [found[0] for found in _BY_HAND.finditer(plain)]


@given(st.text("<>/ab\"'= -![CDATA]?", max_size=40))
def test_tokens_never_overlap_and_miss_no_letter_outside_of_tags(text: str) -> None:
    position = 0
    for token in tokens(text):
        assert position <= token.start <= token.end <= len(text)
        position = token.end
    texts = "".join(text[token.start : token.end] for token in tokens(text) if token.kind is Kind.TEXT)
    assert len(texts) == len(text) or "<" in text


WRITTEN = ("a", "&amp;", "&#65;", "&#x42;", "%41", "%C3%A9", '""', "_x0041_", "é", " ", "&", "&amp", "%", '"')


@pytest.mark.parametrize("coding", [PLAIN, MARKUP, PAGE, ADDRESS, CELL_TEXT, QUOTED])
@given(st.lists(st.sampled_from(WRITTEN), max_size=8), st.data())
def test_a_range_of_a_text_is_found_where_it_is_written(coding: Coding, pieces: list[str], data: st.DataObject) -> None:
    raw = "".join(pieces)
    text = coding.text(raw)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))

    ((first, last),) = coding.raw_ranges(raw, [(start, end)])

    assert text.startswith(coding.text(raw[:first]))
    assert coding.text(raw[:first]) + coding.text(raw[first:last]) + coding.text(raw[last:]) == text
    assert len(coding.text(raw[:first])) <= start or start == end
    assert len(coding.text(raw[:last])) >= end


@pytest.mark.parametrize("coding", [PLAIN, MARKUP, CELL_TEXT])
@given(st.lists(st.sampled_from(WRITTEN), max_size=12), st.data())
def test_many_ranges_are_found_as_each_by_itself(coding: Coding, pieces: list[str], data: st.DataObject) -> None:
    raw = "".join(pieces)
    bounds = sorted(data.draw(st.lists(st.integers(0, len(coding.text(raw))), max_size=8)))
    ranges = list(zip(bounds[::2], bounds[1::2], strict=False))

    assert list(coding.raw_ranges(raw, ranges)) == [next(coding.raw_ranges(raw, [each])) for each in ranges]


def test_each_written_character_is_read_once_however_much_is_replaced() -> None:
    read: list[str] = []
    counting = Coding(MARKUP.written, lambda written: read.append(written) or MARKUP.read(written), MARKUP.write)

    list(counting.raw_ranges("&amp;x" * 100, [(number, number + 1) for number in range(200)]))

    assert len(read) == 100


@pytest.mark.parametrize("page", ["<a " * 200_000, "<!--" * 200, '<a x="' * 201])
def test_tags_without_end_are_refused_before_they_cost_much(page: str) -> None:
    with pytest.raises(CannotAnonymise, match="tags are broken"):
        run(page.encode(), "html")


@pytest.mark.parametrize(
    "page", ["<a " + "x" * 300_000 + ">", "<a " + "x " * 100_000 + "=", "&#" + "9" * 9_000 + ";", "&" + "a" * 9_000]
)
def test_strange_markup_costs_little_and_stays(page: str) -> None:
    assert run(page.encode(), "html")[0].decode() == page


def test_half_characters_do_no_harm() -> None:
    text = "Jane Doe \ud800 jane doe".encode("utf-16-le", "surrogatepass")
    find = Words({"Jane Doe \ud800": "PERSON"})

    result, _ = run(b"\xff\xfe" + text + b"x\0", "txt", find)

    assert result.decode("utf-16").endswith("jane doex")
    assert run(b"<a>Jane Doe _xD800_ &#x1F600;</a>", "xml")[0] == b"<a>&lt;PERSON&gt; _xD800_ &#x1F600;</a>"


def test_labels_are_written_so_that_they_read_as_labels() -> None:
    label = "<PERSON>"
    assert html.unescape(MARKUP.write(label)) == label
    assert re.search("[<>\"']", MARKUP.write("<\"'&>")) is None

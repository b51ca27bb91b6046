"""Word documents: what stands across runs, in every part, and in what people do not see."""

from __future__ import annotations

import re
from html import unescape
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.anonymisation.base import CannotAnonymise
from tests.anonymisation.desk import (
    JANE,
    PACKAGE,
    POST,
    RELATIONS,
    WORD,
    Words,
    body,
    paragraph,
    part,
    run,
    unzipped,
    word,
)
from tests.corpus.formats import png

PERSON = "&lt;PERSON&gt;"


def test_a_name_across_runs_goes_and_the_runs_stay() -> None:
    result, done = run(word(paragraph("Dear Ja", "ne", " D", "oe, hello")), "docx")

    assert body(result) == (
        "<w:p><w:r><w:t>Dear &lt;PERSON&gt;</w:t></w:r><w:r><w:t></w:t></w:r><w:r><w:t></w:t></w:r>"
        "<w:r><w:t>, hello</w:t></w:r></w:p>"
    )
    assert done.replaced == {"PERSON": 1}


def test_white_space_that_comes_to_an_end_of_a_run_is_kept() -> None:
    runs = (
        "<w:r><w:t>Jane D</w:t></w:r><w:r><w:t>oe came</w:t></w:r><w:r><w:t "
        'xml:space="preserve">so Jane Doe </w:t></w:r>'
    )

    result, _ = run(word(f"<w:p>{runs}</w:p>"), "docx")

    assert body(result) == (
        f"<w:p><w:r><w:t>{PERSON}</w:t></w:r>"
        '<w:r><w:t xml:space="preserve"> came</w:t></w:r>'
        f'<w:r><w:t xml:space="preserve">so {PERSON} </w:t></w:r></w:p>'
    )


@given(
    st.lists(
        st.one_of(
            st.just(JANE),
            st.text(
                st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"),
                max_size=6,
            ),
            st.sampled_from(["&", "<b>", '"', "  "]),
        ),
        max_size=8,
    ),
    st.data(),
)
def test_however_runs_are_split_the_text_is_the_text_with_names_replaced(
    pieces: list[str], data: st.DataObject
) -> None:
    text = " ".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    bounds = list(zip([0, *cuts], [*cuts, len(text)], strict=True))
    written = [escape(text[start:end]) for start, end in bounds]

    result, done = run(word(paragraph(*written)), "docx")

    runs = re.findall(r"<w:t[^>]*>([^<]*)</w:t>", body(result))
    assert unescape("".join(runs)) == text.replace(JANE, "<PERSON>")
    assert done.replaced.get("PERSON", 0) == text.count(JANE)
    assert len(runs) == len(written)


def test_text_outside_of_what_goes_is_the_same_bytes_entities_and_all() -> None:
    before = "<w:p ><w:r><w:t>Caf&#233; &amp; &#x2019;x&apos; Jane&#32;Doe &#169;<!-- kept --></w:t></w:r></w:p>"

    assert body(run(word(before), "docx")[0]) == before.replace("Jane&#32;Doe", PERSON)


def test_parts_without_findings_are_the_same_bytes_in_the_same_order_and_dates_are_alike() -> None:
    document = word(
        paragraph("Jane Doe"), word__header1_xml="<w:hdr xmlns:w='w'> <w:p/> </w:hdr>", word__media__image1_png=png()
    )

    before, after = unzipped(document), unzipped(run(document, "docx")[0])

    assert list(before) == list(after)
    assert {name for name in before if before[name] != after[name]} == {"word/document.xml"}


def revised(kind: str, text: str, tag: str = "t") -> str:
    return (
        f'<w:{kind} w:id="1" w:author="jdoe" w:date="2026-03-01T10:11:12Z"><w:r>'
        f"<w:{tag}>{text}</w:{tag}></w:r></w:{kind}>"
    )


def test_tracked_changes_are_read_as_they_were_and_as_they_are() -> None:
    text = f"<w:p>{revised('del', 'Jane', 'delText')}{revised('ins', 'Joan')}<w:r><w:t> Doe</w:t></w:r></w:p>"
    find = Words({"Jane Doe": "PERSON", "Joan Doe": "PERSON"})

    result, done = run(word(text), "docx", find)

    assert "JaneJoan Doe\n" in find.seen
    assert re.findall(r">([^<]*)</w:(?:t|delText)>", body(result)) == [PERSON, PERSON, ""]
    assert done.replaced == {"PERSON": 2}
    assert "jdoe" not in body(result)
    assert "2026" not in body(result)


def test_what_overlaps_in_two_readings_goes_once() -> None:
    text = f"<w:p>{revised('del', 'Jane', 'delText')}{revised('ins', 'Joan')}<w:r><w:t> Doe Smith</w:t></w:r></w:p>"
    find = Words({"Jane Doe": "PERSON", "Joan Doe Smith": "PERSON"})

    result, done = run(word(text), "docx", find)

    assert re.findall(r">([^<]*)</w:(?:t|delText)>", body(result)) == [PERSON, PERSON, ""]
    assert done.replaced == {"PERSON": 2}


def test_revisions_within_revisions_end_where_they_end() -> None:
    moved = (
        f"<w:moveTo w:id='2'><w:r><w:t>Jane</w:t></w:r>{revised('del', 'X', 'delText')}<w:r>"
        "<w:t> Doe</w:t></w:r></w:moveTo>"
    )

    find = Words()

    result, _ = run(word(f"<w:p>{moved}</w:p>"), "docx", find)

    assert re.findall(r">([^<]*)</w:(?:t|delText)>", body(result)) == [PERSON, "X", ""]
    assert [text for text in find.seen if "X" in text or "Jane" in text] == ["JaneX Doe\n", "Jane Doe\n", "X\n"]


def test_cells_breaks_and_tabs_part_words_as_people_read_them() -> None:
    find = Words({})
    cells = "".join(f"<w:tc>{paragraph(text)}</w:tc>" for text in ("Name", "Jane Doe"))
    breaks = "<w:p><w:r><w:t>a</w:t><w:br/><w:t>b</w:t><w:tab/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>"

    run(word(f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>{breaks}"), "docx", find)

    assert "Name \tJane Doe \t\na\nb\tc-d\n" in find.seen


PLACES = {
    "word/header1.xml": f"<w:hdr {WORD}>{paragraph('X')}</w:hdr>",
    "word/footer2.xml": f"<w:ftr {WORD}>{paragraph('X')}</w:ftr>",
    "word/footnotes.xml": f"<w:footnotes {WORD}><w:footnote>{paragraph('X')}</w:footnote></w:footnotes>",
    "word/endnotes.xml": f"<w:endnotes {WORD}>{paragraph('X')}</w:endnotes>",
    "word/comments.xml": f"<w:comments {WORD}><w:comment>{paragraph('X')}</w:comment></w:comments>",
    "word/glossary/document.xml": f"<w:glossaryDocument {WORD}>{paragraph('X')}</w:glossaryDocument>",
    "word/settings.xml": f'<w:settings {WORD}><w:docVars><w:docVar w:name="who" w:val="X"/></w:docVars></w:settings>',
    "word/charts/chart1.xml": (
        '<c:chart xmlns:c="c" xmlns:a="a"><a:t>X</a:t><c:strCache><c:v>X</c:v></c:strCache></c:chart>'
    ),
    "word/diagrams/data1.xml": '<d xmlns:a="a"><a:t>X</a:t></d>',
    "word/media/image2.svg": (
        '<svg xmlns="http://www.w3.org/2000/svg"><title>X</title><text><tspan>X</tspan></text></svg>'
    ),
    "docProps/core.xml": '<cp xmlns:dc="dc"><dc:title>X</dc:title><dc:subject>X</dc:subject></cp>',
    "docProps/app.xml": "<Properties><Company>X</Company></Properties>",
    "docProps/custom.xml": (
        '<Properties xmlns:vt="v"><property name="Matter"><vt:lpwstr>X</vt:lpwstr></property></Properties>'
    ),
    "customXml/item1.xml": '<case name="X"><client>X</client><!-- X --><![CDATA[X]]></case>',
}


@pytest.mark.parametrize("name", PLACES)
def test_every_part_is_searched(name: str) -> None:
    document = word(paragraph("nothing"), **{name: PLACES[name].replace("X", JANE)})

    result, done = run(document, "docx")

    raw = PLACES[name].replace("[X]", "[<PERSON>]").replace("<!-- X", "<!-- <PERSON>").replace("X", PERSON)
    assert part(result, name) == raw
    assert done.replaced["PERSON"] == PLACES[name].count("X")


BODIES = (
    '<w:drawing><wp:docPr xmlns:wp="wp" id="1" name="X" descr="by X" title="X"/></w:drawing>',
    '<w:pict><v:shape xmlns:v="v" alt="X"><v:textpath string="for X"/></v:shape></w:pict>',
    "<w:p><w:r><w:txbxContent><w:p><w:r><w:t>X</w:t></w:r></w:p></w:txbxContent></w:r></w:p>",
    '<w:p><w:r><w:instrText xml:space="preserve"> AUTHOR X </w:instrText></w:r></w:p>',
    '<w:fldSimple w:instr=" DOCPROPERTY X "><w:r><w:t>X</w:t></w:r></w:fldSimple>',
    (
        '<w:sdt><w:sdtPr><w:alias w:val="X"/><w:tag w:val="X"/><w:listItem w:displayText="X" '
        'w:value="X"/></w:sdtPr></w:sdt>'
    ),
    '<w:ffData><w:name w:val="X"/><w:textInput><w:default w:val="X"/></w:textInput></w:ffData>',
    "<mc:AlternateContent xmlns:mc='mc'><mc:Choice><w:p><w:r><w:t>X</w:t></w:r></w:p></mc:Choice>"
    "<mc:Fallback><w:p><w:r><w:t>X</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent>",
    "<w:p><w:r><w:t><![CDATA[X]]></w:t></w:r></w:p>",
)


@pytest.mark.parametrize("markup", BODIES)
def test_every_place_in_the_body_is_searched(markup: str) -> None:
    result, done = run(word(markup.replace("X", JANE)), "docx")

    assert body(result) == markup.replace("[X]", "[<PERSON>]").replace("X", PERSON)
    assert done.replaced["PERSON"] == markup.count("X")


def test_bookmarks_stay_names() -> None:
    marks = '<w:bookmarkStart w:id="0" w:name="Jane_Doe_clause"/><w:hyperlink w:anchor="Jane_Doe_clause"/>'

    result, _ = run(word(marks), "docx")

    assert body(result) == marks.replace("Jane_Doe", "PERSON")


def test_links_lead_to_nobody_and_inner_relations_stay() -> None:
    relations = (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        '<Relationship Id="rId1" Type="hyperlink" '
        'Target="mailto:jane%40x.example?subject=a%20b" TargetMode="External"/>'
        '<Relationship Id="rId2" Type="image" Target="media/image1.png"/></Relationships>'
    )

    result, done = run(word("", **{"word/_rels/document.xml.rels": relations}), "docx")

    assert part(result, "word/_rels/document.xml.rels") == relations.replace("jane%40x.example", "EMAIL_ADDRESS")
    assert done.replaced == {"EMAIL_ADDRESS": 1}


@pytest.mark.parametrize(
    ("target", "neutral"),
    [
        ("file:///C:\\Users\\jdoe\\Templates\\Normal.dotm", "file:///Normal.dotm"),
        ("FILE:///C:%5CUsers%5Cjdoe%5CJane%20Doe.dotm", "file:///PERSON.dotm"),
        ("\\\\server\\home\\jdoe\\a.docx", "file:///a.docx"),
        ("c:/Users/jdoe/", "file:///"),
        ("file:a.docx", "file:///a.docx"),
        ("https://www.example.org/jdoe/a.docx", "https://www.example.org/jdoe/a.docx"),
        ("../plans/a.docx", "../plans/a.docx"),
    ],
)
def test_where_a_file_lay_is_neutral_and_other_links_stay(target: str, neutral: str) -> None:
    relations = (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="attachedTemplate" '
        f'Target="{target}" TargetMode="External"/></Relationships>'
    )

    result, _ = run(word("", **{"word/_rels/settings.xml.rels": relations}), "docx")

    assert part(result, "word/_rels/settings.xml.rels") == relations.replace(target, neutral)


def test_a_text_box_within_a_name_parts_it_for_nobody() -> None:
    box = "<w:r><w:txbxContent><w:p><w:r><w:t>{}</w:t></w:r>{}</w:p></w:txbxContent></w:r>"
    inner = box.format("Jane", "") + "<w:r><w:t> Doe</w:t></w:r>"
    markup = (
        f"<w:p><w:r><w:t>Jane </w:t></w:r>{box.format('at Jane', box.format('Doe', ''))}<w:r><w:t>Doe</w:t></w:r></w:p>"
    )
    find = Words()

    result, _ = run(word(markup + f"<w:p>{inner}</w:p>"), "docx", find)

    assert "Jane Doe\n Doe\n" in find.seen
    assert body(result).startswith(
        f'<w:p><w:r><w:t xml:space="preserve">{PERSON}</w:t></w:r>'.replace(' xml:space="preserve"', "")
    )
    assert "<w:t>at Jane</w:t>" in body(result)


def test_who_wrote_it_and_when_is_neutral_whatever_it_says() -> None:
    core = (
        '<cp:coreProperties xmlns:cp="cp" xmlns:dc="dc" xmlns:dcterms="t"><dc:creator>jdoe</dc:creator>'
        "<cp:lastModifiedBy>jdoe</cp:lastModifiedBy><dcterms:created>2026-03-01T10:00:00Z</dcterms:created>"
        "<cp:revision>7700900123</cp:revision></cp:coreProperties>"
    )
    people = (
        '<w15:people xmlns:w15="w15"><w15:person w15:author="jdoe"><w15:presenceInfo '
        'w15:providerId="AD" w15:userId="jdoe"/></w15:person></w15:people>'
    )
    comments = (
        f'<w:comments {WORD}><w:comment w:id="0" w:author="jdoe" w:initials="JD" '
        'w:date="2026-03-01T10:00:00Z"/></w:comments>'
    )
    parts = {"docProps/core.xml": core, "word/people.xml": people, "word/comments.xml": comments}

    result, done = run(word('<w:date w:fullDate="1980-03-02T00:00:00Z"/>', **parts), "docx")

    assert part(result, "docProps/core.xml") == core.replace(">jdoe<", "><").replace(
        "2026-03-01T10:00:00Z", "1980-01-01T00:00:00Z"
    )
    for name in ("word/people.xml", "word/comments.xml"):
        assert "jdoe" not in part(result, name)
        assert "2026" not in part(result, name)
    assert body(result) == '<w:date w:fullDate="1980-01-01T00:00:00Z"/>'
    assert done.replaced == {}


def test_a_number_or_date_in_a_property_stays_one() -> None:
    custom = (
        '<Properties xmlns:vt="vt"><property name="Phone"><vt:i4>7700900123</vt:i4></property>'
        '<property name="Born"><vt:filetime>1980-03-02T00:00:00Z</vt:filetime></property></Properties>'
    )
    find = Words({"Phone: 7700900123": "PHONE_NUMBER", "1980-03-02": "DATE_OF_BIRTH"})

    result, done = run(word("", **{"docProps/custom.xml": custom}), "docx", find)

    assert part(result, "docProps/custom.xml") == custom.replace("7700900123", "0").replace("1980-03-02", "1980-01-01")
    assert done.replaced == {"DATE_OF_BIRTH": 1, "PHONE_NUMBER": 1}


def test_names_of_styles_go_only_if_somebody_is_called_so() -> None:
    styles = (
        f'<w:styles {WORD}><w:style><w:name w:val="Jane Doe"/></w:style><w:style><w:name '
        'w:val="Al Roe"/></w:style></w:styles>'
    )
    find = Words({"Jane Doe": "PERSON"})

    unknown, _ = run(word("", **{"word/styles.xml": styles}), "docx", find)
    known, _ = run(word(paragraph("Jane Doe"), **{"word/styles.xml": styles}), "docx", find)

    assert part(unknown, "word/styles.xml") == styles
    assert part(known, "word/styles.xml") == styles.replace("Jane Doe", PERSON)


def test_pictures_and_fonts_stay_and_pictures_are_told() -> None:
    parts = {
        "word/media/image1.png": png(),
        "word/media/image2.emf": b"\1\0\0\0" + "Jane Doe, drawn up".encode("utf-16-le") + b" EMF" + b"Jane Doe" * 99,
        "word/media/image3.wmf": b"\xd7\xcd\xc6\x9a" + b"Jane Doe" * 99,
        "word/fonts/font1.odttf": b"\xff\xfe\0\1",
        "word/fonts/Some-bold.ttf": b"\0\1\0\0\0",
        "word/media/": b"",
    }

    result, done = run(word("", **parts), "docx")

    assert {name: unzipped(result)[name] for name in parts} == parts
    assert done.left == ("picture",)


def test_a_document_in_the_document_is_cleaned_too() -> None:
    inner = word(paragraph("Jane Doe"), word__media__image1_png=png())

    result, done = run(word("", **{"word/embeddings/Microsoft_Word_Document1.docx": inner}), "docx")

    assert body(unzipped(result)["word/embeddings/Microsoft_Word_Document1.docx"]) == paragraph(PERSON)
    assert (done.replaced, done.left) == ({"PERSON": 1}, ("picture",))


def test_documents_in_documents_without_end_are_refused() -> None:
    document = word(paragraph("x"))
    for _ in range(6):
        document = word("", **{"word/embeddings/inner.docx": document})
    assert run(document, "docx")[1].rounds == 1

    with pytest.raises(CannotAnonymise, match="beyond all reason"):
        run(word("", **{"word/embeddings/inner.docx": document}), "docx")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("word/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "macros"),
        ("word/activeX/activeX1.xml", b"<a/>", "macros"),
        ("_xmlsignatures/sig1.xml", b"<Signature/>", "signed"),
        ("word/embeddings/oleObject1.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"\(ole\)"),
        ("word/media/voice1.mp3", b"ID3\3\0\0\0", r"\(mp3\)"),
        ("word/media/Jane_Doe.png", png(), "name that must go"),
        ("word/media/Jane Doe/image1.png", png(), "name that must go"),
    ],
)
def test_what_cannot_be_cleaned_is_refused(name: str, content: bytes, why: str) -> None:
    with pytest.raises(CannotAnonymise, match=why) as refused:
        run(word(paragraph("x"), **{name: content}), "docx")
    assert "Jane" not in str(refused.value)


def test_a_name_of_a_part_that_turns_out_to_be_a_value_is_refused() -> None:
    with pytest.raises(CannotAnonymise, match="name that must go"):
        run(
            word(paragraph("Mail: jane@x.example"), **{"word/media/jane@x.example.png": png()}),
            "docx",
            Words({"Mail: jane@x.example": "EMAIL_ADDRESS", "jane@x.example": "EMAIL_ADDRESS"}),
        )


def test_texts_of_drawings_get_no_attribute_that_they_may_not_have() -> None:
    drawn = '<d xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><a:t>Jane D</a:t><a:t>oe came</a:t></d>'

    result, _ = run(word("", word__charts__chart1_xml=drawn), "docx")

    assert part(result, "word/charts/chart1.xml") == drawn.replace("Jane D", PERSON).replace("oe came", " came")


def test_the_picture_of_the_first_page_goes_with_all_that_leads_to_it() -> None:
    relations = (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="officeDocument" '
        'Target="word/document.xml"/><Relationship Id="rId2" Type="thumbnail" '
        'Target="docProps/thumbnail.jpeg"></Relationship>'
        "</Relationships>"
    )
    document = word(paragraph("x"), **{"_rels/.rels": relations, "docProps/thumbnail.jpeg": b"\xff\xd8\xff"})

    result, done = run(document, "docx")

    assert "docProps/thumbnail.jpeg" not in unzipped(result)
    assert part(result, "_rels/.rels").count("<Relationship ") == 1
    assert done.left == ()


def test_a_presentation_is_cleaned() -> None:
    from tests.anonymisation.desk import package

    slides = {
        "ppt/presentation.xml": f'<p:presentation xmlns:p="p" xmlns:r="{RELATIONS}"/>',
        "ppt/slides/slide1.xml": (
            '<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:r><a:t>Ja</a:t></a:r><a:r><a:t>ne Doe</a:t></a:r></a:p></p:sld>'
        ),
        "ppt/comments/comment1.xml": (
            f'<p:cmLst xmlns:p="p"><p:cm dt="2026-03-01T10:00:00"><p:text>to {POST}</p:text></p:cm></p:cmLst>'
        ),
        "ppt/commentAuthors.xml": '<p:l xmlns:p="p"><p:cmAuthor id="1" name="jdoe" initials="jd"/></p:l>',
        "ppt/tags/tag1.xml": '<p:tagLst xmlns:p="p"><p:tag name="WHO" val="Jane Doe"/></p:tagLst>',
    }

    result, done = run(package(slides), "pptx")

    assert "<a:t>&lt;PERSON&gt;</a:t></a:r><a:r><a:t></a:t>" in part(result, "ppt/slides/slide1.xml")
    assert ">to &lt;EMAIL_ADDRESS&gt;<" in part(result, "ppt/comments/comment1.xml")
    assert "jd" not in part(result, "ppt/commentAuthors.xml")
    assert 'val="&lt;PERSON&gt;"' in part(result, "ppt/tags/tag1.xml")
    assert done.replaced == {"EMAIL_ADDRESS": 1, "PERSON": 2}

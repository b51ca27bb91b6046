"""What the models are trained on is read as it is meant, and can be made again."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from training.documents import filled, goldset, read_templates, templates
from training.names import marked, measured, public_documents, train
from training.people import fill

TEMPLATE = """class: payroll
special: trade_union
criminal: no
hard_negative: no
---
{{PERSON|@f1.full}} ({{PERSON|@f1.last}}), NI {{UK_NINO|@nino}}, {{SC_UNION|subs for UNISON}}
"""


def test_every_template_is_sound_and_can_be_filled() -> None:
    found = templates()
    assert len(found) > 1_000
    for number, template in enumerate(found):
        document = filled(template, fill(Random(number)))
        assert not re.search(r"(?<!\S)@(?:[fm]\d\.|nino|nhs|street)", document.text), template.id
        assert all(document.text[mention.start : mention.end].strip() for mention in document.mentions), template.id


def test_a_gap_has_one_value_in_a_document_and_marks_stand_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEMPLATE)
    (template,) = read_templates(path)
    document = filled(template, fill(Random(3)))
    whole, last, number, union = (document.text[mention.start : mention.end] for mention in document.mentions)
    assert whole.endswith(last)
    assert number.replace(" ", "")[:2].isalpha()
    assert union == "subs for UNISON"
    assert filled(template, fill(Random(3))) == document


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("class: payroll", "class: pay", "no class 'pay'"),
        ("special: trade_union", "special: union", "no category 'union'"),
        ("special: trade_union", "special:", "the header says"),
        ("UK_NINO", "UK_NIN", "no type 'UK_NIN'"),
        ("@f1.full", "@f1.whole", "no gap @f1.whole"),
        ("UNISON}}", "UNISON", "not closed"),
        ("---\n", "", "no line `---`"),
        ("hard_negative: no", "hard_negative: yes", "a hard negative reveals nothing"),
    ],
)
def test_a_mistake_in_a_template_is_told(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEMPLATE.replace(old, new))
    with pytest.raises(ValueError, match=said):
        list(read_templates(path))


def test_set_b_is_not_among_what_is_learnt_from() -> None:
    assert set(goldset()) == set("CDEFGHI")


def test_public_sets_are_read_with_their_persons(tmp_path: Path) -> None:
    for folder in ("wnut17", "wikigold", "crossner", "litbank"):
        (tmp_path / folder).mkdir()
    (tmp_path / "wnut17" / "train.conll").write_text("Ada\tB-person\nExample\tI-person\n,\tO\nBob\tB-person\n\n")
    (tmp_path / "wnut17" / "dev.conll").write_text("Acme\tB-corporation\n")
    (tmp_path / "wikigold" / "wikigold.conll.txt").write_text("-DOCSTART- O\n\nAda I-PER\nslept O\n. O\n")
    (tmp_path / "crossner" / "ai-dev.txt").write_text("Turing\tB-researcher\nthought\tO\n")
    (tmp_path / "litbank" / "a.txt").write_text("Mr. Darcy bowed.\nHe left.\n")
    (tmp_path / "litbank" / "a.ann").write_text("T1\tPROP_PER 0 9\tMr. Darcy\nT2\tNOM_PER 17 19\tHe\n")
    found = list(public_documents(tmp_path))
    persons = [document.text[mention.start : mention.end] for document in found for mention in document.mentions]
    assert persons == ["Ada Example", "Bob", "Ada", "Turing", "Mr. Darcy"]
    assert "Ada Example, Bob" in found[0].text


def test_the_same_data_and_seed_give_the_same_model() -> None:
    documents = goldset("C")["C"][:12]
    one, other = (train(documents, [], rounds=2) for _ in range(2))
    assert one.get_pipe("ner").to_bytes() == other.get_pipe("ner").to_bytes()
    assert measured(one, documents) == measured(other, documents)
    assert len(marked(one, documents[0]).ents) > 0

"""What a document as a whole is found to reveal, by the model that is shipped."""

from __future__ import annotations

import pytest

from agent.detection.reader.reader import Reading
from agent.detection.special.lexicon import CATEGORIES
from agent.detection.special.search import DocumentEvidence, SpecialSearch
from agent.model.finding import NEGATED, CategoryVerdict, Span


def names(text: str, *people: str) -> list[Span]:
    """The spans of people in a text, as a search for names gives them."""
    found = []
    for person in people:
        start = text.index(person)
        found.append(Span("PERSON", start, start + len(person), 0.9))
    return found


def judged(text: str, *people: str) -> dict[str, CategoryVerdict]:
    persons = names(text, *people)
    evidence = DocumentEvidence()
    evidence.take(text, SpecialSearch().find(text, persons), persons)
    return {str(verdict.category): verdict for verdict in evidence.verdicts()}


PRIVACY_NOTICE = """PRIVACY NOTICE FOR STAFF

We process special category data where the law allows. This may include information about your health, your racial or
ethnic origin, religious or philosophical beliefs, trade union membership, genetic data, biometric data such as
fingerprints, and your sex life or sexual orientation.
We may also process information about criminal convictions and offences, for example the result of a DBS check.
We keep it no longer than is necessary. You have the right to ask for access, rectification and erasure.
"""

EQUALITY_FORM = """EQUAL OPPORTUNITIES MONITORING FORM (voluntary)

Please tick one box in each section. This part is removed before shortlisting.
Ethnic group:  White [ ]  Black [ ]  Asian [ ]  Mixed [ ]  Other [ ]  Prefer not to say [ ]
Religion or belief: ..............................
Sexual orientation: Heterosexual [ ]  Gay or lesbian [ ]  Bisexual [ ]  Prefer not to say [ ]
Do you consider yourself to have a disability?  Yes [ ]  No [ ]
Are you a member of a trade union?  Yes [ ]  No [ ]
"""

UNION_NEWSLETTER = """BRANCH NEWS, SPRING EDITION

The pay claim went in on the first of March. UNISON and GMB have asked for six per cent for all grades.
The strike ballot opens in May. Members will get their papers by post; check your address with the branch office.
Subs stay as they are this year. The next meeting is on the last Thursday, upstairs, all members welcome.
Why join? Legal help, a voice at work, and a calendar.
"""

MEDICAL_LEAFLET = """LIVING WITH TYPE 2 DIABETES: A GUIDE FOR PATIENTS

Type 2 diabetes is a condition in which the body does not make enough insulin, or cannot use it well.
Symptoms include thirst, tiredness and blurred vision. People who are overweight have a higher risk.
Your doctor may prescribe metformin. Take the tablets with food. If you are pregnant, ask your midwife first.
Feet should be checked once a year. Call the helpline for advice.
"""

COURSE = """DATA PROTECTION ESSENTIALS: MODULE 3, SLIDES

Slide 1. What is special category data? Health, race, religion, politics, trade union membership, genetics, biometrics,
sex life and sexual orientation.
Slide 2. Criminal offence data has its own rule, Article 10. It includes allegations and the absence of convictions.
Slide 3. Quiz: an employer stores the fingerprints of all staff to open a door. Which condition applies?
Slide 4. Learning outcomes. By the end of the session learners should be able to name the nine categories.
"""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PRIVACY_NOTICE, id="a privacy notice"),
        pytest.param(EQUALITY_FORM, id="an equality form left blank"),
        pytest.param(UNION_NEWSLETTER, id="a union newsletter without names"),
        pytest.param(MEDICAL_LEAFLET, id="a medical leaflet"),
        pytest.param(COURSE, id="a data-protection course"),
        pytest.param("The invoice is due in thirty days. Delivery to the loading bay.", id="an invoice"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_text_that_speaks_of_nobody_reveals_nothing(text: str) -> None:
    assert sorted(judged(text)) == []


DIALYSIS = """To: rota desk
Re: Sandra Whitlow, weekend cover

Sandra can't do the early shift. She is back from dialysis on Tuesdays and Thursdays about two, and tired after it.
Could Mondays be swapped for now? She has told the manager and is happy for us to know.
"""
HUSBAND = """Hi both,

Martin Oakes has asked for the 14th off. It's the hospital dinner his husband is getting a prize at, and he and
his husband have had the tickets since spring. Fine by me. He would rather it wasn't announced to the whole floor.
"""
SUBS = """PAYSLIP   Month 5                      Employee: Janet Pryor     Emp no 20417

Basic pay        1,942.10
PAYE tax           178.20
NI                 112.44
Subs deducted for UNISON     14.50
Net pay          1,636.96
"""
CLEAR = """SAFER RECRUITMENT CHECKLIST

Candidate: Owen Marsh, cover supervisor
DBS certificate seen 3 June: no convictions, cautions or reprimands recorded.
Two references received. Cleared to start.
"""


@pytest.mark.parametrize(
    ("text", "person", "category"),
    [
        pytest.param(DIALYSIS, "Sandra Whitlow", "health", id="back from dialysis on Tuesdays"),
        pytest.param(HUSBAND, "Martin Oakes", "sex_life_orientation", id="his husband"),
        pytest.param(SUBS, "Janet Pryor", "trade_union", id="subs deducted for a union"),
        pytest.param(CLEAR, "Owen Marsh", "criminal", id="no convictions"),
    ],
)
def test_what_is_said_of_somebody_in_passing_is_found(text: str, person: str, category: str) -> None:
    assert category in judged(text, person)


def test_that_there_are_no_convictions_is_criminal_records_data_of_lower_severity() -> None:
    assert NEGATED in judged(CLEAR, "Owen Marsh")["criminal"].attributes


def test_the_evidence_is_the_words_that_reveal_it() -> None:
    spans = SpecialSearch().find(SUBS, names(SUBS, "Janet Pryor"))
    best = max((span for span in spans if span.entity_type == "SC_UNION"), key=lambda span: span.score)
    assert "UNISON" in SUBS[best.start : best.end]


def test_reasons_hold_no_word_of_the_text() -> None:
    whys = {span.why for span in SpecialSearch().find(SUBS + CLEAR + DIALYSIS, [])}
    told = {word for why in whys for word in why.replace(";", "").split()}
    assert told <= set("strong normal ambiguous term pattern wording pronoun title name ticked".split())


def test_the_verdict_does_not_depend_on_how_a_long_document_is_cut() -> None:
    filler = "The delivery of paper came at noon and was put into the store room by the stairs.\n" * 60
    whole = judged(filler + DIALYSIS, "Sandra Whitlow")
    evidence, search = DocumentEvidence(), SpecialSearch()
    for part in (filler, DIALYSIS):
        persons = names(part, "Sandra Whitlow") if part is DIALYSIS else []
        evidence.take(part, search.find(part, persons), persons)
    assert [str(verdict.category) for verdict in evidence.verdicts()] == sorted(whole)


def test_offsets_may_count_from_before_the_stretch() -> None:
    before = "x" * 120 + "\n"
    persons = names(before + CLEAR, "Owen Marsh")
    spans = SpecialSearch().find(before + CLEAR, persons)
    evidence = DocumentEvidence()
    evidence.take(CLEAR, spans, persons, len(before))
    assert {str(verdict.category) for verdict in evidence.verdicts()} == set(judged(CLEAR, "Owen Marsh"))


def test_of_a_long_document_only_so_much_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Counting:
        def read(self, text: str) -> Reading:
            asked.append(text)
            return Reading((0.0,) * len(CATEGORIES), (0.0,) * len(CATEGORIES))

    monkeypatch.setattr("agent.detection.special.search.in_doubt", lambda chances: True)
    evidence = DocumentEvidence(reader=Counting())  # type: ignore[arg-type]
    text = "She has dialysis on Tuesdays and rests on Wednesdays, as her manager knows.\n" * 2_000
    evidence.take(text, SpecialSearch().find(text, []), [])
    assert len(asked) == 40


class Believing:
    """A reader that is sure of one category, by the words that it is told."""

    def __init__(self, category: str, words: str) -> None:
        self._index = [str(one) for one in CATEGORIES].index(category)
        self._words = words

    def read(self, text: str) -> Reading:
        said = tuple(5.0 if index == self._index else -9.0 for index in range(len(CATEGORIES)))
        return Reading(said, said, ((1, 2),) * len(CATEGORIES))

    def place(self, text: str, pieces: tuple[int, int]) -> tuple[int, int]:
        assert pieces == (1, 2)
        start = text.index(self._words)
        return start, start + len(self._words)


def test_what_only_the_reader_has_found_is_evidence_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.detection.special.search.in_doubt", lambda chances: True)
    before = "Filed on Monday.\n"
    text = "Katarzyna Wiśniewska has dialysis on Tuesdays. Both her irises open the door of the store."
    persons = [Span("PERSON", len(before), len(before) + 20, 0.9)]
    spans = [Span("SC_HEALTH", len(before) + 25, len(before) + 33, 0.9, why="strong term")]
    evidence = DocumentEvidence(reader=Believing("biometric", "irises"))  # type: ignore[arg-type]
    (more,) = evidence.take(text, spans, persons, len(before))
    assert (more.entity_type, more.why) == ("SC_BIOMETRIC", "reading")
    assert (before + text)[more.start : more.end] == "irises"
    assert "biometric" in {str(verdict.category) for verdict in evidence.verdicts()}


def test_what_is_known_already_the_reader_does_not_tell_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.detection.special.search.in_doubt", lambda chances: True)
    text = "Katarzyna Wiśniewska has dialysis on Tuesdays."
    spans = [Span("SC_HEALTH", 25, 33, 0.9, why="strong term")]
    evidence = DocumentEvidence(reader=Believing("health", "dialysis"))  # type: ignore[arg-type]
    assert evidence.take(text, spans, [Span("PERSON", 0, 20, 0.9)]) == []

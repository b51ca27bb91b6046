"""Names that their surroundings give away: titles, salutations, signatures, header lines, form fields."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from agent.detection.names.gazetteer import as_listed, family_names, given_names
from agent.detection.names.words import NO_PERSON, PLACES

TITLES = (
    "Mr Mrs Ms Miss Mx Mstr Master Dr Prof Professor Sir Dame Lady Lord Rev Revd Reverend Canon Fr Father Sr Sister "
    "Pastor Rabbi Imam Cllr Councillor PC PCSO DC DS DI DCI Sgt Insp Judge Justice Nurse Matron Baroness Capt Lt Cpl "
    "Maj Colonel Captain Lieutenant Sergeant Corporal Brigadier Archdeacon Sheikh Herr Frau Madame "
    "Monsieur Señor Señora Aunt Auntie Uncle Councillors Cllrs Messrs Cdr Bro Sis "
    "Brig Gen Adm"
).split()
_UPPER = (
    r"\p{Lu}[\p{Ll}\p{M}]+(?:['’-]\p{Lu}?[\p{Ll}\p{M}]+)*|\p{Lu}['’]\p{Lu}[\p{Ll}\p{M}]+"
    r"|(?:Mc|Mac|Fitz)\p{Lu}[\p{Ll}\p{M}]+"
)
_WORD = rf"(?:{_UPPER})(?:-(?:{_UPPER}))*"
_SMALL = r"(?:de|da|dos|di|del|della|van|von|der|den|la|le|al|el|bin|bint|ibn|ap|ab|ó|st\.?|du)"
_NAME = rf"{_WORD}(?:[ \t](?:\p{{Lu}}\.?(?![\p{{L}}])|{_WORD}|{_SMALL}[ \t]{_WORD})){{0,3}}"
_CAPS = r"\p{Lu}[\p{Lu}\p{M}'’-]{2,}(?:[ \t]\p{Lu}[\p{Lu}\p{M}'’-]*){0,3}"
_TITLE = rf"(?:{'|'.join(TITLES)})\.?"
_ANY = rf"(?:{_NAME}|\p{{Lu}}\.?[ \t]?(?:\p{{Lu}}\.?[ \t]?)?{_WORD}|{_CAPS})"


def _phrases(words: str) -> str:
    """Alternatives parted by commas, whose spaces may be any blanks."""
    return "|".join(phrase.strip().replace(" ", r"[ \t]") for phrase in words.split(","))


_BEFORE_NAME = _phrases(
    "full, first, given, christian, last, family, middle, known as, previous, maiden, preferred, employee, staff, "
    "worker, patient, client, customer, tenant, student, learner, pupil, child, applicant, candidate, member, "
    "contact, your, host, manager, referee, account"
)
_FIELDS = _phrases(
    "employee, patient, claimant, complainant, respondent, tenant, landlord, applicant, candidate, student, "
    "learner, pupil, child, member, next of kin, emergency contact, line manager, manager, driver, gp, author, "
    "investigator, interviewer, interviewee, witness, signed, signed by, approved by, prepared by, completed by, "
    "reported by, assigned to, from, to, cc, bcc, attn, fao, present, in attendance, apologies, attendees, chair, "
    "minutes, panel, referee, referees, payee, account holder, cardholder, policyholder, who"
)
_LABELS = rf"(?:(?:{_BEFORE_NAME})[ \t])?(?:names?(?:\(s\))?|surname|forenames?(?:\(s\))?|known[ \t]as)|{_FIELDS}"
_CLOSINGS = _phrases(
    "yours sincerely, yours faithfully, yours truly, yours ever, yours, kind regards, kindest regards, best "
    "regards, warm regards, with kind regards, with best wishes, best wishes, warmest wishes, many thanks, with "
    "thanks, regards, best, thanks, thank you, cheers, ta, fraternally, in solidarity, sincerely, love, "
    "blessings, every blessing"
)
# "Park Dr BD9 5QE" is no doctor.
_TITLED = regex.compile(
    rf"(?<![\p{{L}}\d])(?:(?<!\p{{Ll}}[ \t])Dr|(?!Dr\b){_TITLE})[ \t](?!(?:{_TITLE})\b)(?P<name>{_ANY})"
)
_GREETED = regex.compile(
    rf"^[ \t>]*(?i:dear|hi|hello|hiya|hey|good[ \t](?:morning|afternoon|evening)|morning|afternoon|evening)[ \t,]+"
    rf"(?!(?:{_TITLE})\b)(?P<name>{_NAME})(?=[ \t]*(?:[,.!:–-]|$|and\b|&))",
    regex.MULTILINE,
)
_SIGNED = regex.compile(
    rf"^[ \t>]*(?i:{_CLOSINGS})[ \t]*[,.!]?[ \t]*\n(?:[ \t>]*\n){{0,3}}[ \t>]*(?:(?:{_TITLE})[ \t]+)?"
    rf"(?P<name>{_NAME}|\p{{Lu}}\.?[ \t]{_WORD})(?=[ \t]*(?:[,(|–-]|$))",
    regex.MULTILINE,
)
_LABELLED = regex.compile(
    rf"(?:^|(?<=[\t|;]|[ \t]{{2}}))[ \t>*]*+(?=[a-zA-Z])(?i:{_LABELS})[ \t]*(?:[:=|]|[ \t]{{2,}}|\t)[ \t]*"
    rf"(?:(?:{_TITLE})[ \t]+)?(?P<name>{_ANY}(?:,[ \t]{_NAME})?)(?=[ \t]*(?:[,;(|/.<–-]|$|[ \t]{{2}}|\t|and\b|&))",
    regex.MULTILINE,
)
# [14/02, 06:13] Bex: top drawer
_SPEAKING = regex.compile(
    rf"^[ \t>]*\[[^\]\n]{{0,20}}\d[:.]\d\d[^\]\n]{{0,8}}\][ \t–-]{{0,3}}(?P<name>{_NAME})"
    rf"(?=(?:[ \t]\([^)\n]{{1,30}}\))?:[ \t])",
    regex.MULTILINE,
)
_NICKNAME = "|".join(rf"{before}{_WORD}{behind}" for before, behind in ('""', "“”", "''", "‘’", (r"\(", r"\)")))
_NICKNAMED = regex.compile(
    rf"(?<![\p{{L}}\d])(?P<name>(?:{_WORD}[ \t]){{1,2}}(?:{_NICKNAME})[ \t]{_WORD})(?![\p{{L}}\d])"
)
SURNAME_FIRST = "surname first"
# "Van der Poel, Jip" in a cell; O'Hare, Concepta; Dunmore, Mr A
_WORD_OR_INITIAL = rf"(?:{_WORD}|\p{{Lu}}\.?(?![\p{{L}}]))"
_SURNAME_FIRST = regex.compile(
    rf'(?:^|(?<=(?P<quote>")|[\t|;]|[ \t]{{2}}))(?=\p{{L}})'
    rf"(?P<name>(?P<family>(?:(?i:{_SMALL})[ \t]){{0,2}}{_WORD}),[ \t]"
    rf"(?:(?P<title>{_TITLE})[ \t])?(?P<given>{_WORD_OR_INITIAL})(?:[ \t]{_WORD_OR_INITIAL})?)"
    r'(?=[ \t]*(?:["\t|;]|$)|[ \t]{2})',
    regex.MULTILINE,
)
_BEFORE_ADDRESS = regex.compile(
    rf"(?P<name>{_NAME}|{_WORD},[ \t]{_NAME})[ \t]*(?:<|\(|\[mailto:)[\w.%+-]{{1,64}}@[\w.-]{{1,120}}"
)
_ANYWHERE = regex.compile("")
# Each rule with what must stand somewhere in a text for it to find anything: prose mostly has it not.
_RULES = (
    ("title", _TITLED, _ANYWHERE),
    ("greeting", _GREETED, _ANYWHERE),
    ("signature", _SIGNED, _ANYWHERE),
    ("field", _LABELLED, regex.compile(r"[:=|\t]|[ \t]{2}")),
    ("mail", _BEFORE_ADDRESS, regex.compile("@")),
    ("speaker", _SPEAKING, _ANYWHERE),
    ("nickname", _NICKNAMED, regex.compile(r"""["“'‘(]""")),
    (SURNAME_FIRST, _SURNAME_FIRST, regex.compile(r",[ \t]\p{Lu}")),
)


def names_by_rule(text: str) -> Iterator[tuple[int, int, str]]:
    """Start and end of what a rule takes for a name, and the rule."""
    for word, rule, needed in _RULES:
        if not needed.search(text):
            continue
        for found in rule.finditer(text):
            first, comma, _ = found["name"].partition(",")
            if (word == "nickname" and not _is_known(found["name"])) or (
                word == SURNAME_FIRST and not _is_listed(found)
            ):
                continue
            if word == SURNAME_FIRST:
                yield *found.span("name"), word
            elif comma and first.casefold() in given_names() - family_names():  # To: Lucy, Isidore
                yield found.start("name"), found.start("name") + len(first), word
                yield found.start("name") + len(first) + 1, found.end("name"), word
            else:
                yield found.start("name"), found.end("name"), word


def _is_listed(found: regex.Match[str]) -> bool:
    """Whether a family name in front of a given one can be told from a town and its county."""
    given, family = as_listed(found["given"]), as_listed(found["family"].split()[-1])
    if given in PLACES or given in NO_PERSON or family in NO_PERSON or (family in given_names() - family_names()):
        return False
    return (
        bool(found["title"]) or given in given_names() or (bool(found["quote"]) and family in family_names() - PLACES)
    )


def _is_known(name: str) -> bool:
    """Whether a name begins with a known given name or ends with a known family name."""
    words = name.casefold().split()
    return words[0] in given_names() or words[-1] in family_names()

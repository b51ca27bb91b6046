"""Names that their surroundings give away: titles, salutations, signatures, header lines, form fields."""

from __future__ import annotations

from collections.abc import Iterator

import regex

TITLES = (
    "Mr Mrs Ms Miss Mx Mstr Master Dr Prof Professor Sir Dame Lady Lord Rev Revd Reverend Canon Fr Father Sr Sister "
    "Pastor Rabbi Imam Cllr Councillor PC PCSO DC DS DI DCI Sgt Insp Judge Justice Nurse Matron Baroness Capt Lt Cpl Maj"
).split()
_UPPER = r"\p{Lu}[\p{Ll}\p{M}]+(?:['’-]\p{Lu}?[\p{Ll}\p{M}]+)*|\p{Lu}['’]\p{Lu}[\p{Ll}\p{M}]+|(?:Mc|Mac|Fitz)\p{Lu}[\p{Ll}\p{M}]+"
_WORD = rf"(?:{_UPPER})(?:-(?:{_UPPER}))*"
_SMALL = r"(?:de|da|dos|di|del|della|van|von|der|den|la|le|al|el|bin|bint|ibn|ap|ab|ó|st\.?|du)"
_NAME = rf"{_WORD}(?:[ \t](?:\p{{Lu}}\.?(?![\p{{L}}])|{_WORD}|{_SMALL}[ \t]{_WORD})){{0,3}}"
_CAPS = r"\p{Lu}[\p{Lu}\p{M}'’-]+(?:[ \t]\p{Lu}[\p{Lu}\p{M}'’-]*){0,3}"
_TITLE = rf"(?:{'|'.join(TITLES)})\.?"
_ANY = rf"(?:{_NAME}|\p{{Lu}}\.?[ \t]?(?:\p{{Lu}}\.?[ \t]?)?{_WORD}|{_CAPS})"

_LABELS = (
    r"(?:full[ \t]|first[ \t]|given[ \t]|christian[ \t]|last[ \t]|family[ \t]|middle[ \t]|known[ \t]as|previous[ \t]|maiden[ \t]|preferred[ \t]|"
    r"employee[ \t]|staff[ \t]|worker[ \t]|patient[ \t]|client[ \t]|customer[ \t]|tenant[ \t]|student[ \t]|learner[ \t]|pupil[ \t]|child[ \t]|"
    r"applicant[ \t]|candidate[ \t]|member[ \t]|contact[ \t]|your[ \t]|host[ \t]|manager[ \t]|referee[ \t]|account[ \t])?"
    r"(?:names?(?:\(s\))?|surname|forenames?(?:\(s\))?|known[ \t]as)"
    r"|employee|patient|claimant|complainant|respondent|tenant|landlord|applicant|candidate|student|learner|pupil|child|member"
    r"|next[ \t]of[ \t]kin|emergency[ \t]contact|(?:line[ \t])?manager|driver|gp|author|investigator|interviewer|interviewee|witness"
    r"|signed|signed[ \t]by|approved[ \t]by|prepared[ \t]by|completed[ \t]by|reported[ \t]by|assigned[ \t]to|from|to|cc|bcc|attn|fao"
    r"|present|in[ \t]attendance|apologies|attendees|chair|minutes|panel|referees?|payee|account[ \t]holder|cardholder|policyholder|who"
)
_TITLED = regex.compile(rf"(?<![\p{{L}}\d])(?:{_TITLE})[ \t]+(?!(?:{_TITLE})\b)(?P<name>{_ANY})")
_GREETED = regex.compile(
    rf"^[ \t>]*(?i:dear|hi|hello|hiya|hey|good[ \t](?:morning|afternoon|evening)|morning|afternoon|evening)[ \t,]+"
    rf"(?!(?:{_TITLE})\b)(?P<name>{_NAME})(?=[ \t]*(?:[,.!:–-]|$|and\b|&))",
    regex.MULTILINE,
)
_SIGNED = regex.compile(
    rf"^[ \t>]*(?i:(?:yours[ \t](?:sincerely|faithfully|truly|ever)|(?:with[ \t])?(?:very[ \t])?(?:kind(?:est)?|best|warm(?:est)?|many)[ \t]"
    rf"(?:regards|wishes|thanks)|regards|best|thanks|thank[ \t]you|cheers|ta|fraternally|in[ \t]solidarity|sincerely|love|blessings"
    rf"|every[ \t]blessing|many[ \t]thanks))[ \t]*[,.!]?[ \t]*\n(?:[ \t>]*\n){{0,3}}[ \t>]*(?:(?:{_TITLE})[ \t]+)?"
    rf"(?P<name>{_NAME}|\p{{Lu}}\.?[ \t]{_WORD})(?=[ \t]*(?:[,(|–-]|$))",
    regex.MULTILINE,
)
_LABELLED = regex.compile(
    rf"(?:^|(?<=[\t|;]|[ \t]{{2}}))[ \t>*]*(?i:{_LABELS})[ \t]*(?:[:=|]|[ \t]{{2,}}|\t)[ \t]*(?:(?:{_TITLE})[ \t]+)?"
    rf"(?P<name>{_ANY}(?:,[ \t]{_NAME})?)(?=[ \t]*(?:[,;(|/.<–-]|$|[ \t]{{2}}|\t|and\b|&))",
    regex.MULTILINE,
)
_BEFORE_ADDRESS = regex.compile(
    rf"(?P<name>{_NAME}|{_WORD},[ \t]{_NAME})[ \t]*(?:<|\(|\[mailto:)[\w.%+-]{{1,64}}@[\w.-]{{1,120}}"
)
_RULES = (("title", _TITLED), ("greeting", _GREETED), ("signature", _SIGNED), ("field", _LABELLED), ("mail", _BEFORE_ADDRESS))


def names_by_rule(text: str) -> Iterator[tuple[int, int, str]]:
    """Start and end of what a rule takes for a name, and the rule."""
    for word, rule in _RULES:
        for found in rule.finditer(text):
            yield found.start("name"), found.end("name"), word

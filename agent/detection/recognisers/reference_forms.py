"""How references of staff and of cases are written, and what stands around them. Data for `references`."""

from __future__ import annotations

import regex

from agent.detection.recognisers.vocabulary import Kind

EDGE, END = r"(?<![\w.,£$€@/+*#=-])", r"(?![\w£€%@]|[./*-]\w|:\d)"
BRACKET_EDGE = r"(?<![\w.,£$€@/+*#-])"
# Letters and digits in one to five parts, with a digit somewhere.
PARTED = r"(?=[\w/.#*-]{0,24}\d)[A-Z0-9]{1,10}(?:[-/.#*][A-Z0-9]{1,14}){1,4}(?:/[a-z]{2,3}(?!\w))?"
RUN = r"(?:[A-Z]{1,5}\d{2,12}(?:[A-Z]\d?)?|\d{3,12}-[A-Z])"
SPACED = r"(?:[A-Z]{1,3} \d{3,7}(?:[-/]\d{2,5})?|[A-Z]{2,3} \d{2}[-/]\d{2,5}|[A-Z]{2,3}-\d{3} \d{3})"
# No "12. " that numbers a paragraph; said by what else follows or stands before, which a scan can tell.
NO_PARAGRAPH = r"(?=\d{3}|\d\d(?:[^\d.]|\.[^ \t]|\.?\Z)|(?<=[^\n])\d\d\.[ \t])"
# With the edge before it behind its first digit, since a search for a digit is quicker.
DIGITS = NO_PARAGRAPH + r"\d(?<![\w.,£$€@/+*#-]\d)\d{1,9}"
# "0188 of 09/07/2024": an entry in the log of the police.
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
LOG = r"\d{1,5} of \d{1,2}(?:[/.]\d{1,2}(?:[/.]\d{2,4})?| " + _MONTH + r"[a-z]{0,6}(?: 20\d\d)?)"
# Of the ombudsman for councils, and of crimes.
OF_OFFICES = r"(?:\d{2} \d{3} \d{3}|\d{11,12})"
# Letters and digits that take turns.
MIXED = r"(?=[A-Z]{0,9}\d{1,9}[A-Z])[A-Z0-9]{5,14}"
COURT = r"\d{2}[A-Z]{2} \d{4} \d{2} [A-Z]"

IN_YEAR = regex.compile(
    r"[-/.](?:20[12]\d|[12]\d[-/.]\d{1,6})(?:[-/.]|$)|^(?:20)?2\d[-/]\d{3,6}$|\d{2,}[-/.]2\d$|/2\d/"
)
# References of this sort are as often those of paper, places and goods: bare digits behind them say nothing.
WEAK = frozenset(
    "ref refs reference re subject report applicant yours ours ticket request file logged review number no my".split()
)
# Behind a bare "ref" the reference is that of a vacancy, a contract or a bill if one of these stands before.
OTHER_MATTER = regex.compile(
    r"\b(?:vacanc(?:y|ies)|advert\w*|job|post|role|position|applications?|apply|closing date"
    r"|(?:officer|manager|assistant|co-?ordinator|administrator|leader|secretary|worker|director|cleaner|driver"
    r"|advis[eo]r)(?=\W{1,12}ref)|agreement|contract|particulars|terms|invoices?|bill|order|quot\w+|booking|pension|paye"
    r"|licen[cs]\w+|registered with|regulator|pictures?|photos?|printed|issue|replaces|version|leaflet"
    r"|rate)\b[^\n]{0,70}$"
    r"|\b(?:vacancy|post|contract|agreement|application|closing date)\b.{0,60}$",
    regex.IGNORECASE | regex.DOTALL,
)
# Words by which a bare "no." is that of a person at work.
STAFF_BEFORE = regex.compile(
    r"\b(?:employee|staff|worker|payroll|clock|shift|operative|assistant|checkout|driver|officer|learner|post|hub|dept"
    r"|department|start|started|starter|joined|leaver|left|team|nights?|grade|dispenser|nurse|carer|guard|porter"
    r"|job title|line manager|supervisor)\b[^\n]{0,60}$",
    regex.IGNORECASE,
)
# What departments put before the numbers of their cases.
CASE_WORD = regex.compile(
    r"(?:^|[-/])(?:CASE|INVESTIGATION|GRV|GRIEV|GR|DISC|DIS|SAR|DSAR|DSR|FOI|EIR|COMP|CMP|CMPL|COMPL|CPL|INC|BR|BRCH|DB"
    r"|DPB|PDB|SIR|SUI|IC|ICO|DI|IG|HRI|ER|INQ|PROS|LOG|CRM|CR|CAD|AUD|NFRC|HMCTS|ET|EAT|WB|CRIME|CAS|LADO|MARAC|ASB|DPR"
    r"|ERQ|RR|PALS|DATIX|FOS|PHSO|LGO|ACAS|CDR|AEO|INVEST|3?TPC|3PC|INV(?=/))(?:[-/#]|\d)|[-/](?:INV|REP|RPT|DP|C)[-/]\d"
    r"|[-/](?:GRV|SAR|DSAR|FOI|CRIME|DISC)$"
)
# Forms that nothing else has: employment tribunals, ACAS certificates, the ICO, tickets of a service desk.
OWN_FORM = regex.compile(
    r"\d{7}/20[012]\d|R\d{6}/\d{2}/\d{1,3}|IC-\d{5,6}-[A-Z0-9]{4}|(?:INC|RITM|TKT)\d{6,}|CAS-\d{3,}-?\w*"
)
# Forms that are a case's unless a label says otherwise: a department and a number; the police's.
UNLABELLED = regex.compile(r"(?:FOI|EIR|SAR|DSAR|DSR|ERQ|GRV|ASB|INC) \d.*|\d{2}/\d{5,7}/[12]\d")
# Forms of something else: PAYE schemes, planning applications, and what is written before the number of a standard, a
# company, an exchange of documents or an order.
ELSE_FORM = regex.compile(
    r"\d{3}/[A-Z]{1,2}\d{3,6}|\d{2}/\d{4,6}/[A-Z]{2,5}"
    r"|(?:BS|ISO|EN|IEC|DIN|DX|VAT|PO|EAN|ISBN|ACT|UTR|NHS|DPA|CCJ) ?\d{2,}(?:/\d+)?"
    r"|(?:NI|GL|CN|HMO|RM|TEL|EXT|FAX|SEC|REG|LOG|REF|OUR|NO|AND|TO|OF|IN|BY|ON|AT|FOR|THE|TAB|DAY|WK|QTR|FY|AM|PM|UK|EU|GB"
    r"|OC|SC|BI|CE|ID|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC) \d{2,}(?:/\d+)?"
)
NAME = r"\p{Lu}(?:\.|[\p{L}’'-]*),? (?:\p{Lu}[\p{L}’'.-]* ?){0,2}\p{Lu}[\p{L}’'-]+"
# A name, or a name and a post, and what parts them from the number.
NAME_BEFORE = regex.compile(NAME + r"(?:, \d{1,2}[./]\d{1,2}[./]\d{2,4})?(?: ?[(\[]|, | ?/ ?| [–—-] |  ?)$")
NAME_AND_POST_BEFORE = regex.compile(NAME + r"(?:, | ?\()(?:[\p{L}\d’'&-]+ ){0,3}[\p{Ll}’'-]{3,}(?:, | ?[(\[])$")
NAME_ABOVE = regex.compile(r"(?:^|\n)[ \t]*\p{Lu}[\p{Ll}’'-]{2,20}(?: \p{Lu}[\p{L}’'.-]*){0,2}[ \t]*\n[ \t]*$")
LINE_ENDS = regex.compile(r"[ \t]*(?:\n|$)")
NAME_BEHIND = regex.compile(r"[ ]{1,3}(?:\| )?" + NAME + r"(?:  |[ ]?[:|–,;(\t]|\s*$)", regex.MULTILINE)
# A file parted by commas has a header, which says what its first column is: `columns` reads it.
DATE_BEHIND = regex.compile(r"(?: {2,4}| ?\| ?)(?:rec\w{0,5}['’]?d? )?\d{1,2}(?:[/.]\d| " + _MONTH + ")")
MONEY_BEHIND = regex.compile(r"[^\n]{0,60}(?:£|(?<![–-])\b\d[\d,]*\.\d\d\b(?![–-]\d))")
ID_BEFORE = regex.compile(NAME + r"[ ,;(]{1,12}(?:ID|Id|id)(?: [Nn]o\.?| [Nn]umber)?[: ]{1,12}$")
BY_BEFORE = regex.compile(
    r"\b(?:opened|closed|logged|raised|taken|keyed|entered|approved|authorised|completed|updated|created|amended"
    r"|assigned|allocated|checked|issued|cashier|operator)(?: by| to)?[: ]{1,3}$",
    regex.IGNORECASE,
)
ROLE_BEFORE = regex.compile(
    r"\b(?:assistant|manager|officer|support|driver|operative|handler|technician|worker|nurse|carer|controller|supervisor"
    r"|wardrobe|checkout|security|engineer|administrator|clerk|cleaner|porter|cook|chef|steward)(?: \(|, | )$",
    regex.IGNORECASE,
)

# A staff number that has no label: letters and digits, or five or six digits. Numbers of partnerships have letters too.
STAFF_SHAPE = regex.compile(
    r"(?!(?:OC|SC|NI|SO) ?\d{6})(?:[A-Z]{1,4}[-/. ]?(?:\d{2,7}|\d{3,7}[A-Z])|[A-Z]\d{2}-\d{2,4}|\d{5,6}"
    r"|[A-Z]{1,3}/[A-Z]{2,6}/\d{1,4})"
    r"(?<!\bP\d\d)"
)
OLD_SYSTEM = regex.compile(r"[A-Z]{2,4}\d{4,6}")  # "my number was QLD004417"
LOOSE_STAFF = frozenset("staff employee user examiner".split())  # "staff 120": how many, if it is short
YEAR = regex.compile(r"(?:19|20)\d\d")
WORDS_ONLY = regex.compile(r"\.?(?: [a-z]+){1,4} ")
NEAR = 40  # how many characters may stand between a label and the number

# Labels that do not take the reference of a case for something else.
NEUTRAL = frozenset({Kind.CASE, Kind.NUMBER, Kind.ADDRESS, Kind.PHONE, Kind.BIRTH})
# Forms that few other things have.
STRONG = regex.compile(r"[A-Z]{2,4}[-/]\d{3,6}|(?:[A-Z]{1,5}[-/]){1,3}\d{1,6}|[A-Z]{2,4} \d{5,8}")
SUBJECT_BEFORE = regex.compile(r"(?:^|\n)(?:Subject|Subj|Re|RE|SUBJECT) ?: ?[^\n]{0,80}$")
GREETING_BEFORE = regex.compile(r"(?:^|\n)Dear [^\n]{1,40}\n\s{0,4}$")
# Words of cases that stand for themselves as often as for the number behind them.
LOOSE = frozenset("logged re review report file log applicant subject request case incident matter".split())

DATE_LIKE = regex.compile(
    r"\d{1,2}([-/.])\d{1,2}\1\d{2,4}|\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}[-/.]\d{1,2}|(?:0?[1-9]|1[0-2])[-/.]\d{4}"
    r"|20\d\d-(?:0[1-9]|1[0-2])|\d{2,4}/\d{2}|\d+(?:\.\d+)+"
    r"|\d{1,2}-[A-Z]{3}-\d{2,4}|\d{4}-\d{2}-\d{2}T?.*|\d{2}-\d{2}-\d{2}",
    regex.IGNORECASE,
)

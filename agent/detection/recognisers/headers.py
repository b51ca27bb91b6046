"""What the header of a column says of its cells, and how a cell must look to be that. Data for `columns`."""

from __future__ import annotations

import regex

from agent.detection.recognisers.checks import nhs_agrees, utr_agrees
from agent.detection.recognisers.dates import DATE
from agent.detection.recognisers.judged import digits_of

_HEADERS = {
    "PERSON": """name, first, last, full name, surname, last name, family name, forename, forenames, first name
        first names, firstname, lastname, given name, given names, employee name, staff name, staff member
        patient name, patient, pupil, pupil name, child, child name, childs name, learner, learner name, student
        student name, applicant, applicant name, candidate, candidate name, claimant, complainant, attendee
        delegate, passenger, driver, tenant, tenant name, contact name, parent, parent name, guardian
        next of kin, line manager, manager, employee, member, member name, volunteer, customer name, client name
        interviewee, witness, data subject, person, worker, worker name, cardholder, payee, account holder
        emergency contact, guest, guest name, nurse, carer, tutor, officer, referee, preferred name, names""",
    "DATE_OF_BIRTH": """dob, d o b, date of birth, born, birth date, birthdate, birthday, date birth, birth dt
        dateofbirth""",
    "UK_NINO": """ni, ni no, ni number, nino, national insurance, national insurance no
        national insurance number, n i no, nat ins no, nat ins""",
    "UK_NHS": "nhs, nhs no, nhs number, nhsno, nhs num, patient nhs no",
    "EMAIL_ADDRESS": """email, e mail, email address, e mail address, mail, work email, personal email
        contact email""",
    "PHONE_NUMBER": """phone, phone no, phone number, telephone, telephone no, telephone number, tel, tel no
        mobile, mob, mobile no, mobile number, contact number, contact no, contact phone, home phone, work phone
        daytime phone, emergency phone, landline, parent phone, cell""",
    "UK_POSTCODE": "postcode, post code, pcode, zip, postal code",
    "STREET_ADDRESS": """address, home address, address line 1, address 1, address1, addr, street
        street address, add1, house, property, premises, postal address""",
    "UK_BANK_ACCOUNT": """sort code, sortcode, sort, sc, account, account no, account number, acct, acct no
        acc no, a c, a c no, bank account, bank ac, accountno, bank, bank details, sort code account
        sort account""",
    "IBAN_CODE": "iban",
    "UK_UTR": "utr, tax reference, utr no",
    "UK_PASSPORT": "passport, passport no, passport number, pp no",
    "UK_DRIVING_LICENCE": """licence, licence no, driving licence, driving licence no, licence number
        driver number, dl no""",
    "UK_VEHICLE_REGISTRATION": """reg, reg no, registration, vehicle, vrm, vrn, vehicle reg, car reg
        vehicle registration, car""",
    "IP_ADDRESS": """ip, ip address, source ip, src ip, client ip, ip addr, src, remote addr, sourceip
        ipaddress""",
    "EMPLOYEE_ID": """employee no, employee number, employee id, emp no, emp id, emp, empno, empid, user no
        staff no, staff id, staff, staff number, staff ref, payroll no, payroll number, payroll id, payroll
        payroll ref, clock no, clockno, clock, clock number, works no, works number, works, badge, badge no
        user, user id, userid, username, uid, worker id, pay no, personnel no, pers no, person id, hr no, hr id
        employee, emp number, volunteer no, login, operator id, worker no, pay ref, employee ref, employeeid
        employeeno, staffid, staffno, badge id, card no, collar no""",
    "CASE_REFERENCE": """case, case no, case ref, case reference, case number, case id, ref, reference, our ref
        your ref, ref no, incident, incident no, incident id, incident ref, claim, claim no, claim ref
        complaint no, complaint ref, complaint, ticket, ticket no, ticket id, matter, matter no, file ref
        file no, request no, request ref, sar ref, dsar ref, foi ref, breach ref, breach no, breach id, log no
        crime ref, crime no, referral no, enquiry no, student no, student id, student number, participant id
        learner id, applicant id, caseref, refno, caseid""",
    "SC_RACE": """ethnicity, ethnic origin, ethnic group, ethnic background, race, ethnic, ethnic code, ethcode
        eth, eth code, ethnic category, ethnicity code""",
    "SC_RELIGION": """religion, faith, belief, religion belief, religion or belief, religious belief
        denomination, faith group""",
    "SC_UNION": """union, trade union, union member, union membership, trade union member
        trade union membership, union name, union branch, tu, union subs, tu member""",
    "SC_SEXUAL": """sexual orientation, orientation, sexuality, sex orientation, lgbt, lgbtq""",
    "SC_POLITICAL": """political party, party membership, political opinion, political affiliation, politics
        party, voting intention""",
    "SC_HEALTH": """disability, disabilities, disabled, medical, medical condition, medical conditions
        medical notes, health, health condition, health conditions, condition, diagnosis, diagnoses, medication
        medications, illness, sickness reason, absence reason, reason for absence, allergies, allergy
        impairment, send, sen need, sen type, disability type, medical needs, access needs, long term condition
        injury, symptoms, medical info, medical information, health notes""",
    "SC_CRIMINAL": """conviction, convictions, criminal record, offence, offences, criminal convictions
        dbs result, dbs outcome, dbs disclosure, cautions, unspent convictions, dbs content, dbs info""",
    "SC_GENETIC": """genetic test, genetic result, genotype, gene, variant, genetic condition, dna result""",
    "SC_BIOMETRIC": """fingerprint, biometric, biometrics, template, fingerprint template, face template
        voiceprint""",
}
HEADERS = {
    " ".join(phrase.split()): entity
    for entity, words in _HEADERS.items()
    for phrase in words.replace("\n", ",").split(",")
    if phrase.strip()
}

_EMPTY = frozenset(
    "|-|–|—|.|..|...|?|/|*|n/a|na|none|nil|no|n|not stated|not known|unknown|prefer not to say|not given|not declared"
    "|declined|refused|0|tbc|tba|false|null|x|blank|pending|awaited|ok|yes/no|y/n|not applicable|nka|nkda|not provided"
    "|withheld|not recorded|not supplied|left blank|not disclosed|none declared|none known|no answer|pnts|ref|nk|ns"
    "|select|[select]|please select|delete as appropriate|[ ]|yes / no|y / n".split("|")
)
_NAME = regex.compile(
    r"(?:(?:Mrs?|Ms|Miss|Mx|Dr|Prof|Rev|Revd|Sir|Dame|Cllr)\.? )?"
    r"\p{Lu}[\p{L}’'.-]{0,30}(?:,? (?:\p{Lu}[\p{L}’'.-]{0,30}|de|da|van"
    r"|von|bin|al|el|der|ap|ab|la|le|O['’]\p{Lu}\p{L}+)){0,4}"
)
_FORMS = {
    "DATE_OF_BIRTH": regex.compile(DATE, regex.IGNORECASE),
    "UK_NINO": regex.compile(
        r"(?!BG|GB|NK|KN|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z]{2}(?:[ .-]?\d{2}){3}[ .-]?[A-D]", regex.IGNORECASE
    ),
    "EMAIL_ADDRESS": regex.compile(r"[^\s@,;]{1,64}@[\w.-]{3,200}"),
    "PHONE_NUMBER": regex.compile(r"[+(]?\d[\d ().-]{7,18}\d"),
    "UK_POSTCODE": regex.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", regex.IGNORECASE),
    "STREET_ADDRESS": regex.compile(
        r"(?=.{0,20}\d|.*(?:House|Cottage|Farm|Road|Street|Lane|Gables|Lodge|Cot|Barn)\b)[^@|;\t]{5,60}"
    ),
    "UK_BANK_ACCOUNT": regex.compile(r"\d{2}[- ]?\d{2}[- ]?\d{2}|\d{8}|\d{2}-\d{2}-\d{2}[ /]{1,3}\d{8}"),
    "IBAN_CODE": regex.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}"),
    "UK_PASSPORT": regex.compile(r"\d{9}|\d{3} \d{3} \d{3}|[A-Z]{1,2} ?\d{7}"),
    "UK_DRIVING_LICENCE": regex.compile(r"[A-Z9]{5} ?\d{6} ?[A-Z9]{2}\w[A-Z]{2}|\d{8}"),
    "UK_VEHICLE_REGISTRATION": regex.compile(
        r"[A-Z]{2}\d{2} ?[A-Z]{3}|[A-Z]\d{1,3} ?[A-Z]{3}|[A-Z]{3} ?\d{1,3}[A-Z]|[A-Z]{2,3} ?\d{1,4}"
    ),
    "IP_ADDRESS": regex.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:]+:[0-9a-f:]*"),
    "EMPLOYEE_ID": regex.compile(
        r"(?=[^,]{0,10}\d)[A-Za-z]{0,5}[-/. ]?[A-Za-z]{0,3}[-/. ]?\d{2,8}(?:[-/][A-Z0-9]{1,4})?"
    ),
    "CASE_REFERENCE": regex.compile(r"(?=.{0,12}\d)(?=.{0,12}[A-Z/])[A-Z0-9]{1,10}(?:[-/. #]?[A-Z0-9]{1,14}){0,4}"),
}


def is_filled(value: str) -> bool:
    """Whether a cell or field was answered."""
    return value.strip().casefold().rstrip(".") not in _EMPTY and any(char.isalnum() for char in value)


def fits(entity: str, value: str) -> bool:
    """Whether a cell may be of the type that its column's header says."""
    if entity.startswith("SC_"):
        return is_filled(value) and len(value) <= 120
    if entity == "PERSON":
        return len(value) > 1 and is_filled(value) and _NAME.fullmatch(value) is not None
    if entity == "UK_NHS":
        return nhs_agrees(digits_of(value)) and len(value) <= 12
    if entity == "UK_UTR":
        return utr_agrees(digits_of(value)) and len(value) <= 13
    return _FORMS[entity].fullmatch(value) is not None

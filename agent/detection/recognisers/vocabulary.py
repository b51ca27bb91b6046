"""Which words announce which number. Data for `labels`."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a label announces."""

    NHS = "nhs"
    NINO = "nino"
    PASSPORT = "passport"
    LICENCE = "licence"
    UTR = "utr"
    VEHICLE = "vehicle"
    BANK = "bank"
    IBAN = "iban"
    CARD = "card"
    VAT = "vat"
    COMPANY = "company"
    BIRTH = "birth"
    PHONE = "phone"
    ADDRESS = "address"
    INTERNET = "internet"
    EMPLOYEE = "employee"
    CASE = "case"
    OTHER = "other"
    NUMBER = "number"


REFERENCE_WORDS = frozenset("ref refs reference references".split())
# Who holds a post has a number; a reference behind the post is that of a vacancy.
POSTS = frozenset("officer operator agent steward guard nurse tutor teacher crew colleague lecturer assistant".split())
# Theirs may be any number, but only one sort of reference.
OWNERS = frozenset("our your yr my their its".split())
NUMBER_WORDS = frozenset("no nos number numbers num nr ref refs reference references id ids code #".split())

# Labels that are shortened by a full stop; behind others it ends the sentence, and they say nothing of what follows.
SHORTENED = frozenset(
    """no nos num ref refs tel mob emp inc inv pp dob acc acct ac reg regd veh lic addr ext id cust nat ins natl ins
    yr pers vol chk appt cert doc sec lic dl crn utr nino ni vat ip pw ppt mem memb""".split()
) | {"nat ins", "natl ins"}

# Words of one letter, right before the value.
LETTERS = {"b": Kind.BIRTH, "t": Kind.PHONE, "m": Kind.PHONE, "f": Kind.PHONE}


def _phrases(kind: Kind, words: str) -> dict[str, Kind]:
    return {" ".join(phrase.split()): kind for phrase in words.replace("\n", ",").split(",") if phrase.strip()}


# Labels by themselves.
ALONE: dict[str, Kind] = {
    **_phrases(Kind.NUMBER, "no, nos, number, numbers, num"),
    **_phrases(
        Kind.OTHER,
        """isbn, issn, ean, sku, mpan, mprn, uprn, upn, uln, urn, vin, imei, s/n, p/n, hcpc, nmc, gmc, goc, gphc
        gdc, sra, cscs, ghic, ehic, brp, invoice, invoices, inv, order, meter, batch, serial, quote, quotation
        purchase order, registered charity, charity, policy, ext, extension, pin, firmware, version, build
        model, part, title, bacp, sia, po, p/o, reading, share code, tracking, consignment, parcel, barcode
        booking, receipt, ofsted, dbs, chassis, toner, dx, docket, council tax, loan, membership, chip
        microchip, certificate, cert, e-bulk, snomed, council tax account, council tax a/c, council tax bill
        supplier account, customer account, client account no, gas account, electricity account, water account
        energy account, tenancy account, rent account, trade account, council tax acct, form, contract, code
        vacancy, vacancies, template, paper, type, list, isrc, sort, grid, w3w, what3words, mac, tax code, drum
        cartridge, sim, lot, asset, advert, tender, itt, call ref, call id, supplier card, loyalty card
        library card, gift card, client money protect, dfe, ukprn, pcn, penalty charge notice, awb, waybill, imo""",
    ),
    **_phrases(
        Kind.COMPANY,
        """registered in england, registered in england and wales, registered in wales, registered in scotland
        company, registered in northern ireland, companies house, crn, regd, regd in england, reg in england
        """,
    ),
    **_phrases(Kind.VAT, "vat, vat reg, vat registration, vat registered"),
    **_phrases(Kind.NHS, "nhs"),
    **_phrases(Kind.NINO, "ni, nino, national insurance, nat ins, natl ins, nat insurance, n/i"),
    **_phrases(Kind.PASSPORT, "passport, passports, pp, ppt, travel document"),
    **_phrases(
        Kind.LICENCE,
        """driving licence, driving license, driver licence, drivers licence, drivers license, driver license
        licence, license, licences, photocard licence, photocard, dl, d/l, dvla, dvani, dva, lic""",
    ),
    **_phrases(Kind.UTR, "utr, unique taxpayer, unique tax payer, unique taxpayers, self-assessment, self assessment"),
    **_phrases(
        Kind.VEHICLE,
        """vehicle, vehicles, veh, car, cars, van, vans, bus, minibus, coach, lorry, truck, taxi, trailer
        motorcycle, motorbike, motorhome, plate, number plate, numberplate, registration, reg, vrm, vrn, hackney
        driving, drove, drives, drive, cab, artic, tractor unit, tractor, parked, parking, transit, ford, fiesta
        focus, corsa, astra, golf, polo, octavia, skoda, audi, bmw, mercedes, toyota, honda, nissan, kia
        peugeot, citroen, renault, clio, vauxhall, volvo, mini, tesla, hyundai, mazda, fiat, seat, jaguar
        land rover, saloon, estate car, hatchback, bike, scooter, moped, permit for, bay""",
    ),
    **_phrases(Kind.IBAN, "iban"),
    **_phrases(
        Kind.BANK,
        """sort code, sort-code, sortcode, s/c, bank, bank account, account, acct, acc, a/c, ac, bacs, pay to
        paid to, pay into, paid into, payable to, payment to, payments to, credited to, faster payment
        faster payments, direct, debit, bank details, bank transfer, current account, savings account""",
    ),
    **_phrases(
        Kind.CARD,
        """card, cards, credit card, debit card, visa, mastercard, amex, american express, maestro, payment card
        pan""",
    ),
    **_phrases(
        Kind.BIRTH, "dob, do b, d o b, date of birth, day of birth, birth date, birthdate, birthday, born, birth"
    ),
    **_phrases(
        Kind.PHONE,
        """telephone, tel, phone, phones, mobile, mobiles, mob, cell, landline, fax, call, called, calls, ring
        rang, rung, rings, ringing, text, texts, texted, texting, whatsapp, sms, dial, helpline, hotline
        switchboard, line, contact, direct line, reach, reached, reception, desk, on-call, out of hours, ooh
        home tel, work tel, next of kin""",
    ),
    **_phrases(
        Kind.ADDRESS,
        """address, addr, postcode, post code, lives, lives at, live at, living, resides, resident, home address
        residing""",
    ),
    **_phrases(
        Kind.INTERNET,
        """ip, ip address, ip addresses, ipv4, ipv6, src, source, host, server, addr6, gateway, dns, login
        logged in, sign-in, signed in, opened from, from ip, source ip, client ip, remote""",
    ),
    **_phrases(
        Kind.EMPLOYEE,
        """uid, staff, employee, emp, payroll, clock, badge, examiner, user, logon, log-in, log-on, username
        userid, staffno, empno, empid, clock card, staff card, staff id card, staff badge, works badge, time card
        swipe card, warrant card, collar, staff pass""",
    ),
    **_phrases(
        Kind.CASE,
        """matter, case, file, claim, complaint, grievance, incident, investigation, logged, ref, refs
        reference, crime, log, report, applicant, subject, re, bundle, request, dsar, sar, appeal, inquiry
        enquiry, breach, ticket, our letter, your letter, yours, ours, file note, final report, breach log
        breach note, note to file, action fraud, outcome report, investigation report, helpdesk, attendance note
        contents sheet, review, ico, tribunal, employment tribunal, acas, datix, cad, instruction, instructions
        subject access, home office letter, police letter, ombudsman, lado, ico case""",
    ),
}

# Labels only together with a word such as "number".
WITH_NUMBER: dict[str, Kind] = {
    **{phrase: kind for phrase, kind in ALONE.items() if kind not in (Kind.VEHICLE, Kind.PHONE, Kind.INTERNET)},
    **_phrases(
        Kind.OTHER,
        """bill, estimate, delivery, job, stock, item, product, registered charity, form, disclosure, document
        doc, page, sheet, issue, revision, member, customer, cust, client, supplier, vendor, sia, prn
        ico registration, registration, unique pupil, candidate, centre, verification, application, app, permit
        mortgage, deposit, locker, key, room, box, bag, seal, unit, engine, warranty, rates, hmpo, contract
        licence plate, plot, tab, store, shop, branch, voucher, project, drawing, course, lesson, question, exam
        route, fleet, radio, lab, sample, specimen, bed, ward, table, train, flight, voyage, queue, collection
        pension scheme, scheme, fund, employer, paye, accounts office, campaign, site, school, dfe, pad, grant
        pension, sailing, vacancy, uc, universal credit, regulator, service user, print, cost centre, nominal
        gl, sales, purchase, credit note, remittance, transaction, payment, receipt, authorisation, auth code
        terminal, merchant, account, property, land registry, planning, patent, agreement, advert, tender, tester
        rota, call, refund, framework, lot, licence plate, penalty charge, catalogue, article, edition, volume, kit
        label, crate, pallet, container, drawing, circuit, meter, supply, gas, water, council tax, parking, season
        ticket office, awarding body, qualification, standard, provider, advertiser, branch, sort, swift
        box office, bond, share""",
    ),
    **_phrases(Kind.COMPANY, "company, co, company reg, company registration, company registered, registered, reg"),
    **_phrases(Kind.NHS, "health service, patient, chi, h&c"),
    **_phrases(Kind.UTR, "tax, taxpayer, tax payer, taxpayers, self assessment, cis"),
    **_phrases(Kind.LICENCE, "driver, driving, drivers, dvla"),
    **_phrases(Kind.VEHICLE, "reg, vehicle, car"),
    **_phrases(Kind.BANK, "account, acct, acc, a/c, bank account, sort"),
    **_phrases(Kind.PHONE, "phone, telephone, mobile, contact, fax, direct, home, work, emergency, safe, daytime"),
    **_phrases(
        Kind.EMPLOYEE,
        """staff, employee, employees, emp, payroll, works, work, worker, workers, clock, personnel, pers, badge
        volunteer, vol, hr, pay, chk, check, turnstile, examiner, crew, colleague, teacher, operator, agent
        warrant, collar, user, payroll/works, works/payroll, staff/payroll, payroll/staff, employee/payroll
        payroll/employee, officer, steward, guard, service, clock card, time card, pass, tutor, nurse
        shoulder, number/payroll, empl, ee, man, tally, assignment, esr, oracle, sap, swipe, fob, id card, login
        logon, sign-on, operative, associate, team member, contractor, cashier, lecturer, assistant, technician, picker
        timesheet, staff/clock, clock/payroll, payroll/clock, works/clock, clock/works, hr/payroll""",
    ),
    **_phrases(
        Kind.CASE,
        """our, your, yr, my, their, its, crime, case, claim, complaint, incident, matter, file, ticket
        grievance, dsar, sar, request, tribunal, court, police, log, report, investigation, breach, enquiry
        inquiry, helpdesk, home office, student, learner, participant, applicant, tenancy, la, ico, hse, fos
        ombudsman, port, appeal, referral, concern, safeguarding, disciplinary, online, legal, exhibit, bundle
        foi, cad, action fraud, incident form, incident report, incident report log, crime report
        access to work, complaint form, service request, case file, pupil, donor, beneficiary, tenant, resident
        visa, caseworker, hearing, order, warning, notice, event, quote, datix, riddor, cad, occurrence, custody
        charge, summons, petition, dispute, escalation, query, accident, accident book, accident report, near miss
        marac, lado, safeguarding alert, oh, occupational health, rights request, erasure, objection, rectification
        eir, acas, early conciliation, ec, ec certificate, acas certificate, cica, inquest, coroner, mediation
        adjudication, arbitration, enforcement, support, support ticket, service desk, allegation, whistleblowing
        audit, panel, reporting, crime/incident, incident/crime, intelligence, et case, eat, counter fraud
        litigation, third party complaint, lgsco, lgo, hos, phso, subject access, access request, dpo, dp
        data protection, breach log, breach report""",
    ),
}
for _phrase in ("order", "quote", "visa"):
    WITH_NUMBER[_phrase] = Kind.OTHER

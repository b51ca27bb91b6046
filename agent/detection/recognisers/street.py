"""Street addresses: house and street, without town and postcode."""

from __future__ import annotations

import regex

from agent.detection.recognisers.judged import (
    CASE_COUNTS,
    CERTAIN,
    DOUBTFUL,
    LIKELY,
    POSSIBLE,
    JudgedRecognizer,
    shapes,
)
from agent.detection.recognisers.labels import labels_before
from agent.detection.recognisers.vocabulary import Kind

# Words that a street's name ends in. Those of the second list are as often a surname or part of something else.
_SURE = (
    "Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Close|Drive|Dr|Drove|Way|Court|Ct|Place|Pl|Crescent|Cres|Gardens|Gdns|Grove"
    "|Terrace|Terr|Ter|Square|Sq|Mews|Parade|Rise|Row|Walk|Villas|Wharf|Quay|Garth|Broadway|Cottages|Buildings"
    "|Embankment|Esplanade|Promenade|Wynd|Vennel|Causeway|Approach|Boulevard|Spinney|Copse|Paddocks?|Ropewalk|Maltings"
    "|Almshouses|Snicket|Ginnel|Twitten|Loke|Steps|Brow|Tollgate|Brae|Loan|Fold|Meadows?|Heights|Yard|Cl|Pde|Gr"
)
# In capitals, as forms are filled in.
_CAPITALS = "STREET|ST|ROAD|RD|AVENUE|AVE|LANE|DRIVE|CRESCENT|GARDENS|GROVE|TERRACE|SQUARE|MEWS|PARADE|COTTAGES|VILLAS"
_UNSURE = (
    "Hill|Park|Green|Bank|View|Gate|Chase|Croft|Mount|Vale|Path|Passage|Fields?|Ridge|Reach|End|Side|Bottom|Top|Common"
    "|Circus|Dene|Dell|Glade|Orchard|Mill|Hollow|Nook|Bridge|Cross|Corner|Lawns?|Acres?|Moor|Heath|Leas?|Ley|Link|Gill"
    "|Beck|Holt|Hurst|Oval|Ring|Arcade|Precinct|Estate|Parc|Docks?|Pier|Strand|Crest|Rents|Town|Marsh|Woods?|Burn|Acre"
    "|Bars|Barn|Farm|Site|Mills?|[A-Z][a-z]{2,10}(?:way|gate|side|croft|mead|dene|hurst|lands)"
)
_LETTERS = r"[A-ZÀ-ŽŴŶ][\w’'-]{0,20}"
_WORD = r"(?:" + _LETTERS + r"\.?|of|the|on|le|la|du|des|de|y|yr|and|&|upon|under|in)"
# 17, 17b, 17-19, 4/2, and what scanners make of them; a year is none.
_HOUSE = (
    r"(?:No\.? ?)?(?!(?:19|20)\d\d\b)(?:\d[\dOl]{0,3}|[lI]\d{1,3})"
    r"(?: ?(?:[-–/&]|and) ?\d{1,4})?(?: ?[A-Ha-h](?![\w’']))?"
)
_UNIT = (
    r"(?:(?:Flat|Apartment|Apt|Unit|Units|Suite|Room|Rm|Studio|Plot|Block|Floor|Caravan|Pitch|Lot|Berth|Office|Yard"
    r"|Maisonette|Houseboat|Shop|Arch)\.? (?:\d{1,4}[A-Za-z]?|[A-Z]\d{0,3}|One|Two|Three)(?:[-–/&]\d{1,4})?"
    r"|(?:\d(?:st|nd|rd|th)|First|Second|Third|Ground|Top|Basement|Lower|Upper|Garden)[ -]"
    r"(?:[Ff]loor(?: [Ff]lat)?|[Ff]lat)|Rear of|Flat above|(?:The )?Annexe?)"
)
_SITE = (
    r"(?:(?:Flat|Apartment|Apt|Unit|Units|Suite|Plot|Caravan|Yard|Maisonette|Houseboat)"
    r"\.? (?:\d{1,4}[A-Za-z]?|[A-Z]\d{0,3})(?:[-–/&]\d{1,4})?)"
)
_KIND = (
    r"(?:House|Lodge|Cottage|Barn|Court|Hall|Farm|Farmhouse|Mills?|Malthouse|Manor|Grange|Rectory|Vicarage|Dairy|Forge"
    r"|Stables|Bothy|Croft|Granary|Oast|Villa|Chambers|Buildings?|Centre|Works|Towers?|Mansions|Point|Exchange|Bindery"
    r"|Dispensary|Bakery|Gatehouse|Cartshed|Annexe|Bungalow|Gables|Wharf|Quay|Garage|Studios?|Paintworks|Place|Foundry"
    r"|Warehouse|Smithy|Tannery|Brewery|Chapel|Institute|Priory|Abbey|Schoolhouse|Boathouse|Lighthouse|Workshop|Pavilion"
    r"|Shed|Loft|Cot|Nest|Park|Bank)"
)
_NOT_NAMES = r"(?!(?:Address|Home|Property|Flat|Lives|Re|Dear|Depot|Site)\b)"
_BUILDING = r"(?:" + _NOT_NAMES + r"(?:The |Ty |Tŷ )?(?:" + _LETTERS + r" ){0,3}" + _KIND + r"(?![\w’'-]))"
_WELSH_HOUSE = r"(?:(?:Bryn|Tŷ|Ty|Maes|Pen|Pant|Plas|Llys|Nant|Cae|Hafod|Hendre|Erw) [A-ZŴŶ][\wŵŷ]{1,15})"
_NOT_A_DAY = r"(?!(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6} (?:Court|Close|Way|Row|Drive|Place)\b)"
_AFTER = r"(?![\w’'-])(?:\.(?=,))?"
_STREET = (
    _HOUSE
    + r",? "
    + _NOT_A_DAY
    + r"(?:"
    + _LETTERS
    + r"\.? (?:"
    + _WORD
    + r" ){0,3})?(?:"
    + _SURE
    + "|"
    + _CAPITALS
    + r")(?: (?:North|South|East|West)\b)?"
    + _AFTER
    + r"(?:, (?:Flat|Apartment|Apt|Unit|Suite|Room) (?:\d{1,3}[A-Za-z]?|[A-Z])(?!\w))?"
)
_THE_STREET = _HOUSE + r" The (?:" + _UNSURE + r")(?![\w’'-])"
_MAYBE_STREET = _HOUSE + r" (?:" + _WORD + r" ){0,3}(?:" + _UNSURE + r")(?![\w’'-])"
_ABROAD = (
    _HOUSE
    + r",? (?:Heol|Ffordd|Stryd|Lôn|Lon|Rhodfa|Maes|Bryn|Clos|Cwrt|Parc|Llys|Plas|Trem|Gerddi|Teras|Rhes"
    + r"|[Rr]ue|[Cc]hemin|[Aa]venue|[Vv]ia|[Cc]alle)"
    + r"(?: (?:[A-ZÀ-ŽŴŶ][\w’'ŵŷ-]{1,20}|y|yr|des?|la|le|du)){1,3}"
)
_NAMELESS = r"(?:" + _NOT_NAMES + _LETTERS + r" ){1,3}(?:" + _SURE + ")" + _AFTER
_NAMELESS_ANY = r"(?:" + _NOT_NAMES + _LETTERS + r" ){1,3}(?:" + _SURE + "|" + _UNSURE + ")" + _AFTER
_POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]?[ \u00a0]{1,2}\d[A-Z]{2}\b"
_TOWN = r"(?:[A-ZÀ-ŽŴŶ][\w’'-]{1,20}|on|in|by|le|de|near|upon|under|the|nr)"
_TO_POSTCODE = r",?\s{1,16}(?:" + _TOWN + r"[ ]?){0,4}(?:,?\s{1,16}(?:" + _TOWN + r"[ ]?){1,3})?,?\s{0,16}" + _POSTCODE
_THEN_POSTCODE = r"(?=" + _TO_POSTCODE + ")"
_BEGIN = r"(?<![\w.£#/:-])(?<!\d[ ,])(?<!\b(?:[Dd]epot|[Ss]tore|[Bb]us|[Rr]oute|[Zz]one|[Gg]ate|[Ll]ine|[Ww]ard) )"
_LABELLED = r"(?<=\b(?:[Aa]ddress|ADDRESS|[Aa]ddr|Home|Lives|Property|live at|lives at)\b(?: is)?[ :.\t]{1,20})"

_BEFORE = r"(?:" + _UNIT + r",? )?(?:(?:" + _BUILDING + "|" + _WELSH_HOUSE + r"), )?(?:" + _UNIT + r",? )?"
_WITH_STREET = _BEGIN + _BEFORE + r"(?:" + _STREET + "|" + _ABROAD + r")(?:, " + _NAMELESS + r"(?=\W))?"
_WITH_MAYBE = _BEGIN + _BEFORE + _MAYBE_STREET
_WELSH_STREET = r"(?:Heol|Ffordd|Stryd|Lôn|Lon|Rhodfa) [A-ZŴŶ][\wŵŷ’'-]{1,20}(?: [A-ZŴŶ][\wŵŷ’'-]{1,20})?"
_UNIT_IN_WALES = (
    _BEGIN
    + _SITE
    + r",? (?:Heol|Ffordd|Stryd|Lôn|Lon|Rhodfa|Maes|Clos|Cwrt|Parc|Llys|Plas|Trem|Gerddi|Teras|Rhes)"
    + r"(?: (?:[A-ZŴŶ][\wŵŷ’'-]{1,20}|y|yr)){1,3}"
)
_PREMISES = r"(?:(?:The |" + _LETTERS + r" ){1,3}(?:Practice|Surgery|Clinic|School|Hotel|Pharmacy|Church|Inn|Library))"
_HOUSE_IN_STREET = _BEGIN + _BUILDING + r", " + _NAMELESS
_UNIT_AT = (
    _BEGIN + _SITE + r",? (?:" + _NAMELESS_ANY + "|" + _BUILDING + r")(?:, (?:" + _STREET + "|" + _NAMELESS + r"))?"
)
_BUILDING_AT = (
    _BEGIN
    + r"(?:(?:"
    + _UNIT
    + ",? )?"
    + _BUILDING
    + r", "
    + _NAMELESS_ANY
    + "|"
    + _WELSH_HOUSE
    + r", "
    + _WELSH_STREET
    + "|"
    + _PREMISES
    + r", "
    + _NAMELESS
    + "|"
    + _NAMELESS
    + "|(?:"
    + _UNIT
    + ",? )?"
    + _BUILDING
    + ")"
    + _THEN_POSTCODE
)
_ANY_BEFORE_POSTCODE = (
    _BEGIN
    + _HOUSE
    + r"(?! (?:Mrs?|Ms|Miss|Dr|Prof)\b) (?:"
    + _WORD
    + r" ){0,3}"
    + _LETTERS
    + r"(?=,?\s{1,16}(?:"
    + _TOWN
    + r",?\s{1,16}){0,3}"
    + _POSTCODE
    + ")"
)
_NAMED_AT_LABEL = _LABELLED + r"(?:" + _LETTERS + r" ?){1,4}, (?:" + _STREET + "|" + _ABROAD + "|" + _NAMELESS + ")"
_HOUSE_AT_LABEL = _LABELLED + r"(?:" + _LETTERS + r" ?){1,3}" + _THEN_POSTCODE
_BOX = r"\bP\.?O\.? ?Box \d{1,6}\b"

_SPAN_OF_HOUSES = regex.compile(r"(\d{1,4})[-–](\d{1,4})(?!\d)")
_IN_SMALL_LETTERS = (
    r"(?<![\w.£#/:-])(?:flat \d{1,3}[a-c]?,? )?\d{1,3}[a-c]? "
    r"(?!(?:the|a|an|in|on|of|to|at|and|by|per|for|from|or|down|up|miles?|metres?|yards?|minutes?|mins?|hours?|cars?|main|side"
    r"|different|other|more|new|long|short|old|each)\b)[a-z’']{3,15} (?:[a-z’']{3,12} )?"
    r"(?:street|road|avenue|crescent|terrace|gardens|grove|lane|drive)(?![\w’'-])"
)
_NUMBERED = regex.compile(r"(?<!\p{L}\.? )\b\d{1,4}[a-h]? ")
_PLACE_BEHIND = regex.compile(_TO_POSTCODE)
_PLACE_BEFORE = regex.compile(r"(?:\b(?:at|of|from|to|in|lives?|address|moved)\b|→|,)[\s:]{1,3}$", regex.IGNORECASE)


class StreetAddressRecognizer(JudgedRecognizer):
    """House and street. Scores: 0.95 behind "address" or before a postcode, 0.75 by number and a word for a street, 0.5
    by the name of a house before a postcode, 0.3 by number and a word that may be a surname."""

    def __init__(self) -> None:
        patterns = shapes(
            "STREET_ADDRESS",
            (_WITH_STREET, LIKELY),
            (_WITH_MAYBE, DOUBTFUL),
            (_UNIT_AT, LIKELY),
            (_BUILDING_AT, POSSIBLE),
            (_ANY_BEFORE_POSTCODE, POSSIBLE),
            (_NAMED_AT_LABEL, LIKELY),
            (_HOUSE_AT_LABEL, POSSIBLE),
            (_BOX, LIKELY),
            (_HOUSE_IN_STREET, POSSIBLE),
            (_BEGIN + _BEFORE + _THE_STREET, LIKELY),
            (_IN_SMALL_LETTERS, POSSIBLE),
            (_UNIT_IN_WALES, LIKELY),
        )
        super().__init__(supported_entity="STREET_ADDRESS", patterns=patterns, global_regex_flags=CASE_COUNTS)

    def invalidate_result(self, pattern_text: str) -> bool:
        span = _SPAN_OF_HOUSES.match(pattern_text)
        return span is not None and int(span[1]) > int(span[2])

    def judge(self, text: str, start: int, end: int, score: float) -> float:
        labels = labels_before(text, start)
        if labels and labels[0].kind == Kind.ADDRESS and labels[0].adjacent:
            return CERTAIN
        if _PLACE_BEHIND.match(text, end, end + 60):
            if score == LIKELY:
                return CERTAIN
            return max(score, LIKELY if _NUMBERED.search(text, start, end) else POSSIBLE)
        if score == DOUBTFUL and _PLACE_BEFORE.search(text, max(0, start - 12), start):
            return POSSIBLE
        return score

"""Words that tell a person's name from that of a place, a firm or a thing."""

from __future__ import annotations

# A name that ends or begins with one of these is that of a place, a firm, a ward, a product.
NO_PERSON = frozenset(
    """ltd limited plc llp inc cic group holdings partners partnership solicitors associates consulting
    consultancy services trust foundation charity hospital hospice clinic surgery practice pharmacy ward
    unit centre center house court lodge hall manor cottage farm road street lane avenue close crescent
    drive way place square terrace gardens grove park row hill green walk mews yard wharf gate bridge
    field fields wood woods school academy college university nursery church chapel cathedral mosque
    temple synagogue parish diocese council borough county constabulary police committee board
    department dept team office bank insurance society association union federation club hotel inn arms
    tavern cafe bar restaurant shop store stores supermarket bakery garage motors transport logistics
    theatre museum library station airport festival award awards prize cup league fc report policy form
    act bill rules regulations agreement contract accountants surveyors estates scaffolds builders
    plumbers electricals joiners removals payroll recruitment training sons brothers bros orchard meadow
    reservoir canal moor heath common pier harbour quay guidance code programme project scheme fund
    system software app day week month year monday tuesday wednesday thursday friday saturday sunday
    january february march april june july august september october november december summary notes
    minutes agenda appendix annex section schedule invoice statement newsletter bulletin handbook manual""".split()
)
# Some of them are family names, too.
SURNAMES_TOO = frozenset(
    """church temple hall field fields wood woods park hill green grove court house walk moor heath marsh
    bridge gate lane street bank garden gardens farm lodge mill kirk chapel day march june""".split()
)
# Words that often stand with a capital behind a given name without being a part of it.
COMMON = frozenset(
    """the a an and or but in on at to for of from with by is was has had will would can could said says asked
    told rang re ref tel mob email mobile phone dob nino ni no yes ok off late sick leave days hours
    note notes please thanks hi hello dear kind regards best yours id hr ceo cfo dpo it gp nhs dbs""".split()
)
# Names that by themselves are mostly something else.
NEVER_ALONE = frozenset(
    """will may mark grant rose hope art bill drew dawn faith joy grace summer april june august young white
    black green brown king long church hall wood field street road park lane court house bank price day
    march west north south east pat sue rob don ray gene bob jack rusty miles chase page reading bath
    wells best small short strong love moon rich the and all any one for not dear team sir madam manager
    director head chair governor officer nurse doctor teacher union labour christian muslim jewish sikh
    hindu english welsh scottish irish british""".split()
)
# No name begins with one of these, or is one of them.
NO_BEGINNING = frozenset(
    """the a an my our your his her their this that introducing contact re dear hi hello mr mrs ms miss mx dr prof
    professor sir dame lady rev revd reverend canon cllr councillor jan feb mar apr jun jul aug sep sept oct nov dec
    mon tue tues wed thu thur thurs fri sat sun tbc tba n/a nil none unknown various all staff team everyone""".split()
)

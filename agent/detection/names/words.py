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
    tavern cafe bar palace restaurant shop store stores supermarket bakery garage motors transport logistics
    theatre museum library station airport festival award awards prize cup league fc report policy form
    act bill rules regulations agreement contract accountants surveyors estates scaffolds builders
    plumbers electricals joiners removals payroll recruitment training sons brothers bros orchard meadow
    reservoir canal moor heath common pier harbour quay guidance code programme project scheme fund
    system software app day week month year monday tuesday wednesday thursday friday saturday sunday
    january february march april june july august september october november december summary notes
    minutes agenda appendix annex section schedule invoice statement newsletter bulletin handbook manual
    foods fasteners retail brewery joinery plumbing roofing scaffolding haulage couriers freight plastics
    engineering electrical mechanical systems digital media publishing printers graphics autos tyres dairy
    dairies farms growers florists optical opticians dental chemists physio physiotherapy fitness gym leisure
    ventures capital finance mortgages brokers assurance conveyancing architects lettings homes properties
    developments cleaning catering security staffing institute weavers foundry tools supplies wholesale fashions
    fabrics textiles carpets furnishings interiors kitchens bathrooms windows timber aggregates quarry ferries
    shipping airways coaches travel tours suite crag geography history biology chemistry physics mathematics
    univ wk rd ave anon data monthly mthly proofs rgds helpline hotline webinar podcast gazette herald courier
    mercury telegraph advertiser chronicle observer bursary scholarship seminar lecture cluster campus boathouse
    pavilion stadium arena gallery studio studios salon barbers laundry laundrette launderette nursing agency
    agencies caravan caravans kennels cattery stables sanctuary rescue priory minster almshouse almshouses
    tribunal magistrates inquest protocol toolkit framework scorecard dashboard spreadsheet router printer
    scanner""".split()
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
    hindu english welsh scottish irish british can""".split()
)
# No name begins with one of these, or is one of them.
NO_BEGINNING = frozenset(
    """the a an my our your his her their this that introducing contact re dear hi hello mr mrs ms miss mx dr prof
    professor sir dame lady rev revd reverend canon cllr councillor jan feb mar apr jun jul aug sep sept oct
    nov dec mon tue tues wed thu thur thurs fri sat sun tbc tba n/a nil none ta unknown various all staff
    team everyone""".split()
)
# Words with which sentences, lines and headings of an office begin, so that a capital says nothing of them. Nobody
# known is called so.
NO_FIRST = frozenset(
    """about above access according account accounts across act action activities activity additional address
    administration advice advisers after afternoon age agency agreed agreement agreements aid all also although
    among amount an and annual another any anybody anyone anything apologies appeal appendix applicant
    application applications appointment appointments apr are areas around arrangement arrangements article as
    ask asked assessment assets assistance assistant association at attached attachment attachments attendance
    audit author authorities back background badge bank based basic be because been before being belief below
    besides between blood board book booking bookings born borough both breach breaches bring britain british
    budget building bus business but by call calls candidate car card cards care cases categories category cc
    centre cert certificate certificates chair change changes chapel charges check checked checks cheers
    children choose claim claims clause client clients clinic clock close closed club co code codes colleagues
    college come comment comments committee communication community companies company complaint complaints
    complete completed compliance concerning conditions conduct confidential consent conservative consider
    contact contents contract contractors contracts controller conviction convictions copies copy corporate cost
    costs could council course court cover criminal customer customers daily damage data date dates days dbs
    dear dec december decision delete dental departments depending depot dept description despite destruction
    details did didn different digital direct director disability disabled disclosure district dna dob document
    documents does done dpo draft driver drug due during duties duty each education either else email emails
    emergency emp employee employees employer employers employment encl enclosed england english enhanced ensure
    entries equality equipment error errors estate ethnic european evening events ever every everybody everyone
    evidence ex examples except exception exhibit expenses experience external face failure faithfully families
    family feb february fee feedback fees few figures file filing final finance financial fine fingerprint fire
    first fit fitness five flat floor fm folder folders follow following food for form former forms found four
    free fri friday friends from full fund further furthermore general give given go good goods got grievance
    group guests guidance guidelines had half hand has have having health hearing hello hence her here hers
    herself hey hi him himself his hiv home hotel hours house housing how however hr husband id identity if
    images impact important in incident incidents including independent individual individuals industry
    information inside instead insurance interview interviews into inv investigation investigations investigator
    invoice invoices ireland is issues it item items its itself january job jobs joint jul july just keep
    keeping key keys kind kindly labour last late later latest laws leaders learning least leave left legal less
    let letter letters lettings level liberal library licence lift like likely limits line lines link links list
    lists local location log logged logs london look lost lunch machine made mail main make management manager
    managers manual many march materials matter me meals meanwhile medical meeting meetings members mental
    message messages methods might mine minutes mixed mobile mon monday money month monthly more moreover
    morning most much must name national near needs neither net never nevertheless new next nhs night nights
    nino no nobody none nor not note notes nothing notice notices notification nov november now number numbers
    nursery objections objectives occupational oct october of off offer office officer officers offices ok old
    on once one only open operations options or order orders organisation organisations orientation original
    other others otherwise our ours ourselves out outcome outcomes outside over overtime own owner owners pack
    paid panel paper parents parking part participants parties partners parts party passed passport patient
    patients pay payment payments payroll pension people performance perhaps period permission person personal
    personnel persons phone phones photo photographs pictures pin place places plan plans please points police
    policies policy polish positions positive post postcode practical practice prayer premises preparation
    present previous primary print printed privacy private procedure procedures process processes processing
    processor products professional profile progress project projects proposal proposals protection provided
    providers public purchase purpose purposes put qty quality quarterly queries questions quite quiz quote race
    rang rate rather re reader reading really reason reasons receipt receipts received records recruiting
    recruitment ref referees reference references refund regarding regardless regards register registered
    regular regulations relevant religion religious remember removal renewal repairs replacement replies reply
    report reported request requests requirements research residents resources responses responsibilities
    responsibility restrictions result results retention return returns review reviewed reviews revised right
    rights ring risk risks road role roles room rooms row rules safe safety salary sales same samples sat
    saturday say says schedule school score scotland scottish second section sections security see seen send
    sent sep sept september service services sessions sets settings several sexual shall sharing she sheet
    shifts should shown shred sick sickness sign signature signed signs since sincerely site sites society
    software solicitors some somebody someone something sometimes soon source sources south spaces special
    specific spent staff standard standards start statement statements station status steps still stock stop
    storage store stores strike student students subject subjects submission such suitable summary supplier
    suppliers supply surgery surname surveys systems tables take taken talk tasks tax taxes tea teaching team
    teams technical tel telephone tell template templates temporary tenants term terms tests text than thank
    thanks that the their them themselves then there therefore these they things third this those though three
    through throughout thurs thursday thus tickets time times tips title titles today together told tomorrow
    tonight too top topics total totals toward trade trainer training transfers transport travel true trust
    trustees tue tues tuesday two types uk under union unit unless until up updates upon us use used users using
    usually vacancies values various vehicles version very vetting video visitors visits volunteer volunteers
    wales walk wants warnings was waste water way we web website wed wednesday weds week weekly welcome welfare
    well wellbeing welsh were what whatever when whenever where whereas wherever whether which while who whoever
    whom whose why with within without witness witnesses wording work workers working workplace works workshop
    would write written yard year yearly years yes yesterday yet your yours yourself yr""".split()
)
# Such words that somebody may be called, too: a name only if another capitalised word follows.
FIRST_OF_TWO = frozenset("best can do he law my per prior said so thu to you".split())
# What somebody is by office, so that a letter may be addressed to it: "Dear Principal" names nobody.
ROLES = frozenset(
    """principal sirs madams officer officers headteacher headmaster headmistress colleague colleagues parent
    parents guardian guardians carer carers customer customers member members resident residents landlord
    tenant occupier householder applicant candidate student students pupil volunteer volunteers trustee
    trustees editor treasurer secretary chairman chairwoman chairperson registrar bursar administrator
    controller recruiter examiner investigator adviser advisor assessor accountant accounts auditor
    coordinator co-ordinator supervisor employer employee employees friend friends neighbour neighbours
    comrade comrades delegate delegates driver patient client clients supplier suppliers helpdesk reception
    receptionist librarian surveyor solicitor sheriff vicar doctor nurse teacher minister councillor
    mayor archdeacon clerk assistant executive director""".split()
)
# Towns, counties and countries that are hardly ever a name. Those that are one, as Chester or Lincoln, are left out.
PLACES = frozenset(
    """aberdeen aberystwyth aldershot andover ayr ayrshire bangor barnet barnsley barnstaple basildon basingstoke
    bedfordshire belfast berkshire berwick bexley birkenhead birmingham blackburn blackpool bognor
    bournemouth bracknell braintree brentwood bridgend bridgwater brighton bristol brixton bromley
    buckinghamshire burnley caernarfon caerphilly camberley cambridge cambridgeshire camden canterbury
    cardiff carmarthen carmarthenshire ceredigion chelmsford cheltenham cheshire chesterfield chichester
    chippenham cirencester clacton clydebank colchester conwy cornwall coventry crewe croydon cumbernauld
    cumbria darlington denbighshire derby derbyshire devon doncaster dorchester dorset dorking dover dudley
    dumfries dundee dunfermline durham ealing eastbourne edinburgh enfield epsom essex exeter exmouth
    falkirk fareham farnborough felixstowe fife flintshire folkestone gateshead gillingham glamorgan glasgow
    glenrothes gloucester gloucestershire gosport grantham gravesend greenock greenwich grimsby guildford
    gwent gwynedd hackney halesowen halifax hammersmith hampshire haringey harlow harrogate harrow
    hartlepool hastings haverfordwest hemel hereford herefordshire hertford hertfordshire hexham hillingdon
    hinckley hounslow huddersfield huntingdon inverness ipswich islington keighley kendal kensington kent
    kettering kidderminster kilmarnock kirkcaldy kirkwall lambeth lanark lanarkshire lancashire larne
    leamington leeds leicester leicestershire lewisham lichfield lincolnshire lisburn liverpool livingston
    llandudno llanelli londonderry lothian loughborough lowestoft ludlow luton macclesfield maidenhead
    maidstone manchester mansfield margate merseyside merthyr mid-wales middlesbrough middlesex midlands
    midlothian milton keynes monmouthshire morecambe morpeth motherwell neath newbury newcastle newham
    newmarket newport newquay newry norfolk northallerton northampton northamptonshire northumberland
    norwich nottingham nottinghamshire nuneaton oban oldbury oldham omagh orkney ormskirk oswestry oxford
    oxfordshire paisley pembrokeshire penarth penrith penzance perth perthshire peterborough plymouth
    pontefract pontypool pontypridd poole portadown portsmouth powys prestatyn ramsgate reading redbridge
    redditch redhill reigate renfrewshire rhondda rhyl rochdale rochester romford rotherham rugby runcorn
    rushmoor rutland salford salisbury sandwell scarborough scunthorpe sevenoaks sheffield shetland
    shrewsbury shropshire skegness skipton slough solihull somerset southampton southend southport southwark
    stevenage stirling stockport stockton stockwell stoke stornoway stourbridge strathclyde stroud suffolk
    sunderland surrey sussex swansea swindon tamworth taunton teesside telford tewkesbury thanet torquay
    torfaen tottenham truro tunbridge twickenham tyneside ulster uxbridge wakefield wallasey walsall
    walthamstow wandsworth warrington warwickshire watford wellingborough westminster weymouth whitby
    whitehaven wigan wiltshire wimbledon winchester winsford woking wolverhampton woolwich worcester
    worcestershire workington worthing wrexham yeovil yorkshire england scotland wales ireland britain
    london paris berlin madrid rome lisbon dublin warsaw lagos nairobi accra delhi mumbai lahore karachi
    dhaka kabul tehran baghdad mogadishu kyiv bucharest sofia athens istanbul ankara cairo tripoli nigeria
    ghana kenya somalia eritrea ethiopia sudan uganda zimbabwe pakistan bangladesh india afghanistan iran
    iraq syria turkey poland romania bulgaria lithuania latvia ukraine portugal spain france germany italy
    greece albania kosovo
    ababa abuja addis aleppo algeria america amman amsterdam angola antwerp argentina armenia asmara australia
    austria azerbaijan bahrain bangkok banjul barbados beijing beirut belarus belgium belgrade bogota bosnia
    boston botswana brazil brussels budapest burundi cameroon canada chicago chile china colombia congo
    copenhagen croatia cyprus dakar damascus denmark dubai egypt estonia finland freetown gambia gdansk geneva
    guangdong guyana hanoi harare hargeisa havana helsinki hong hungary ibadan iceland indonesia israel jakarta
    jamaica japan jeddah jerusalem kampala khartoum kigali kong korea kowloon krakow kumasi kuwait lebanon
    liberia libya lilongwe lodz lublin lusaka macau malawi malaysia manila mecca mexico minsk moldova monrovia
    montreal morocco moscow mozambique namibia nepal netherlands norway oman oslo ottawa palestine peru
    philippines poznan prague qatar quito riga riyadh rotterdam russia rwanda sarajevo seattle senegal seoul
    serbia shanghai shenzhen singapore skopje slovakia slovenia stockholm sweden switzerland taiwan tallinn
    thailand tirana tokyo toronto trinidad tunisia vienna vietnam vilnius wroclaw yemen zagreb zambia zurich""".split()
)
# With one of these begin the names of houses, streets and hamlets in Wales.
PLACES_BEGIN = frozenset("ty tŷ llys cwm heol ffordd stryd maes plas capel nant rhiw clos".split())
# Names that are months, too.
MONTHS = frozenset("april may june august".split())

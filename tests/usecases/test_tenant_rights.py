"""From what is wanted of a tenant and what the tokens carry to what works: row by row."""

from __future__ import annotations

import pytest

from agent.settings import TenantSettings
from agent.usecases.tenant_rights import (
    Ability,
    Excess,
    Extent,
    Held,
    Role,
    Row,
    Standing,
    TooMuch,
    Wanted,
    Why,
    excess,
    rows,
    to_consent,
    wanted_of,
)

APP = "11111111-2222-3333-4444-555555555555"
NONE, LISTED, ALL = Extent.NONE, Extent.LISTED, Extent.ALL
EVERYTHING = Wanted(ALL, ALL, ALL, writes=True)
READER = frozenset({"Sites.Read.All", "User.Read.All", "Mail.Read"})
WRITER = frozenset({"Sites.ReadWrite.All", "Mail.ReadWrite"})


def held(*roles: str, silent_sites: int = 0, silent_mailboxes: int = 0) -> Held:
    return Held(frozenset(roles), silent_sites, silent_mailboxes)


def row(ability: Ability, wanted: Wanted, reader: Held | None = None, writer: Held | None = None) -> Row:
    """Its row, for apps that hold the usual rights unless others are named."""
    told = rows(wanted, reader or Held(READER), writer or Held(WRITER))
    return next(one for one in told if one.ability is ability)


def wanted(sites: Extent = NONE, onedrives: Extent = NONE, mailboxes: Extent = NONE, *, writes: bool = False) -> Wanted:
    return Wanted(sites, onedrives, mailboxes, writes)


def test_with_the_rights_that_are_advised_everything_works() -> None:
    told = rows(EVERYTHING, held(*to_consent(EVERYTHING, Role.READER)), held(*to_consent(EVERYTHING, Role.WRITER)))

    assert {one.ability for one in told} == set(Ability)
    assert {one.standing for one in told if one.ability is not Ability.UNLOCK_RECORDS} == {Standing.WORKS}


def test_nothing_can_unlock_records() -> None:
    everything = Held(frozenset({"Sites.FullControl.All", "RecordsManagement.ReadWrite.All"}))

    assert row(Ability.UNLOCK_RECORDS, EVERYTHING, everything, everything).standing is Standing.NEVER


@pytest.mark.parametrize(
    ("asked", "reader", "writer"),
    [
        (wanted(ALL), ("Sites.Read.All",), ()),
        (wanted(LISTED), ("Sites.Selected",), ()),
        (wanted(onedrives=LISTED), ("Files.Read.All",), ()),
        (wanted(onedrives=ALL), ("Files.Read.All", "User.Read.All"), ()),
        (wanted(ALL, ALL), ("Sites.Read.All", "User.Read.All"), ()),
        (wanted(LISTED, ALL), ("Sites.Selected", "Files.Read.All", "User.Read.All"), ()),
        (wanted(mailboxes=LISTED), ("Mail.Read",), ()),
        (wanted(mailboxes=ALL), ("Mail.Read", "User.Read.All"), ()),
        (wanted(LISTED, writes=True), ("Sites.Selected",), ("Sites.Selected",)),
        (wanted(ALL, writes=True), ("Sites.Read.All",), ("Sites.ReadWrite.All",)),
        (wanted(LISTED, LISTED, writes=True), ("Sites.Selected", "Files.Read.All"), ("Sites.ReadWrite.All",)),
        (wanted(mailboxes=LISTED, writes=True), ("Mail.Read",), ("Mail.ReadWrite",)),
        (EVERYTHING, ("Sites.Read.All", "User.Read.All", "Mail.Read"), ("Sites.ReadWrite.All", "Mail.ReadWrite")),
    ],
)
def test_the_least_rights_are_advised(asked: Wanted, reader: tuple[str, ...], writer: tuple[str, ...]) -> None:
    assert (to_consent(asked, Role.READER), to_consent(asked, Role.WRITER)) == (reader, writer)


@pytest.mark.parametrize(
    ("ability", "asked", "roles", "lacking"),
    [
        (Ability.SCAN_SITES, wanted(ALL), (), ("Sites.Read.All",)),
        (Ability.SCAN_SITES, wanted(ALL), ("Sites.Selected",), ("Sites.Read.All",)),
        (Ability.SCAN_SITES, wanted(ALL), ("Files.Read.All",), ("Sites.Read.All",)),
        (Ability.SCAN_SITES, wanted(ALL), ("Sites.FullControl.All",), ()),
        (Ability.SCAN_SITES, wanted(LISTED), ("Sites.Selected",), ()),
        (Ability.SCAN_SITES, wanted(LISTED), ("Sites.Read.All",), ()),
        (Ability.SCAN_ONEDRIVES, wanted(onedrives=ALL), ("Files.Read.All",), ("User.Read.All",)),
        (Ability.SCAN_ONEDRIVES, wanted(onedrives=ALL), ("User.Read.All",), ("Files.Read.All",)),
        (Ability.SCAN_ONEDRIVES, wanted(onedrives=ALL), ("Sites.Read.All", "Directory.Read.All"), ()),
        (Ability.SCAN_ONEDRIVES, wanted(onedrives=LISTED), ("Sites.Selected",), ("Files.Read.All",)),
        (Ability.SCAN_MAIL, wanted(mailboxes=ALL), ("User.Read.All",), ("Mail.Read",)),
        (Ability.SCAN_MAIL, wanted(mailboxes=ALL), ("Mail.ReadWrite",), ("User.Read.All",)),
        (Ability.READ_LABELS, wanted(LISTED), ("Sites.Selected",), ()),
        (Ability.READ_LABELS, wanted(onedrives=LISTED), ("Mail.Read",), ("Files.Read.All",)),
    ],
)
def test_what_the_reader_lacks_is_named(
    ability: Ability, asked: Wanted, roles: tuple[str, ...], lacking: tuple[str, ...]
) -> None:
    found = row(ability, asked, held(*roles))

    assert found.lacking == lacking
    assert (found.standing, found.why) == ((Standing.FAILS, Why.RIGHTS) if lacking else (Standing.WORKS, None))


@pytest.mark.parametrize(
    ("ability", "asked", "roles", "lacking"),
    [
        (Ability.SET_LABELS, wanted(ALL, writes=True), ("Sites.Read.All",), ("Sites.ReadWrite.All",)),
        (Ability.SET_LABELS, wanted(ALL, writes=True), ("Files.ReadWrite.All",), ()),
        (Ability.QUARANTINE_FILES, wanted(ALL, writes=True), ("Sites.Selected",), ("Sites.ReadWrite.All",)),
        (Ability.QUARANTINE_FILES, wanted(LISTED, writes=True), ("Sites.Selected",), ()),
        (Ability.DELETE_FILES, wanted(LISTED, writes=True), (), ("Sites.Selected",)),
        (Ability.DELETE_FILES, wanted(onedrives=ALL, writes=True), ("Sites.FullControl.All",), ()),
        (Ability.QUARANTINE_MAIL, wanted(mailboxes=ALL, writes=True), ("Mail.Read",), ("Mail.ReadWrite",)),
        (Ability.DELETE_MAIL, wanted(mailboxes=ALL, writes=True), (), ("Mail.ReadWrite",)),
    ],
)
def test_what_the_writer_lacks_is_named(
    ability: Ability, asked: Wanted, roles: tuple[str, ...], lacking: tuple[str, ...]
) -> None:
    found = row(ability, asked, writer=held(*roles))

    assert found.lacking == lacking
    assert found.app is Role.WRITER
    assert found.standing is (Standing.FAILS if lacking else Standing.WORKS)


def test_the_readers_rights_do_not_help_the_writer() -> None:
    asked = wanted(ALL, writes=True)

    assert row(Ability.SET_LABELS, asked, held("Sites.FullControl.All"), held()).standing is Standing.FAILS


def test_what_is_not_wanted_is_no_failure() -> None:
    told = rows(wanted(), held(), None)

    assert {one.standing for one in told} == {Standing.NOT_WANTED, Standing.NEVER}


def test_without_a_writer_nothing_that_changes_is_wanted() -> None:
    told = rows(wanted(ALL, ALL, ALL), Held(READER), None)

    assert {one.standing for one in told if one.app is Role.WRITER} == {Standing.NOT_WANTED, Standing.NEVER}


def test_an_app_that_cannot_sign_in_can_do_nothing() -> None:
    found = row(Ability.SCAN_SITES, EVERYTHING, Held(None))

    assert (found.standing, found.why, found.lacking) == (Standing.FAILS, Why.NOT_SIGNED_IN, ())
    assert found.needs == ("Sites.Read.All",)


def test_listed_sites_that_do_not_answer_are_a_failure_whatever_the_token_says() -> None:
    silent = held("Sites.Selected", silent_sites=1)

    found = row(Ability.SCAN_SITES, wanted(LISTED), silent)
    assert (found.standing, found.why) == (Standing.FAILS, Why.SILENT_SITES)
    assert row(Ability.READ_LABELS, wanted(LISTED), silent).why is Why.SILENT_SITES
    assert row(Ability.SET_LABELS, wanted(LISTED, writes=True), writer=silent).why is Why.SILENT_SITES


def test_a_silent_site_says_nothing_of_onedrives_and_mail() -> None:
    asked = wanted(LISTED, LISTED, LISTED)
    reader = held("Sites.Selected", "Files.Read.All", "Mail.Read", silent_sites=1)

    assert row(Ability.SCAN_ONEDRIVES, asked, reader).standing is Standing.WORKS
    assert row(Ability.SCAN_MAIL, asked, reader).standing is Standing.WORKS


def test_listed_mailboxes_need_no_right_in_the_token_if_they_answer() -> None:
    """Exchange can grant an app the right to some mailboxes, and no token tells of it."""
    asked = wanted(mailboxes=LISTED, writes=True)

    found = row(Ability.SCAN_MAIL, asked, held())
    assert (found.standing, found.by) == (Standing.WORKS, ())
    assert row(Ability.QUARANTINE_MAIL, asked, writer=held()).standing is Standing.WORKS


def test_listed_mailboxes_that_do_not_answer_are_a_failure() -> None:
    asked = wanted(mailboxes=LISTED, writes=True)

    assert row(Ability.SCAN_MAIL, asked, held("Mail.Read", silent_mailboxes=2)).why is Why.SILENT_MAILBOXES
    assert row(Ability.DELETE_MAIL, asked, writer=held("Mail.ReadWrite", silent_mailboxes=1)).why is (
        Why.SILENT_MAILBOXES
    )
    found = row(Ability.SCAN_MAIL, asked, held(silent_mailboxes=2))
    assert (found.why, found.lacking) == (Why.RIGHTS, ("Mail.Read",))


def test_it_is_said_by_which_right_something_works() -> None:
    assert row(Ability.SCAN_SITES, wanted(LISTED), held("Sites.Read.All", "Mail.Read")).by == ("Sites.Read.All",)
    assert row(Ability.SCAN_ONEDRIVES, wanted(onedrives=ALL)).by == ("Sites.Read.All", "User.Read.All")


def test_what_a_cloud_lacks_is_said() -> None:
    asked = Wanted(ALL, NONE, ALL, writes=True, lacks=frozenset({"message.permanentDelete"}))
    found = row(Ability.DELETE_MAIL, asked)
    assert (found.standing, found.why) == (Standing.PARTLY, Why.RECOVERABLE)
    assert row(Ability.DELETE_FILES, asked).standing is Standing.WORKS

    asked = Wanted(ALL, NONE, ALL, writes=True, lacks=frozenset({"message.delta", "driveItem.permanentDelete"}))
    assert (row(Ability.SCAN_MAIL, asked).standing, row(Ability.SCAN_MAIL, asked).why) == (Standing.FAILS, Why.CLOUD)
    assert (row(Ability.DELETE_FILES, asked).standing, row(Ability.DELETE_FILES, asked).why) == (
        Standing.PARTLY,
        Why.RECYCLED,
    )


@pytest.mark.parametrize(
    ("asked", "app", "roles", "found"),
    [
        (wanted(ALL), Role.READER, ("Sites.Read.All",), {}),
        (wanted(ALL), Role.READER, ("Sites.Read.All", "Mail.Read"), {"Mail.Read": TooMuch.NOT_NEEDED}),
        (wanted(ALL), Role.READER, ("Sites.ReadWrite.All",), {"Sites.ReadWrite.All": TooMuch.CHANGES}),
        (wanted(ALL), Role.READER, ("Sites.FullControl.All",), {"Sites.FullControl.All": TooMuch.CHANGES}),
        (wanted(ALL), Role.READER, ("Sites.Read.All", "Mail.Send"), {"Mail.Send": TooMuch.CHANGES}),
        (wanted(ALL, ALL), Role.READER, ("Sites.Read.All", "Files.Read.All", "User.Read.All"), {}),
        (wanted(LISTED), Role.READER, ("Sites.Selected",), {}),
        (wanted(LISTED), Role.READER, ("Sites.Read.All",), {"Sites.Read.All": TooMuch.ALL_SITES}),
        (
            wanted(LISTED),
            Role.READER,
            ("Sites.Selected", "Sites.Read.All"),
            {"Sites.Read.All": TooMuch.NOT_NEEDED},
        ),
        (wanted(LISTED, ALL), Role.READER, ("Sites.Selected", "Files.Read.All", "User.Read.All"), {}),
        (wanted(ALL, writes=True), Role.WRITER, ("Sites.ReadWrite.All",), {}),
        (
            wanted(ALL, writes=True),
            Role.WRITER,
            ("Sites.ReadWrite.All", "Sites.FullControl.All"),
            {"Sites.FullControl.All": TooMuch.NOT_NEEDED},
        ),
        (
            wanted(LISTED, writes=True),
            Role.WRITER,
            ("Sites.ReadWrite.All",),
            {"Sites.ReadWrite.All": TooMuch.ALL_SITES},
        ),
        (wanted(), Role.READER, ("Directory.Read.All",), {"Directory.Read.All": TooMuch.NOT_NEEDED}),
    ],
)
def test_rights_that_are_too_much_are_named(
    asked: Wanted, app: Role, roles: tuple[str, ...], found: dict[str, TooMuch]
) -> None:
    assert excess(asked, app, frozenset(roles)) == tuple(Excess(app, right, why) for right, why in found.items())


def test_what_is_advised_is_never_too_much() -> None:
    for sites in Extent:
        for onedrives in Extent:
            for mailboxes in Extent:
                asked = Wanted(sites, onedrives, mailboxes, writes=True)
                for app in Role:
                    assert excess(asked, app, frozenset(to_consent(asked, app))) == ()


def test_what_is_wanted_is_read_from_the_settings() -> None:
    tenant = TenantSettings.model_validate(
        {
            "name": "contoso",
            "tenant_id": "contoso.onmicrosoft.com",
            "reader": {"client_id": APP, "secret_file": "r"},
            "sites": ["https://contoso.sharepoint.com/sites/hr"],
            "mailboxes": "all",
        }
    )

    assert wanted_of(tenant, frozenset({"x"})) == Wanted(LISTED, NONE, ALL, writes=False, lacks=frozenset({"x"}))

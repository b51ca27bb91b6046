"""`retentiond init --system`: what is wanted, by options or answers; what is there; what is to be made."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import typer

from agent import bootstrap, strongroom
from agent.cli import init_questions, init_words
from agent.errors import ConfigurationError, SourceUnavailable, UsageError
from agent.settings import Settings, load_settings
from agent.usecases import set_up as plan
from agent.usecases.set_up_machine import DISPOSE, GROUP, SCAN, Accounts, Machine
from agent.usecases.set_up_places import (
    Place,
    look,
    missing_mount,
    mount_of,
    mounts,
    real_shares,
    refuse_system_folders,
)
from agent.usecases.set_up_settings import differences, filled_in, may_act, settings_of, shares_in
from agent.usecases.set_up_units import dispose_drop_in, scan_drop_in
from agent.usecases.set_up_wanted import (
    Unsaid,
    Wanted,
    WantedShare,
    read_nights,
    read_reviewers,
    read_shares,
)

if TYPE_CHECKING:
    from agent.model.schedule import RetentionSchedule

NIGHTS = "20:00-06:00"
_EXAMPLE = "retentiond init --system --share office=/srv/shares/office --yes"


@dataclass(frozen=True, slots=True)
class Said:
    """What the options said; what is none was not said."""

    shares: list[str] | None
    schedule: str | None
    reviewers: list[str] | None
    nights: str | None
    yes: bool
    force: bool


@dataclass(frozen=True, slots=True)
class Ground:
    """What a set-up rests on: the settings to be, or those that are there; and the schedule that they name."""

    settings: Settings
    shares: tuple[WantedShare, ...]
    wanted: Wanted | None
    schedule: RetentionSchedule
    schedule_text: str | None
    schedule_file: PurePosixPath | None


def init_system(said: Said, root: Path | None, *, json: bool) -> None:
    """Prepares the machine, and tells what was found, what was done and what comes next."""
    machine = Machine((root or Path("/")).absolute())
    if os.geteuid() != 0:
        raise UsageError(f"This changes the system, so it must be run as root:  sudo {_EXAMPLE}")
    if not machine.root.is_dir():
        raise UsageError(f"--root {machine.root}: there is no such folder.")
    asks = sys.stdin.isatty() and not said.yes and not json
    template = bootstrap.shipped("config/retentiond.yaml").read_text(encoding="utf-8")
    ground = _ground(machine, said, template, asks=asks)
    places = _look_at(machine, ground)
    if not json:
        init_words.tell_places(places)
    accounts = None if machine.unknown() else machine.accounts()
    sysusers = machine.sysusers(bootstrap.shipped("systemd/sysusers.d/retentiond.conf"))
    if accounts is None and not asks:
        raise ConfigurationError(
            f"Users or a group of the service are not there: {', '.join(machine.unknown())}. Make them, then run this "
            f"again:  {' '.join(sysusers)}"
        )
    prepared = None if accounts is None else _prepared(machine, accounts, ground, template)
    if asks and (prepared is None or prepared.pending()):
        init_words.tell_pending(None if prepared is None else prepared.pending(), machine.unknown())
        if not init_questions.go_ahead():
            raise typer.Exit
    if prepared is None:
        prepared = _prepared(machine, _made_accounts(machine, sysusers), ground, template)
    did = tuple(prepared.run())
    prepared.root_key.check_opens()
    load_settings(machine.at(plan.SETTINGS))
    outcome = init_words.Outcome(
        machine,
        places,
        did,
        prepared.root_key,
        ground.settings,
        ground.schedule,
        _told_systemd(machine),
        bootstrap.shipped("systemd"),
    )
    if json:
        init_words.print_facts(outcome)
    else:
        init_words.tell(outcome)


def _made_accounts(machine: Machine, sysusers: Sequence[str]) -> Accounts:
    ran = machine.run(sysusers, b"")
    if ran.code != 0 or machine.unknown():
        raise ConfigurationError(
            f"{' '.join(sysusers)} has not made {SCAN}, {DISPOSE} and {GROUP} ({ran.complaint or 'it said nothing'})."
        )
    return machine.accounts()


def _told_systemd(machine: Machine) -> str | None:
    """Whether systemd has been told of the drop-ins: empty if so, else why not; none if it does not run here."""
    if not machine.runs_systemd:
        return None
    ran = machine.run(("systemctl", "daemon-reload"), b"")
    return "" if ran.code == 0 else ran.complaint or f"exit code {ran.code}"


# What it rests on


def _ground(machine: Machine, said: Said, template: str, *, asks: bool) -> Ground:
    file = machine.at(plan.SETTINGS)
    there = file.exists() and file.read_bytes() != template.encode()
    return _as_set(machine, said) if there and not said.force else _as_wanted(machine, said, template, asks=asks)


def _as_set(machine: Machine, said: Said) -> Ground:
    """The settings that are there. Raises `UsageError` if the options say something else."""
    settings = load_settings(machine.at(plan.SETTINGS))
    if not settings.shares and not settings.tenants:
        raise UsageError(
            f"{plan.SETTINGS} is there, and names no share and no tenant. Add one under `shares`, or use --force to "
            "replace it: the old one is kept."
        )
    wrong = differences(
        settings,
        None if said.shares is None else _real(machine, read_shares(tuple(said.shares))),
        None if said.reviewers is None else read_reviewers(tuple(said.reviewers)),
        Unsaid.UNSAID if said.nights is None else read_nights(said.nights),
    )
    own = "/" in settings.schedule
    file = machine.at(settings.schedule) if own else bootstrap.schedule_file(settings.schedule)
    if said.schedule is not None and bootstrap.schedule_file(said.schedule).read_bytes() != file.read_bytes():
        wrong = (*wrong, "--schedule")
    if wrong:
        raise UsageError(
            f"{plan.SETTINGS} is there already, and says something else than {', '.join(wrong)}. Change it there and "
            "leave the option out, or use --force to replace it: the old one is kept."
        )
    return Ground(
        settings,
        _real(machine, shares_in(settings)),
        None,
        bootstrap.schedule_from(str(file)),
        None,
        PurePosixPath(settings.schedule) if own else None,
    )


def _as_wanted(machine: Machine, said: Said, template: str, *, asks: bool) -> Ground:
    shares = None if said.shares is None else read_shares(tuple(said.shares))
    nights = None if said.nights is None else read_nights(said.nights)
    reviewers = () if said.reviewers is None else read_reviewers(tuple(said.reviewers))
    if shares is None and not asks:
        raise UsageError(f"Say which folders the service shall look after, for there is nobody to ask:  {_EXAMPLE}")
    if shares is None:
        shares = init_questions.ask_shares(_likely(machine), lambda said: _real(machine, read_shares(said)))
    named = said.schedule or _usual_schedule(machine)
    if said.schedule is None and asks:
        known = sorted(file.stem for file in bootstrap.shipped("config/policies").glob("*.yaml"))
        named = init_questions.ask_schedule(named, known, _loadable)
    if said.nights is None:
        nights = init_questions.ask_nights(NIGHTS, read_nights) if asks else read_nights(NIGHTS)
    if said.reviewers is None and asks:
        reviewers = init_questions.ask_reviewers(read_reviewers)
    wanted = Wanted(_real(machine, shares), named, reviewers, nights)
    schedule, text = bootstrap.schedule_from(named), bootstrap.schedule_file(named).read_text(encoding="utf-8")
    copy = machine.at(plan.SCHEDULE)
    if copy.exists() and copy.read_text(encoding="utf-8", errors="replace") != text and not said.force:
        raise UsageError(
            f"{plan.SCHEDULE} is there already, and is another schedule than {named}. Keep it with --schedule {copy}, "
            "or use --force to replace it: the old one is kept."
        )
    settings = settings_of(filled_in(template, wanted, plan.SCHEDULE, None))
    return Ground(settings, wanted.shares, wanted, schedule, text, plan.SCHEDULE)


def _loadable(named: str) -> str:
    bootstrap.schedule_from(named)
    return named


def _usual_schedule(machine: Machine) -> str:
    copy = machine.at(plan.SCHEDULE)
    return str(copy) if copy.exists() else "uk-default"


def _likely(machine: Machine) -> list[str]:
    """Folders that look like shares, to be offered."""
    for parent in ("/srv/shares", "/srv/samba", "/srv"):
        folder = machine.at(parent)
        if folder.is_dir() and (found := sorted(one.name for one in folder.iterdir() if one.is_dir())):
            return [f"{name}={parent}/{name}" for name in found if not name.startswith(".")]
    return ["office=/srv/shares/office"]


def _real(machine: Machine, shares: tuple[WantedShare, ...]) -> tuple[WantedShare, ...]:
    return real_shares(shares, machine.at, machine.root)


# What is there


def _look_at(machine: Machine, ground: Ground) -> tuple[Place, ...]:
    state = PurePosixPath(ground.settings.state or bootstrap.SYSTEM_STATE)
    vault = strongroom.vault_places(ground.settings, Path(state))
    refuse_system_folders(ground.shares, (plan.ETC, state, PurePosixPath(vault.directory), PurePosixPath(vault.slots)))
    table = mounts()
    fstab = machine.at("/etc/fstab")
    fstab_text = fstab.read_text(encoding="utf-8", errors="replace") if fstab.is_file() else ""
    found = []
    for share in ground.shares:
        folder = machine.at(share.path)
        lacking = None if machine.is_image else missing_mount(share.path, fstab_text, table)
        if lacking is not None:
            raise SourceUnavailable(
                f"Share {share.name!r}: {lacking} is not mounted, though /etc/fstab says it should be:  mount {lacking}"
            )
        connector = bootstrap.share_connector(folder, share.name, machine.at(state), ground.settings)
        try:
            bootstrap.scope_of(connector, folder)
            mount = mount_of(PurePosixPath(os.path.realpath(folder)), table)
            found.append(look(share, folder, mount, lambda connector=connector: connector.capabilities))  # type: ignore[misc]
        finally:
            connector.close()
    return tuple(found)


# What is to be made


def _prepared(machine: Machine, accounts: Accounts, ground: Ground, template: str) -> plan.SetUp:
    settings, wanted = ground.settings, ground.wanted
    state = PurePosixPath(settings.state or bootstrap.SYSTEM_STATE)
    vault = strongroom.vault_places(settings, Path(state))
    directory, slots, clear = (PurePosixPath(path) for path in (vault.directory, vault.slots, vault.key_file))
    if wanted is not None and not machine.at(clear).exists():
        clear = plan.CLEAR  # a key that is there already, from before there was a service, stays where it is
    shares = tuple(share.path for share in ground.shares)
    usual = (PurePosixPath(bootstrap.SYSTEM_STATE), plan.CREDSTORE)
    elsewhere = [path for path in (directory, slots.parent) if not any(path.is_relative_to(one) for one in usual)]
    own = [] if state.is_relative_to(usual[0]) else [state]
    outbox = settings.disposition.outbox
    of_dispose = [*own, *elsewhere, *([PurePosixPath(outbox)] if outbox else [])]
    in_state = machine.at(clear).exists() and not clear.is_relative_to(plan.CREDSTORE)
    secret = [*elsewhere, *([clear] if in_state else [])]
    service = settings.service
    backups = [PurePosixPath(service.backup.directory)] if service.backup else []
    checkpoints = [PurePosixPath(service.checkpoint_file).parent] if service.checkpoint_file else []
    contents = plan.Contents(
        None if wanted is None else lambda key_file: filled_in(template, wanted, plan.SCHEDULE, key_file),
        ground.schedule_text,
        scan_drop_in(shares, own, secret, checkpoints),
        dispose_drop_in(shares, of_dispose, backups, may_act=may_act(settings)),
        template,
    )
    where = plan.Places(ground.schedule_file, state, directory, slots, clear, vault.credential)
    return plan.set_up(machine, accounts, where, contents, bootstrap.now().date().isoformat())

"""While somebody meddles with the share, nothing is destroyed but what was decided on.

Each attack runs for RETENTIOND_ATTACK_SECONDS (unless that is set, for 0.3, or for 1 with RETENTIOND_TEST_LONG in the
environment) in a process of its own, and until it has hit, while here files are taken, put back and let go, one after
the other. A control shows that the attack does harm to those who check a name and then act on it.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from connectors.errors import ConnectorError, ItemChanged
from connectors.filesystem.facts import version_of
from tests.conftest import ROOT
from tests.connectors.acting import Acted
from tests.connectors.attackers import ATTACKS, WRITING
from tests.connectors.test_holding import without

SECONDS = float(os.environ.get("RETENTIOND_ATTACK_SECONDS", "1" if "RETENTIOND_TEST_LONG" in os.environ else "0.3"))
_AT_MOST = 10 * SECONDS + 15  # as long as no attack has hit
_PRECIOUS = b"PRECIOUS, and nobody has decided anything about it"
_REST = b" " + b"a case that is long closed " * 20
_TICK_SECONDS = 0.015  # some kernels keep times in steps as long as that: a change within one would not show

pytestmark = pytest.mark.slow


class Meddled:
    """A share with a file that is decided on, and a precious one that somebody puts in its place."""

    def __init__(self, share: Path, attack: str) -> None:
        self.attack = attack
        self.victim = b"folder/victim"
        for folder in (share / "folder", share / "other"):
            folder.mkdir()
        precious = share / ("other/victim" if attack == "parent" else "folder/precious")
        precious.write_bytes(_PRECIOUS)
        self.folder = os.open(share / "folder", os.O_RDONLY | os.O_DIRECTORY)
        self.precious = os.open(precious, os.O_RDONLY)
        self.rounds = itertools.count(1)
        self.current = 0
        self.attempts = 0
        self.written: dict[int, int] = {}

    def close(self) -> None:
        os.close(self.folder)
        os.close(self.precious)

    @contextmanager
    def attacked(self) -> Iterator[None]:
        with subprocess.Popen(
            [sys.executable, "-m", "tests.connectors.attackers", self.attack, f"/proc/{os.getpid()}/fd/{self.folder}"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        ) as attacker:
            assert attacker.stdout is not None
            try:
                assert attacker.stdout.readline() == "ready\n"
                yield
            finally:
                attacker.send_signal(signal.SIGTERM)
                said = attacker.stdout.read().split()
        self.attempts, *written = map(int, said)
        self.written.update(zip(written[::2], written[1::2], strict=True))

    def put(self) -> None:
        """A new file in the place, unless there is one."""
        self.current = next(self.rounds)
        new = b"new"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644, dir_fd=self.folder)
        with open(descriptor, "wb") as file:
            file.write(b"round %09d" % self.current + _REST)
        with suppress(FileExistsError):
            os.link(new, b"victim", src_dir_fd=self.folder, dst_dir_fd=self.folder)
        os.unlink(new, dir_fd=self.folder)

    def decide(self) -> tuple[int, bytes] | None:
        """The number and the version of the file in the place if it is as it was put there, and settled."""
        try:
            descriptor = os.open(b"victim", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self.folder)
        except OSError:
            return None
        try:
            facts = os.fstat(descriptor)
            content = os.pread(descriptor, 4096, 0)
            settled = self.attack not in WRITING or time.time() - facts.st_ctime > _TICK_SECONDS
            if version_of(os.fstat(descriptor)) != version_of(facts) or not settled:
                return None
        finally:
            os.close(descriptor)
        if not content.startswith(b"round ") or not content.endswith(_REST):
            return None
        return int(content[6:15]), version_of(facts)

    def changed(self) -> bool:
        """Whether somebody has written to the file in the place, so that it will never be decided on."""
        with suppress(OSError):
            descriptor = os.open(b"victim", os.O_RDONLY | os.O_NOFOLLOW, dir_fd=self.folder)
            content = os.pread(descriptor, 4096, 0)
            os.close(descriptor)
            return content.startswith(b"round ") and not content.endswith(_REST)
        return False

    @property
    def precious_is_whole(self) -> bool:
        return os.fstat(self.precious).st_nlink > 0 and os.pread(self.precious, 4096, 0) == _PRECIOUS


def act_under(meddled: Meddled, acted: Acted) -> tuple[Counter[str], dict[int, int]]:
    """Takes, puts back and lets go until the time is over; tells what came of it, and the numbers of what is gone
    with the moment at which that was asked for."""
    came, gone = Counter[str](), dict[int, int]()
    chance = random.Random(1)
    ends, latest = time.monotonic() + SECONDS, time.monotonic() + _AT_MOST
    with meddled.attacked():
        while time.monotonic() < (ends if came["hits"] and gone else latest):
            if meddled.changed():
                with suppress(FileNotFoundError):
                    os.unlink(b"victim", dir_fd=meddled.folder)
            if not (decided := meddled.decide()):
                meddled.put()
                time.sleep(_TICK_SECONDS / 10)
                continue
            number, version = decided
            if meddled.attack in WRITING:  # or it would hardly ever be written to between decision and act
                time.sleep(chance.uniform(0, _TICK_SECONDS / 2))
            id = f"{chance.getrandbits(128):032x}"
            try:
                asked = _act(meddled, acted, version, id, number, back=chance.random() < 0.3)
                if asked:
                    gone[number] = asked
                came["done"] += 1
            except ConnectorError as error:
                came["hits"] += 1
                came[f"{type(error).__name__}: {error}"] += 1
                _settle(acted, id)
            assert meddled.precious_is_whole, came
    return came, gone


def _act(meddled: Meddled, acted: Acted, version: bytes, id: str, number: int, *, back: bool) -> int:
    """The whole way with one file; tells when it was asked to be let go, if it was."""
    with acted.take(meddled.victim, id, version) as content:
        assert os.pread(content.fileno(), 4096, 0) == b"round %09d" % number + _REST
        held = os.fstat(content.fileno())
        assert (held.st_ino, held.st_nlink) == (os.lstat(acted.in_hold(id)).st_ino, 1)
        time.sleep(random.uniform(0, _TICK_SECONDS / 5))
        if not content.still_current():
            raise ItemChanged("somebody wrote to it, or wants to")
    time.sleep(random.uniform(0, _TICK_SECONDS / 5))
    if back:
        acted.put_back(meddled.victim, id)
        return 0
    asked = time.monotonic_ns()
    acted.let_go(id)
    return asked


def _settle(acted: Acted, id: str) -> None:
    """What stayed in the hold gets a place of its own, as a person would see to it."""
    if id in acted.held():
        acted.put_back(b"kept/" + id.encode(), id)


def _told(attack: str, meddled: Meddled, came: Counter[str], gone: dict[int, int]) -> None:
    sys.stdout.write(f"{attack}: {meddled.attempts} attempts, {dict(came)}, {len(gone)} let go\n")


@pytest.mark.parametrize("poorer", [(), ("renames_new", "nameless")], ids=["here", "without renameat2"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_is_destroyed_but_what_was_decided_on(
    attack: str, poorer: tuple[str, ...], share: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, *poorer)
    meddled = Meddled(share, attack)
    try:
        with Acted(share) as acted:
            came, gone = act_under(meddled, acted)
            _told(attack, meddled, came, gone)
            assert meddled.precious_is_whole
            assert [number for number, at in meddled.written.items() if at < gone.get(number, 0)] == []
            assert acted.held() == []
            assert came["hits"], "no attack has hit"
            assert gone, "nothing was ever let go"
    finally:
        meddled.close()


@pytest.mark.parametrize("attack", ["exchange", "replace", "parent"])
def test_whoever_checks_a_name_and_unlinks_it_does_destroy_what_is_precious(attack: str, share: Path) -> None:
    meddled = Meddled(share, attack)
    victim = os.path.join(os.fsencode(share), meddled.victim)
    latest = time.monotonic() + _AT_MOST
    tries = 0
    try:
        with meddled.attacked():
            while meddled.precious_is_whole and time.monotonic() < latest:
                decided = meddled.decide()
                if decided is None:
                    meddled.put()
                    continue
                with suppress(OSError):
                    tries += 1
                    if version_of(os.lstat(victim)) == decided[1]:
                        time.sleep(0.001)  # for as long as it takes to write down what is about to be done
                        os.unlink(victim)
        sys.stdout.write(f"{attack}: {meddled.attempts} attempts, lost after {tries} tries\n")
        assert not meddled.precious_is_whole
    finally:
        meddled.close()

"""A file server to be: the folder of an image with accounts and shares, and what there is to say of it."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from agent import bootstrap
from agent.usecases import set_up as plan
from agent.usecases.set_up_machine import Accounts, Machine, Ran
from agent.usecases.set_up_settings import filled_in
from agent.usecases.set_up_units import dispose_drop_in, scan_drop_in
from agent.usecases.set_up_wanted import Wanted, WantedShare, read_nights

SCAN, DISPOSE, GROUP = 64_001, 64_002, 64_000
ACCOUNTS = Accounts(SCAN, DISPOSE, DISPOSE, GROUP)
DAY = "2026-03-01"
TEMPLATE = bootstrap.shipped("config/retentiond.yaml").read_text(encoding="utf-8")
OFFICE = WantedShare("office", PurePosixPath("/srv/shares/office"))
WANTED = Wanted((OFFICE,), "uk-default", (), read_nights("20:00-06:00"))


def make_image(folder: Path, *, accounts: bool = True) -> Path:
    """The image, with one share in it."""
    (folder / "etc").mkdir(parents=True)
    (folder / "srv/shares/office/letters").mkdir(parents=True)
    (folder / "srv/shares/office/letters/a.txt").write_text("a letter\n")
    users = "retentiond-scan:x:64001:64001::/:/x\nretentiond-dispose:x:64002:64002::/:/x\n" if accounts else ""
    (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n" + users)
    (folder / "etc/group").write_text("root:x:0:\n" + ("retentiond:x:64000:\n" if accounts else ""))
    return folder


@dataclass
class Systemd:
    """Stands for `systemd-creds`, and keeps what it was called with. What it seals it only turns round."""

    works: bool = True
    seen: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, arguments: Sequence[str], given: bytes) -> Ran:
        self.seen.append(tuple(arguments))
        if not self.works:
            return Ran(1, b"", "Failed to determine local credential key")
        if arguments[1] == "encrypt":
            return Ran(0, base64.b64encode(given[::-1]), "")
        sealed = given if arguments[-2] == "-" else Path(arguments[-2]).read_bytes()
        return Ran(0, base64.b64decode(sealed)[::-1], "")


class Here(Machine):
    """A machine whose files begin in a folder, and which is nevertheless the one that we run on."""

    @property
    def is_image(self) -> bool:
        return False


def prepared(machine: Machine, *, may_act: bool = False, template: str = TEMPLATE) -> plan.SetUp:
    """All steps for it."""
    paths = (OFFICE.path,)
    contents = plan.Contents(
        lambda key_file: filled_in(template, WANTED, plan.SCHEDULE, key_file),
        bootstrap.schedule_file("uk-default").read_text(encoding="utf-8"),
        scan_drop_in(paths, (), ()),
        dispose_drop_in(paths, (), may_act=may_act),
        TEMPLATE,
    )
    state = PurePosixPath("/var/lib/retentiond")
    places = plan.Places(plan.SCHEDULE, state, state / "vault", state / "vault/slots", plan.CLEAR, "retentiond-vault")
    return plan.set_up(machine, ACCOUNTS, places, contents, DAY)


def facts(root: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Every file and folder that there is, with mode, owner, group and content."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode & 0o7777,
            path.lstat().st_uid,
            path.lstat().st_gid,
            os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(root.rglob("*"))
    }

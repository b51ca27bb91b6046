"""How fast approved files go through the whole protocol into quarantine, back, and away, beside `cp` and `sync` of the
same files."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from agent.model.disposal import DisposalState
from agent.model.review import ActKind
from agent.usecases.review_rules import Wish
from benchmarks.vaulting import copied, copied_one_by_one, timed
from tests.disposition.house import House


def _measure(scratch: Path, count: int, size_bytes: int) -> None:
    house = House(scratch / "house")
    files = [house.put(f"Cases/{number // 500}/{number:06d}.txt", os.urandom(size_bytes)) for number in range(count)]
    subprocess.run(["sync"], check=True)
    house.scan()
    items = [one.item.item_id for one in house.office.standings(house.day).due()]
    for by in ("ann", "ben"):
        desk = house.office.desk(by, house.day)
        for start in range(0, count, 500):
            wishes = [Wish(item, ActKind.APPROVE, "looked at it") for item in items[start : start + 500]]
            desk.record(desk.propose(wishes))
    rows = [
        ("cp, then one sync", timed(lambda: copied(files, scratch / "copies"))),
        ("copy, fsync of file and folder, one by one", timed(lambda: copied_one_by_one(files, scratch / "each"))),
    ]
    outlook = house.outlook()
    assert len(outlook.plans) == count
    rows.append(("quarantine: the whole protocol", timed(lambda: house.take(outlook.plans))))
    quarantined = house.catalogue.disposals.of_state(DisposalState.QUARANTINED)
    assert len(quarantined) == count
    some = quarantined[: count // 4]

    def restore() -> None:
        restoring = house.restoring()
        for one in some:
            assert restoring.give_back(one, one.ref, "measured") is None

    rows.append((f"restore of {len(some):,}", timed(restore)))
    house.outlook()
    ripe = house.ripe()
    rows.append((f"destroy {len(ripe):,}", timed(lambda: house.destroy(ripe))))
    rows.append(("erase", timed(house.erase)))
    print(f"Disposal, {count:,} files of {size_bytes / 1024:,.0f} KiB")
    done = [count, count, count, len(some), len(ripe), len(ripe)]
    for (name, seconds), number in zip(rows, done, strict=True):
        total = number * size_bytes / 1e6
        print(f"  {name:<46} {seconds:8.2f} s {total / seconds:10,.0f} MB/s {number / seconds:10,.1f} files/s")
    print()
    house.close()
    for path in scratch.iterdir():
        shutil.rmtree(path)


def measure(scratch: Path) -> None:
    """Prints one table for large files and one for small ones."""
    folder = scratch / "disposing"
    folder.mkdir()
    (folder / "house").mkdir()
    _measure(folder, 4, 256 << 20)
    (folder / "house").mkdir()
    _measure(folder, 1000, 100 << 10)

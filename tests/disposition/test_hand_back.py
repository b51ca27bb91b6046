"""What belongs to others goes back to them, and is destroyed only once they have it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from agent.age.keys import new_identity
from agent.age.message import decrypt
from agent.errors import UsageError
from agent.model.disposal import Obstacle
from agent.usecases.hand_back import Addressee, HandingBack
from tests.disposition.house import RULES, House

PATHS = ("Returns/a.txt", "Returns/deep/b.txt")


@pytest.fixture
def returned(house: House) -> House:
    for path in PATHS:
        house.put(path, path.encode() * 100)
    house.scan()
    house.approve(*PATHS)
    assert len(house.take().done) == 2
    return house


def test_an_export_holds_everything_and_only_its_recipient_opens_it(returned: House, tmp_path: Path) -> None:
    identity, recipient = new_identity()
    desk = HandingBack(returned.catalogue, RULES, returned.vault, tmp_path / "outbox")
    bundle, file = desk.export(desk.pending(), Addressee("Acme", (recipient,)), returned.office.now(), "ann")
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(fileobj=io.BytesIO(decrypt(file.read_bytes(), identity))) as tar:
        held = {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]
    assert {held[f"items/{path}"] for path in PATHS} == {path.encode() * 100 for path in PATHS}
    assert {"MANIFEST.json", "SHA256SUMS"} < held.keys()
    assert (bundle.items, desk.pending()) == (2, ())
    assert [*file.parent.iterdir()] == [file]


def test_nothing_is_destroyed_before_it_has_arrived(returned: House, tmp_path: Path) -> None:
    desk = HandingBack(returned.catalogue, RULES, returned.vault, tmp_path / "outbox")
    quarantined = desk.pending()
    assert returned.ripe() == []
    assert set(returned.destroy([*quarantined]).kept.values()) == {Obstacle.NOT_HANDED_OVER}
    bundle, _ = desk.export(quarantined, Addressee("Acme", (new_identity()[1],)), returned.office.now(), "ann")
    assert returned.ripe() == []
    returned.catalogue.bundles.confirm(bundle.number, returned.office.now(), "ann", "signed for")
    assert len(returned.destroy().done) == 2
    with pytest.raises(UsageError, match="was confirmed on"):
        returned.catalogue.bundles.confirm(bundle.number, returned.office.now(), "ann", "again")


def test_an_export_that_fails_leaves_nothing(returned: House, tmp_path: Path) -> None:
    desk = HandingBack(returned.catalogue, RULES, returned.vault, tmp_path / "outbox")
    with pytest.raises(UsageError):
        desk.export(desk.pending(), Addressee("Acme", ("age1wrong",)), returned.office.now(), "ann")
    assert [*(tmp_path / "outbox").iterdir()] == []
    assert len(desk.pending()) == 2

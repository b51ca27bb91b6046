"""Clients that others wrote get along with the emulator, so it is not only our own reading of Graph."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.emulator import Emulator, Fault
from tests.emulator.drive_items import Drive
from tests.emulator.proxy import Proxy

CONTENTS = {
    "plain.txt": b"hello",
    "hash#percent%25 plus+.txt": b"odd name",
    "zero.bin": b"",
    "big.bin": bytes(range(256)) * 3000,
    "Staff/2024/Zo\u00eb & Ann's.txt": b"deep",
}
SDK_PYTHON = os.environ.get("RETENTIOND_MSGRAPH_PYTHON", "")


@pytest.fixture
def graph() -> Iterator[Emulator]:
    with Emulator() as graph:
        yield graph


@pytest.fixture
def drive(graph: Emulator) -> Drive:
    drive = graph.tenant.add_site("HR", path="/sites/hr").add_library("Documents")
    for path, content in CONTENTS.items():
        drive.put(path, content)
    return drive


@dataclass
class Rclone:
    """rclone with a configuration that names the drive, and the proxy as its only way out."""

    directory: Path
    environment: dict[str, str]
    ca_file: str

    def __call__(self, *arguments: str, expected: int = 0) -> str:
        command = ["rclone", "--config", str(self.directory / "rclone.conf"), "--ca-cert", self.ca_file]
        command += ["--low-level-retries", "4", "--retries", "1", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == expected, done.stderr
        return done.stdout


@pytest.fixture
def rclone(graph: Emulator, drive: Drive, tmp_path: Path) -> Iterator[Rclone]:
    if shutil.which("rclone") is None:
        pytest.skip("rclone is not installed: apt-get install rclone")
    token = graph.token_for(graph.tenant.add_app(roles={"Sites.ReadWrite.All"}))
    secret = {"access_token": token, "token_type": "Bearer", "refresh_token": "r", "expiry": "2099-01-01T00:00:00Z"}
    (tmp_path / "rclone.conf").write_text(
        f"[od]\ntype = onedrive\ntoken = {json.dumps(secret)}\ndrive_id = {drive.id}\ndrive_type = documentLibrary\n"
    )
    with Proxy(graph) as proxy:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HTTPS_PROXY": proxy.url}
        yield Rclone(tmp_path, environment, graph.ca_file)
        assert proxy.refused == []


def test_rclone_lists_every_item_also_when_throttled(graph: Emulator, rclone: Rclone) -> None:
    graph.faults.add(Fault(path="/children", status=429, code="activityLimitReached", retry_after="1"))
    graph.limits.early_penalty_seconds = 0  # rclone 1.60 tries once more at once, and waits only then
    listed = rclone("lsf", "--recursive", "--files-only", "--format", "ps", "od:").splitlines()
    assert sorted(listed) == sorted(f"{path};{len(content)}" for path, content in CONTENTS.items())
    assert 429 in [call.status for call in graph.log]


def test_rclone_follows_pages(graph: Emulator, drive: Drive, rclone: Rclone) -> None:
    for number in range(450):
        drive.put(f"Many/{number}.txt", b"x")
    assert len(rclone("lsf", "--onedrive-list-chunk", "100", "od:Many").splitlines()) == 450
    assert [call.query for call in graph.log if "$skiptoken" in call.query], "there was more than one page"


def test_rclone_downloads_and_finds_the_hashes_right(rclone: Rclone, tmp_path: Path) -> None:
    rclone("copy", "od:", str(tmp_path / "out"))
    got = {str(p.relative_to(tmp_path / "out")): p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert got == CONTENTS
    rclone("check", str(tmp_path / "out"), "od:")
    (tmp_path / "out" / "plain.txt").write_bytes(b"jello")
    rclone("check", str(tmp_path / "out"), "od:", expected=1)


def test_rclone_deletes_into_the_recycle_bin(drive: Drive, rclone: Rclone) -> None:
    item = drive.id_of("plain.txt")
    rclone("deletefile", "od:plain.txt")
    assert drive.path_of(item) is None
    assert "plain.txt" not in rclone("lsf", "od:")


def test_the_proxy_leads_to_the_emulator_and_nowhere_else() -> None:
    with Emulator(check=False) as graph, Proxy(graph) as proxy, requests.Session() as http:
        http.trust_env = False
        http.proxies = {"https": proxy.url}
        http.verify = graph.ca_file
        assert http.get("https://graph.microsoft.com/v1.0/organization", timeout=5).status_code == 401
        with pytest.raises(requests.exceptions.ProxyError):
            http.get("https://example.org/", timeout=5)
        assert proxy.refused == ["example.org"]


@pytest.mark.slow
def test_microsofts_own_sdk_understands_the_answers(graph: Emulator, drive: Drive) -> None:
    if not SDK_PYTHON:
        pytest.skip("RETENTIOND_MSGRAPH_PYTHON names no interpreter with msgraph-sdk")
    graph.tenant.add_retention_label("Keep 7 years", behaviour="retainAsRecord")
    item, locked, removed = (drive.put(name, b"hello") for name in ("label.txt", "open.txt", "gone.txt"))
    drive.label(item, "Keep 7 years")
    drive.lock(locked)
    drive.remove(removed)
    for number in range(450):
        drive.put(f"Many/{number}.txt", b"x")
    asked = {
        "url": graph.graph_url,
        "ca_file": graph.ca_file,
        "token": graph.token_for(graph.tenant.add_app(roles={"Sites.FullControl.All"})),
        "drive": drive.id,
        "item": item,
        "locked": locked,
        "removed": removed,
    }
    script = Path(__file__).with_name("msgraph_client.py")
    done = subprocess.run(
        [SDK_PYTHON, str(script)], input=json.dumps(asked), capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    understood = json.loads(done.stdout)
    assert (understood["name"], understood["size"], understood["content"]) == ("label.txt", 5, "hello")
    assert understood["hash"] == "aCgDG9jwBgAAAAAABQAAAAAAAAA="
    assert (understood["label"], understood["behaviour"].lower()) == (
        "Keep 7 years",
        "behaviorduringretentionperiod.retainasrecord",
    )
    assert understood["pages"] > 1
    assert {"label.txt", "open.txt", "0.txt", "449.txt"} <= set(understood["names"])
    assert "gone.txt" not in understood["names"]
    assert understood["removed"] == [404, "itemNotFound"]
    assert understood["locked"][0] == 423

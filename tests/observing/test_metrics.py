"""Metrics over real HTTP, by socket and by port, read as Prometheus reads them."""

from __future__ import annotations

import http.client
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.errors import CatalogueError, ConfigurationError
from agent.observing.address import LoopbackAddress, UnixAddress, parse_address
from agent.observing.base import Facts, Health, HealthState, Problem
from agent.observing.metrics import METRICS, registry_of
from agent.observing.metrics_server import MetricsServer
from tests.observing.facts import HOUR, NOW, full

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(5)
        self.sock.connect(self._path)


def get(connection: http.client.HTTPConnection, path: str, method: str = "GET") -> tuple[int, bytes]:
    with closing(connection):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def read(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def well() -> Health:
    return Health(HealthState.OK)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The socket of a server with everything there is to tell."""
    path = str(tmp_path / "metrics.sock")
    with MetricsServer(UnixAddress(path), registry_of(full), well):
        yield path


def test_the_metrics_come_by_a_socket_of_owner_and_group_alone(tmp_path: Path) -> None:
    path = tmp_path / "metrics.sock"
    with MetricsServer(UnixAddress(str(path)), registry_of(full), well):
        assert stat.S_IMODE(path.lstat().st_mode) == 0o660
        status, body = get(SocketConnection(str(path)), "/metrics")
    assert status == 200
    told = read(body.decode())
    assert told["retentiond_items_seen", (("share", "office"),)] == 1_200
    assert told["retentiond_items_failed", (("reason", "io_error"), ("share", "office"))] == 5
    assert told["retentiond_items_due", (("class", "case-file"),)] == 40
    assert told["retentiond_scan_lag_seconds", (("share", "office"),)] == 7_200
    assert told["retentiond_share_state", (("share", "office"), ("state", "watched"))] == 1
    assert told["retentiond_share_state", (("share", "office"), ("state", "unavailable"))] == 0
    assert (
        told["retentiond_job_due_timestamp_seconds", (("job_name", "reconcile"), ("share", "office"))]
        == (NOW + HOUR).timestamp()
    )
    assert told["retentiond_job_duration_seconds", (("job_name", "reconcile"), ("share", "office"))] == 300
    assert told["retentiond_items_destroyed_total", ()] == 7
    assert told["process_resident_memory_bytes", ()] > 1_000_000
    assert not path.exists()


def test_a_tenant_is_told_by_its_gates_and_the_certificates_of_its_apps(served: str) -> None:
    told = read(get(SocketConnection(served), "/metrics")[1].decode())
    gate = (("tenant", "contoso"), ("workload", "exchange"))
    assert told["retentiond_tenant_units_used_today", gate] == 20
    assert told["retentiond_tenant_gate_closed_seconds", gate] == 42.5
    expires = "retentiond_tenant_certificate_expires_timestamp_seconds"
    assert told[expires, (("app", "reader"), ("tenant", "contoso"))] == (NOW + 365 * 24 * HOUR).timestamp()


def test_a_tenant_of_which_one_pass_does_not_add_up_is_told_so_while_others_are_under_way(tmp_path: Path) -> None:
    share = replace(full().shares[0], complete=False, reconciles=False)
    for places, expected in ((0, None), (3, 0.0)):
        told = registry_of(lambda places=places: replace(full(), shares=(replace(share, places=places),)))  # type: ignore[misc]
        assert told.get_sample_value("retentiond_scan_reconciles", {"share": "office"}) == expected


def test_every_metric_that_is_described_is_told_somewhere(served: str) -> None:
    told = {name for name, _ in read(get(SocketConnection(served), "/metrics")[1].decode())}
    assert set(METRICS) - told == set()
    assert {name for name in told if name.startswith("retentiond_")} - set(METRICS) == set()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_metrics_come_by_a_port_of_this_machine(host: str) -> None:
    if host == "::1" and not _has(host):
        pytest.skip("this machine has no IPv6")
    with MetricsServer(LoopbackAddress(host, 0), registry_of(full), well) as server:
        status, body = get(http.client.HTTPConnection(host, server.port, timeout=5), "/metrics")
        assert (status, read(body.decode())["retentiond_holds", ()]) == (200, 3)


def _has(host: str) -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


def test_facts_are_asked_for_anew_at_each_scrape_and_never_before(tmp_path: Path) -> None:
    asked: list[int] = []

    def facts() -> Facts:
        asked.append(1)
        return replace(full(), holds=len(asked))

    path = str(tmp_path / "metrics.sock")
    with MetricsServer(UnixAddress(path), registry_of(facts), well):
        assert asked == []
        for number in (1, 2):
            body = get(SocketConnection(path), "/metrics")[1]
            assert read(body.decode())["retentiond_holds", ()] == number


def test_a_catalogue_that_cannot_be_read_is_told_without_its_words(tmp_path: Path) -> None:
    def facts() -> Facts:
        raise CatalogueError("/srv/Amy Carter/catalogue.sqlite is damaged")

    def health() -> Health:
        facts()
        return well()

    path = str(tmp_path / "metrics.sock")
    with MetricsServer(UnixAddress(path), registry_of(facts), health):
        status, body = get(SocketConnection(path), "/metrics")
        told = read(body.decode())
        assert (status, told["retentiond_catalogue_readable", ()]) == (200, 0)
        assert b"Amy" not in body
        assert ("retentiond_holds", ()) not in told
        status, body = get(SocketConnection(path), "/health")
        assert (status, json.loads(body)) == (503, {"state": "unknown", "problems": []})


@pytest.mark.parametrize(("state", "status"), [(0, 200), (1, 200), (2, 503), (3, 503)])
def test_health_is_told_with_a_status_that_a_load_balancer_understands(tmp_path: Path, state: int, status: int) -> None:
    problem = Problem(HealthState(state), "share_unavailable", "office", "The share office cannot be reached.")
    path = str(tmp_path / "metrics.sock")
    with MetricsServer(UnixAddress(path), registry_of(full), lambda: Health(HealthState(state), (problem,))):
        answered, body = get(SocketConnection(path), "/health")
    assert answered == status
    assert json.loads(body)["problems"][0]["subject"] == "office"


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 404),
        ("/metrics/../etc/passwd", "GET", 404),
        ("/metrics", "POST", 405),
        ("/metrics", "HEAD", 405),
        ("/health", "DELETE", 405),
    ],
)
def test_nothing_else_is_answered(served: str, path: str, method: str, status: int) -> None:
    told, body = get(SocketConnection(served), path, method)
    assert (told, b"retentiond_" in body) == (status, False)


def test_one_who_says_nothing_keeps_nobody_else_waiting(served: str) -> None:
    idle = [socket.socket(socket.AF_UNIX) for _ in range(4)]
    for one in idle:
        one.connect(served)
    assert get(SocketConnection(served), "/health")[0] == 200
    for one in idle:
        one.close()


def test_a_socket_left_by_a_process_that_died_is_replaced_and_one_in_use_is_not(tmp_path: Path) -> None:
    path = str(tmp_path / "metrics.sock")
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(path)
    with MetricsServer(UnixAddress(path), registry_of(full), well):
        with pytest.raises(ConfigurationError, match="another process serves metrics there"):
            MetricsServer(UnixAddress(path), registry_of(full), well)
        assert get(SocketConnection(path), "/health")[0] == 200


def test_a_file_in_the_place_of_the_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "metrics.sock"
    path.write_text("mine")
    with pytest.raises(ConfigurationError, match="is no socket"):
        MetricsServer(UnixAddress(str(path)), registry_of(full), well)
    assert path.read_text() == "mine"


def test_a_directory_that_is_not_there_and_a_port_in_use_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        MetricsServer(UnixAddress(str(tmp_path / "none" / "metrics.sock")), registry_of(full), well)
    taken = MetricsServer(LoopbackAddress("127.0.0.1", 0), registry_of(full), well)
    with taken, pytest.raises(ConfigurationError, match="in use"):
        MetricsServer(LoopbackAddress("127.0.0.1", taken.port), registry_of(full), well)


def test_closing_ends_the_thread_and_gives_the_port_back() -> None:
    server = MetricsServer(LoopbackAddress("127.0.0.1", 0), registry_of(full), well)
    port = server.port
    server.close()
    server.close()
    assert not [one for one in threading.enumerate() if one.name == "metrics"]
    with pytest.raises(ConnectionRefusedError):
        get(http.client.HTTPConnection("127.0.0.1", port, timeout=5), "/health")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/run/retentiond/metrics.sock", UnixAddress("/run/retentiond/metrics.sock")),
        ("127.0.0.1:9464", LoopbackAddress("127.0.0.1", 9464)),
        ("127.8.9.1:1", LoopbackAddress("127.8.9.1", 1)),
        ("localhost:9464", LoopbackAddress("127.0.0.1", 9464)),
        ("[::1]:9464", LoopbackAddress("::1", 9464)),
    ],
)
def test_a_socket_and_a_port_of_the_loopback_are_understood(text: str, address: object) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0:9464", "192.0.2.1:9464", "[::]:9464", "example.org:9464", ":9464", "127.0.0.1", "127.0.0.1:x", "9464",
     "127.0.0.1:70000", "metrics.sock", "", "/" + "x" * 107, "127.0.0.1.example.org:1", "[::ffff:192.0.2.1]:1"],
)  # fmt: skip
def test_an_address_that_others_reach_or_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"metrics|socket"):
        parse_address(text)


def test_no_metric_names_a_file_or_a_person() -> None:
    labels = {label for _, named in METRICS.values() for label in named}
    assert labels == {"share", "reason", "state", "class", "job_name", "role", "kind", "tenant", "workload", "app"}
    assert os.sep not in "".join(METRICS)

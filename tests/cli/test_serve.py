"""`gateway serve`: its lines, reload, drain."""

from __future__ import annotations

import http.client
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.cli.failure import Exit
from services_mock.testing import Backend
from tests.cli.conftest import write_config
from tests.cli.processes import ANY_PORT, LISTENING, Serving, gateway, run

WATCH = "/v1/orders/o120:watch?interval=0.05s"  # four events
ENDLESS = "/v1/stock:watch?interval=0.01s"


@pytest.fixture
def here(tmp_path: Path, backend: Backend) -> Path:
    write_config(tmp_path, backend.addresses[0])
    return tmp_path


@pytest.fixture
def serving(here: Path) -> Iterator[Serving]:
    with gateway("serve", *ANY_PORT, cwd=here) as running:
        yield running


@contextmanager
def get(url: str, path: str) -> Iterator[http.client.HTTPResponse]:
    """Makes a GET; the body is read from what it gives."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request("GET", path)
        with connection.getresponse() as reply:
            yield reply


def status(url: str, path: str) -> int:
    with get(url, path) as reply:
        reply.read()
        return reply.status


def test_the_admin_line_then_the_address_once_requests_are_served(serving: Serving) -> None:
    url = serving.read_until(LISTENING)
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+", url)
    assert re.fullmatch(r"admin on http://127\.0\.0\.1:[1-9]\d+", serving.lines[0])
    assert len(serving.lines) == 2
    assert status(url, "/v1/products/p1") == 200
    assert status(serving.lines[0].removeprefix("admin on "), "/readyz") == 200
    assert serving.read_error("note: ") == (
        "note: every caller is anonymous: there are no auth.providers"
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_with_providers_what_is_open_is_named_and_nobody_is_said_to_be_anonymous(
    here: Path, workers: int
) -> None:
    path = here / "gateway.yaml"
    (here / "keys.yaml").write_text("keys: {}\n")
    catalog = "shop.catalog.v1.CatalogService"
    path.write_text(
        path.read_text()
        + "auth: {providers: {partners: {api_key: {keys: {file: keys.yaml}}}}}\n"
        + f"policies: [{{methods: ['{catalog}/GetProduct', '{catalog}/ListProducts'], "
        + "authenticate: none}]\n"
    )
    with gateway("serve", *ANY_PORT, "--set", f"workers={workers}", cwd=here) as serving:
        url = serving.read_until(LISTENING)
        assert status(url, "/v1/products/p1") == 200
        assert status(url, "/v1/orders/o1") == 401
        heading = "warning: reachable without authentication:"
        assert serving.read_error("reachable") == heading
        assert serving.read_error(catalog) == f"  {catalog}: GetProduct, ListProducts"
        serving.signal(signal.SIGTERM)
        assert "anonymous" not in serving.errors()


def test_a_line_an_address_and_none_for_admin_that_is_off(here: Path) -> None:
    socket_path = here / "gateway.sock"
    settings = f"listener.address=['127.0.0.1:0', 'unix:{socket_path}']"
    with gateway("serve", "--set", settings, "--set", "admin=false", cwd=here) as serving:
        assert serving.read_line().startswith("listening on http://127.0.0.1:")
        assert serving.read_line() == f"listening on unix:{socket_path}"


def test_sigterm_lets_a_stream_end_and_exits_0(serving: Serving) -> None:
    url = serving.read_until(LISTENING)
    with get(url, WATCH) as reply:
        first = reply.readline()
        serving.signal(signal.SIGTERM)
        serving.read_error("draining")
        rest = reply.read().splitlines()
    assert b"o120" in first
    assert len(rest) == 3
    assert serving.wait() == 0


def test_a_second_interrupt_ends_at_once(serving: Serving) -> None:
    url = serving.read_until(LISTENING)
    with get(url, ENDLESS) as reply:
        reply.readline()
        serving.signal(signal.SIGINT)
        serving.read_error("draining")
        serving.signal(signal.SIGINT)
        assert serving.wait() == 128 + signal.SIGINT


def test_reload_replaces_what_is_served_and_drops_no_stream(here: Path) -> None:
    path = here / "gateway.yaml"
    with gateway("serve", *ANY_PORT, cwd=here) as serving:
        url = serving.read_until(LISTENING)
        with get(url, ENDLESS) as stream:
            stream.readline()
            good = path.read_text()
            path.write_text(good + "rest: {prefix: /api}\n")
            serving.signal(signal.SIGHUP)
            assert "7 services" in serving.read_error("reloaded: ")
            assert status(url, "/api/v1/products/p1") == 200
            assert status(url, "/v1/products/p1") == 404

            path.write_text(good + "rest: {prefix: 1}\nlisteners: {}\n")
            serving.signal(signal.SIGHUP)
            assert serving.read_error("rest.prefix").startswith("gateway.yaml:6:")
            assert serving.read_error("listeners").startswith("gateway.yaml:7:")
            serving.read_error("not reloaded")
            assert status(url, "/api/v1/products/p1") == 200

            path.write_text(good)
            serving.signal(signal.SIGHUP)
            serving.read_error("reloaded: ")
            assert status(url, "/v1/products/p1") == 200
            # It has run through all of this.
            assert all(stream.readline().startswith(b"{") for _ in range(3))


def test_a_proto_that_does_not_compile_does_not_stop_a_gateway_that_runs(
    tmp_path: Path, backend: Backend
) -> None:
    protos = tmp_path / "protos"
    protos.mkdir()
    proto = protos / "a.proto"
    well = 'syntax = "proto3";\npackage a.v1;\nmessage E {}\nservice A { rpc Do(E) returns (E); }\n'
    proto.write_text(well)
    (tmp_path / "gateway.yaml").write_text(
        f"upstreams: {{a: {{services: ['*'], endpoints: ['{backend.addresses[0]}']}}}}\n"
    )
    with gateway("serve", *ANY_PORT, cwd=tmp_path) as serving:
        url = serving.read_until(LISTENING)
        proto.write_text("nonsense")
        serving.signal(signal.SIGHUP)
        assert "a.proto:1:1: " in serving.read_error("a.proto")
        serving.read_error("not reloaded")
        assert status(url, "/a.v1.A/Do") == 405
        serving.signal(signal.SIGTERM)
        assert serving.wait() == 0


@pytest.mark.parametrize(
    ("key", "other"), [("listener", "admin"), ("admin", "listener")], ids=["public", "admin"]
)
def test_a_port_that_is_taken_is_one_clear_error(key: str, other: str, here: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        taken_one = f"{key}.address=127.0.0.1:{port}"
        done = run("serve", "--set", taken_one, "--set", f"{other}.address=127.0.0.1:0", cwd=here)
    assert (done.code, done.out) == (Exit.FAILED, "")
    assert f"127.0.0.1:{port}" in done.err
    assert f"--set {key}.address=127.0.0.1:0" in done.err
    assert "Traceback" not in done.err


def test_a_wrong_config_starts_nothing(shop: Path) -> None:
    done = run("serve", "--set", "rest.prefix=1", "--set", "nothing=1", cwd=shop)
    assert (done.code, done.out) == (Exit.MISTAKE, "")
    assert len(done.errors) == 2

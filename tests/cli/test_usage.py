"""`gateway usage`: what callers used, asked of a gateway that runs."""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gateway.cli.failure import Exit
from services_mock.testing import Backend
from tests.cli.conftest import write_config
from tests.cli.processes import ANY_PORT, gateway, invoke
from tests.cli.several import Gateway, answer

PRODUCT = "/v1/products/p1"
GET = "shop.catalog.v1.CatalogService/GetProduct"


@pytest.fixture
def here(tmp_path: Path, backend: Backend) -> Path:
    write_config(tmp_path, backend.addresses[0], "usage: {enabled: true}")
    return tmp_path


@pytest.mark.parametrize("workers", [1, 2], ids=["one process", "workers"])
def test_what_was_used_in_every_form(here: Path, workers: int) -> None:
    with gateway("serve", *ANY_PORT, "--set", f"workers={workers}", cwd=here) as serving:
        running = Gateway(serving)
        with closing(running.connect()) as connection:
            for _ in range(3):
                assert answer(connection, PRODUCT)[0] == 200
        asked = ["usage", "--admin", running.admin]
        table = invoke(*asked, cwd=here)
        one = invoke(*asked, "--by", "plan", "--period", "month", "--format", "json", cwd=here)
        lines = invoke(*asked, "--format", "csv", cwd=here)
        metrics = invoke(*asked, "--by", "", "--format", "prometheus", cwd=here)
        wrong = invoke(*asked, "--period", "never", cwd=here)
        unknown = invoke(*asked, "--by", "a,b", cwd=here)
    head, row = table.out.splitlines()
    assert " ".join(head.split()) == (
        "PROVIDER SUBJECT PLAN METHOD CALLS ERRORS MESSAGES IN BYTES IN MESSAGES OUT BYTES OUT"
    )
    assert row.split()[:6] == ["-", "(anonymous)", "-", GET, "3", "0"]
    (by_plan,) = json.loads(one.out)["rows"]
    assert (by_plan["plan"], by_plan["calls"], by_plan["reply_messages"]) == ("", 3, 3)
    (found,) = csv.DictReader(io.StringIO(lines.out, newline=""))
    assert (found["method"], found["calls"]) == (GET, "3")
    assert "\ngateway_usage_calls_total 3\n" in metrics.out
    for refused in (wrong, unknown):
        assert (refused.code, refused.out) == (Exit.FAILED, "")
    assert wrong.errors[0].startswith("period: expected today, month, a day")


def test_where_the_gateway_is_is_what_the_config_says(here: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = ["--set", f"admin.address=0.0.0.0:{port}", "--set", "admin.token=of operators"]
    with gateway("serve", *ANY_PORT, *address, cwd=here) as serving:
        Gateway(serving)
        done = invoke("usage", *address, cwd=here)
    assert (done.code, done.out) == (0, "")
    assert re.fullmatch(r"nothing was used in \d{4}-\d\d-\d\d\n", done.err)


def test_an_admin_listener_at_a_unix_socket(here: Path) -> None:
    address = ["--set", f"admin.address=unix:{here}/admin.sock"]
    with gateway("serve", *ANY_PORT, *address, cwd=here) as serving:
        serving.read_until("listening on ")
        by_config = invoke("usage", *address, "--format", "json", cwd=here)
        by_name = invoke("usage", "--admin", f"unix:{here}/admin.sock", cwd=here)
    assert json.loads(by_config.out)["rows"] == []
    assert by_name.code == 0


def test_a_gateway_that_does_not_count_says_so(here: Path) -> None:
    with gateway("serve", *ANY_PORT, "--set", "usage.enabled=false", cwd=here) as serving:
        done = invoke("usage", "--admin", Gateway(serving).admin, cwd=here)
    assert done.code == Exit.FAILED
    assert "usage.enabled is not set" in done.errors[0]


def test_the_clients_listener_is_not_the_one(here: Path) -> None:
    with gateway("serve", *ANY_PORT, cwd=here) as serving:
        done = invoke("usage", "--admin", Gateway(serving).url, cwd=here)
    assert done.code == Exit.FAILED
    assert "No route matches" in done.errors[0]
    assert "404 ROUTE_NOT_FOUND" in done.errors[1]


@pytest.mark.parametrize(
    ("options", "expected", "code"),
    [
        (["--set", "admin=false"], "has no admin listener: the config says", Exit.MISTAKE),
        (["--set", "admin.address=127.0.0.1:0"], "has port 0", Exit.MISTAKE),
        (["--admin", "ftp://a/b"], "--admin: expected a URL", Exit.MISTAKE),
        (["--admin", "https://127.0.0.1:9090"], "--admin: expected a URL", Exit.MISTAKE),
        (["--set", "nothing=1"], "unknown key", Exit.MISTAKE),
        (["--admin", "127.0.0.1:1"], "No gateway can be reached at 127.0.0.1:1", Exit.FAILED),
        (["--admin", "unix:nowhere.sock"], "No gateway can be reached at unix:", Exit.FAILED),
        (["--admin", "127.0.0.1:x"], "is no admin listener", Exit.FAILED),
    ],
)
def test_where_no_gateway_is_is_told_in_plain_words(
    shop: Path, options: list[str], expected: str, code: Exit
) -> None:
    done = invoke("usage", *options, cwd=shop)
    assert (done.code, done.out) == (code, "")
    assert expected in done.err


def test_without_a_config_it_says_what_to_do(tmp_path: Path) -> None:
    done = invoke("usage", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert "--config" in done.err


@contextmanager
def listening(status: int, body: bytes, kind: str = "application/json") -> Iterator[str]:
    """Something that answers everything so, until the block ends; its address."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "said",
    [
        pytest.param((404, b"<h1>Not Found</h1>", "text/html"), id="a page that is not there"),
        pytest.param((200, b"<h1>Welcome</h1>", "text/html"), id="any page"),
        pytest.param((500, b'{"error": "x"}'), id="an error of another form"),
        pytest.param((200, b'{"status": "UP"}'), id="other JSON"),
        pytest.param((200, b"[]"), id="no object"),
    ],
)
def test_what_is_no_gateway_is_told(tmp_path: Path, said: tuple[int, bytes]) -> None:
    with listening(*said) as place:
        done = invoke("usage", "--admin", place, cwd=tmp_path)
    assert (done.code, done.out) == (Exit.FAILED, "")
    assert f"What listens at {place} is no admin listener" in done.err


def test_a_subject_moves_no_cursor(tmp_path: Path) -> None:
    numbers = dict.fromkeys(
        ["errors", "request_messages", "request_bytes", "reply_messages", "reply_bytes"], 1234567
    )
    told = {
        "period": "2026-11",
        "by": ["principal"],
        "rows": [
            {"provider": "keys", "subject": "a\x1b[2Jb\n", "calls": 1, **numbers},
            {"provider": "", "subject": "others", "calls": 9, **numbers},
        ],
    }
    with listening(200, json.dumps(told).encode()) as place:
        done = invoke("usage", "--admin", place, cwd=tmp_path)
    _, most, least = done.out.splitlines()  # whoever called most comes first
    assert most.split()[:3] == ["-", "others", "9"]
    assert least.split()[:4] == ["keys", r"a\x1b[2Jb\n", "1", "1,234,567"]

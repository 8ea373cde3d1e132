"""Which admin listener a command asks, and the token that it shows there."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from gateway.cli.admin_client import Place, get, place
from gateway.cli.failure import Failure

TOKEN = "of operators: ü"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "gateway.yaml"
    path.write_text(f"admin: {{address: '127.0.0.1:9', token: '{TOKEN}'}}\n")
    return path


def test_the_config_says_both(config):
    found = place(None, config, None)
    assert (found.where, found.token) == ("127.0.0.1:9", TOKEN)


def test_a_token_that_is_given_comes_before_the_config_s(config):
    assert place(None, config, None, "mine").token == "mine"


def test_the_config_s_token_is_not_sent_to_whom_it_does_not_name(config, monkeypatch):
    monkeypatch.chdir(config.parent)
    assert place("http://127.0.0.1:1", None, None).token is None
    assert place("http://127.0.0.1:1", config, None).token == TOKEN
    assert place("http://127.0.0.1:1", None, None, "mine").token == "mine"


def test_a_token_is_in_no_text():
    found = Place("127.0.0.1:9", TOKEN)
    assert TOKEN not in f"{found} {found!r}"


@contextmanager
def listener(status, content):
    shown = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            shown.append(self.headers["Authorization"])
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_):
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", shown
        finally:
            server.shutdown()
            thread.join()


def test_it_is_shown_as_a_bearer_token_in_its_own_bytes():
    with listener(200, {"a": 1}) as (where, shown):
        assert json.loads(get(Place(where, TOKEN), "/usage", {})) == {"a": 1}
        get(Place(where), "/usage", {})
    assert [each and each.encode("latin-1").decode() for each in shown] == [f"Bearer {TOKEN}", None]


def test_who_is_refused_is_told_how_to_show_one():
    error = {"message": "Show the token.", "details": [{"reason": "CREDENTIALS_MISSING"}]}
    with listener(401, {"error": error}) as (where, _), pytest.raises(Failure) as refused:
        get(Place(where), "/usage", {})
    lines = refused.value.lines
    assert lines[0] == "Show the token."
    assert "401 CREDENTIALS_MISSING" in lines[1]
    assert "--token or GATEWAY_ADMIN_TOKEN" in lines[2]

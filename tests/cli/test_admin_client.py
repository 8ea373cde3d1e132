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


@pytest.mark.parametrize(
    "wrong",
    ["rest: {prefix: 'api/'}", "state: ${UNSET_HERE}", "no_section: 1", "rest: {}\nrest: {}"],
)
def test_what_is_wrong_with_the_rest_of_the_config_does_not_matter(config, wrong):
    """A gateway serves on when a reload is refused: it is asked why with the refused config."""
    config.write_text(f"{config.read_text()}{wrong}\n")
    found = place(None, config, ["listener.address=nowhere"])
    assert (found.where, found.token) == ("127.0.0.1:9", TOKEN)


def test_a_folder_that_can_t_be_read_does_not_matter(config, monkeypatch):
    (config.parent / "protos").mkdir()
    monkeypatch.setattr("os.access", lambda *_: False)  # tests may run as root
    assert place(None, config, None).where == "127.0.0.1:9"


def test_the_token_may_be_in_the_environment_or_in_a_file(config, monkeypatch):
    monkeypatch.setenv("OPERATORS", TOKEN)
    config.write_text("admin: {token: '${OPERATORS}'}\nworkers: -1\n")
    assert place(None, config, None).token == TOKEN
    (config.parent / "token").write_text(TOKEN)
    config.write_text("admin: {token: {file: token}}\nworkers: -1\n")
    assert place(None, config, None).token == TOKEN


def test_without_the_section_it_is_where_admin_listeners_are_by_default(config):
    config.write_text("workers: -1\n")
    assert place(None, config, None).where == "127.0.0.1:9090"


@pytest.mark.parametrize(
    ("text", "settings", "line"),
    [
        ("admin: {address: ':'}\nworkers: -1", [], ":1:18: admin.address: found"),
        ("admin: {adress: 'h:1'}", [], ":1:9: admin.adress: unknown key"),
        ("admin: {token: '${UNSET_HERE}'}", [], ":1:16: admin.token: environment variable"),
        ("admin: {}\nadmin: {}", [], ":2:1: admin: "),
        ("admim: {address: 'h:1'}", [], ':1:1: admim: unknown key; did you mean "admin"?'),
        ("admin: {", [], ":1:9: "),
        ("[]", [], ":1:1: found a list"),
        ("", ["admin.adress=h:1"], "--set admin.adress=…: admin.adress: unknown key"),
        ("workers: -1", ["nothing=1"], "--set nothing=…: nothing: unknown key"),
        ("", ["listener"], "--set: listener: expected a value"),
    ],
)
def test_what_is_wrong_with_the_section_is_told_and_how_to_ask_without_it(
    config, text, settings, line
):
    config.write_text(text)
    with pytest.raises(Failure) as refused:
        place(None, config, settings)
    first, hint = refused.value.lines
    assert line in first
    assert "--admin URL" in hint


@pytest.mark.parametrize("named", [True, False])
def test_without_a_config_it_is_told_how_to_ask_without_it(tmp_path, monkeypatch, named):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Failure, match="--admin URL"):
        place(None, tmp_path / "none.yaml" if named else None, None)


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

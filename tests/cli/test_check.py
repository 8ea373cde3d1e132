"""`gateway check`: everything that is wrong, each on a line, exit code 2."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.cli.failure import Exit
from tests.cli.conftest import PROTOS, write_config
from tests.cli.processes import invoke

PLACED = re.compile(r"(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): (?P<message>.+)")


def test_five_mistakes_are_five_lines_with_their_places(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(
        "listener:\n"
        "  adress: 127.0.0.1:8080\n"
        "  limits: {body_size: 4MB}\n"
        "upstreams:\n"
        "  shop:\n"
        "    services: [shop.*]\n"
        "    endpoints: [127.0.0.1]\n"
        "    timeout: 5\n"
        "rest: {prefix: api/}\n"
    )
    done = invoke("check", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert done.out == ""
    found = [PLACED.fullmatch(line) for line in done.errors]
    assert all(found), done.err
    assert [(m["file"], int(m["line"])) for m in found if m] == [
        ("gateway.yaml", 2),
        ("gateway.yaml", 3),
        ("gateway.yaml", 7),
        ("gateway.yaml", 8),
        ("gateway.yaml", 9),
    ]
    paths = [m["message"].partition(": ")[0] for m in found if m]
    assert paths == [
        "listener.adress",
        "listener.limits.body_size",
        "upstreams.shop.endpoints.0",
        "upstreams.shop.timeout",
        "rest.prefix",
    ]


def test_every_broken_proto_is_named_with_its_line(tmp_path: Path) -> None:
    protos = tmp_path / "protos"
    protos.mkdir()
    (protos / "a.proto").write_text('syntax = "proto3";\nmessage A { Missing m = 1; }\n')
    (protos / "b.proto").write_text('syntax = "proto3";\nmessage B { int32 a = 1; int32 b = 1; }\n')
    (tmp_path / "gateway.yaml").write_text("schema: {protos: [protos]}\n")
    done = invoke("check", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    found = [PLACED.fullmatch(line) for line in done.errors]
    assert [(Path(m["file"]).name, m["line"]) for m in found if m] == [
        ("a.proto", "2"),
        ("b.proto", "2"),
    ]


def test_wrong_http_rules_are_named_with_their_lines(tmp_path: Path) -> None:
    path = write_config(tmp_path, "127.0.0.1:1")
    rules = (
        "schema:\n"
        "  http_rules:\n"
        "    - {selector: shop.users.v1.UserService.WhoAmI, get: '/v1/{nobody}'}\n"
        "    - {selector: shop.users.v1.UserService.GetUser, get: '/v1/users/{id}/{id}'}\n"
    )
    text = path.read_text()
    protos = re.search(r"protos: \[.*\]", text)
    assert protos
    path.write_text(f"{rules}  {protos[0]}\n" + text.partition("\n")[2])
    done = invoke("check", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert len(done.errors) == 2, done.err
    assert {PLACED.fullmatch(line)["line"] for line in done.errors} == {"3", "4"}  # type: ignore[index]


def test_tls_files_are_read_but_nothing_is_opened(shop: Path) -> None:
    (shop / "server.pem").write_text("no certificate\n")
    done = invoke(
        "check", "--set", "listener.tls={certificate: server.pem, key: server.pem}", cwd=shop
    )
    assert done.code == Exit.MISTAKE
    assert "listener.tls" in done.err
    assert "server.pem" in done.err


def test_a_glob_that_two_upstreams_have_is_an_error_with_both_places(tmp_path: Path) -> None:
    write_config(
        tmp_path, "127.0.0.1:1", "  other:", '    services: ["shop.*"]', "    endpoints: [a:1]"
    )
    done = invoke("check", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    assert re.search(r"gateway\.yaml:7:.*gateway\.yaml:4:", done.err)


def test_well_is_one_line_and_warnings_apart(tmp_path: Path) -> None:
    write_config(
        tmp_path, "127.0.0.1:1", "  other:", "    services: [nobody.*]", "    endpoints: [a:1]"
    )
    done = invoke("check", cwd=tmp_path)
    assert done.code == 0
    assert re.fullmatch(r"ok: 7 services, \d+ methods, \d+ routes\n", done.out)
    warning, anonymous, note = done.errors
    assert warning.startswith("warning: gateway.yaml:7:")
    assert anonymous == "note: every caller is anonymous: there are no auth.providers"
    assert note.startswith("note: not in the graph, as their requests are streams: shop.")


def test_every_broken_file_of_identity_is_named(tmp_path: Path) -> None:
    path = write_config(tmp_path, "127.0.0.1:1")
    for name in ("keys.yaml", "users.yaml", "jwks.json", "signing.pem"):
        (tmp_path / name).write_text("broken: [")
    path.write_text(
        path.read_text()
        + "auth:\n"
        + "  providers:\n"
        + "    partners: {api_key: {keys: {file: keys.yaml}}}\n"
        + "    staff: {basic: {users: {file: users.yaml}}}\n"
        + "    customers: {jwt: {issuer: i, audiences: [a], jwks: {file: jwks.json}}}\n"
        + "  forward: {token: {key: {file: signing.pem}}}\n"
    )
    done = invoke("check", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    paths = [
        "auth.providers.partners.api_key.keys.file",
        "auth.providers.staff.basic.users.file",
        "auth.providers.customers.jwt.jwks.file",
        "auth.forward.token.key.file",
    ]
    placed = [m for line in done.errors if (m := PLACED.fullmatch(line))]
    found = list(dict.fromkeys(m["message"].partition(": ")[0] for m in placed))
    assert found == paths, done.err


@pytest.mark.parametrize("opened", [True, False])
def test_pages_that_are_open_beside_providers_are_a_note(tmp_path: Path, *, opened: bool) -> None:
    path = write_config(tmp_path, "127.0.0.1:1")
    (tmp_path / "keys.yaml").write_text("keys: {}\n")
    providers = "auth: {providers: {partners: {api_key: {keys: {file: keys.yaml}}}}}\n"
    pages = f"pages: {{authenticate: {'none' if opened else 'partners'}}}\n"
    path.write_text(path.read_text() + providers + pages)
    done = invoke("check", cwd=tmp_path)
    assert done.code == 0
    note = "note: the gateway's pages are open to everybody: pages.authenticate has none"
    assert (note in done.errors) is opened


def test_a_path_that_answers_no_websocket_is_a_note(tmp_path: Path) -> None:
    path = write_config(tmp_path, "127.0.0.1:1")
    users = "shop.users.v1.UserService"
    rules = [
        f"{{selector: {users}.{name}, {verb}: /v1/both}}"
        for name, verb in (("WhoAmI", "put"), ("SignOut", "delete"))
    ]
    text = path.read_text()
    path.write_text(text.replace("schema: {", f"schema: {{http_rules: [{', '.join(rules)}], ", 1))
    done = invoke("check", cwd=tmp_path)
    assert done.code == 0
    assert done.errors[-1].startswith("note: /v1/both answers no WebSocket: DELETE and PUT are of ")


def test_two_streams_at_one_path_are_an_error_with_both_places(tmp_path: Path) -> None:
    path = write_config(tmp_path, "127.0.0.1:1")
    rule = "{selector: shop.chat.v1.ChatService.WatchRoom, put: '/v1/media:digest'}"
    text = path.read_text()
    path.write_text(text.replace("schema: {", f"schema: {{http_rules: [{rule}], ", 1))
    done = invoke("check", cwd=tmp_path)
    assert done.code == Exit.MISTAKE
    (line,) = done.errors
    assert re.match(r".*/media\.proto:\d+: a WebSocket at /v1/media:digest could be ", line)
    assert 'ChatService/WatchRoom ("/v1/media:digest", schema.http_rules[0]' in line


def test_a_config_that_serves_nothing_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text(f"schema: {{protos: [{json.dumps(str(PROTOS))}]}}\n")
    done = invoke("check", cwd=tmp_path)
    assert (done.code, done.out) == (0, "ok: 0 services, 0 methods, 0 routes\n")
    assert done.err.startswith("warning: nothing is served")


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("listener.limits.json_depth=many", "--set listener.limits.json_depth=…: "),
        ("upstreams.shop.endpoints.0=nowhere", "--set upstreams.shop.endpoints.0=…: "),
    ],
)
def test_overrides_are_checked_too(setting: str, place: str, shop: Path) -> None:
    done = invoke("check", "--set", setting, cwd=shop)
    assert done.code == Exit.MISTAKE
    assert done.err.startswith(place)


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    done = invoke("check", "--config", "other.yaml", cwd=tmp_path)
    assert (done.code, done.err) == (Exit.MISTAKE, "other.yaml: no such file\n")


PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
POLICIES = [
    each for each in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "authenticate:" in each
]


@pytest.mark.parametrize("example", POLICIES, ids=range(len(POLICIES)))
def test_the_policies_of_the_page_hold_for_the_example(tmp_path: Path, example: str) -> None:
    path = write_config(tmp_path, "127.0.0.1:1")
    (tmp_path / "keys.yaml").write_text("keys: {}\n")
    path.write_text(path.read_text() + example)
    done = invoke("check", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "  shop.catalog.v1.CatalogService: GetCategory, GetProduct\n" in done.err

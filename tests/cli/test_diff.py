"""What a new config changes, told beforehand; and a check that refuses what opens a method."""

import json

import pytest

from tests.cli.processes import invoke

BASE = """schema: {protos: [.]}
upstreams: {x: {services: ["x.*"], endpoints: ["127.0.0.1:1"]}}
auth: {providers: {k: {api_key: {keys: {file: keys.yaml}}}}}
"""
PROTO = """syntax = "proto3"; package x.v1; message M {}
service S { rpc Get(M) returns (M); rpc Put(M) returns (M); }
"""
OPEN = 'policies:\n  - {methods: ["*"], authenticate: none}\n'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "x.proto").write_text(PROTO)
    (tmp_path / "keys.yaml").write_text("keys: {}\n")
    (tmp_path / "old.yaml").write_text(BASE)
    (tmp_path / "open.yaml").write_text(BASE + OPEN)
    (tmp_path / "slow.yaml").write_text(BASE + "zone: eu\nworkers: 2\n")
    (tmp_path / "same.yaml").write_text(f"# other words\n{BASE}policies: []\n")
    (tmp_path / "wrong.yaml").write_text("a: b\n")
    return tmp_path


def test_what_changes_and_what_opens_first(folder):
    ran = invoke("diff", "old.yaml", "open.yaml", cwd=folder)
    assert (ran.code, ran.out) == (
        0,
        "opened: 2 methods now anonymous: x.v1.S/Get, x.v1.S/Put\n",
    )
    ran = invoke("diff", "old.yaml", "slow.yaml", cwd=folder)
    assert ran.out == "workers 1 → 2 (at the next start)\nzone none → eu\n"


@pytest.mark.parametrize(("new", "code"), [("same.yaml", 0), ("slow.yaml", 1)])
def test_the_exit_code_where_it_is_asked_for(folder, new, code):
    assert invoke("diff", "old.yaml", new, "--exit-code", cwd=folder).code == code


def test_the_same_in_other_words(folder):
    assert invoke("diff", "old.yaml", "same.yaml", cwd=folder).out == "nothing changes in effect\n"


def test_a_folder_stands_for_its_gateway_yaml(folder):
    (folder / "gateway.yaml").write_text(BASE + OPEN)
    assert "now anonymous" in invoke("diff", "old.yaml", ".", cwd=folder).out


def test_as_json(folder):
    ran = invoke("diff", "old.yaml", "open.yaml", "--format", "json", cwd=folder)
    (effect,) = json.loads(ran.out)["effects"]
    assert effect == {
        "kind": "method-anonymous",
        "text": "2 methods now anonymous: x.v1.S/Get, x.v1.S/Put",
        "names": ["x.v1.S/Get", "x.v1.S/Put"],
        "opens": True,
        "at_next_start": False,
    }


def test_a_config_that_is_wrong_is_a_mistake(folder):
    ran = invoke("diff", "old.yaml", "wrong.yaml", cwd=folder)
    assert ran.code == 2
    assert ran.errors[0].startswith("wrong.yaml:1:1: a: unknown key")


def check(folder, *arguments):
    return invoke("check", *arguments, cwd=folder)


def test_a_strict_check_refuses_what_opens_a_method_at_the_line_that_does(folder):
    ran = check(folder, "--config", "open.yaml", "--strict", "--since", "old.yaml")
    assert ran.code == 1
    assert "open.yaml:5:22: opened: 2 methods now anonymous: x.v1.S/Get, x.v1.S/Put" in ran.errors


def test_a_provider_of_another_kind_opens_at_its_line(folder):
    (folder / "kind.yaml").write_text(
        BASE.replace("api_key: {keys: {file: keys.yaml}}", "mtls: {}")
    )
    ran = check(folder, "--config", "kind.yaml", "--strict", "--since", "old.yaml")
    assert ran.code == 1
    assert "kind.yaml:3:20: opened: provider k knows other callers: api_key → mtls" in ran.errors


def test_without_strict_it_warns(folder):
    ran = check(folder, "--config", "open.yaml", "--since", "old.yaml")
    assert ran.code == 0
    assert any(line.startswith("warning: open.yaml:5:22: opened: ") for line in ran.errors)


def test_what_closes_or_opens_nothing_passes(folder):
    arguments = ("--strict", "--since")
    assert check(folder, "--config", "old.yaml", *arguments, "open.yaml").code == 0
    # It has warnings of its own: with --since only what is opened counts.
    assert check(folder, "--config", "open.yaml", *arguments, "open.yaml").code == 0


def test_strict_alone_has_every_warning_fail(folder):
    assert check(folder, "--config", "open.yaml").code == 0
    ran = check(folder, "--config", "open.yaml", "--strict")
    assert ran.code == 1
    assert ran.errors[0].startswith("reachable without authentication:")
    assert check(folder, "--config", "old.yaml", "--strict").code == 0


def test_an_old_config_that_is_wrong_is_a_mistake(folder):
    ran = check(folder, "--config", "old.yaml", "--since", "wrong.yaml")
    assert ran.code == 2
    assert ran.errors[-1].startswith("--since wrong.yaml: wrong.yaml:1:1: a: unknown key")


MUTUAL = """listener:
  tls: {certificate: c.pem, key: k.pem, client_ca: c.pem, client_certificate: required}
"""


@pytest.fixture
def mutual(folder):
    """A config that asks for certificates, beside those that don't; nobody serves by it."""
    for name in ("c.pem", "k.pem"):
        (folder / name).write_text("")
    (folder / "mutual.yaml").write_text(BASE + MUTUAL)
    return folder


def test_a_strict_check_refuses_that_clients_need_no_certificate_any_more(mutual):
    ran = check(mutual, "--config", "old.yaml", "--strict", "--since", "mutual.yaml")
    assert ran.code == 1
    assert ran.errors[-1] == (
        "old.yaml:1:1: opened: listener.tls.client_certificate required → none"
    )


PAGES = "rest: {openapi: false, docs: false}\ngraphql: {introspection: false, graphiql: false}\n"
ALL = ("the OpenAPI document", "the documentation", "GraphiQL", "introspection")
NOBODY = BASE.replace("auth:", "# auth:")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param(
            NOBODY + PAGES,
            NOBODY + "graphql: {}\n",
            ["after.yaml:1:1: opened: pages served now, to anyone: " + ", ".join(ALL)],
            id="all of them, where nobody is known",
        ),
        pytest.param(
            BASE + "pages: {authenticate: none}\nrest: {docs: false}\n",
            BASE + "pages: {authenticate: none}\nrest: {docs: /d}\n",
            ["after.yaml:5:8: opened: pages served now, to anyone: the documentation"],
            id="one of them, where pages are open",
        ),
        pytest.param(BASE + PAGES, BASE + "graphql: {}\n", [], id="not where they ask who calls"),
        pytest.param(NOBODY, NOBODY + PAGES, [], id="not where they go"),
    ],
)
def test_pages_that_appear_to_anyone_are_opened(folder, before, after, told):
    (folder / "before.yaml").write_text(before)
    (folder / "after.yaml").write_text(after)
    ran = check(folder, "--config", "after.yaml", "--strict", "--since", "before.yaml")
    assert [line for line in ran.errors if "opened:" in line] == told
    assert ran.code == (1 if told else 0)


def test_what_is_set_by_options_holds_for_both(folder):
    ran = check(
        folder,
        *("--config", "old.yaml", "--strict", "--since", "old.yaml"),
        *("--set", "pages.authenticate=none"),
    )
    assert (ran.code, [line for line in ran.errors if "opened:" in line]) == (0, [])


@pytest.mark.parametrize(
    ("command", "begin"),
    [
        pytest.param(("diff", "older", "newer"), ("older: ", "newer: "), id="diff"),
        pytest.param(
            ("check", "--config", "newer/gateway.yaml", "--since", "older"),
            ("--since older: ",),
            id="since",
        ),
        pytest.param(
            ("check", "--config", "newer/gateway.yaml", "--against", "older"),
            ("--against older: ",),
            id="against",
        ),
    ],
)
def test_what_is_logged_of_an_older_file_says_whose_it_is(tmp_path, command, begin):
    for name in ("older", "newer"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.proto").write_text(PROTO)
        (tmp_path / name / "gateway.yaml").write_text(BASE)
        (tmp_path / name / "keys.yaml").write_text("keys: {}\n")
        (tmp_path / name / "keys.yaml").chmod(0o666)
    ran = invoke(*command, cwd=tmp_path)
    about = "auth.providers.k.api_key.keys.file: "
    logged = [line.partition(about)[0] for line in ran.errors if about in line]
    assert [each for each in logged if each] == [*begin]

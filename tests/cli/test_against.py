"""`gateway check --against`: what a change does to clients, from the command line."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from gateway.cli.failure import Exit
from tests.cli.processes import invoke

PROTO = """syntax = "proto3";
package a.v1;
import "google/api/annotations.proto";
message Get { string id = 1; }
message Thing {
  string id = 1;
  string name = 2;
}
service Things {
  rpc GetThing(Get) returns (Thing) { option (google.api.http).get = "/v1/things/{id}"; }
}
"""
GONE = "json.reply-field-removed a.v1.Thing.name"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with `old` and `new`, both with a config and the same proto."""
    for name in ("old", "new"):
        (tmp_path / name / "protos").mkdir(parents=True)
        (tmp_path / name / "protos" / "a.proto").write_text(PROTO)
        (tmp_path / name / "gateway.yaml").write_text(
            "schema: {protos: [protos]}\n"
            'upstreams: {a: {services: ["*"], endpoints: ["127.0.0.1:1"]}}\n'
        )
    return tmp_path


def change(folder: Path, before: str = "  string name = 2;\n", now: str = "") -> Path:
    proto = folder / "new" / "protos" / "a.proto"
    proto.write_text(PROTO.replace(before, now))
    return folder / "new"


@pytest.mark.parametrize("old", ["../old", "../old/gateway.yaml", "api.json"])
def test_old_is_a_folder_a_config_or_a_file_of_generate(old: str, folder: Path) -> None:
    new = folder / "new"
    made = invoke("generate", "api", "--out", ".", cwd=new)
    assert (made.code, made.out) == (0, "wrote api.json: 1 method\n")
    done = invoke("check", "--against", old, cwd=new)
    assert (done.code, done.out) == (0, "ok: 1 service, 1 method, 1 route\n")
    change(folder)
    done = invoke("check", "--against", old, cwd=new)
    assert (done.code, done.out) == (Exit.FAILED, "")
    assert (
        "protos/a.proto:5: a.v1.Thing.name: breaking change: is not in replies any more; met at "
        "GET /v1/things/{id}, WebSocket a.v1.Things/GetThing [json.reply-field-removed]"
    ) in done.errors
    assert (
        "protos/a.proto:5: Field Thing.name was removed: breaking change: documents with it are "
        "valid no more [graphql.field-removed]"
    ) in done.errors


def test_a_change_of_the_graph_is_at_the_line_of_the_field_or_method(folder: Path) -> None:
    new = change(folder, "string name = 2;", "int32 name = 2;")
    proto = new / "protos" / "a.proto"
    proto.write_text(proto.read_text().replace("{ string id = 1; }", "{ int32 id = 1; }"))
    done = invoke("check", "--against", "../old", cwd=new)
    told = [line for line in done.errors if "changed-kind]" in line]
    assert [line.partition(" changed type")[0] for line in told] == [
        "protos/a.proto:4: Argument Query.getThing(id:) has",
        "protos/a.proto:7: Field Thing.name",
    ]


def test_an_argument_that_is_gone_is_at_the_line_of_its_method(folder: Path) -> None:
    new = change(folder, "{ string id = 1; }", "{ string id = 1; string more = 2; }")
    done = invoke("check", "--against", ".", cwd=new)
    assert done.code == 0
    done = invoke("check", "--against", "../new", cwd=folder / "old")
    (told,) = (line for line in done.errors if "graphql.arg-removed" in line)
    assert told.startswith("protos/a.proto:10: Argument Query.getThing(more:) was removed: ")


def test_a_file_of_generate_does_not_depend_on_the_run(folder: Path) -> None:
    texts = []
    for name in ("old", "new"):
        assert invoke("generate", "api", "--out", ".", cwd=folder / name).code == 0
        texts.append((folder / name / "api.json").read_text())
    assert texts[0] == texts[1]


def test_dangerous_changes_are_warnings_and_safe_ones_notes(folder: Path) -> None:
    new = change(folder, "string name = 2;", "string name = 2; string more = 3;")
    done = invoke(
        "check", "--against", "../old", "--set", "listener.limits.body_size=1KiB", cwd=new
    )
    assert done.code == 0
    assert (
        "warning: --set listener.limits.body_size=…: listener.limits.body_size: dangerous change: "
        "was 4MiB and is 1KiB [limits.lowered]"
    ) in done.errors
    notes = [line for line in done.errors if "[json.reply-field-added]" in line]
    assert len(notes) == 1
    assert notes[0].startswith("note: protos/a.proto:7: a.v1.Thing.more: safe change: ")


def test_an_accepted_change_is_a_note_with_its_reason(folder: Path) -> None:
    new = change(folder)
    (new / "accepted.yaml").write_text(
        f"- {{change: {GONE}, reason: nobody reads it}}\n"
        "- {change: proto.field-removed a.v1.Thing.name, reason: nobody reads it}\n"
        "- {change: graphql.field-removed Field Thing.name was removed, reason: nobody reads it}\n"
    )
    done = invoke("check", "--against", "../old", "--accept", "accepted.yaml", cwd=new)
    assert done.code == 0, done.err
    assert sum("(accepted: nobody reads it)" in line for line in done.errors) == 3


def test_what_accepts_nothing_is_a_warning_with_its_line(folder: Path) -> None:
    (folder / "new" / "accepted.yaml").write_text(f"\n- change: {GONE}\n  reason: none\n")
    done = invoke("check", "--against", "../old", "--accept", "accepted.yaml", cwd=folder / "new")
    assert done.code == 0
    assert f"warning: accepted.yaml:2:3: there is no such change: {GONE}" in done.errors


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- {change: a}\n", r"accepted\.yaml:1:3: .*reason"),
        ("changes: [\n", r"accepted\.yaml:\d+:\d+: "),
        (None, "accepted.yaml can't be read"),
    ],
    ids=["no-reason", "no-yaml", "no-file"],
)
def test_a_file_that_accepts_is_as_strict_as_the_config(
    text: str | None, says: str, folder: Path
) -> None:
    if text is not None:
        (folder / "new" / "accepted.yaml").write_text(text)
    done = invoke("check", "--against", "../old", "--accept", "accepted.yaml", cwd=folder / "new")
    assert done.code == Exit.MISTAKE
    assert re.search(says, done.err), done.err


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("api.json", "{", "api.json: is no file of `gateway generate api`"),
        ("api.json", '{"format": 2}', "api.json: is no file of `gateway generate api`: "),
        ("none.json", None, "none.json can't be read: No such file"),
        ("none.yaml", None, "--against none.yaml: none.yaml: no such file"),
        ("bad.yaml", "rest: 5\n", "--against bad.yaml: bad.yaml:1:7: rest: "),
    ],
)
def test_an_old_one_that_can_not_be_read(
    name: str, text: str | None, says: str, folder: Path
) -> None:
    if text is not None:
        (folder / "new" / name).write_text(text)
    done = invoke("check", "--against", name, cwd=folder / "new")
    assert done.code == Exit.MISTAKE
    assert says in done.err
    assert "Traceback" not in done.err


def test_accept_needs_against(folder: Path) -> None:
    done = invoke("check", "--accept", "accepted.yaml", cwd=folder / "new")
    assert done.code == Exit.MISTAKE
    assert "--accept is of the changes that --against finds" in done.err


def test_a_mistake_comes_before_any_comparison(folder: Path) -> None:
    (folder / "new" / "gateway.yaml").write_text("rest: {prefix: api/}\n")
    done = invoke("check", "--against", "nowhere", cwd=folder / "new")
    assert done.code == Exit.MISTAKE
    assert done.errors[0].startswith("gateway.yaml:1:16: rest.prefix: ")
    assert len(done.errors) == 1


def test_changes_are_results_of_a_report(folder: Path) -> None:
    done = invoke("check", "--against", "../old", "--format", "json", cwd=change(folder))
    assert done.code == Exit.FAILED
    data = json.loads(done.out)
    assert data["ok"] is False
    (found,) = [each for each in data["findings"] if each["rule"] == GONE.partition(" ")[0]]
    assert (found["file"], found["line"], found["path"]) == (
        "protos/a.proto",
        5,
        "a.v1.Thing.name",
    )


def test_who_may_call_and_where_is_part_of_it(folder: Path) -> None:
    new = folder / "new"
    (new / "keys.yaml").write_text("keys: {}\n")
    with (new / "gateway.yaml").open("a") as config:
        config.write("auth: {providers: {partners: {api_key: {keys: {file: keys.yaml}}}}}\n")
        config.write("hosts: {api.example: {}}\n")
    done = invoke("check", "--against", "../old", cwd=new)
    assert done.code == Exit.FAILED
    told = "\n".join(done.errors)
    assert "protos/a.proto:10: a.v1.Things/GetThing: breaking change: callers who show" in told
    assert "gateway.yaml:4:1: hosts: breaking change: any name was served; only api.example" in told


def test_a_service_that_is_gone_is_told_where_its_file_was_not(folder: Path) -> None:
    new = folder / "new"
    shutil.copy(folder / "old" / "protos" / "a.proto", new / "protos" / "b.proto")
    other = PROTO.replace("package a.v1", "package b.v1").replace("/v1/things", "/v1/others")
    (new / "protos" / "a.proto").unlink()
    (new / "protos" / "b.proto").write_text(other)
    done = invoke("check", "--against", "../old", cwd=new)
    assert done.code == Exit.FAILED
    assert (
        "GET /v1/things/{id}: breaking change: is not answered any more [rest.route-removed]"
        in (done.errors)
    )


def test_what_can_not_be_compared_is_in_the_report(folder: Path) -> None:
    done = invoke("check", "--against", "none.json", "--format", "json", cwd=folder / "new")
    assert done.code == Exit.MISTAKE
    found = json.loads(done.out)["findings"][-1]
    assert (found["severity"], found["message"]) == (
        "error",
        "none.json can't be read: No such file or directory",
    )

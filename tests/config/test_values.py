"""The values of a config by their keys, for people: no secret among them."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.config import from_mapping
from gateway.config.named import contents, followed
from gateway.config.noting import noting
from gateway.config.values import brief, leaves, places, said


def config(**sections):
    upstream = {"services": ["x.*"], "endpoints": ["h:1"]}
    return from_mapping({"upstreams": {"a": upstream}, **sections}, origin="test").config


def value(key, **sections):
    return leaves(config(**sections))[tuple(key.split("."))]


@pytest.mark.parametrize(
    ("key", "sections", "text"),
    [
        ("upstreams.a.timeout", {}, "5s"),
        ("listener.limits.body_size", {}, "4MiB"),
        ("listener.limits.unauthenticated", {}, "100/s"),
        ("graphql.graphiql", {}, "true"),
        ("zone", {}, "none"),
        ("rest.prefix", {}, '""'),
        ("upstreams.a.endpoints", {}, ("h:1",)),
        ("graphql", {"graphql": False}, "none"),
        ("addresses.deny", {"addresses": {"deny": ["10.0.0.0/8"]}}, ("10.0.0.0/8",)),
        (
            "plans.free.quotas.bytes",
            {"plans": {"free": {"quotas": {"bytes": "1GiB/d"}}}},
            "1GiB/d",
        ),
    ],
)
def test_values_are_as_the_file_would_have_them(key, sections, text):
    assert value(key, **sections) == text


def test_no_secret_is_shown():
    introspection = {
        "endpoint": "https://id.example/x",
        "client_id": "gw",
        "client_secret": "s3cr3t",
    }
    made = leaves(
        config(
            state="redis://:s3cr3t@h:1/0",
            auth={"providers": {"t": {"introspection": introspection}}},
            telemetry={"tracing": {"otlp": "https://me:s3cr3t@otlp.example/x"}},
        )
    )
    assert made["state",] == SecretStr("redis://:s3cr3t@h:1/0")
    assert "s3cr3t" not in repr(made)
    otlp = ("telemetry", "tracing", "otlp")
    # As a whole, so that another password is a change, of which no more is told.
    assert made[otlp] == SecretStr("https://me:s3cr3t@otlp.example/x")


def test_a_section_in_a_list_says_what_is_not_by_default():
    given = config(
        upstreams={"a": {"services": ["x"], "endpoints": ["h:1", {"address": "h:2", "weight": 3}]}},
        policies=[{"methods": ["*"], "rate_limits": [{"name": "user", "rate": "10/s"}]}],
    )
    one, other = given.upstreams["a"].endpoints
    assert (brief(one), brief(other)) == ("h:1", "{address: h:2, weight: 3}")
    assert said(given.policies[0].rate_limits[0]) == "{name: user, rate: 10/s}"


@pytest.mark.parametrize(
    ("given", "text"),
    [(2.0, "2s"), (("a", "b"), "[a, b]"), ((), "none"), (True, "true"), (7, "7")],
)
def test_settings_are_as_a_policy_would_have_them(given, text):
    assert said(given) == text


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("c.pem", "c.key", "keys.yaml", "endpoints.yaml"):
        (tmp_path / name).write_text(name)
    return tmp_path


SECTIONS = {
    "listener": {"tls": {"certificate": "c.pem", "key": "c.key"}},
    "auth": {"providers": {"k": {"api_key": {"keys": {"file": "keys.yaml"}}}}},
    "upstreams": {"a": {"services": ["x"], "resolver": {"file": "endpoints.yaml"}}},
}


def test_files_by_their_keys_and_those_that_are_followed_apart(folder):
    made = config(**SECTIONS)
    assert {path.name for _, path in places(made)} == {p.name for p in folder.iterdir()}
    assert {path.name for path in followed(made)} == {"keys.yaml", "endpoints.yaml"}
    assert set(contents(made)) == {
        ("listener", "tls", "certificate"),
        ("listener", "tls", "key"),
    }


def test_contents_are_those_of_the_files(folder):
    made = config(**SECTIONS)
    before = contents(made)
    assert contents(made) == before
    (folder / "c.pem").write_text("another")
    after = contents(made)
    assert [key for key in before if before[key] != after[key]] == [
        ("listener", "tls", "certificate")
    ]


def test_all_that_is_looked_at_is_noted_also_what_is_not_there(folder):
    (folder / "secret").write_text("s")
    wrong = {
        **SECTIONS["listener"]["tls"],
        "client_ca": "gone.pem",
        "client_certificate": "optional",
    }
    introspection = {
        "endpoint": "https://id.example",
        "client_id": "gw",
        "client_secret": {"file": "secret"},
    }
    with noting() as noted:
        made = config(**SECTIONS)
        config(auth={"providers": {"t": {"introspection": introspection}}})
        with pytest.raises(Exception, match=r"gone\.pem"):
            config(listener={"tls": wrong})
    names = {path.relative_to(folder) for path in noted}
    assert {Path("secret"), Path("gone.pem"), Path("protos"), Path("keys.yaml")} <= names
    assert {path for _, path in places(made)} <= noted


def test_nothing_is_noted_outside(folder):
    with noting() as noted:
        pass
    config(**SECTIONS)
    assert noted == set()

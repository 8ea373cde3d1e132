"""The config as operators see it: everything of it, and no secret."""

import json
from dataclasses import fields, is_dataclass
from typing import Annotated, get_args, get_origin, get_type_hints

import pytest
from pydantic import SecretStr

from gateway.app.config_shown import MASK, masked, shown
from gateway.config import Config, from_mapping, load
from gateway.config.places import Secret

SECRET = "abracadabra"


def shown_of(loaded):
    return shown(loaded.config, loaded.source)


def secrets_of(kind, path=(), seen=()):
    """Every key below a section whose kind is a secret, with what else may be its value."""
    if is_dataclass(kind) and isinstance(kind, type):
        if kind in seen:
            return
        hints = get_type_hints(kind, include_extras=True)
        for each in fields(kind):
            yield from secrets_of(hints[each.name], (*path, each.name), (*seen, kind))
    elif kind is SecretStr or isinstance(kind, Secret):
        yield path
    elif get_origin(kind) is Annotated or get_args(kind):
        for each in (*get_args(kind), *getattr(kind, "__metadata__", ())):
            yield from secrets_of(each, path, seen)


WITH_SECRETS = {
    ("admin", "token"): {"admin": {"token": SECRET}},
    ("auth", "providers", "introspection", "client_secret"): {
        "auth": {
            "providers": {
                "p": {
                    "introspection": {
                        "endpoint": "https://id.example/introspect",
                        "client_id": "gateway",
                        "client_secret": SECRET,
                    }
                }
            }
        }
    },
}


def test_every_key_of_a_secret_is_known_here():
    assert set(secrets_of(Config)) == set(WITH_SECRETS)


@pytest.mark.parametrize("path", WITH_SECRETS, ids=".".join)
def test_no_secret_is_told(path):
    told = shown_of(from_mapping(WITH_SECRETS[path], origin="test"))
    text = json.dumps(told)
    assert SECRET not in text
    assert MASK in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://:abracadabra@h:6379/0", f"redis://{MASK}@h:6379/0"),
        ("rediss://me:abra@cadabra@h/0", f"rediss://{MASK}@h/0"),
        ("redis://h/0?password=abracadabra&db=1", f"redis://h/0?password={MASK}&db={MASK}"),
        ("https://id.example/keys?k=abracadabra#f", f"https://id.example/keys?k={MASK}#f"),
        ("https://id.example/a@b", "https://id.example/a@b"),
        ("memory", "memory"),
        ("shop.v1.Catalog/Get*", "shop.v1.Catalog/Get*"),
        ("", ""),
    ],
)
def test_urls_are_told_without_user_password_and_query(text, told):
    assert masked({"a": [text]}) == {"a": [told]}


def test_other_values_are_told_as_they_are():
    values = {"a": [1, 1.5, None, True, {"b": "text"}]}
    assert masked(values) == values


def test_a_state_s_password_is_not_told():
    told = shown_of(from_mapping({"state": f"redis://:{SECRET}@h:6379/0"}, origin="test"))
    assert told["config"]["state"] == f"redis://{MASK}@h:6379/0"


def test_defaults_overrides_and_the_environment_are_in_it(tmp_path):
    path = tmp_path / "gateway.yaml"
    path.write_text(
        "listener:\n  address: ${WHERE}\nworkers: 2\n"
        "admin: {token: '${TOKEN}'}\nauth: {forward: {claims: []}}\n"
    )
    environ = {"WHERE": "127.0.0.1:1234", "TOKEN": SECRET}
    loaded = load(path, overrides=["listener.drain_timeout=5s"], environ=environ)
    told = shown_of(loaded)
    listener = told["config"]["listener"]
    assert listener["address"] == ["127.0.0.1:1234"]
    assert listener["drain_timeout"] == "5s"
    assert listener["limits"]["body_size"] == "4MiB"
    assert told["places"] == {
        "listener.address": f"{path}:2:3",
        "listener.drain_timeout": "--set listener.drain_timeout=…",
        "workers": f"{path}:3:1",
        "admin.token": f"{path}:4:9",
        "auth.forward.claims": f"{path}:5:18",
    }
    assert SECRET not in json.dumps(told)

"""From files of keys and users to their providers."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.app.api_keys import read_keys
from gateway.app.basic import read_users
from gateway.app.providers import ProviderPool
from gateway.app.settings import SettingError, SettingErrors
from gateway.config import ConfigError, from_mapping
from gateway.policies.auth.api_keys import ApiKeys
from gateway.policies.auth.basic import Basic
from gateway.policies.auth.key_form import digest_of, new_key
from tests.policies.auth.callers import call

KEY = new_key()
HASH = f"sha256:{digest_of(KEY.text).hex()}"
TAIL = "$MTIzNDU2Nzg5MDEy$" + "A" * 43
USERS = "users: {{ada: {{hash: '$argon2id$v=19$m={memory},t=2,p=1" + TAIL + "', roles: [ops]}}}}"


def made(folder: Path, section: dict):
    data = {"auth": {"providers": {"partners": section}}}
    config = from_mapping(data, origin="test", directory=folder).config
    try:
        return asyncio.run(ProviderPool().providers(config, lambda _: None))["partners"]
    except SettingErrors as failure:
        (only,) = failure.errors
        raise only from None


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.yaml"
    path.write_text(
        f"keys: {{{KEY.id}: {{owner: acme, hash: '{HASH}', scopes: [a, b], roles: [r], plan: pro, "
        "claims: {tenant: t}, expires: '2040-01-01T00:00:00Z'}}"
    )
    return path


def test_a_key_of_the_file_is_a_principal(keys):
    provider = made(keys.parent, {"api_key": {"header": "X-Key", "keys": {"file": "keys.yaml"}}})
    assert isinstance(provider, ApiKeys)
    principal = provider.known(call(("x-key", KEY.text)))
    assert (principal.subject, principal.provider, principal.plan) == ("acme", "partners", "pro")
    assert (principal.scopes, principal.roles) == ({"a", "b"}, {"r"})
    assert principal.claims == {"tenant": "t", "key_id": KEY.id}
    assert principal.expires == 2208988800


def test_a_wrong_file_is_told_with_the_key_of_the_config_and_the_line(keys):
    keys.write_text("keys:\n  a: {owner: x}\n  b: 1\n")
    with pytest.raises(SettingError) as failure:
        made(keys.parent, {"api_key": {"keys": {"file": "keys.yaml"}}})
    assert failure.value.path == "auth.providers.partners.api_key.keys.file"
    assert str(failure.value) == (
        "keys.yaml:2:3: keys.a.hash: a required key is missing; "
        "keys.yaml:3:6: keys.b: found the number 1, expected a mapping (key: value)"
    )


def test_of_many_mistakes_the_first_are_told(keys):
    keys.write_text("keys:\n" + "".join(f"  k{number}: 1\n" for number in range(8)))
    with pytest.raises(SettingError) as failure:
        made(keys.parent, {"api_key": {"keys": {"file": "keys.yaml"}}})
    assert str(failure.value).count("keys.yaml:") == 5
    assert str(failure.value).endswith("; and 3 more")


def test_two_entries_with_one_key_are_a_mistake():
    entry = f"{{owner: x, hash: '{HASH}'}}"
    with pytest.raises(ConfigError) as failure:
        read_keys(f"keys:\n  a: {entry}\n  b: {entry}\n".encode(), "keys.yaml", "partners")
    assert str(failure.value) == "keys.yaml:3:17: keys.b.hash: the hash of a too"


def test_a_user_of_the_file_is_a_principal(tmp_path):
    (tmp_path / "users.yaml").write_text(USERS.format(memory=19456))
    provider = made(tmp_path, {"basic": {"users": {"file": "users.yaml"}}})
    assert isinstance(provider, Basic)
    user = provider._users.value.get("ada")
    assert (user.principal.subject, user.principal.provider) == ("ada", "partners")
    assert user.principal.roles == {"ops"}
    assert user.principal.expires is None


def test_a_wrong_file_of_users_is_told_likewise(tmp_path):
    (tmp_path / "users.yaml").write_text("users: {ada: {hash: secret}}")
    with pytest.raises(SettingError) as failure:
        made(tmp_path, {"basic": {"users": {"file": "users.yaml"}}})
    assert failure.value.path == "auth.providers.partners.basic.users.file"
    assert "users.yaml:1:21: users.ada.hash" in str(failure.value)
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(("memory", "logged"), [(19456, 0), (4096, 1)], ids=["enough", "weak"])
def test_hashes_of_too_little_work_are_named_in_the_log(memory, logged, caplog):
    caplog.set_level(logging.WARNING, "gateway.auth")
    read_users(USERS.format(memory=memory).encode(), "users.yaml", "ops")
    assert len(caplog.messages) == logged
    if logged:
        assert "users.yaml: the hashes of ada cost too little" in caplog.text
        assert TAIL not in caplog.text


@pytest.mark.parametrize(
    ("module", "heavy"), [("api_keys", False), ("basic", True)], ids=["keys", "passwords"]
)
def test_only_who_has_passwords_pays_for_argon2(module: str, heavy: bool) -> None:
    program = f"import sys, gateway.app.{module}; print('argon2' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{heavy}\n"


@pytest.mark.parametrize(
    ("kind", "mode", "told"),
    [
        ("api_key", 0o644, None),
        ("api_key", 0o664, "keys.yaml can be written by others"),
        ("basic", 0o600, None),
        ("basic", 0o640, "users.yaml can be read by others"),
        ("basic", 0o622, "users.yaml can be written by others"),
    ],
)
def test_a_file_with_which_others_may_do_too_much_is_logged(kind, mode, told, keys, caplog):
    name = {"api_key": "keys", "basic": "users"}[kind]
    if kind == "basic":
        (keys.parent / "users.yaml").write_text(USERS.format(memory=19456))
    (keys.parent / f"{name}.yaml").chmod(mode)
    made(keys.parent, {kind: {name: {"file": f"{name}.yaml"}}})
    place = f"auth.providers.partners.{kind}.{name}.file"
    assert [line.partition(" than")[0] for line in caplog.messages] == (
        [] if told is None else [f"{place}: {told}"]
    )

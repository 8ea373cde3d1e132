"""Keys in a file."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.policies.auth import stored_file
from gateway.policies.auth.jwt.keys import KeySet
from gateway.policies.auth.jwt.stored_keys import StoredKeys
from gateway.policies.auth.stored_file import FileError
from tests.policies.auth.issuer import Issuer


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
def path(tmp_path, issuer):
    each = tmp_path / "jwks.json"
    each.write_text(json.dumps(issuer.jwks()))
    return each


def test_they_are_there_at_once(path):
    source = StoredKeys(KeySet(["RS256"]), path)
    assert len(source.keys) == 1
    assert source.again() is None
    assert source.cooling() == 0


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "{}", '{"keys":[]}', '{"keys":[],"keys":[]}', '{"keys":[{"kty":"oct"}]}'],
)
def test_a_file_without_keys_is_an_error_at_the_start(path, text):
    path.write_text(text)
    with pytest.raises(FileError, match=r"jwks\.json: no keys"):
        StoredKeys(KeySet(["RS256"]), path)


async def test_a_change_takes_effect(path, issuer, monkeypatch):
    monkeypatch.setitem(stored_file.StoredFile.__init__.__kwdefaults__, "every", 0.01)
    changed = asyncio.Event()
    source = StoredKeys(KeySet(["RS256"], changed.set), path)
    changed.clear()
    (old,) = source.keys.fitting("RS256", "RS256-1")
    await source.open()
    try:
        path.write_text("half of it")
        issuer.rotate(keep=False)
        path.write_text(json.dumps(issuer.jwks()))
        await asyncio.wait_for(changed.wait(), 10)
    finally:
        await source.close()
    assert not old.alive
    assert source.keys.fitting("RS256", "RS256-2")

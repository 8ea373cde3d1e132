"""Keys in a file."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import subprocess
import sys
from math import inf

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

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
    assert source.cooling() == inf, "whoever asks, they are looked at again when the file changes"


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


def pem(key, *, private):
    if private:
        kind = serialization.PrivateFormat.PKCS8
        return key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, kind)


@pytest.mark.parametrize("private", [True, False], ids=["private", "public"])
@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_of_pem_it_is_said_how_to_make_a_set_of_it(path, kind, private):
    key = ec.generate_private_key(ec.SECP256R1())
    if kind == "RSA":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(pem(key, private=private))
    with pytest.raises(FileError, match=r"jwks\.json: no keys: it is PEM") as refused:
        StoredKeys(KeySet(["RS256"]), path)
    (line,) = re.findall(r"python (-c .*) < key\.pem > jwks\.json$", str(refused.value))
    asked = shlex.split(line.replace("RSAKey", f"{kind}Key"))
    made = subprocess.run(
        [sys.executable, *asked], input=path.read_bytes(), capture_output=True, check=True
    )
    path.write_bytes(made.stdout)
    assert len(StoredKeys(KeySet(["RS256", "ES256"]), path).keys) == 1


def test_what_is_left_out_is_told_with_the_file(path, issuer, caplog):
    weak = issuer.key.public(kid="weak", d="AQAB")
    path.write_text(json.dumps({"keys": [*issuer.jwks()["keys"], weak]}))
    StoredKeys(KeySet(["RS256"]), path)
    (line,) = caplog.messages
    assert line.startswith('jwks.json: key "weak" is not used: it is private')

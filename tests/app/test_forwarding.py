"""What a config says backends are told."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from joserfc import jwt
from joserfc.jwk import KeySet

from gateway.app.forwarding import Forwarding
from gateway.app.settings import SettingError, header_rules
from gateway.call import Call, Principal
from gateway.config import ConfigError, from_mapping
from gateway.http import Headers

ADA = Principal("ada", "customers", claims={"tenant": "acme"})


@pytest.fixture
def config(tmp_path):
    """A config with `auth.forward`, in a folder with two keys and a file that is none."""
    keys = {
        "one.pem": ec.generate_private_key(ec.SECP256R1()),
        "two.pem": ed25519.Ed25519PrivateKey.generate(),
    }
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    for name, key in keys.items():
        (tmp_path / name).write_bytes(key.private_bytes(*form, serialization.NoEncryption()))
    (tmp_path / "none.pem").write_text("no key")

    def config(forward, **sections):
        return loaded(tmp_path, {"forward": forward}, **sections).config

    return config


def loaded(folder, auth, **sections):
    return from_mapping({"auth": auth, **sections}, origin="test", directory=folder)


def told(gate):
    call = Call("a.B/C", principal=ADA)
    gate.admit(call)
    return dict(call.metadata)


def test_where_nothing_is_told_there_is_no_gate(config):
    forwarding = Forwarding(config({}))
    assert forwarding.gate("shop") is None
    assert forwarding.jwks is None


def test_subject_and_claims(config):
    gate = Forwarding(config({"subject": "X-Who", "claims": ["tenant", "Other"]})).gate("shop")
    assert told(gate) == {"x-who": "ada", "x-claim-tenant": "acme"}


def test_each_upstream_has_tokens_of_its_own(config):
    forwarding = Forwarding(config({"token": {"key": {"file": "one.pem"}}}), lambda: 1.8e9)
    keys = KeySet.import_key_set(json.loads(forwarding.jwks))
    tokens = {name: told(forwarding.gate(name))["x-gateway-token"] for name in ("shop", "stock")}
    for name, token in tokens.items():
        assert jwt.decode(token, keys, algorithms=["ES256"]).claims["aud"] == name
    assert told(forwarding.gate("shop"))["x-gateway-token"] == tokens["shop"]
    assert forwarding.gate("shop") is forwarding.gate("shop")


def test_or_one_audience_for_all(config):
    token = {"key": {"file": "one.pem"}, "audience": "backends", "issuer": "edge", "header": "x-t"}
    forwarding = Forwarding(config({"token": token}), lambda: 1.8e9)
    keys = KeySet.import_key_set(json.loads(forwarding.jwks))
    claims = jwt.decode(told(forwarding.gate("a"))["x-t"], keys, algorithms=["ES256"]).claims
    assert (claims["aud"], claims["iss"]) == ("backends", "edge")


def test_further_keys_are_published(config):
    token = {"key": {"file": "one.pem"}, "publish": ["two.pem", "one.pem"]}
    keys = json.loads(Forwarding(config({"token": token})).jwks)["keys"]
    assert [key["alg"] for key in keys] == ["ES256", "EdDSA"]


WRONG = {
    "a claim twice": (
        {"claims": ["tenant", "Tenant"]},
        "claims.1",
        "taken by auth.forward.claims.0",
    ),
    "a claim as the subject": (
        {"subject": "x-claim-tenant", "claims": ["tenant"]},
        "claims.0",
        "taken by auth.forward.subject",
    ),
    "a token as the subject": (
        {"subject": "x-t", "token": {"header": "X-T", "key": {"file": "one.pem"}}},
        "token.header",
        "taken by auth.forward.subject",
    ),
    "no key": (
        {"token": {"key": {"file": "none.pem"}}},
        "token.key.file",
        "no unencrypted private key",
    ),
    "no key to publish": (
        {"token": {"key": {"file": "one.pem"}, "publish": ["two.pem", "none.pem"]}},
        "token.publish.1",
        "none.pem",
    ),
    "a life too short": (
        {"token": {"key": {"file": "one.pem"}, "lifetime": "1s"}},
        "token.lifetime",
        "between 2s and 1h",
    ),
    "a life too long": (
        {"token": {"key": {"file": "one.pem"}, "lifetime": "61m"}},
        "token.lifetime",
        "between 2s and 1h",
    ),
}


@pytest.mark.parametrize(("forward", "at", "why"), WRONG.values(), ids=WRONG.keys())
def test_what_can_not_be(forward, at, why, config):
    with pytest.raises(SettingError) as failure:
        Forwarding(config(forward))
    assert failure.value.path == f"auth.forward.{at}"
    assert why in str(failure.value)


@pytest.mark.parametrize(
    "claim", ["a b", "https://shop.example/tenant", "é", "", "a-bin", "a" * 65]
)
def test_a_claim_whose_name_is_no_key(claim, config):
    with pytest.raises(ConfigError):
        config({"claims": [claim]})


@pytest.mark.parametrize(
    "key", ["a b", "x-bin", "X-BIN", "grpc-subject", "content-type", "te", "host", ":path"]
)
def test_a_key_that_no_metadata_has(key, config):
    for forward in ({"subject": key}, {"token": {"header": key, "key": {"file": "one.pem"}}}):
        with pytest.raises(ConfigError):
            config(forward)


def test_clients_can_set_none_of_it(config, tmp_path):
    forward = {"subject": "x-who", "claims": ["tenant"], "token": {"key": {"file": "one.pem"}}}
    names = ["x-who", "x-claim-tenant", "x-claim-any", "x-gateway-token", "x-other"]
    # A config that names those of the first two is refused.
    headers = {"request": {"allow": names[2:], "prefix": "pass-"}}
    given = loaded(tmp_path, {"forward": forward}, headers=headers)
    sent = Headers([(prefix + name, "root") for name in names for prefix in ("", "pass-")])
    passed = header_rules(given.config, given.source).request(sent).names()
    assert passed == ["x-other", "x-other"]


@pytest.mark.parametrize(
    ("providers", "headers", "passes"),
    [
        ({}, {}, True),
        ({"devices": {"mtls": {}}}, {}, False),
        ({"devices": {"mtls": {}}}, {"request": {"prefix": "pass-"}}, False),
        ({"devices": {"mtls": {}}}, {"request": {"allow": ["authorization"]}}, True),
        ({"devices": {"mtls": {}}}, {"request": {"allow": ["x-other"]}}, False),
    ],
    ids=["nobody judges it", "judged", "another key is set", "named", "not named"],
)
def test_what_providers_judge_goes_on_only_where_the_config_names_it(
    tmp_path, providers, headers, passes
):
    given = loaded(tmp_path, {"providers": providers}, headers=headers)
    rules = header_rules(given.config, given.source)
    assert rules.passes("authorization") is passes
    sent = Headers([("authorization", "Bearer x"), ("accept-language", "de")])
    assert ("authorization" in rules.request(sent)) is passes

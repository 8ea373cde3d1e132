"""What of a config is worth a warning: it can't mean what it says."""

from __future__ import annotations

import pytest

from gateway.app.coverage import alike, unasked, unencrypted
from gateway.config import load

TLS = """
listener:
  tls: {certificate: s.pem, key: s.pem, client_ca: s.pem, client_certificate: optional}
"""
MTLS = "auth: {providers: {devices: {mtls: {}}}}\n"


@pytest.fixture
def warnings(tmp_path):
    def found(check, text):
        (tmp_path / "s.pem").touch()
        path = tmp_path / "gateway.yaml"
        path.write_text(text)
        loaded = load(path)
        return [line.partition("gateway.yaml:")[2] for line in check(loaded.config, loaded.source)]

    return found


def test_certificates_that_nobody_is_asked_for(warnings):
    (line,) = warnings(unasked, MTLS)
    assert line.startswith("1:30: auth.providers.devices.mtls: no client is asked")
    assert warnings(unasked, MTLS + TLS) == []


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("https://id.example/introspect", False),
        ("http://id.example/introspect", True),
        ("http://10.0.0.7/introspect", True),
        ("http://127.0.0.1:8000/introspect", False),
        ("http://[::1]/introspect", False),
        ("http://localhost/introspect", False),
        ("http://localhost.example/introspect", True),
    ],
)
def test_secrets_that_are_sent_in_the_clear(warnings, url, warned):
    section = f"{{endpoint: '{url}', client_id: gw, client_secret: hunter2}}"
    lines = warnings(
        unencrypted, f"auth: {{providers: {{tokens: {{introspection: {section}}}}}}}\n"
    )
    assert bool(lines) is warned
    assert "hunter2" not in "".join(lines)


def jwt(issuer="https://id.example/", audiences="[a, b]", **more):
    given = {"issuer": f"'{issuer}'", "audiences": audiences, **more}
    return f"jwt: {{{', '.join(f'{key}: {value}' for key, value in given.items())}}}"


KEYS = "api_key: {keys: {file: s.pem}}"
TOKENS = "introspection: {endpoint: 'https://id.example/i', client_id: gw, client_secret: x}"


@pytest.mark.parametrize(
    ("one", "other", "warned"),
    [
        pytest.param(jwt(), jwt(audiences="[b, a]", leeway="1s"), True, id="issuer and audiences"),
        pytest.param(jwt(), jwt(audiences="[a]"), False, id="other audiences"),
        pytest.param(jwt(), jwt("https://other.example/"), False, id="another issuer"),
        pytest.param(KEYS, KEYS, True, id="header and file of keys"),
        pytest.param(
            KEYS, KEYS.replace("{keys", "{header: x-other, keys"), False, id="another header"
        ),
        pytest.param("basic: {users: {file: s.pem}}", "basic: {users: {file: s.pem}}", True,
                     id="passwords"),
        pytest.param(TOKENS, TOKENS, True, id="tokens of one issuer"),
        pytest.param("mtls: {}", "mtls: {subject: dn}", True, id="certificates"),
        pytest.param(jwt(), KEYS, False, id="two kinds"),
    ],
)  # fmt: skip
def test_two_providers_that_look_at_the_same(warnings, one, other, warned):
    lines = warnings(alike, f"auth: {{providers: {{a: {{{one}}}, b: {{{other}}}}}}}\n")
    assert len(lines) == warned
    assert all(": auth.providers.b: looks at the same as a: " in line for line in lines)

"""What of a config is worth a warning: it can't mean what it says."""

from __future__ import annotations

import pytest

from gateway.app.coverage import unasked, unencrypted
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

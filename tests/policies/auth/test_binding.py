"""Who may show a token that is bound to something."""

from __future__ import annotations

import pytest

from gateway.http.certificate import Certificate
from gateway.policies.auth.binding import is_holder
from tests.policies.auth.callers import head

# The digest and its thumbprint in base64url (RFC 8705 section 3.1).
DIGEST, THUMBPRINT = "00" * 31 + "ff", "A" * 41 + "P8"
HOLDER = head(certificate=Certificate("CN=a", fingerprint=DIGEST))


@pytest.mark.parametrize(
    ("claims", "shown", "good"),
    [
        pytest.param({}, head(), True, id="bound to nothing"),
        pytest.param({"cnf": {"x5t#S256": THUMBPRINT}}, HOLDER, True, id="its certificate"),
        pytest.param({"cnf": {"x5t#S256": THUMBPRINT + "="}}, HOLDER, True, id="padded"),
        pytest.param({"cnf": {"x5t#S256": THUMBPRINT}}, head(), False, id="no certificate"),
        pytest.param({"cnf": {"x5t#S256": "B" + THUMBPRINT[1:]}}, HOLDER, False, id="another"),
        pytest.param({"cnf": {"x5t#S256": ""}}, HOLDER, False, id="an empty one"),
        pytest.param({"cnf": {"x5t#S256": "\ud800"}}, HOLDER, False, id="no Unicode"),
        pytest.param({"cnf": {"x5t#S256": 7}}, HOLDER, False, id="no text"),
        pytest.param({"cnf": {"jkt": "x"}}, HOLDER, False, id="a key that signs requests"),
        pytest.param({"cnf": {"x5t#S256": THUMBPRINT, "jkt": "x"}}, HOLDER, False, id="both"),
        pytest.param({"cnf": {}}, HOLDER, False, id="nobody knows what"),
        pytest.param({"cnf": "x"}, HOLDER, False, id="nonsense"),
    ],
)
def test_who_may_show_it(claims, shown, good):
    assert is_holder(claims, shown) is good

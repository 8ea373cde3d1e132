"""Tokens that only their holder may show: bound to the certificate of a connection (RFC 8705).

Such a token names its certificate in the claim `cnf` (RFC 7800), and is worth nothing to who has
stolen it. One that is bound to something else, such as a key that signs requests (RFC 9449), can't
be checked here, and so is nobody's: else a thief could show it as well as its holder.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hmac import compare_digest

from gateway.head import Head

CONFIRMATION = "cnf"
"""The claim."""

_CERTIFICATE = "x5t#S256"


def is_holder(claims: Mapping[str, object], head: Head) -> bool:
    """Whether a request may show the token of these claims."""
    bound = claims.get(CONFIRMATION)
    if bound is None:
        return True
    if not isinstance(bound, Mapping) or set(bound) != {_CERTIFICATE} or head.certificate is None:
        return False
    thumbprint = bound[_CERTIFICATE]
    if not isinstance(thumbprint, str):
        return False
    digest = bytes.fromhex(head.certificate.fingerprint)
    shown = urlsafe_b64encode(digest).rstrip(b"=")
    return compare_digest(thumbprint.rstrip("=").encode("utf-8", "replace"), shown)

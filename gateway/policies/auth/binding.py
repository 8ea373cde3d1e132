"""Tokens that only their holder may show: bound to the certificate of a connection (RFC 8705).

Such a token names its certificate in the claim `cnf` (RFC 7800), and is worth nothing to who has
stolen it. One that is bound to something else, such as a key that signs requests (RFC 9449), can't
be checked here, and so is nobody's: else a thief could show it as well as its holder.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hmac import compare_digest

from gateway.call import Principal
from gateway.head import Head
from gateway.policies.auth.provider import BadCredentials

CONFIRMATION = "cnf"
"""The claim."""

_CERTIFICATE = "x5t#S256"


def held(principal: Principal, head: Head) -> Principal:
    """Returns whom a token shows.

    Args:
        principal: It, with the token's claims.
        head: Of the request that shows the token.

    Raises:
        BadCredentials: The token is another's.
    """
    if is_holder(principal.claims, head):
        return principal
    text = "The token may be shown by its holder only."
    raise BadCredentials(text, "it is bound to what the request does not show")


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

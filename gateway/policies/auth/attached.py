"""What a browser attaches to requests by itself, whosever page makes them (CSRF).

Cookies are that, passwords that the user has typed once (RFC 7617 section 2.2), and a certificate.
Who shows nothing else may not know of the request, so these count only where it is the sender's own
doing; what that means is handed in. A token in a header is none of them: a page that sends one has
it, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from gateway.call import RpcError
from gateway.errors import error
from gateway.head import Head
from gateway.policies.auth.scheme import of_scheme

IsOwnDoing: TypeAlias = "Callable[[Head], bool]"
"""Whether no page of another site can have made a request that changes something."""

# Schemes that browsers know (RFC 7617, 7616, 4559), and whose credentials they keep.
_KEPT: Final = tuple(map(of_scheme, ("Basic", "Digest", "Negotiate", "NTLM")))


def is_attached(head: Head) -> bool:
    """Whether a request shows anything that a browser may have attached."""
    if head.certificate is not None or head.headers.get("cookie") is not None:
        return True
    shown = head.headers.all("authorization")
    return any(scheme.match(value) for value in shown for scheme in _KEPT)


def cross_site(what: str) -> RpcError:
    """Returns the refusal of a request that another site may have made.

    Args:
        what: What shows who calls, `The cookie`.
    """
    text = f"{what} shows who calls, but another site may have made the request."
    return error("CROSS_SITE_REQUEST", text)

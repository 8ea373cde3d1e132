"""Who may ask what of the admin listener: by a token, by no page of a browser, by no bound name.

No page of the gateway asks it from a browser, so a POST that a browser made is some other site's:
it is refused, whatever it says of itself. What it tells of callers, no browser is to read for
another site either: where it listens for its own machine only, it must be asked for by an address,
or as `localhost`, not by a name that some site has bound to it. Whom the network lets in is not
known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

from gateway.http import Request
from gateway.listener.faults import Fault

_BROWSERS: Final = ("origin", "sec-fetch-site")  # Fetch sections 3.2, and Fetch Metadata section 2
_LOCAL: Final = "localhost"
_SCHEME: Final = "bearer"

_MISNAMED: Final = Fault(
    403, "CROSS_SITE_REQUEST", "Ask this by an address, or as localhost: http://127.0.0.1:9090."
)
_CROSS_SITE: Final = Fault(
    403, "CROSS_SITE_REQUEST", "No page of a browser may do this: use a command, or curl."
)
_MISSING: Final = Fault(
    401, "CREDENTIALS_MISSING", "Show the token of the admin listener: Authorization: Bearer …"
)
_WRONG: Final = Fault(401, "INVALID_CREDENTIALS", "This is not the token of the admin listener.")

# RFC 6750 section 3: without credentials, the challenge alone; with wrong ones, the error too.
_CHALLENGE: Final = 'Bearer realm="gateway admin"'
_CHALLENGES: Final = {_MISSING: _CHALLENGE, _WRONG: f'{_CHALLENGE}, error="invalid_token"'}


class Refusal(NamedTuple):
    """What somebody is told who may not ask."""

    fault: Fault
    headers: Sequence[tuple[str, str]] = ()


class Access:
    """Decides who may ask. Pure.

    Args:
        address: Where the listener listens: `127.0.0.1:9090`.
        token: What must be shown as a bearer token (RFC 6750 section 2.1); None for nothing.
    """

    __slots__ = ("_is_own", "_token")

    def __init__(self, address: str, token: str | None = None) -> None:
        self._is_own = is_own(address)
        self._token = None if token is None else _digest(token.encode())

    def unknown(self, request: Request) -> Refusal | None:
        """Returns why somebody is not known to be an operator; None where they are."""
        if self._token is None:
            return None
        shown = request.headers.all("authorization")
        fault = _WRONG if shown else _MISSING
        if len(shown) == 1 and self._is_shown(shown[0]):
            return None
        return Refusal(fault, [("WWW-Authenticate", _CHALLENGES[fault])])

    def forbidden(self, request: Request, *, changes: bool) -> Refusal | None:
        """Returns why somebody may not ask who may be a browser, for another site; else None.

        Args:
            request: What asks.
            changes: Whether it would change something.
        """
        if changes and any(name in request.headers for name in _BROWSERS):
            return Refusal(_CROSS_SITE)
        if self._is_own and not _is_unbound(request.authority):
            return Refusal(_MISNAMED)
        return None

    def _is_shown(self, field: str) -> bool:
        """Whether the value of an `Authorization` field has the token."""
        scheme, _, given = field.strip().partition(" ")
        # Digests, so that not even the length of the token can be told by the time this takes.
        same = compare_digest(_digest(given.strip().encode("latin-1")), self._token or b"")
        return same and scheme.lower() == _SCHEME


def is_own(authority: str) -> bool:
    """Whether a host, which a port may follow, is this machine's for itself."""
    host = _host(authority)
    address = _address(host)
    return host == _LOCAL if address is None else address.is_loopback


def _is_unbound(authority: str) -> bool:
    """Whether a `Host` is none that the DNS could lead here: an address, or `localhost`."""
    host = _host(authority)
    return host == _LOCAL or _address(host) is not None


def _host(authority: str) -> str:
    """Returns the host without its port and brackets, in lower case."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0].lower()


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _digest(token: bytes) -> bytes:
    return sha256(token).digest()

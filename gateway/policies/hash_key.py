"""What calls have in common that are to go one way: the key that is hashed for it.

To one endpoint (`balancing.hash_on`, `affinity`), or to one side of a split. A call that shows
nothing of the kind has no key, and goes wherever it may: calls without the header are not all of
one client. What a key is hashed to, and by whom, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from google.protobuf.descriptor import Descriptor

from gateway.call import Call
from gateway.cookies import Cookie
from gateway.policies.caller import address_of, caller_of
from gateway.policies.request_field import RequestField

KeyOf: TypeAlias = "Callable[[Call], bytes | None]"
"""Returns the key of a call; None for none."""

HEADER: Final = "header:"
COOKIE: Final = "cookie:"
FIELD: Final = "field:"

_READ: Final = 1024  # characters of what clients choose: what is longer is told by these


def key_on(what: str, request: Descriptor | None = None) -> KeyOf:
    """Returns what makes the key of a call.

    Args:
        what: As the config has it: `header:NAME`, `cookie:NAME`, `principal`, `peer`, `field:PATH`.
        request: The type of the method's requests; None where there is no request to look into
            when a call begins (a stream's): fields make no key then.

    Raises:
        FieldError: A field is not there, or has no single value (`request_field`).
    """
    if what.startswith(HEADER):
        return _header(what.removeprefix(HEADER).lower())
    if what.startswith(COOKIE):
        return _cookie(Cookie(what.removeprefix(COOKIE)))
    if what.startswith(FIELD):
        return no_key if request is None else _field(what.removeprefix(FIELD), request)
    return _PLAIN[what]


def no_key(_: Call) -> None:
    """Gives no call a key."""


def by_affinity(call: Call) -> bytes | None:
    """Returns the id that the client keeps in a cookie (`policies.affinity`)."""
    return call.affinity.encode() or None


def _principal(call: Call) -> bytes | None:
    """Returns the caller; of one that nobody knows, the address."""
    if call.principal is None and not call.peer:
        return None
    return _bytes(caller_of(call))


def _peer(call: Call) -> bytes | None:
    return _bytes(address_of(call)) if call.peer else None


_PLAIN: Final[dict[str, KeyOf]] = {"principal": _principal, "peer": _peer}


def _header(name: str) -> KeyOf:
    def of(call: Call) -> bytes | None:
        values = () if call.head is None else call.head.headers.all(name)
        return _bytes(", ".join(values)) or None

    return of


def _cookie(cookie: Cookie) -> KeyOf:
    def of(call: Call) -> bytes | None:
        head = call.head
        if head is None:
            return None
        # Of several, the first is the one of the more specific path (RFC 6265 section 5.4).
        values = cookie.values(head.headers.all("cookie"))
        return (_bytes(values[0]) or None) if values else None

    return of


def _field(path: str, request: Descriptor) -> KeyOf:
    read = RequestField(path, request).set_in

    def of(call: Call) -> bytes | None:
        value = read(call.request)
        return None if value is None else _bytes(value)

    return of


def _bytes(text: str) -> bytes:
    return text[:_READ].encode("utf-8", "surrogatepass")

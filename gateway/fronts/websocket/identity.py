"""Who the client of a session is, and what it is known by.

Nothing here authenticates: that is a gate's, which is handed in. It is asked at `hello` and `auth`,
so that a client hears at once that it is not known; each call passes its method's own gate besides,
with the head that the session has by then. Without a gate everybody is let in.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.call import Gate, Principal
from gateway.fronts.admission import asking
from gateway.fronts.websocket.tokens import shown_by
from gateway.http import Request

FRONT: Final = "websocket"
"""What the calls of this front say that they are of."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client shows.

    Attributes:
        head: The handshake, with the token in its `authorization`, wherever that came from.
        token: That of the handshake, else of `hello`, or that of `auth`; None without one.
    """

    head: Request = field(repr=False)
    token: str | None = field(repr=False)

    @classmethod
    def of(cls, request: Request, token: str | None) -> Credentials:
        """Returns what is shown by a handshake, and a token that may be another than its own."""
        return cls(request if token is None else shown_by(request, token), token)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client is.

    Attributes:
        principal: Whom the gate knows it as; None is an anonymous caller.
        lasts: Seconds for which that holds; None for ever.
    """

    principal: Principal | None = None
    lasts: float | None = None

    def is_of(self, other: Identity) -> bool:
        """Whether both are of one subject. Nobody is one, too: it can't become somebody.

        A caller that is let in without a name is never the same as another.
        """
        if self.principal is None:
            return other.principal is None
        return self.principal.is_of(other.principal)

    @property
    def is_told_apart(self) -> bool:
        """Whether it can be said of another client that it is the same."""
        return self.is_of(self)


Authenticate: TypeAlias = "Callable[[Credentials], Awaitable[Identity]]"
"""Finds out who a client is. Raises RpcError: it is refused, or can't be known now."""


NOBODY: Final = Identity()


async def anonymous(_: Credentials) -> Identity:
    """Takes everybody."""
    return NOBODY


def by_gate(gate: Callable[[Request], Gate | None], now: Callable[[], float]) -> Authenticate:
    """Returns what asks a gate.

    Args:
        gate: Returns the gate of the time for a handshake, for a socket outlives reloads; None
            admits everybody.
        now: Seconds since 1970.
    """

    async def authenticate(credentials: Credentials) -> Identity:
        asked = gate(credentials.head)
        if asked is None:
            return NOBODY
        call = asking(credentials.head, FRONT)
        pending = asked.admit(call)
        if pending is not None:
            await pending
        principal = call.principal
        expires = None if principal is None else principal.expires
        lasts = None if expires is None else max(0.0, expires - now())
        return Identity(principal, lasts)

    return authenticate

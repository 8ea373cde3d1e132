"""Who the client of a session is: the hook for what authenticates.

Nothing here authenticates: `anonymous` takes everybody, and passes on the token that was given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.call import Principal
from gateway.http import Request


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client shows.

    Attributes:
        request: The handshake.
        token: That of the handshake, else of `hello`, or that of `auth`; None without one.
    """

    request: Request
    token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client is.

    Attributes:
        principal: Whom its calls are made for; None is an anonymous caller.
        token: What backends are given as a bearer token; None for none.
        lasts: Seconds for which that holds; None for ever.
    """

    principal: Principal | None = None
    token: str | None = field(default=None, repr=False)
    lasts: float | None = None

    def is_of(self, other: Identity) -> bool:
        """Whether both are of one subject."""
        mine, theirs = self.principal, other.principal
        if mine is None or theirs is None:
            return mine is theirs
        return (mine.provider, mine.subject) == (theirs.provider, theirs.subject)


Authenticate: TypeAlias = "Callable[[Credentials], Awaitable[Identity]]"
"""Finds out who a client is. Raises RpcError: UNAUTHENTICATED or PERMISSION_DENIED."""


async def anonymous(credentials: Credentials) -> Identity:
    """Takes everybody."""
    return Identity(token=credentials.token)

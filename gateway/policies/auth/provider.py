"""What all ways of knowing a caller have in common: one interface, one principal.

A provider looks at the head of the client's request (`Call.head`) for what is its own to judge: a
bearer token of its issuer, its header, a certificate. It neither decides whether a call needs a
caller nor what a caller may do, and it never logs or returns what was shown to it.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from gateway.call import Call, Principal
from gateway.head import Head


class BadCredentials(Exception):  # noqa: N818  what the caller showed, not an error of ours
    """What a request shows is not what its provider accepts.

    Attributes:
        text: A sentence for the client's developer. It must not help who guesses.
        why: What failed, for the log: never the credentials, nor a part of them.
        reason: INVALID_CREDENTIALS or TOKEN_EXPIRED (`errors.REASONS`).
    """

    def __init__(self, text: str, why: str, *, reason: str = "INVALID_CREDENTIALS") -> None:
        super().__init__(why)
        self.text = text
        self.why = why
        self.reason = reason


class Provider(Protocol):
    """One way to know who calls. Lives as long as its config is the same, over reloads.

    Attributes:
        name: What the config calls it.
        scheme: The scheme of its challenge in `WWW-Authenticate` (RFC 9110 section 11.6.1), such as
            `Bearer`; empty for none.
    """

    @property
    def name(self) -> str:
        """See above."""

    @property
    def scheme(self) -> str:
        """See above."""

    def carried(self, head: Head) -> bool:
        """Whether a request shows something of the kind that it looks at, whosever it is."""

    def known(self, call: Call) -> Principal | None:
        """Returns who calls, if that takes no more than a look into a table; else None."""

    def identify(self, call: Call) -> Principal | Awaitable[Principal] | None:
        """Returns who calls, or what to await for that; None if nothing here is its own to judge.

        May change the call as a gate may.

        Raises:
            BadCredentials: What is shown is not accepted. The awaitable may raise it too.
            RpcError: UNAVAILABLE: it can't be judged now.
        """

    async def open(self) -> None:
        """Begins its work in the background; waits a little for what it can't do without."""

    async def close(self) -> None:
        """Ends it."""

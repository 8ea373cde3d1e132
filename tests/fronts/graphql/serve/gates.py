"""A gate that knows callers by a bearer token, at once or when it is told to."""

import asyncio

from gateway.call import Principal
from gateway.errors import error


class TokenGate:
    """Knows the subject that a token names; refuses `Bearer bad`, and who shows nobody.

    Args:
        optional: Whether who shows nobody is let in.
        held: Whether it waits for `release` before it says anything.
        failure: What it raises for everybody.

    Attributes:
        calls: What it was asked with.
        waiting: Set while somebody waits.
        cancelled: How many gave up waiting.
    """

    def __init__(self, *, optional=False, held=False, failure=None):
        self.optional = optional
        self.failure = failure
        self.release = asyncio.Event() if held else None
        self.waiting = asyncio.Event()
        self.cancelled = 0
        self.calls = []

    def admit(self, call):
        self.calls.append(call)
        if self.release is not None:
            return self._later(call)
        self._judge(call)
        return None

    async def _later(self, call):
        self.waiting.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self._judge(call)

    def _judge(self, call):
        if self.failure is not None:
            raise self.failure
        shown = call.head.headers.get("authorization")
        if shown == "Bearer bad":
            raise error("INVALID_CREDENTIALS", "The token is not valid.")
        if shown is None:
            if not self.optional:
                raise error("CREDENTIALS_MISSING", "Who?", headers={"www-authenticate": "Bearer"})
            return
        call.principal = Principal(shown.removeprefix("Bearer "), "customers")

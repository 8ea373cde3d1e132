"""What a provider knows of where its keys come from."""

from __future__ import annotations

import asyncio
from typing import Protocol

from gateway.policies.auth.jwt.keys import KeySet


class Source(Protocol):
    """Where keys come from.

    Attributes:
        keys: Those that hold now; none before there were any.
    """

    keys: KeySet

    def again(self) -> asyncio.Future[None] | None:
        """Has the keys looked at again, as one is unknown; None where it is too early for that."""

    def cooling(self) -> float:
        """Returns the seconds until unknown keys are looked for again; `inf` for never."""

    async def open(self) -> None:
        """Begins to look; waits a little for the first keys."""

    async def close(self) -> None:
        """Ends it."""

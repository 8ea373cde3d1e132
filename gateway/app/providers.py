"""Providers of identity outlive generations: their keys, caches and connections survive a reload.

One is known by its name and its section of the config: where both are as before, the next
generation uses it on. What only a table, a key set or a file is made of is built here too, one
function a kind.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

from gateway.app.settings import SettingError
from gateway.call import Unary
from gateway.config import Config, Rate
from gateway.config.models.auth import Provider as Given
from gateway.policies.auth.guard import AddressGuard
from gateway.policies.auth.provider import Provider

log = logging.getLogger(__name__)

_GRACE: Final = 5.0  # seconds; calls of the generation before may wait for an answer


@dataclass(frozen=True, slots=True)
class Making:
    """What a provider is made of.

    Attributes:
        name: What the config calls it.
        given: Its section.
        handler: Returns what starts unary calls to an upstream of this name.
        now: Seconds since 1970.
    """

    name: str
    given: Given
    handler: Callable[[str], Unary]
    now: Callable[[], float] = time.time


Make: TypeAlias = "Callable[[Making], Provider]"
"""Makes a provider. Raises SettingError: a file that it names can't be used."""

_MAKE: Final[Mapping[str, Make]] = {}


class ProviderPool:
    """All providers of the process, and what addresses may do. To be used inside one loop."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, Given], Provider] = {}
        self._guards: dict[Rate, AddressGuard] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def providers(self, config: Config, handler: Callable[[str], Unary]) -> dict[str, Provider]:
        """Returns the providers of a config by name: those that are there, and new ones.

        Raises:
            SettingError: A file that one names can't be used.
        """
        found = {}
        for name, given in config.auth.providers.items():
            known = self._open.get((name, given))
            found[name] = known or _make(Making(name, given, handler))
        return found

    def guard(self, rate: Rate) -> AddressGuard:
        """Returns the shares of addresses at a rate."""
        if rate not in self._guards:
            clock = asyncio.get_running_loop().time
            self._guards[rate] = AddressGuard(rate.per_second, rate.count, clock)
        return self._guards[rate]

    async def open(self, config: Config, providers: Mapping[str, Provider]) -> None:
        """Has the providers of a config begin their work, those that have not."""
        fresh = {
            (name, given): providers[name]
            for name, given in config.auth.providers.items()
            if (name, given) not in self._open
        }
        self._open.update(fresh)
        await asyncio.gather(*(each.open() for each in fresh.values()))

    def settle(self, config: Config) -> None:
        """Ends those that a config does not name: the generation that used them is gone."""
        kept = set(config.auth.providers.items())
        for key in [key for key in self._open if key not in kept]:
            task = asyncio.ensure_future(_close(self._open.pop(key)))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        rate = config.listener.limits.unauthenticated
        self._guards = {each: guard for each, guard in self._guards.items() if each == rate}

    async def close(self) -> None:
        """Ends all."""
        for task in self._closing:
            task.cancel()
        providers = list(self._open.values())
        self._open.clear()
        await asyncio.gather(*(each.close() for each in providers), return_exceptions=True)


async def _close(provider: Provider) -> None:
    await asyncio.sleep(_GRACE)
    await provider.close()


def _make(making: Making) -> Provider:
    kind = next(each.name for each in fields(making.given) if getattr(making.given, each.name))
    make = _MAKE.get(kind)
    if make is None:
        path = f"auth.providers.{making.name}.{kind}"
        raise SettingError(path, "not available in this version")
    return make(making)

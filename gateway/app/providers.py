"""Providers of identity outlive generations: their keys, caches and connections survive a reload.

One is known by its name, its section of the config and the upstream that it asks: where these are
as before, the next generation uses it on. How each is made of its section is told here too, a
function a kind.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final, NamedTuple, TypeAlias

from gateway.app.settings import SettingError, SettingErrors
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
        token_cache: Bytes that it may keep of tokens that were judged.
        now: Seconds since 1970.
    """

    name: str
    given: Given
    handler: Callable[[str], Unary]
    token_cache: int
    now: Callable[[], float] = time.time


Make: TypeAlias = "Callable[[Making], Provider]"
"""Makes a provider, in a thread without a loop. Raises SettingError: a file can't be used."""


def _api_key(making: Making) -> Provider:
    from gateway.app.api_keys import api_keys  # noqa: PLC0415  it stands on this module

    return api_keys(making)


def _basic(making: Making) -> Provider:
    from gateway.app.basic import basic  # noqa: PLC0415  only who has passwords needs argon2

    return basic(making)


def _jwt(making: Making) -> Provider:
    from gateway.app.jwt import jwt  # noqa: PLC0415  only who has tokens needs joserfc

    return jwt(making)


def _introspection(making: Making) -> Provider:
    from gateway.app.introspection import introspection  # noqa: PLC0415  it needs a client of HTTP

    return introspection(making)


def _mtls(making: Making) -> Provider:
    from gateway.fronts.cross_site import is_own_doing  # noqa: PLC0415  as the others
    from gateway.policies.auth.mtls import Mtls  # noqa: PLC0415  as the others

    assert making.given.mtls is not None, "the section says which kind it is"
    return Mtls(making.name, making.given.mtls.subject, making.now, is_own_doing)


def _ext_authz(making: Making) -> Provider:
    from gateway.app.ext_authz import ext_authz  # noqa: PLC0415  it stands on this module

    return ext_authz(making)


_MAKE: Final[Mapping[str, Make]] = {
    "jwt": _jwt,
    "api_key": _api_key,
    "basic": _basic,
    "introspection": _introspection,
    "mtls": _mtls,
    "ext_authz": _ext_authz,
}


class _Key(NamedTuple):
    """What a provider is known by."""

    name: str
    given: Given
    token_cache: int
    asks: Unary | None


class ProviderPool:
    """All providers of the process, and what addresses may do. To be used inside one loop."""

    def __init__(self) -> None:
        self._open: dict[_Key, Provider] = {}
        self._guards: dict[Rate, AddressGuard] = {}
        self._leaving: dict[asyncio.TimerHandle, Provider] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def providers(
        self, config: Config, handler: Callable[[str], Unary]
    ) -> dict[str, Provider]:
        """Returns the providers of a config by name: those that are there, and new ones.

        New ones are made in a thread: a file of a thousand keys is half a second's work.

        Raises:
            SettingErrors: Files that they name can't be used.
        """
        found: dict[str, Provider] = {}
        wrong: list[SettingError] = []
        for key in _keys(config, handler):
            if (known := self._open.get(key)) is not None:
                found[key.name] = known
                continue
            making = Making(key.name, key.given, handler, key.token_cache)
            try:
                found[key.name] = await asyncio.to_thread(_make, making)
            except SettingError as failure:
                wrong.append(failure)
        if wrong:
            raise SettingErrors(wrong)
        return found

    def guard(self, rate: Rate) -> AddressGuard:
        """Returns the shares of addresses at a rate."""
        if rate not in self._guards:
            clock = asyncio.get_running_loop().time
            self._guards[rate] = AddressGuard(rate.per_second, rate.count, clock)
        return self._guards[rate]

    async def open(
        self, config: Config, providers: Mapping[str, Provider], handler: Callable[[str], Unary]
    ) -> None:
        """Has the providers of a config begin their work, those that have not.

        Args:
            config: The config.
            providers: Its providers.
            handler: That which they were made with.
        """
        fresh = {
            key: providers[key.name]
            for key in _keys(config, handler)
            if self._open.get(key) is not providers[key.name]
        }
        self._open.update(fresh)
        await asyncio.gather(*(each.open() for each in fresh.values()))

    def settle(self, providers: Mapping[str, Provider], rate: Rate) -> None:
        """Ends all but these: the generation that used them is gone.

        Args:
            providers: Those of the generation that serves.
            rate: That of its guard.
        """
        kept = set(map(id, providers.values()))
        for key in [key for key, provider in self._open.items() if id(provider) not in kept]:
            self._leave(self._open.pop(key))
        self._guards = {each: guard for each, guard in self._guards.items() if each == rate}

    def _leave(self, provider: Provider) -> None:
        """Ends a provider when nobody can wait for its answer any more."""

        def end() -> None:
            del self._leaving[handle]
            task = asyncio.ensure_future(_close(provider))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        handle = asyncio.get_running_loop().call_later(_GRACE, end)
        self._leaving[handle] = provider

    async def close(self) -> None:
        """Ends all."""
        for handle in self._leaving:
            handle.cancel()
        ending = [*self._open.values(), *self._leaving.values()]
        self._open.clear()
        self._leaving.clear()
        await asyncio.gather(*map(_close, ending), *self._closing)


def _keys(config: Config, handler: Callable[[str], Unary]) -> Iterator[_Key]:
    for name, given in config.auth.providers.items():
        asked = given.ext_authz
        handled = None if asked is None else handler(asked.upstream)
        yield _Key(name, given, config.auth.token_cache, handled)


async def _close(provider: Provider) -> None:
    try:
        await provider.close()
    except Exception:
        log.exception("the provider %s could not be closed", provider.name)


def _make(making: Making) -> Provider:
    kind = next(each.name for each in fields(making.given) if getattr(making.given, each.name))
    return _MAKE[kind](making)

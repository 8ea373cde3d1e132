"""From `policies[].cache`, `coalesce` and `cache` to what keeps replies and makes equal calls once.

The store outlives generations, and what is kept of a method is used by the next one where its
types, its upstream and what makes its keys are the same: all of that is in the keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from gateway.app.cache_tags import tags_of
from gateway.app.choice import headers_that_choose, is_chosen_by_peer
from gateway.app.purging import purging, purging_shared
from gateway.app.repeatable import is_repeatable, left_out
from gateway.app.settings import allowed_headers
from gateway.app.state import cache_state, redis_of_cache
from gateway.app.timeouts import timeout_of
from gateway.call import Reply
from gateway.chain import Policy
from gateway.config import Settings
from gateway.config.effective import CACHE, COALESCE, SHARED, VARY
from gateway.policies.cache.cache import Cache
from gateway.policies.cache.coalesce import Coalesce
from gateway.policies.cache.fetch import Answer
from gateway.policies.cache.flights import Flights, Rank
from gateway.policies.cache.freshness import Policy as Freshness
from gateway.policies.cache.headers import Told
from gateway.policies.cache.keeping import Keeping
from gateway.policies.cache.kept import Kept
from gateway.policies.cache.keys import TRACING, Keys
from gateway.policies.cache.means import Means
from gateway.policies.cache.onecaller import ToldOf, told_of
from gateway.policies.cache.shelf import MemoryShelf
from gateway.schema.method import MethodDescriptor
from gateway.state.cache import CacheStore

if TYPE_CHECKING:
    from gateway.app.parts import Making, Part

_Make: TypeAlias = "Callable[[str, Keys, Keeping, Flights[Answer]], Policy]"
"""Makes the policy of a method that keeps replies, by its full name."""

V = TypeVar("V")

_TOKEN: Final = re.compile(r"[!#$%&'+.^_`|~0-9A-Za-z-]+", re.ASCII)  # RFC 9110 5.6.2, less `*`


def cache(making: Making) -> Part:
    """Returns what keeps replies; adds to `making.problems` and `making.notes`."""
    kept = {name for name, each in making.settings.items() if each.cached}
    once = {name for name, each in making.settings.items() if each.coalesce and not each.cached}
    for leaves, names in ((CACHE, kept), ((COALESCE,), once)):
        left_out(making, leaves, names)
    return _Caching(making)


class _Caching:
    """Makes the policies of methods (`gateway.app.parts.Part`)."""

    def __init__(self, making: Making) -> None:
        self._making = making
        self._types = _Types()
        kept = [name for name, each in making.descriptors.items() if self._keeps(each)]
        self._tags = tags_of(making, kept)
        self._vary = _varying(making)
        self._entry_size = making.config.cache.entry_size
        self._told_callers = _told_callers(making)
        if self._told_callers is not None:
            _note_one_for_all(making)
        self._policy = _shared(making) or _in_memory(making)

    def policies(
        self, descriptor: MethodDescriptor, settings: Settings, upstream: str
    ) -> Sequence[Policy]:
        """See Part."""
        if not (settings.cached or settings.coalesce) or not is_repeatable(descriptor):
            return ()
        making = self._making
        wrong = [name for name in settings.vary if not _TOKEN.fullmatch(name)]
        making.problems.extend(
            settings.mistake(VARY, f'"{name}" is no name of a header') for name in wrong
        )
        keys = Keys(
            self._base(descriptor, settings, upstream),
            vary=[name.lower() for name in settings.vary],
            claims=making.config.auth.forward.claims,
            shared=settings.shared,
            others={name: self._served_by(name) for name in settings.upstreams if name != upstream},
        )
        told = self._told_callers if settings.shared else None
        rank = _rank(making, settings)
        timeout = timeout_of(making.config, settings, descriptor, upstream)
        if not settings.cached:
            once: Flights[Reply] = Flights(timeout, making.clock, rank=rank, told=told)
            return (Coalesce(keys, once),)
        keeping = Keeping(
            Freshness(
                settings.ttl,
                settings.stale_while_revalidate,
                settings.stale_if_error,
                settings.negative_ttl,
                settings.shared,
            ),
            self._tags[descriptor.name],
            self._told(settings),
            self._entry_size,
            _reads(making.registry.message(descriptor.output)),
            for_one=told is not None,
        )
        flights: Flights[Answer] = Flights(timeout, making.clock, rank=rank, told=told)
        return (self._policy(descriptor.name, keys, keeping, flights),)

    def _keeps(self, descriptor: MethodDescriptor) -> bool:
        return is_repeatable(descriptor) and self._making.settings[descriptor.name].cached

    def _told(self, settings: Settings) -> Told:
        names = {name.lower() for name in settings.vary} | self._vary.forwarded
        names |= headers_that_choose(settings)
        if not settings.shared:
            names |= self._vary.credentials
        if self._making.config.headers.request.prefix:
            names = {"*"}  # nobody can name all that pass by it
        shared = settings.shared and not is_chosen_by_peer(settings)
        return Told(tuple(sorted(names)), shared=shared)

    def _base(
        self, descriptor: MethodDescriptor, settings: Settings, upstream: str
    ) -> Sequence[bytes]:
        """Returns what all keys of a method have in common."""
        registry = self._making.registry
        files = {registry.message(name).file for name in (descriptor.input, descriptor.output)}
        # Who a provider's "ada" is, is for the provider to say, and for nobody by its name.
        providers = {} if settings.shared else self._making.config.auth.providers
        known = [(name, providers[name]) for name in sorted(providers)]
        return (
            descriptor.name.encode(),
            self._types.digest(files),
            self._served_by(upstream),
            repr(known).encode(),
        )

    def _served_by(self, upstream: str) -> bytes:
        """Returns what an upstream is: another's replies are others."""
        given = self._making.config.upstreams[upstream]
        where = [str(each.address) for each in given.endpoints]
        if given.resolver is not None:
            where.append(str(given.resolver.dns or given.resolver.file))
        return repr((upstream, where, given.tls)).encode()


def _in_memory(making: Making) -> _Make:
    """Returns what makes the policies of a gateway that keeps replies in memory."""
    store: CacheStore[Kept] = _store(making, "cache")
    making.operations.offer("purge", purging(store))

    def make(method: str, keys: Keys, keeping: Keeping, flights: Flights[Answer]) -> Policy:
        shelf = MemoryShelf(store, method)
        return Cache(Means(keys, keeping, shelf, flights, making.clock))

    return make


def _shared(making: Making) -> _Make | None:
    """Returns what makes those of one that keeps them in Redis; None where there is none."""
    redis = redis_of_cache(making)
    if redis is None:
        return None
    # Only who has a Redis needs what stands on its client.
    from gateway.policies.cache.shared import SharedCache, SharedShelf  # noqa: PLC0415  see above
    from gateway.state.redis_cache import RedisCache  # noqa: PLC0415  see above

    config = making.config
    state = making.taken.of(
        ("redis cache", cache_state(config), config.state_timeout), lambda: RedisCache(redis)
    )
    forms: CacheStore[bytes] = _store(making, "forms")
    making.operations.offer("purge", purging_shared(state))

    def make(method: str, keys: Keys, keeping: Keeping, flights: Flights[Answer]) -> Policy:
        shelf = SharedShelf(state, forms, method, making.clock)
        return SharedCache(Means(keys, keeping, shelf, flights, making.clock))

    return make


def _store(making: Making, kind: str) -> CacheStore[V]:
    """Returns the store of a kind, which outlives generations."""
    size, entry_size = making.config.cache.size, making.config.cache.entry_size
    return making.taken.of((kind, size, entry_size), lambda: CacheStore(size, entry_size))


def _reads(type_: Descriptor) -> Callable[[bytes], bool]:
    """Returns what says whether bytes are a message of a type."""
    parse = GetMessageClass(type_).FromString

    def reads(data: bytes) -> bool:
        try:
            parse(data)
        except DecodeError:
            return False
        return True

    return reads


def _told_callers(making: Making) -> ToldOf | None:
    """Returns what backends are told of callers; None where they are told nothing."""
    given = making.config.auth.forward
    if given.subject is None and not given.claims and given.token is None:
        return None
    return told_of(given.claims)


def _rank(making: Making, settings: Settings) -> Rank | None:
    """Returns what priority a method's call has; None where all of its calls have one."""
    given = making.config.adaptive_concurrency
    if not given.enabled or given.priority_header is None:
        return None
    # Its modules are imported only where it is on.
    from gateway.policies.adaptive.gate import PRIORITIES, priority_of  # noqa: PLC0415  see above

    return partial(priority_of, given.priority_header, PRIORITIES[settings.priority])


def _note_one_for_all(making: Making) -> None:
    """Notes where callers share what a backend answers that is told of one of them."""
    said: dict[str, None] = {}
    for name, descriptor in making.descriptors.items():
        settings = making.settings[name]
        makes_once = settings.cached or settings.coalesce
        if settings.shared and makes_once and is_repeatable(descriptor):
            text = "the backend is told of one caller for all (auth.forward)"
            said[settings.mistake(SHARED, text)] = None
    making.notes.extend(said)


class _Types:
    """Digests of all that types are made of: the files that declare them, and what those import."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def digest(self, files: set[FileDescriptor]) -> bytes:
        """Returns that of some files: others for other types."""
        found: dict[str, FileDescriptor] = {}
        left = [*files]
        while left:
            file = left.pop()
            if file.name not in found:
                found[file.name] = file
                left += file.dependencies
        digest = sha256()
        for name in sorted(found):
            if name not in self._known:
                self._known[name] = sha256(found[name].serialized_pb).digest()
            digest.update(self._known[name])
        return digest.digest()


class _Varying:
    """Headers that may make another reply: those that pass to backends, and those that tell who.

    Attributes:
        forwarded: Headers that pass to backends, but those that only trace.
        credentials: Headers by which callers are known.
    """

    def __init__(self, forwarded: frozenset[str], credentials: frozenset[str]) -> None:
        self.forwarded = forwarded
        self.credentials = credentials


def _varying(making: Making) -> _Varying:
    config = making.config
    forwarded = {name.lower() for name in allowed_headers(config, making.source)} - TRACING
    credentials: set[str] = set()
    for given in config.auth.providers.values():
        if given.api_key is not None:
            credentials.add(given.api_key.header.lower())
        elif given.mtls is None:
            credentials.add("authorization")
        cookie = (given.jwt and given.jwt.cookie) or (
            given.introspection and given.introspection.cookie
        )
        if cookie or given.ext_authz is not None:
            credentials.add("cookie")
    return _Varying(frozenset(forwarded), frozenset(credentials))

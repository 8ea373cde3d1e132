"""What of a result is kept, with which tags and for how long; what is kept, as a result again.

What speaks to the gateway (`x-cache-tags`, `cache-control`, `age`) goes no further: clients are
told in the reply's headers, also of replies that are not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.call import NO_METADATA, Code, Metadata, Principal, Reply, RpcError
from gateway.kept import Forms
from gateway.policies.cache.freshness import Policy, age_of, forbidden, lifetime, negative_lifetime
from gateway.policies.cache.headers import Told, aged
from gateway.policies.cache.kept import NOT_TOLD, Kept, again, is_failure
from gateway.policies.cache.onecaller import is_refusal
from gateway.policies.cache.tags import KEY, Tags

_SAY_NOTHING: Final = frozenset({Code.CANCELLED, Code.RESOURCE_EXHAUSTED, Code.ABORTED})
_SPEAKS: Final = frozenset(NOT_TOLD)


class Found(NamedTuple):
    """Something that is kept, as an answer.

    Attributes:
        kept: What it is.
        forms: Where forms of its message are kept; None where they are not.
        is_new: Whether it was fetched for this call.
    """

    kept: Kept
    forms: Forms | None
    is_new: bool


class ToKeep(NamedTuple):
    """Something to be kept, and its tags."""

    kept: Kept
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keeping:
    """How replies of a method are kept.

    Attributes:
        policy: For how long.
        tags: With which tags.
        told: What clients are told.
        entry_size: Bytes of the largest message that is kept.
        is_message: Whether bytes are a message of the method's type. What is none is an error to
            clients, and errors are not kept.
        for_one: Whether backends are told of one caller where several share what they answer.
    """

    policy: Policy
    tags: Tags
    told: Told
    entry_size: int
    is_message: Callable[[bytes], bool]
    for_one: bool = False

    @property
    def whose(self) -> str:
        """Whose replies are told apart, in words."""
        return "one for all callers" if self.policy.shared else "each caller's own"

    def says_nothing(self, result: Reply | RpcError) -> bool:
        """Whether a call's end says nothing of what is kept.

        The backend failed or was too busy, or it refused the one caller whom it was told of.
        """
        if is_failure(result) or (self.for_one and is_refusal(result)):
            return True
        return isinstance(result, RpcError) and result.status.code in _SAY_NOTHING

    def of(self, request: bytes, result: Reply | RpcError, now: float) -> ToKeep | None:
        """Returns what is kept of a call's end; None for nothing.

        Args:
            request: What was asked.
            result: How it ended.
            now: The time, on the store's clock.
        """
        if isinstance(result, Reply):
            kept, metadata = self.reply(result, now), (result.initial, result.trailers)
        else:
            kept, metadata = self._negative(result, now), (result.metadata, NO_METADATA)
        if kept is None:
            return None
        tags = self.tags.of(request, *metadata)
        return None if tags is None else ToKeep(kept, tags)

    def reply(self, result: Reply, now: float) -> Kept | None:
        """Returns what is kept of a reply, whatever its tags are; None for nothing."""
        if len(result.message) > self.entry_size:
            return None
        holds = lifetime(result.initial, self.policy)
        if holds is None or not self.is_message(result.message):
            return None
        initial, trailers = _for_clients(result.initial), _untagged(result.trailers)
        made = now - holds.age
        return Kept(result.message, initial, trailers, None, made=made, lifetime=holds)

    def item(self, message: bytes, whole: Kept) -> Kept:
        """Returns what is kept of one key's answer, which came with a whole reply."""
        return Kept(
            message, NO_METADATA, NO_METADATA, None, made=whole.made, lifetime=whole.lifetime
        )

    def answer(self, found: Found, principal: Principal | None, now: float) -> Reply | RpcError:
        """Returns what a call completes with.

        Args:
            found: What is kept.
            principal: Who calls.
            now: The time, on the store's clock.
        """
        kept = found.kept
        age = kept.age(now, is_new=found.is_new)
        return kept.answer(self.told.of(kept, principal, age), found.forms)

    def unkept(self, result: Reply, principal: Principal | None, *, is_own: bool = False) -> Reply:
        """Returns a reply that is not kept, as its client may have it.

        Args:
            result: The reply.
            principal: Who calls.
            is_own: Whether nothing may be kept of the call: it is somebody's, known here or not.
        """
        if not result.initial and not result.trailers:
            return result
        said = forbidden(result.initial)
        headers = self.told.by(said, principal, is_own=is_own) if said else result.headers
        if age := age_of(result.initial):
            headers = {**headers, **aged(age)}
        initial, trailers = _for_clients(result.initial), _untagged(result.trailers)
        return Reply(result.message, initial, trailers, headers)

    def unkept_error(self, error: RpcError) -> RpcError:
        """Returns an error that is not kept, as its client may have it: one of its own."""
        left = again(error)
        if error.metadata:
            left.metadata = _for_clients(error.metadata)
            if said := forbidden(error.metadata):
                left.headers = {**left.headers, **self.told.by(said, None, is_own=True)}
            if age := age_of(error.metadata):
                left.headers = {**left.headers, **aged(age)}
        return left

    def _negative(self, result: RpcError, now: float) -> Kept | None:
        """Returns what is kept of NOT_FOUND, as a backend says it."""
        if result.status.code is not Code.NOT_FOUND or result.reason is not None:
            return None
        holds = negative_lifetime(result.metadata, self.policy)
        if holds is None:
            return None
        metadata = _for_clients(result.metadata)
        made = now - holds.age
        return Kept(b"", metadata, NO_METADATA, result.status, made=made, lifetime=holds)


def _for_clients(metadata: Metadata) -> Metadata:
    """Returns metadata less what speaks to the gateway."""
    if not metadata or _SPEAKS.isdisjoint(metadata.names()):
        return metadata
    return metadata.without(*NOT_TOLD)


def _untagged(metadata: Metadata) -> Metadata:
    return metadata.without(KEY) if KEY in metadata else metadata

"""The keys of one call of a loader, as those who keep answers see them (`gateway.kept.Keys`).

The answer of a key is written as a reply that has nothing else, so answers that were kept and a
reply to the rest are one reply again when they stand one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from google.protobuf.message import DecodeError

from gateway.fronts.graphql.plan.finding import Finder


class Keyed:
    """The keys of one call.

    Args:
        finder: How they are asked for.
        reply_of: Writes the answers of one key.
        base: The serialized rest of the request.
        keys: Each once.

    Attributes:
        kept: See `gateway.kept.Keys`.
    """

    def __init__(
        self,
        finder: Finder,
        reply_of: Callable[[Any, Sequence[Any]], bytes],
        base: bytes,
        keys: Sequence[Any],
    ) -> None:
        self.kept: dict[int, bytes] = {}
        self._finder = finder
        self._reply_of = reply_of
        self._base = base
        self._keys = keys

    @cached_property
    def rest(self) -> bytes:
        """See Keys."""
        # Names of fields in brackets: nothing that follows could be taken for a part of it.
        return repr(self._finder.asks).encode() + self._base

    @cached_property
    def names(self) -> Sequence[bytes]:
        """See Keys."""
        return list(map(_name, self._keys))

    def request(self, places: Sequence[int]) -> bytes:
        """See Keys."""
        return self._base + self._finder.request([self._keys[place] for place in places])

    def split(self, places: Sequence[int], message: bytes) -> Sequence[bytes] | None:
        """See Keys."""
        keys = [self._keys[place] for place in places]
        try:
            found = self._finder.found(self._finder.reply.FromString(message), keys)
        except DecodeError:
            return None
        return [self._reply_of(key, found.get(key, ())) for key in keys]

    def answers(self) -> Mapping[Any, Sequence[Any]]:
        """Returns the answers of the keys that were kept, where the call for the others failed."""
        finder, found = self._finder, {}
        for place, item in self.kept.items():
            key = self._keys[place]
            try:
                reply = finder.reply.FromString(item)
            except DecodeError:  # it is as if it had not been kept: the call's failure stands
                continue
            found[key] = finder.found(reply, (key,)).get(key, ())
        return found


def _name(key: Any) -> bytes:
    """Returns a key as bytes: those of one field are all texts, all bytes, or all whole numbers."""
    if isinstance(key, str):
        return key.encode()
    return key if isinstance(key, bytes) else b"%d" % key

"""Batches: keys that joins want of one RPC, collected, called for in chunks, answered by key.

A loader belongs to one run and one request less its keys: two joins that ask the same of the same
RPC share one, and a key is asked for once. All keys that are wanted in one turn of the event loop
go into the same calls. A call that fails fails the keys that it was for, and no others.

Where answers of a method are kept by key, calls say their keys: they pass all gates for all of
them, and only what is not kept is asked of the backend.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol

from google.protobuf.message import DecodeError

from gateway.call import Code, Reply, RpcError
from gateway.chain import Method
from gateway.errors import error
from gateway.fronts.graphql.execute.keyed import Keyed
from gateway.fronts.graphql.plan.finding import Finder
from gateway.kept import Keys

_AT_ONCE = 32  # calls of one loader that are under way together


class Caller(Protocol):
    """What makes the calls: a run."""

    def call(
        self,
        method: Method,
        request: bytes,
        done: Callable[[Reply | RpcError], None],
        keys: Keys | None = None,
    ) -> None:
        """Makes a call of the run."""

    def soon(self, work: Callable[[], None]) -> None:
        """Does `work` at the end of this turn of the event loop; the run waits for it."""


class Loader:
    """The answers of one RPC, by key.

    Args:
        finder: How it is asked.
        method: What is called.
        base: The serialized rest of the request.
        caller: Makes the calls.

    Attributes:
        answers: What was found for each key, or how its call failed.
    """

    __slots__ = ("_asked", "_base", "_caller", "_calling", "_finder", "_method", "_queue",
                 "_running", "_waiting", "_wanted", "answers")  # fmt: skip

    def __init__(self, finder: Finder, method: Method, base: bytes, caller: Caller) -> None:
        self._finder = finder
        self._method = method
        self._base = base
        self._caller = caller
        self.answers: dict[Any, Sequence[Any] | RpcError] = {}
        self._asked: set[Any] = set()
        self._wanted: list[Any] = []
        self._queue: deque[Sequence[Any]] = deque()
        self._running = 0
        self._calling = False
        self._waiting: list[tuple[set[Any], Callable[[], None]]] = []

    def want(self, keys: Iterable[Any], then: Callable[[], None]) -> None:
        """Asks for keys; calls `then` when all of them are answered, at once if they are."""
        missing = dict.fromkeys(key for key in keys if key not in self.answers)
        if not missing:
            then()
            return
        self._waiting.append((set(missing), then))
        new = [key for key in missing if key not in self._asked]
        if new and not self._wanted:
            self._caller.soon(self._ask)
        self._asked.update(new)
        self._wanted += new

    def _ask(self) -> None:
        keys, self._wanted = self._wanted, []
        size = self._finder.chunk or len(keys)
        self._queue.extend(keys[start : start + size] for start in range(0, len(keys), size))
        self._proceed()

    def _proceed(self) -> None:
        if self._calling:  # a call that ends at once leaves the next to the loop that made it
            return
        self._calling = True
        while self._queue and self._running < _AT_ONCE:
            keys = self._queue.popleft()
            self._running += 1
            request = self._base + self._finder.request(keys)
            keyed = self._keyed(keys)
            self._caller.call(self._method, request, partial(self._answered, keys, keyed), keyed)
        self._calling = False

    def _keyed(self, keys: Sequence[Any]) -> Keyed | None:
        """Returns the keys of a call as they are kept; None where they are not."""
        write = self._finder.reply_of
        if write is None or not self._method.keeps_keys:
            return None
        return Keyed(self._finder, write, self._base, keys)

    def _answered(self, keys: Sequence[Any], keyed: Keyed | None, result: Reply | RpcError) -> None:
        self._running -= 1
        self.answers.update(self._read(keys, result))
        if keyed is not None and isinstance(result, RpcError):
            self.answers.update(keyed.answers())
        done = set(keys)
        waiting, self._waiting = self._waiting, []
        for missing, then in waiting:
            left = missing - done
            if left:
                self._waiting.append((left, then))
            else:
                then()
        self._proceed()

    def _read(
        self, keys: Sequence[Any], result: Reply | RpcError
    ) -> dict[Any, Sequence[Any] | RpcError]:
        if isinstance(result, RpcError):
            if self._finder.lenient and result.status.code is Code.NOT_FOUND:
                return dict.fromkeys(keys, ())
            return dict.fromkeys(keys, result)
        try:
            message = self._finder.reply.FromString(result.message)
        except DecodeError:
            return dict.fromkeys(keys, not_a_message(self._finder.name))
        found = self._finder.found(message, keys)
        return {key: found.get(key, ()) for key in keys}


def not_a_message(method: str) -> RpcError:
    """Returns the error for a reply that does not parse."""
    return error("INVALID_UPSTREAM_MESSAGE", f"The reply of {method} is not a message of its type.")

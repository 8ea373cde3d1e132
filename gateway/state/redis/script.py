"""A Lua script: sent by its digest, and whole only where the server does not know it.

A server that does not know a script has done nothing, so sending it again doubles nothing. New
connections begin by telling all scripts: a server that was restarted knows them before its first
call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from gateway.state.redis.link import Again, Answer
from gateway.state.redis.packed import Word, command, words


class Script:
    """A script that can be called. Made by `Redis.script`.

    Attributes:
        load: The command, packed, that tells a server of it.

    Args:
        text: In Lua.
        send: Sends, for a key, a packed command and its form for a server that does not know the
            script.
    """

    __slots__ = ("_by_digest", "_send", "_whole", "load")

    def __init__(self, text: str, send: Callable[[bytes, bytes, Again], Answer]) -> None:
        source = text.encode()
        digest = hashlib.sha1(source, usedforsecurity=False).hexdigest()  # Redis names it so
        self.load = command((b"SCRIPT", b"LOAD", source))
        self._by_digest = words((b"EVALSHA", digest))
        self._whole = words((b"EVAL", source))
        self._send = send

    def __call__(self, keys: Sequence[bytes], args: Sequence[Word]) -> Answer:
        """Runs the script; returns its answer, which fails with StateUnavailable.

        Args:
            keys: All keys that it touches, at least one; of one hash tag.
            args: What it is given beside.

        Raises:
            StateUnavailable: The server is away, or too many commands wait for it.
        """
        rest = words((len(keys), *keys, *args))
        count = 3 + len(keys) + len(args)
        packed = b"*%d\r\n%b%b" % (count, self._by_digest, rest)
        return self._send(keys[0], packed, _Whole(count, self._whole, rest))


class _Whole:
    """A call with the script's text, packed only if it is needed."""

    __slots__ = ("_count", "_rest", "_start")

    def __init__(self, count: int, start: bytes, rest: bytes) -> None:
        self._count = count
        self._start = start
        self._rest = rest

    def whole(self) -> bytes:
        """See Again."""
        return b"*%d\r\n%b%b" % (self._count, self._start, self._rest)

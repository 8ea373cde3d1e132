"""What policies use of Redis: commands and scripts, each bounded in time.

It knows nothing of what is kept, and never sends a command again whose fate is not known.
"""

from __future__ import annotations

from gateway.state.address import Address
from gateway.state.redis.link import Again, Answer
from gateway.state.redis.nodes import Nodes
from gateway.state.redis.packed import Word, command
from gateway.state.redis.script import Script


class Redis:
    """A Redis. Made inside a running loop; it connects when it is opened.

    Args:
        url: `redis://` or `rediss://`; see `Address.of`.
        timeout: Seconds that a command may take.

    Raises:
        AddressError: The URL names no Redis.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._address = Address.of(url)
        self._scripts: dict[str, Script] = {}
        self._nodes = Nodes(self._address, timeout, self._loads)

    def __repr__(self) -> str:
        return f"Redis({self._address})"

    @property
    def name(self) -> str:
        """What the log calls it."""
        return str(self._address)

    @property
    def available(self) -> bool:
        """Whether commands are sent at all; if not, they fail at once."""
        return self._nodes.available

    async def open(self) -> None:
        """Begins to connect. A server that is away is no error: it is tried again and again."""
        await self._nodes.open()

    async def close(self) -> None:
        """Ends all connections, when what waits has its answers or has waited long enough."""
        await self._nodes.close()

    def call(self, *parts: Word) -> Answer:
        """Sends a command, with the others of this turn of the loop; returns its answer.

        Its first argument is its key: in a cluster, that says whom it is sent to.
        Answers are as in RESP 2: `bytes`, `int`, `list`, None. Whoever stops waiting for one may
        cancel it; the command may be done all the same.

        Raises:
            StateUnavailable: By this call, where it is known at once, else by awaiting: the server
                is away, does not answer in time, or answers with an error.
        """
        key = parts[1] if len(parts) > 1 else b""
        data = key if isinstance(key, bytes) else str(key).encode()
        return self._nodes.of(data).send(command(parts))

    def near(self, key: bytes, *parts: Word) -> Answer:
        """As `call`, for a command without a key: sends it to the server that has this one."""
        return self._nodes.of(key).send(command(parts))

    def script(self, text: str) -> Script:
        """Returns a Lua script that can be called; the same one for the same text."""
        if text not in self._scripts:
            self._scripts[text] = Script(text, self._send)
        return self._scripts[text]

    def _send(self, key: bytes, packed: bytes, again: Again) -> Answer:
        return self._nodes.of(key).send(packed, again)

    def _loads(self) -> list[bytes]:
        return [script.load for script in self._scripts.values()]

"""The servers of a cluster, found as they say that a key is elsewhere; of one server, that one.

A server that is asked for a key that it does not have says who has it (MOVED): that is learned for
the key's slot, and the command, which was not done, goes there. So nothing is asked ahead, and one
server that is no cluster costs nothing. A slot whose server is away is asked for at any other,
which knows who has it now. While a slot is on its way from one server to another (ASK), commands on
it fail.

Source: Redis cluster specification, "Redirection and resharding".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from redis.crc import key_slot
from redis.exceptions import MovedError

from gateway.state.address import Address
from gateway.state.redis.failure import StateUnavailable
from gateway.state.redis.link import Sent, fail
from gateway.state.redis.node import Node


class Nodes:
    """Servers, by what they have. Made inside a running loop.

    Args:
        address: The one that is known.
        timeout: Seconds that a command may take.
        prepare: Returns the commands, packed, that each new connection begins with.
    """

    def __init__(
        self, address: Address, timeout: float, prepare: Callable[[], list[bytes]]
    ) -> None:
        self._timeout = timeout
        self._prepare = prepare
        self._seed = self._node(address)
        self._nodes = {address: self._seed}
        self._slots: dict[int, Node] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def available(self) -> bool:
        """Whether any of them is there."""
        return self._seed.available or any(node.available for node in self._nodes.values())

    async def open(self) -> None:
        """Begins to connect; returns when the first attempt has succeeded or failed."""
        self._seed.start()
        await self._seed.tried()

    async def close(self) -> None:
        """Ends all connections, when what waits has its answers or has waited long enough."""
        await asyncio.gather(*(node.close() for node in self._nodes.values()), *self._leaving)

    def of(self, key: bytes) -> Node:
        """Returns the server that has a key, as far as that is known."""
        if not self._slots:
            return self._seed
        node = self._slots.get(key_slot(key), self._seed)
        if node.available:
            return node
        return next((each for each in self._nodes.values() if each.available), node)

    def _node(self, address: Address) -> Node:
        return Node(address, self._timeout, self._prepare, self._moved)

    def _moved(self, to: MovedError, sent: Sent) -> None:
        address = self._seed.address.at(to.host or self._seed.address.host, to.port)
        node = self._nodes.get(address)
        if node is None:
            self._forget()
            node = self._nodes[address] = self._node(address)
            node.start()
        self._slots[to.slot_id] = node
        try:
            node.take(sent)
        except StateUnavailable as failure:
            fail(sent.answer, f"moved to {address}: {failure}")

    def _forget(self) -> None:
        """Leaves servers that are away and have nothing any more."""
        used = {self._seed, *self._slots.values()}
        for address, node in list(self._nodes.items()):
            if node not in used and not node.available:
                del self._nodes[address]
                task = asyncio.create_task(node.close(), name=f"redis: leave {address}")
                self._leaving.add(task)
                task.add_done_callback(self._leaving.discard)

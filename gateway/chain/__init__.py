"""A method as fronts see it: what the proto says of it, and the chain that its calls pass.

A chain is composed once, when a generation is built, from the method's policies in order. A policy
is a Gate, an Observer, both, or stands around calls (`gateway.call`): one that has only `filter`,
`unary` or `stream` does so for that kind of method, and is no part of the other's chain.
Neighbouring gates and observers become one function, and a filter speaks the form of unary calls,
so a unary call costs no task and no future but where something waits around it; a method without
policies *is* its upstream.

What holds for every chain:
- gates are asked in order; the first refusal ends the call; one that must wait holds up its own
  call only, which costs a task then;
- observers hear in reverse order, exactly once, and only of calls that came as far as they stand;
- an exception that is no RpcError is a bug: it is logged, and the client sees INTERNAL.

This package decides no order: `gateway.app` does, where the generation is built.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.awaited import awaited
from gateway.call import Call, Gate, Reply, Stream, Unary
from gateway.chain.failure import as_error
from gateway.chain.links import Policy
from gateway.chain.recorded import recorded_stream, recorded_unary
from gateway.chain.stream import compose_stream
from gateway.chain.unary import compose_unary
from gateway.cookies import IdCookie
from gateway.schema.method import MethodDescriptor

__all__ = ["Method", "Policy", "as_error", "compose_stream", "compose_unary"]


class Method:
    """One RPC, ready to be called: its descriptor and its composed chain.

    Attributes:
        descriptor: What the proto says.
        policies: What its calls pass, in order.
        authenticate: The one of them that finds out who calls, for fronts that must know before
            they have a call; None for none. It needs no more of a call than its `head`.
        keeps_keys: Whether calls that ask by keys (`gateway.kept.Keys`) are answered key by key.
        cookies: Those in which its calls may give their client an id, for fronts whose answer
            leaves before a call has come that far.
        start: Makes a unary call (`gateway.call.Unary`).
        stream: Runs a streaming call (`gateway.call.Stream`).
    """

    __slots__ = (
        "authenticate",
        "cookies",
        "descriptor",
        "keeps_keys",
        "policies",
        "start",
        "stream",
    )

    def __init__(
        self,
        descriptor: MethodDescriptor,
        policies: Sequence[Policy],
        unary: Unary,
        stream: Stream,
        *,
        authenticate: Gate | None = None,
        keeps_keys: bool = False,
        cookies: tuple[IdCookie, ...] = (),
        recorded: bool = False,
    ) -> None:
        self.descriptor = descriptor
        self.authenticate = authenticate
        self.keeps_keys = keeps_keys
        self.cookies = cookies
        self.policies = tuple(policies)
        self.start = compose_unary(policies, unary)
        self.stream = compose_stream(policies, stream)
        if recorded:
            self.start, self.stream = recorded_unary(self.start), recorded_stream(self.stream)

    def __repr__(self) -> str:
        return f"Method({self.descriptor.name})"

    async def call(self, call: Call) -> Reply:
        """Makes a unary call and waits for its reply; cancelling the waiter cancels the call.

        Raises:
            RpcError: The call ended with another status than OK.
        """
        return await awaited(self.start, call)

"""Whatever a client and a backend do, in any order: one end, and nothing is left behind."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.call import Code, Reply, RpcError, Status
from gateway.schema.method import Kind
from tests.fronts.graphql.serve.sockets import Clock
from tests.fronts.websocket.plain.fakes import HELLO, WAITING, Backend, settled

FRAMES = st.sampled_from(
    ["{}", "", " \n", '{"text":"a"}', '{"room":"b"}', "{", b"", b"\xff", HELLO]
)
ABORTED = RpcError(Status(Code.ABORTED, "no"))
STEPS = st.lists(
    st.tuples(st.just("frame"), FRAMES)
    | st.tuples(st.just("said"), st.sampled_from([HELLO, b"\xff", None, ABORTED]))
    | st.tuples(st.just("turn"), st.sampled_from([0.01, 5.0, 30.0]))
    | st.tuples(st.sampled_from(["drain", "goes", "pong", "settle"]), st.none()),
    max_size=12,
)


async def play(socket, backend, clock, steps):
    """Has client, backend and clock do as the steps say."""
    for what, with_ in steps:
        if what == "frame" and socket.ended is None:
            socket.takes(with_)
        elif what == "said":
            # A unary call completes once; a stream says one thing after the other.
            if backend.done and not backend.cancelled:
                done = backend.done.pop()
                done(with_ if isinstance(with_, RpcError) else Reply(with_ or b""))
            else:
                backend.said.put_nowait(with_)
        elif what == "turn":
            clock.turn(with_)
        elif what == "drain" and socket.told is not None:
            socket.told[2]()
        elif what == "goes" and socket.told is not None:
            socket.goes()
        elif what == "pong" and socket.pings:
            socket.pings[-1](0.1)
        else:
            await settled()


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
@pytest.mark.parametrize("rule", ["GET /v1/{room}", WAITING], ids=["get", "post"])
@pytest.mark.parametrize("form", ["grpcws.plain.json", "grpcws.plain.proto"])
@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
def test_a_call_has_one_end_and_leaves_nothing(dial_to, kind, rule, form, steps):
    backend, clock = Backend(), Clock()

    async def run():
        socket = dial_to(backend, clock, kind, rule, "/v1/a", form)
        await play(socket, backend, clock, steps)
        await settled()
        if socket.ended is None:
            socket.goes()
        await settled()
        assert not clock.due, "a timer is left"
        assert all(task.done() for task in socket.tasks), "a task is left"
        assert all(task.cancelled() or not task.exception() for task in socket.tasks)
        assert backend.cancelled <= 1
        assert not (backend.done and not backend.cancelled), "a call is left"
        assert socket.code in {1000, 1006, 4000, 4002, *range(4201, 4217)}

    asyncio.run(run())

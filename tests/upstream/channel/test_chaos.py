"""A bad network between a channel and a real backend: every call ends once, and nothing stays."""

import asyncio
import gc
from collections import Counter
from random import Random

import pytest

from gateway.call import Call, Code, Deadline, RpcError
from gateway.upstream.channel import State
from gateway.upstream.channel.native_connection import NativeConnection
from gateway.upstream.channel.native_stream import StreamRun
from gateway.upstream.channel.native_unary import UnaryRun
from gateway.upstream.spec import Keepalive
from tests.upstream.clients import Client, opened, unary, until
from tests.upstream.proxies import proxied
from tests.upstream.servers import backend, echo

KEEPALIVE = Keepalive(time=0.2, timeout=0.2)
ALLOWED = {Code.OK, Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED}
CALLS = 200
OURS = "Channel"
SLACK = 20.0  # seconds: a guard against calls that hang, and no measure


async def chat(requests, context):
    async for request in requests:
        yield request


class Caller:
    """Makes calls, and counts how each of them ends."""

    def __init__(self, channel, seed):
        self.channel = channel
        self.random = Random(seed)
        self.loop = asyncio.get_running_loop()
        self.ends = []
        self.codes = Counter()

    def deadline(self):
        return Deadline(self.loop.time() + self.random.uniform(0.05, 0.6))

    def payload(self):
        return self.random.randbytes(int(self.random.paretovariate(0.6)) % 100_000)

    async def unary(self, index):
        ended = asyncio.Event()
        request = self.payload()

        def done(result):
            self.ends[index] += 1
            ended.set()
            if isinstance(result, RpcError):
                self.codes[result.status.code] += 1
            else:
                self.codes[Code.OK] += 1
                assert result.message == request

        self.channel.start(Call("test.Echo/Echo", request, deadline=self.deadline()), done)
        await ended.wait()

    async def stream(self, index):
        requests = [self.payload() for _ in range(self.random.randrange(5))]
        client = Client("test.Echo/Chat", requests, deadline=self.deadline())
        try:
            await self.channel.stream(client)
        except RpcError as failure:
            code = failure.status.code
        else:
            code = Code.OK
        self.ends[index] += 1
        self.codes[code] += 1
        # Whatever happened, what came is what was sent, in order and from the beginning.
        assert client.replies == requests[: len(client.replies)]
        assert code is not Code.OK or len(client.replies) == len(requests)

    async def run(self, count):
        self.ends = [0] * count
        calls = []
        for index in range(count):
            make = self.random.choice((self.unary, self.unary, self.stream))
            calls.append(asyncio.ensure_future(make(index)))
            await asyncio.sleep(self.random.random() * 0.005)
        async with asyncio.timeout(SLACK):
            await asyncio.gather(*calls)


def connections(channel):
    return getattr(channel, "_connections", ())


def left():
    gc.collect()
    kinds = (UnaryRun, StreamRun, NativeConnection)
    return [found for found in gc.get_objects() if isinstance(found, kinds)]


@pytest.mark.parametrize("seed", range(3))
async def test_every_call_ends_once_and_nothing_is_left(make, seed):
    before, kept = asyncio.all_tasks(), len(left())
    async with (
        backend(Echo=echo, Chat=("stream_stream", chat)) as real,
        proxied(real, seed) as proxy,
    ):
        tasks = asyncio.all_tasks()
        async with opened(make, proxy.endpoint, keepalive=KEEPALIVE) as channel:
            caller = Caller(channel, seed)
            await caller.run(CALLS)
            assert caller.ends == [1] * CALLS
            assert set(caller.codes) <= ALLOWED, caller.codes
            assert caller.codes[Code.OK] > 0
            assert proxy.fates
            assert channel.pending == 0
            # When the network is well again, so is the channel.
            proxy.calm = True
            await until(lambda: channel.state is not State.CONNECTING)
            async with asyncio.timeout(SLACK):
                while True:
                    deadline = Deadline(asyncio.get_running_loop().time() + 1)
                    try:
                        await unary(channel, Call("test.Echo/Echo", b"x", deadline=deadline))
                        break
                    except RpcError:
                        await asyncio.sleep(0.02)
            assert not any(connection.http.streams for connection in connections(channel))
        await until(
            lambda: not [task for task in asyncio.all_tasks() - tasks if OURS in repr(task)]
        )
    await until(lambda: asyncio.all_tasks() - before <= {asyncio.current_task()})
    channel = caller = None
    await until(lambda: len(left()) <= kept)

"""What tests of plain calls stand on: a socket, an upgrade and a method that do as they are told."""

import asyncio
import json

from google.protobuf import any_pb2
from google.rpc import error_details_pb2

from gateway.call import Metadata
from gateway.http import Headers, Request, SocketClosed

WAITING = "POST /v1/{room} *"
"""A rule with a body: a call of one message waits for it."""

HELLO = b"\n\x05hello"
"""What `{"text": "hello"}` is, serialized."""

IN_A = b"\x12\x01a"
"""What the path `/v1/a` binds, serialized."""


class Socket:
    """A WebSocket that notes what it is asked for."""

    record = None  # nothing is noted

    def __init__(self, accepted):
        self.accepted = accepted
        self.subprotocol = accepted["subprotocol"]
        self.sent = []
        self.pings = []
        self.paused = False
        self.ended = None
        self.tasks = []
        self.drain = asyncio.Event()
        self.drain.set()
        self.told = None

    def listen(self, message, closed, draining=None):
        self.told = (message, closed, draining)

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False

    def send_text(self, text):
        assert self.ended is None
        self.sent.append(text.decode() if isinstance(text, bytes) else text)

    def send_binary(self, data):
        assert self.ended is None
        self.sent.append(data)

    @property
    def writable(self):
        return self.drain.is_set()

    async def drained(self):
        await self.drain.wait()
        if self.ended is not None:
            raise SocketClosed(1006, "")

    def ping(self, answered):
        self.pings.append(answered)

    def close(self, code=1000, reason=""):
        if self.ended is None:
            self.ended = (code, reason)

    def spawn(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.append(task)
        return task

    # The client's side.

    def takes(self, *frames):
        for frame in frames:
            self.told[0](frame)

    def goes(self):
        """Loses the client, as the listener does."""
        self.ended = (1006, "")
        for task in self.tasks:
            task.cancel()
        self.told[1](1006, "")

    @property
    def code(self):
        return self.ended and self.ended[0]

    @property
    def reason(self):
        """The stable reason of the error in the last frame."""
        assert json.loads(self.ended[1])["code"] == self.code - 4200
        return json.loads(self.sent[-1])["error"]["details"][0]["reason"]


class Exchange:
    """An upgrade request."""

    record = None  # nothing is noted

    def __init__(self, target, offered, headers):
        path, _, query = target.partition("?")
        fields = [("sec-websocket-protocol", ", ".join(offered))] if offered else []
        self.request = Request(
            "GET", path, query or None, Headers([*fields, *headers]), peer="192.0.2.1"
        )
        self.socket = None

    def websocket(self, **accepted):
        self.socket = Socket(accepted)
        return self.socket


class Backend:
    """A method's handlers, which do what a test says."""

    def __init__(self):
        self.calls = []
        self.done = []
        self.cancelled = 0
        self.requests = asyncio.Queue()
        self.said = asyncio.Queue()

    @property
    def call(self):
        (call,) = self.calls
        return call

    def start(self, call, done):
        self.calls.append(call)
        self.done.append(done)
        return self.cancel

    def cancel(self):
        self.cancelled += 1

    async def stream(self, call):
        self.calls.append(call)
        pump = asyncio.ensure_future(self.pump(call))
        try:
            while True:
                said = asyncio.ensure_future(self.said.get())
                await asyncio.wait([said, pump], return_when=asyncio.FIRST_COMPLETED)
                if pump.done() and pump.exception():
                    raise pump.exception()
                match await said:
                    case bytes(message):
                        await call.send(message)
                    case None:
                        return Metadata()
                    case failure:
                        raise failure
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            pump.cancel()

    async def pump(self, call):
        while (message := await call.receive()) is not None:
            await self.requests.put(message)
        await self.requests.put(None)

    async def took(self):
        async with asyncio.timeout(20):
            return await self.requests.get()

    async def says(self, *said):
        for each in said:
            self.said.put_nowait(each)
        await settled()


async def settled():
    for _ in range(50):
        await asyncio.sleep(0)


def shown(packed):
    """A detail as JSON: its type, and an ErrorInfo's reason."""
    detail = any_pb2.Any.FromString(packed)
    info = error_details_pb2.ErrorInfo()
    told = {"reason": info.reason} if detail.Unpack(info) else {}
    return json.dumps({"@type": detail.type_url, **told}).encode()

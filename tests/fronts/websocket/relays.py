"""What tests of relayed sockets stand on: a client's socket, and one end of a link."""

import asyncio
from collections import deque

from gateway.fronts.websocket.relay_records import Arrival, Records, record
from gateway.http import Headers, Request, SocketClosed, WebSocket
from gateway.http.websocket import ABNORMAL, NORMAL


def arrival(session="1.0", framing="grpcws.v1.json", **request):
    """A client that comes back, with a handshake that has a bit of everything."""
    given = {
        "method": "GET",
        "path": "/ws%20",
        "query": None,
        "headers": Headers([("a", "1"), ("b", "\xff"), ("a", "2")]),
        "authority": "a:1",
        "scheme": "https",
        "peer": "192.0.2.1",
        **request,
    }
    return Arrival(Request(**given), "grpcws.v1.json", framing, session)


class Client(WebSocket):
    """A client's socket where it is connected, and the client: it does as a test says.

    Attributes:
        got: What the client was sent.
        ended: Close code and reason of the server's, or "cut".
        asked: The pings that were not answered.
        stalled: What `when_stalled` was given.
        held: Whether it is read no further.
        tasks: What was spawned.
    """

    def __init__(self, subprotocol=None):
        self.subprotocol = subprotocol
        self.got = []
        self.ended = None
        self.asked = deque()
        self.stalled = None
        self.held = True
        self.tasks = set()
        self._said = deque()
        self._takes = asyncio.Event()
        self._takes.set()
        self._message = self._closed = self._draining = None
        self._is_over = False

    # The client.

    def say(self, *messages):
        self._said.extend(messages)
        self._pass_on()

    def leave(self, code=NORMAL, reason=""):
        self.held = False
        self._pass_on()
        self._is_over = True
        self._takes.set()
        for task in list(self.tasks):
            task.cancel()
        self._closed(code, reason)

    def stop_taking(self):
        self._takes.clear()

    def take_again(self):
        self._takes.set()

    def answer(self):
        self.asked.popleft()(0.5)

    def drain(self):
        self._draining()

    @property
    def unread(self):
        """How many messages are not read."""
        return len(self._said)

    def _pass_on(self):
        while self._said and not self.held and self._message is not None:
            self._message(self._said.popleft())

    # WebSocket.

    def listen(self, message, closed, draining=None):
        self._message, self._closed, self._draining = message, closed, draining
        self.resume()

    def pause(self):
        self.held = True

    def resume(self):
        if self.held:
            self.held = False
            asyncio.get_running_loop().call_soon(self._pass_on)

    @property
    def is_open(self):
        return self.ended is None and not self._is_over

    @property
    def writable(self):
        return self._takes.is_set()

    def send_text(self, text):
        self.got.append(text.decode() if isinstance(text, bytes) else text)

    def send_binary(self, data):
        self.got.append(data)

    async def drained(self):
        await self._takes.wait()
        if not self.is_open:
            raise SocketClosed(ABNORMAL, "")

    def when_stalled(self, seconds, stalled):
        self.stalled = seconds, stalled

    def ping(self, answered=None):
        self.asked.append(answered)

    def close(self, code=NORMAL, reason=""):
        if self.is_open:
            self.ended = code, reason

    def abort(self):
        self.ended = "cut"

    def spawn(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task


class Wire(asyncio.Transport):
    """The other end of a link: what it is sent, and what it says.

    Attributes:
        closed: Whether this end has closed.
    """

    def __init__(self, link):
        super().__init__()
        self.closed = False
        self._link = link
        self._records = Records()
        self._sent = deque()
        link.connection_made(self)

    def tell(self, kind, payload=b""):
        self._link.data_received(record(kind, payload))

    def lose(self, error=None):
        self._link.connection_lost(error)

    @property
    def sent(self):
        """What was sent since this was last asked for."""
        sent = [(kind, payload) if payload else kind for kind, payload in self._sent]
        self._sent.clear()
        return sent

    def write(self, data):
        assert not self.closed, "nothing is written after the close"
        self._sent.extend(self._records.feed(data))

    def close(self):
        self.closed = True
        asyncio.get_running_loop().call_soon(self._link.connection_lost, None)


async def turns(count=5):
    """Lets what is due happen."""
    for _ in range(count):
        await asyncio.sleep(0)

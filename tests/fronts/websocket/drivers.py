"""A driver between a WebSocket and backends that both do as a test says, and a clock of its own."""

import asyncio
import heapq
import json
from collections import deque
from itertools import count

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from gateway.call import Metadata, Reply
from gateway.chain import Method
from gateway.fronts.websocket.driver import SocketDriver
from gateway.fronts.websocket.json_frames import JsonFraming
from gateway.fronts.websocket.limits import Limits
from gateway.fronts.websocket.proto_frames import ProtoFraming
from gateway.fronts.websocket.serving import Serving
from gateway.fronts.websocket.sessions import Sessions
from gateway.fronts.websocket.sockets import SocketOptions, Sockets
from gateway.fronts.websocket.terms import Rates, Times
from gateway.http import Headers, Request, SocketClosed
from gateway.routing.metadata import HeaderRules
from gateway.schema.codec import Codec
from gateway.schema.method import Kind, MethodDescriptor
from gateway.schema.registry import Registry
from tests.fronts.websocket.plain.fakes import settled, shown

JSON, PROTO = JsonFraming(), ProtoFraming()


class Clock:
    """The part of an event loop that has to do with time."""

    def __init__(self):
        self.now = 1000.0
        self._due = []
        self._order = count()

    def time(self):
        return self.now

    def call_at(self, at, then, *args):
        handle = Handle(at, lambda: then(*args))
        heapq.heappush(self._due, (at, next(self._order), handle))
        return handle

    def call_later(self, seconds, then, *args):
        return self.call_at(self.now + seconds, then, *args)

    @property
    def left(self):
        """Timers that would still go off."""
        return [handle for _, _, handle in self._due if not handle.cancelled]

    def turn(self, seconds):
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            at, _, handle = heapq.heappop(self._due)
            self.now = max(self.now, at)
            if not handle.cancelled:
                handle.then()
        self.now = end


class Handle:
    def __init__(self, at, then):
        self._at = at
        self.then = then
        self.cancelled = False

    def when(self):
        return self._at

    def cancel(self):
        self.cancelled = True
        self.then = None


class Socket:
    """A WebSocket with room for so many messages (`gateway.http.WebSocket`)."""

    record = None  # nothing is noted

    subprotocol = None

    def __init__(self, room=10**9):
        self.room = room
        self.sent = []
        self.paused = False
        self.backlog = deque()
        self.pings = []
        self.ended = None
        self.over = False
        self.tasks = []
        self.stall = None
        self._told = None
        self._drained = asyncio.Event()

    def listen(self, message, closed, draining=None):
        self._told = (message, closed, draining)

    def when_stalled(self, seconds, stalled):
        self.stall = (seconds, stalled)

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False
        asyncio.get_running_loop().call_soon(self._pass_on)

    def _pass_on(self):
        while self.backlog and not self.paused and self._told is not None and self.is_open:
            self._told[0](self.backlog.popleft())

    @property
    def is_open(self):
        return self.ended is None

    @property
    def writable(self):
        return self.room > 0

    def send_text(self, text):
        assert self.ended is None
        self.room -= 1
        self.sent.append(text if isinstance(text, bytes) else text.encode())

    send_binary = send_text

    async def drained(self):
        while self.room <= 0:
            self._drained.clear()
            await self._drained.wait()
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
        if self.over:
            task.cancel()
        return task

    # The other side.

    def takes(self, room):
        """Has room for so many messages more."""
        self.room = max(self.room, 0) + room
        self._drained.set()

    def receives(self, message):
        self.backlog.append(message)
        self._pass_on()

    def drains(self):
        self._told[2]()

    def goes(self, code=1006):
        """Ends as the listener ends it: tasks are cancelled, then the front is told."""
        if self.over:
            return
        self.over = True
        self.ended = self.ended or (code, "")
        for task in self.tasks:
            task.cancel()
        _, closed, _ = self._told
        self._told = None
        closed(code, "")


class Backend:
    """A method's handlers. A streaming call runs `script(call)`, if there is one."""

    def __init__(self):
        self.calls = []
        self.done = []
        self.at_once = None
        self.cancelled = 0
        self.script = None
        self.ended = 0

    @property
    def call(self):
        return self.calls[-1]

    def start(self, call, done):
        self.calls.append(call)
        self.done.append(done)
        if self.at_once is not None:
            done(self.at_once)
        return self._cancel

    def _cancel(self):
        self.cancelled += 1

    async def stream(self, call):
        self.calls.append(call)
        try:
            return await self.script(call) or Metadata()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.ended += 1


KINDS = {
    "Unary": Kind.UNARY,
    "Server": Kind.SERVER_STREAMING,
    "Client": Kind.CLIENT_STREAMING,
    "Bidi": Kind.BIDIRECTIONAL,
}


def _registry():
    file = FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    made = file.message_type.add(name="Text")
    made.field.add(name="text", number=1, type=9, label=1)
    return Registry.build([file])


REGISTRY = _registry()
CODEC = Codec(REGISTRY)


def text(said):
    """A message, serialized."""
    data = said.encode()
    assert len(data) < 128
    return bytes([0x0A, len(data)]) + data


def reply(said, **more):
    return Reply(text(said), **more)


class World:
    """What sockets share, and backends."""

    def __init__(
        self,
        clock,
        *,
        rules=None,
        sessions=None,
        request_id_passes=True,
        policies=(),
        **options,
    ):
        self.clock = clock
        self.backends = {name: Backend() for name in KINDS}
        methods = {
            f"t.S/{name}": Method(
                MethodDescriptor(f"t.S/{name}", kind, "t.Text", "t.Text", ()),
                policies,
                self.backends[name].start,
                self.backends[name].stream,
            )
            for name, kind in KINDS.items()
        }
        rules = rules or HeaderRules(["authorization", "x-a", "z-bin"], response_allow=["*"])
        self.serving = Serving(methods, CODEC, rules, shown, clock.time, request_id_passes)
        self.hosts = {}  # what others serve, by name
        self.sessions = sessions or Sessions(timer=clock.call_later)
        options = {
            "limits": Limits(**options.pop("limits", {})),
            "times": Times(**options.pop("times", {})),
            "rates": Rates(**{"opens": 1e4, "messages": 1e6, **options.pop("rates", {})}),
            **options,
        }
        self.options = SocketOptions(**options)

    def dial(self, *, host="", headers=(), room=10**9, framing=JSON, certificate=None):
        fields = Headers(headers)
        request = Request("GET", "/ws", None, fields, host, "http", "192.0.2.1", certificate)
        return Client(self, request, room, framing)

    def serves(self, request):
        """What is served at the host of a handshake."""
        return self.hosts.get(request.authority, self.serving)


class Client:
    """The client of one socket."""

    def __init__(self, world, request, room, framing):
        self.world = world
        self.socket = Socket(room)
        self.heard = 0
        self.driver = SocketDriver(
            self.socket,
            request,
            framing,
            Sockets(world.serves, world.sessions, world.options),
        )

    def says(self, t, **members):
        if not self.socket.over:
            self.socket.receives(json.dumps({"t": t, **members}))

    def opens(self, id_, method, said=None, **more):
        if said is not None:
            more["body"] = {"text": said}
        self.says("open", id=id_, method=f"t.S/{method}", **more)

    def sends(self, id_, said, **more):
        self.says("message", id=id_, body={"text": said}, **more)

    async def hello(self, **members):
        self.says("hello", **members)
        await settled()
        if self.socket.ended is not None:
            return None
        (welcome,) = self.hears_frames()
        assert welcome["t"] == "welcome"
        return welcome

    def hears_frames(self):
        """What was sent since."""
        found = [json.loads(frame) for frame in self.socket.sent[self.heard :]]
        self.heard = len(self.socket.sent)
        return found

    def hears(self):
        return [short(frame) for frame in self.hears_frames()]

    @property
    def ended(self):
        return self.socket.ended and self.socket.ended[0]


def short(frame):
    """A frame in a line: `status 1 NOT_FOUND`, with the reason of an error of the gateway's."""
    kind = frame["t"]
    seq = f"#{frame['seq']}" if "seq" in frame else ""
    match kind:
        case "message":
            return f"message {frame['id']}{seq} {frame['body'].get('text', '')}"
        case "status":
            reasons = [each["reason"] for each in frame.get("details", ()) if "reason" in each]
            return " ".join([f"status {frame['id']}{seq} {frame['status']}", *reasons])
        case "credit":
            return f"credit {frame['id']}{seq} {frame['n']}"
        case "headers":
            return f"headers {frame['id']}{seq}"
        case "auth_expiring" | "auth_ok":
            return f"{kind} {frame.get('token_s', 'for ever')}"
        case _:
            return kind

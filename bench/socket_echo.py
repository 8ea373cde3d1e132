"""CPU of an echo over WebSockets: the gateway's two forms and the obvious way, in turns.

An exchange is a note of 128 bytes of protobuf (137 of JSON) there, and the same back: one message
in and one out, on either side of the server. So many are in flight on each of the streams of two
directions: of the multiplexed form all on one socket, of the others each on a socket of its own.
Each reply is compared with what it must be.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from processes import Process
from rest import Columns
from socket_client import BrokenError, Socket, Watch, connect, frame, greeted
from socket_forms import Form, Heard, MultiplexedBinary, MultiplexedText, PlainBinary, PlainText

NOTE = "x" * 126
_UNLIMITED = 1 << 60  # messages that may be sent where nobody counts
COLUMNS: Columns = (
    ("messages", "<8"),
    ("streams", ">7"),
    ("in flight", ">9"),
    ("server", "<20"),
    ("CPU µs", ">7"),
    ("of rounds", ">12"),
    ("of the obvious", ">14"),
    ("exchanges/s", ">11"),
    ("p50 µs", ">8"),
    ("p99 µs", ">8"),
    ("RSS MiB", ">7"),
)
GATEWAY_MANY, GATEWAY_PLAIN, OBVIOUS = "gateway, multiplexed", "gateway, plain", "obvious"
FORMS: dict[str, dict[str, Form]] = {
    "text": {
        GATEWAY_MANY: MultiplexedText(),
        GATEWAY_PLAIN: PlainText(),
        OBVIOUS: PlainText(path="/text"),
    },
    "binary": {
        GATEWAY_MANY: MultiplexedBinary(),
        GATEWAY_PLAIN: PlainBinary(subprotocol="grpcws.plain.proto"),
        OBVIOUS: PlainBinary(path="/binary"),
    },
}
LOADS = ((1, 1), (1, 16), (16, 2))
"""Streams, and messages in flight on each: no more than a stream of the gateway's may have."""


@dataclass(slots=True, eq=False)
class Lane:
    """A stream, and what is in flight on it."""

    socket: Socket
    frame: bytes
    allowed: int
    sent_at: deque[float]

    def send(self) -> None:
        if self.allowed:
            self.allowed -= 1
            self.sent_at.append(time.perf_counter())
            self.socket.transport.write(self.frame)


class Echoes:
    """Notes that go round on the streams of one server.

    Attributes:
        count: How many came back.
        taken: Seconds that each took.
        shared: The socket of the multiplexed form.
        others: Is told what streams say that are none of these.
    """

    def __init__(self, process: Process, form: Form, streams: int, window: int) -> None:
        self.count = 0
        self.taken: list[float] = []
        self.shared: Socket | None = None
        self.others: Callable[[Heard], None] | None = None
        self._process = process
        self._form = form
        self._streams = streams
        self._window = window
        self._lanes: dict[int, Lane] = {}
        self._known: dict[tuple[int, bytes], Lane] = {}  # by number of the socket, and reply
        self._going = False
        self._watch: Watch | None = None

    async def open(self) -> None:
        """Opens the streams, and has one note of each come back."""
        form, watch = self._form, Watch()
        self._watch = watch
        ids = range(1, self._streams + 1)
        if form.multiplexed:
            self.shared = shared = await greeted(self._process, watch, form)
            shared.received = lambda payload: self._received(0, payload)
            for id_ in ids:
                shared.send(form.open(id_))
            sockets = dict.fromkeys(ids, shared)
        else:
            sockets = {id_: await self._alone(id_) for id_ in ids}
        allowed = 16 if form.multiplexed else _UNLIMITED
        for id_, socket in sockets.items():
            data = frame(form.opcode, form.message(id_, form.body(NOTE)))
            lane = Lane(socket, data, allowed, deque())
            self._lanes[id_] = lane
            lane.send()
        await watch.until(self._all_back)

    async def _alone(self, id_: int) -> Socket:
        return await connect(
            self._process, self._watch, self._form, lambda payload: self._received(id_, payload)
        )

    async def run(self, seconds: float) -> tuple[float, float]:
        """Keeps notes in flight; returns CPU seconds of the server an exchange, and exchanges/s."""
        self._going = True
        for lane in self._lanes.values():
            for _ in range(self._window):
                lane.send()
        await self._watch.over(asyncio.sleep(0.1))
        self.taken.clear()
        count, cpu, began = self.count, self._process.cpu(), time.perf_counter()
        await self._watch.over(asyncio.sleep(seconds))
        count, cpu = self.count - count, self._process.cpu() - cpu
        rate = count / (time.perf_counter() - began)
        self._going = False
        await self._watch.until(self._all_back)
        if not count:
            raise BrokenError(f"no echo within {seconds} s")
        return cpu / count, rate

    async def close(self) -> None:
        sockets = {lane.socket for lane in self._lanes.values()}
        await asyncio.gather(*(each.close() for each in sockets))

    def _all_back(self) -> bool:
        return not any(lane.sent_at for lane in self._lanes.values())

    def _received(self, socket: int, payload: bytes) -> None:
        lane = self._known.get((socket, payload))
        if lane is None:
            lane = self._new(socket, payload)
            if lane is None:
                return
        self.taken.append(time.perf_counter() - lane.sent_at.popleft())
        self.count += 1
        if self._going:
            lane.send()

    def _new(self, socket: int, payload: bytes) -> Lane | None:
        """Takes what was never received before: the first reply of a stream, credit, headers."""
        heard = self._form.read(payload)
        lane = self._lanes.get(heard.id if self._form.multiplexed else socket)
        if lane is None and self.others is not None:
            self.others(heard)
        elif heard.kind == "credit" and lane is not None:
            lane.allowed += heard.n
            while self._going and lane.allowed and len(lane.sent_at) < self._window:
                lane.send()
        elif heard.kind == "message" and lane is not None:
            known = any(each is lane for each in self._known.values())
            if known or self._form.text(heard.body) != NOTE:
                self._watch.fail(f"not what was sent: {payload[:200]!r}")
            self._known[socket, payload] = lane
            return lane
        elif heard.kind != "headers":
            self._watch.fail(f"unexpected: {heard}")
        return None


@dataclass(frozen=True, slots=True)
class Sample:
    """One turn."""

    cpu: float  # microseconds an exchange
    rate: float  # exchanges a second
    p50: float  # microseconds
    p99: float


async def take(process: Process, form: Form, load: tuple[int, int], seconds: float) -> Sample:
    """Lets one server have its turn."""
    echoes = Echoes(process, form, *load)
    await echoes.open()
    cpu, rate = await echoes.run(seconds)
    await echoes.close()
    return Sample(cpu * 1e6, rate, *(each * 1e6 for each in percentiles(echoes.taken)))


def percentiles(taken: list[float]) -> tuple[float, float]:
    """Returns p50 and p99.

    Raises:
        BrokenError: There are too few.
    """
    if len(taken) < 100:
        raise BrokenError(f"only {len(taken)} came back")
    cuts = statistics.quantiles(taken, n=100)
    return cuts[49], cuts[98]


async def rows(
    gateway: Process, obvious: Process, rounds: int, seconds: float
) -> AsyncIterator[list[str]]:
    """Measures all; yields the rows of the table as they are made."""
    for messages, forms in FORMS.items():
        for load in LOADS:
            samples: dict[str, list[Sample]] = defaultdict(list)
            for number in range(rounds + 1):
                for name, form in forms.items():
                    process = obvious if name == OBVIOUS else gateway
                    one = await take(process, form, load, seconds if number else 0.3)
                    if number:  # the first warms up
                        samples[name].append(one)
            usual = statistics.median(each.cpu for each in samples[OBVIOUS])
            for name, of in samples.items():
                process = obvious if name == OBVIOUS else gateway
                cpu = statistics.median(each.cpu for each in of)
                yield [
                    messages,
                    str(load[0]),
                    str(load[1]),
                    name,
                    f"{cpu:.1f}",
                    f"{min(each.cpu for each in of):.0f}-{max(each.cpu for each in of):.0f}",
                    "" if name == OBVIOUS else f"{cpu / usual:.2f}",
                    f"{statistics.median(each.rate for each in of):.0f}",
                    f"{statistics.median(each.p50 for each in of):.0f}",
                    f"{statistics.median(each.p99 for each in of):.0f}",
                    f"{process.rss() / 2**20:.0f}",
                ]

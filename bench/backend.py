"""A gRPC backend that is never what is waited for: canned replies, about 10 µs of CPU a call.

    python bench/backend.py [--port 0] [--istio]

Answers the shop's CatalogService by path (`cases`): one product, a created product, lists of 50 and
1,000, a batch of 50, a stream of 1,000; a list of orders; and echoes the method of two streams
`cases.ECHO`. It counts its calls, and `cases.CALLS` tells them. With `--istio` replies carry the
header fields that a sidecar adds. It keeps to the rules that matter between honest
peers: flow control either way, SETTINGS, PING, streams that the client resets, connections that it
closes. It checks no client for faults: where it does not understand one, it hangs up. It is not
grpcio, which would take more CPU than the gateway.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping

import uvloop
from cases import (
    BATCH,
    CALLS,
    ECHO,
    MESSAGE_BATCH,
    ORDERS,
    SERVICE,
    batch,
    orders,
    page,
    product,
    products,
)
from frames import (
    ACK,
    CONCURRENT_STREAMS,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME,
    GOAWAY,
    HEAD,
    HEADER_TABLE_SIZE,
    HEADERS,
    INITIAL_WINDOW,
    MAX_FRAME,
    NUMBER,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    RST_STREAM,
    SETTING,
    SETTINGS,
    TRAILERS,
    UNKNOWN,
    WINDOW_UPDATE,
    Canned,
    Paths,
    Sidecar,
    frame,
    settings,
    stream,
    unary,
)

WINDOW = 1 << 20  # bytes that a client may send on a stream before it is given more
CONNECTION_WINDOW = (1 << 31) - 1

Replies = Mapping[str, Mapping[bytes, Canned]]
"""Replies by path, then by the request's message; the empty one stands for all others."""


def replies() -> Replies:
    """Makes all replies."""
    one = {b"": unary(product().SerializeToString())}
    found = {b"": unary(batch().SerializeToString())}
    size_1000 = b"\0\0\0\0\x03\x08\xe8\x07"  # ListProductsRequest(page_size=1000), with its prefix
    return {
        f"/{SERVICE}/GetProduct": one,
        f"/{SERVICE}/CreateProduct": one,
        f"/{SERVICE}/ListProducts": {
            b"": unary(page(50).SerializeToString()),
            size_1000: unary(page(1000).SerializeToString()),
        },
        f"/{SERVICE}/ExportProducts": {
            b"": stream([each.SerializeToString() for each in products(1000)])
        },
        f"/{BATCH}": found,
        f"/{MESSAGE_BATCH}": found,
        f"/{ORDERS}": {b"": unary(orders().SerializeToString())},
    }


class Stream:
    """A stream that is open, and what is still to be sent on it."""

    __slots__ = ("body", "echoes", "ends", "left", "path", "position", "received", "unit", "window")

    def __init__(self, path: str, window: int) -> None:
        self.path = path
        self.window = window  # bytes that the client takes
        self.echoes = path == f"/{ECHO}"
        self.body = b""  # of the request; not kept of an echo
        self.received = 0  # bytes that the client was not given back
        self.left = b""  # of the reply
        self.position = 0
        self.unit = FRAME
        self.ends = False  # after what is left


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, known: Replies, calls: Counter[str], sidecar: Sidecar | None) -> None:
        self.known = known
        self.calls = calls  # by path, of all connections
        self.sidecar = sidecar
        self.paths = Paths()
        self.buffer = b""
        self.out: list[bytes] = []
        self.streams: dict[int, Stream] = {}
        self.sending: dict[int, Stream] = {}
        self.window = 65_535  # bytes that the client takes on all streams
        self.initial = 65_535  # and on a new one
        self.largest = FRAME  # frame that the client takes
        self.received = 0
        self.begun = self.paused = False
        self.block: tuple[int, int, bytes] | None = None  # stream, flags and start of a long block
        self.handlers: dict[int, Callable[[int, int, bytes], None]] = {
            HEADERS: self.headers,
            CONTINUATION: self.continuation,
            DATA: self.data,
            RST_STREAM: self.reset,
            SETTINGS: self.settings,
            PING: self.ping,
            WINDOW_UPDATE: self.window_update,
            GOAWAY: self.goaway,
        }

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        said = ((HEADER_TABLE_SIZE, 0), (CONCURRENT_STREAMS, 1 << 20), (INITIAL_WINDOW, WINDOW))
        more = NUMBER.pack(CONNECTION_WINDOW - 65_535)
        transport.write(settings(said) + frame(WINDOW_UPDATE, 0, 0, more))

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self.pump()
        self.flush()

    def data_received(self, data: bytes) -> None:
        if self.buffer:
            data = self.buffer + data
        at, end, handlers = 0, len(data), self.handlers
        if not self.begun:
            if end < len(PREFACE):
                self.buffer = data
                return
            if not data.startswith(PREFACE):
                self.transport.close()
                return
            self.begun, at = True, len(PREFACE)
        while end - at >= 9:
            after = at + 9 + (data[at] << 16 | data[at + 1] << 8 | data[at + 2])
            if after > end:
                break
            handler = handlers.get(data[at + 3])
            if handler is not None:
                number = int.from_bytes(data[at + 5 : at + 9], "big")
                handler(data[at + 4], number, data[at + 9 : after])
            at = after
        self.buffer = data[at:]
        if self.sending and not self.paused:
            self.pump()
        self.flush()

    def flush(self) -> None:
        if self.out:
            self.transport.write(b"".join(self.out))
            self.out.clear()

    # What the client sends, frame by frame (RFC 9113, 6).

    def headers(self, flags: int, number: int, payload: bytes) -> None:
        if flags & (PADDED | PRIORITY):
            start = 1 if flags & PADDED else 0
            stop = len(payload) - (payload[0] if flags & PADDED else 0)
            payload = payload[start + (5 if flags & PRIORITY else 0) : stop]
        if not flags & END_HEADERS:
            self.block = (number, flags, payload)
            return
        if number in self.streams:  # trailers, which gRPC's clients do not send
            self.ended(number, self.streams[number])
            return
        one = self.streams[number] = Stream(self.paths.find(payload), self.initial)
        if one.echoes:
            head = self.sidecar.head() if self.sidecar else HEAD
            self.out.append(frame(HEADERS, END_HEADERS, number, head))
        if flags & END_STREAM:
            self.ended(number, one)

    def continuation(self, flags: int, _number: int, payload: bytes) -> None:
        number, before, start = self.block
        self.block = (number, before, start + payload)
        if flags & END_HEADERS:
            self.headers(before & END_STREAM | END_HEADERS, number, start + payload)

    def data(self, flags: int, number: int, payload: bytes) -> None:
        self.received += len(payload)
        if self.received > CONNECTION_WINDOW // 2:
            self.out.append(frame(WINDOW_UPDATE, 0, 0, NUMBER.pack(self.received)))
            self.received = 0
        one = self.streams.get(number)
        if one is None:
            return
        one.received += len(payload)
        if flags & PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        if one.echoes:
            self.echo(number, one, payload)
        else:
            one.body += payload
        if flags & END_STREAM:
            self.ended(number, one)
        elif one.received > WINDOW // 2 and len(one.left) < WINDOW:
            self.give(number, one)

    def reset(self, _flags: int, number: int, _payload: bytes) -> None:
        self.streams.pop(number, None)
        self.sending.pop(number, None)

    def settings(self, flags: int, _number: int, payload: bytes) -> None:
        if flags & ACK:
            self.paths.acknowledged()
            return
        for name, value in SETTING.iter_unpack(payload):
            if name == INITIAL_WINDOW:
                for each in self.streams.values():
                    each.window += value - self.initial
                self.initial = value
            elif name == MAX_FRAME:
                self.largest = value
        self.out.append(frame(SETTINGS, ACK, 0))

    def ping(self, flags: int, _number: int, payload: bytes) -> None:
        if not flags & ACK:
            self.out.append(frame(PING, ACK, 0, payload))

    def window_update(self, _flags: int, number: int, payload: bytes) -> None:
        more = int.from_bytes(payload, "big")
        if number == 0:
            self.window += more
        elif number in self.streams:
            self.streams[number].window += more

    def goaway(self, _flags: int, _number: int, _payload: bytes) -> None:
        """The client opens no more streams, and closes once those that are open have ended."""

    # What is sent.

    def echo(self, number: int, one: Stream, payload: bytes) -> None:
        """Sends back what has come: each message in a frame of its own, however it came.

        The messages of a stream are of one size, that of the first.
        """
        sent = one.position - one.position % one.unit  # whole messages
        one.left = one.left[sent:] + payload
        one.position -= sent
        if one.unit == FRAME and len(one.left) >= 5:
            one.unit = 5 + int.from_bytes(one.left[1:5], "big")
        self.sending[number] = one

    def ended(self, number: int, one: Stream) -> None:
        """Answers a request that has come to its end."""
        if one.echoes:
            one.ends = True
            self.sending[number] = one
            return
        answers = self.known.get(one.path)
        self.calls[one.path] += 1
        if one.path == f"/{CALLS}":
            answers = {b"": unary(json.dumps(self.calls).encode())}
        if answers is None:
            self.out.append(frame(HEADERS, END_HEADERS | END_STREAM, number, UNKNOWN))
            del self.streams[number]
            return
        answer = answers.get(one.body) or answers[b""]
        size = answer.size
        head = self.sidecar.head() if self.sidecar else None
        if answer.parts and size <= self.window and size <= one.window and not self.paused:
            self.window -= size
            front, data, end, last = answer.parts
            stream_id = number.to_bytes(4, "big")
            if head is not None:
                front = frame(HEADERS, END_HEADERS, number, head) + data[-5:]
                self.out.append(b"".join((front, stream_id, end, stream_id, last)))
            else:
                parts = (front, stream_id, data, stream_id, end, stream_id, last)
                self.out.append(b"".join(parts))
            del self.streams[number]
            return
        self.out.append(frame(HEADERS, END_HEADERS, number, head or HEAD))
        one.left, one.unit, one.ends = answer.messages, answer.unit, True
        self.sending[number] = one

    def pump(self) -> None:
        """Sends what the client's windows take, of one stream after another."""
        for number, one in list(self.sending.items()):
            left, at, end, unit = one.left, one.position, len(one.left), min(one.unit, self.largest)
            room = min(self.window, one.window)
            began = at
            while at < end and room > 0:
                size = min(unit - at % unit, end - at, room)
                self.out.append(frame(DATA, 0, number, left[at : at + size]))
                at += size
                room -= size
            one.position = at
            one.window -= at - began
            self.window -= at - began
            if at < end:
                continue
            del self.sending[number]
            if one.ends:
                last = frame(HEADERS, END_HEADERS | END_STREAM, number, TRAILERS)
                self.out.append(last)
                del self.streams[number]
            elif one.received > WINDOW // 2:
                self.give(number, one)

    def give(self, number: int, one: Stream) -> None:
        """Lets the client send again what it has sent on a stream."""
        self.out.append(frame(WINDOW_UPDATE, 0, number, NUMBER.pack(one.received)))
        one.received = 0


async def serve(port: int, *, istio: bool) -> None:
    """Serves until it is stopped."""
    known, calls, sidecar = replies(), Counter[str](), Sidecar() if istio else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(known, calls, sidecar), "127.0.0.1", port)
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--istio", action="store_true")
    options = parser.parse_args()
    uvloop.run(serve(options.port, istio=options.istio))


if __name__ == "__main__":
    main()

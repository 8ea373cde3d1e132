"""The client against a real server, `h2`, in memory: random traffic, and both agree on all of it.

`h2` checks every rule that it knows, and raises where the client breaks one.
"""

import hpack as hpack_package
from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wire import hpack
from gateway.wire.frames import ErrorCode
from gateway.wire.hpack import Decoder
from gateway.wire.http2_client import ClientConnection
from gateway.wire.settings import Limits
from tests.examples import examples
from tests.wire.link import HERE, PEER, Clock, Owner, Told

BLOCK = hpack.fields(
    [(":method", "POST"), (":scheme", "http"), (":path", "/a.B/C"), (":authority", "a"), ("te", "trailers")]
)  # fmt: skip
DECODER = Decoder(blocks=4, fields=8)  # shared, as it is by a process's connections


class Pair:
    """A client and a server, and what each has said and heard."""

    def __init__(self, initial, largest):
        limits = Limits(stream_window=20_000, nuisances=10_000)
        self.client = ClientConnection(Owner(), DECODER, limits, Clock())
        self.server = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.server.initiate_connection()
        self.server.update_settings(
            {SettingCodes.INITIAL_WINDOW_SIZE: initial, SettingCodes.MAX_FRAME_SIZE: largest}
        )
        self.streams: dict[int, Told] = {}
        self.asked: dict[int, bytes] = {}
        self.whole: set[int] = set()
        self.got: dict[int, bytes] = {}
        self.got_end: set[int] = set()
        self.got_fields: dict[int, list] = {}
        self.resets: dict[int, int] = {}  # what the server heard
        self.unread: dict[int, int] = {}  # what the server has not given back
        self.expected: dict[int, list] = {}  # what the client is to hear
        self.answered: set[int] = set()
        self.pongs: list[bytes] = []
        self.exchange()

    def exchange(self, cut=None):
        """Carries bytes both ways until nobody has any."""
        while True:
            out = self.client.outgoing.take() if self.client.outgoing else b""
            for event in self.server.receive_data(out) if out else []:
                self.hear(event)
            back = self.server.data_to_send()
            for at in range(0, len(back), cut or max(len(back), 1)):
                self.client.receive(back[at : at + (cut or len(back))])
            if not out and not back:
                return

    def hear(self, event):
        if isinstance(event, events.RequestReceived):
            self.got[event.stream_id] = b""
            self.got_fields[event.stream_id] = event.headers
        elif isinstance(event, events.DataReceived):
            self.got[event.stream_id] += event.data
            self.unread[event.stream_id] = (
                self.unread.get(event.stream_id, 0) + event.flow_controlled_length
            )
        elif isinstance(event, events.StreamEnded):
            self.got_end.add(event.stream_id)
        elif isinstance(event, events.StreamReset):
            self.resets[event.stream_id] = event.error_code
        elif isinstance(event, events.PingAckReceived):
            self.pongs.append(event.ping_data)
        else:
            assert not isinstance(event, events.ConnectionTerminated), event

    def open(self):
        return sorted(self.client.streams)

    # What may happen.

    def request(self, size, end, paced):
        stream = Told(paced=paced)
        data = bytes(range(200)) * (size // 200) + bytes(range(size % 200))
        self.client.request(stream, BLOCK, data, end=end)
        self.streams[stream.id] = stream
        self.expected[stream.id] = []
        self.asked[stream.id] = data
        if end:
            self.whole.add(stream.id)
        return stream

    def send(self, number, size, end):
        if number not in self.whole:
            data = b"s" * size
            self.asked[number] += data
            self.client.send(self.streams[number], data, end=end)
            if end:
                self.whole.add(number)

    def read(self, number):
        """The server gives back what it read, of the connection too."""
        size = self.unread.pop(number, 0)
        if size:
            self.server.acknowledge_received_data(size, number)

    def head(self, number):
        if number not in self.answered:
            self.answered.add(number)
            self.server.send_headers(number, [(":status", "103")])
            self.server.send_headers(number, [(":status", "200"), ("x-number", str(number))])
            self.expected[number].append(("head", 200, False))

    def answer(self, number, size, end, padding):
        self.head(number)
        cost = size + (padding + 1 if padding is not None else 0)
        if cost <= self.server.local_flow_control_window(number):
            self.server.send_data(number, b"a" * size, end_stream=end, pad_length=padding)
            told = self.expected[number]
            if size:
                if told[-1][0] == "data":
                    told.append(("data", told.pop()[1] + b"a" * size))
                else:
                    told.append(("data", b"a" * size))
            if end:
                told.append(("end",))

    def trailers(self, number, large):
        self.head(number)
        value = "v" * (40_000 if large else 10)  # the large ones take several frames
        self.server.send_headers(number, [("grpc-status", "0"), ("x", value)], end_stream=True)
        self.expected[number].append(("trailers", (("grpc-status", b"0"), ("x", value.encode()))))

    def agree(self):
        for number, stream in self.streams.items():
            told = [event for event in stream.events if event != ("writable",)]
            assert told == self.expected[number]
            if number not in self.got:
                continue
            assert self.asked[number].startswith(self.got[number])
            if number in self.got_end:
                assert self.got[number] == self.asked[number]
                assert number in self.whole
            assert (":path", "/a.B/C") in self.got_fields[number]
        assert self.client.outgoing.window == self.server.inbound_flow_control_window
        assert self.server.open_inbound_streams == len(self.client.streams)
        for number, stream in self.client.streams.items():
            assert self.server.local_flow_control_window(number) == min(
                stream.receive_window, self.server.outbound_flow_control_window
            )
            if self.got[number] != self.asked[number]:
                window = self.server.remote_flow_control_window(number)
                assert window <= 0, "the client waits, and need not"


@settings(max_examples=examples(2), deadline=None)
@given(
    st.data(),
    st.sampled_from([0, 100, 65_535, 200_000]),
    st.sampled_from([16_384, 20_000]),
    st.sampled_from([None, None, 1, 7, 1000]),
)
def test_random_traffic(data, initial, largest, cut):
    pair = Pair(initial, largest)
    sizes = st.sampled_from([0, 1, 100, 5_000, 30_000, 70_000])
    for _ in range(data.draw(st.integers(1, 25))):
        step = data.draw(
            st.sampled_from(
                ["request", "request", "send", "read", "answer", "answer", "trailers", "cancel", "back", "reset", "ping", "settings", "consume"]
            )
        )  # fmt: skip
        if step == "request":
            for _ in range(data.draw(st.integers(1, 3))):
                pair.request(data.draw(sizes), data.draw(st.booleans()), data.draw(st.booleans()))
        elif step == "back":
            sent = [pair.request(data.draw(sizes), True, False) for _ in range(3)]
            for stream in data.draw(st.permutations(sent))[:2]:
                if pair.client.cancel(stream):
                    del pair.streams[stream.id]
        elif step == "ping":
            pair.server.ping(b"12345678")
            pair.client.ping(b"87654321")
        elif step == "settings":
            pair.server.update_settings(
                {
                    SettingCodes.INITIAL_WINDOW_SIZE: data.draw(st.sampled_from([0, 100, 65_535])),
                    SettingCodes.HEADER_TABLE_SIZE: data.draw(st.sampled_from([0, 4096, 65_536])),
                }
            )
        elif pair.open():
            number = data.draw(st.sampled_from(pair.open()))
            stream = pair.streams[number]
            if step == "send":
                pair.send(number, data.draw(sizes), data.draw(st.booleans()))
            elif step == "read":
                pair.read(number)
            elif step == "answer":
                size = data.draw(st.integers(0, 5_000))
                padding = data.draw(st.sampled_from([None, None, 0, 9]))
                pair.answer(number, size, data.draw(st.booleans()), padding)
            elif step == "trailers":
                pair.trailers(number, data.draw(st.booleans()))
            elif step == "cancel":
                pair.client.cancel(stream)
            elif step == "reset":
                code = data.draw(st.sampled_from(ErrorCode))
                pair.server.reset_stream(number, code)
                pair.expected[number].append(("reset", code, PEER))
            elif step == "consume" and stream.paced:
                size = sum(len(event[1]) for event in stream.events if event[0] == "data")
                already = getattr(stream, "taken", 0)
                stream.taken = size
                pair.client.consumed(stream, size - already)
        pair.exchange(cut)
        pair.agree()
    assert HERE not in {event[-1] for told in pair.expected.values() for event in told}


def test_the_first_request_taken_back():
    """The server would not decode the next, if it did not say that there is no table."""
    pair = Pair(65_535, 16_384)
    pair.server.update_settings({SettingCodes.HEADER_TABLE_SIZE: 0})
    pair.exchange()
    assert pair.client.cancel(pair.request(10, True, False))
    pair.request(10, True, False)
    pair.exchange()
    assert pair.got == {3: bytes(range(10))}


def test_a_server_that_ends():
    pair = Pair(65_535, 16_384)
    first, second = pair.request(1, True, False), pair.request(1, True, False)
    pair.exchange()
    pair.server.close_connection(last_stream_id=1)
    pair.exchange()
    assert first.events == []
    assert second.events == [("reset", ErrorCode.REFUSED_STREAM, PEER)]


def test_a_client_that_ends():
    pair = Pair(65_535, 16_384)
    pair.client.fail(ErrorCode.SETTINGS_TIMEOUT)
    (event,) = pair.server.receive_data(pair.client.outgoing.take())
    assert isinstance(event, events.ConnectionTerminated)
    assert event.error_code == ErrorCode.SETTINGS_TIMEOUT


def test_the_server_uses_no_table():
    """What this side's settings ask of it; else nothing could be kept."""
    pair = Pair(65_535, 16_384)
    assert pair.server.encoder.header_table_size == 0
    assert isinstance(pair.server.encoder, hpack_package.Encoder)

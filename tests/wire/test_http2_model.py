"""A connection against a simple model of streams and windows, in any order of what may happen.

The model is the server: it counts what it lets the client send, and what it may send itself, and
knows nothing of how the connection works.
"""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.wire import frames
from gateway.wire.frames import END_HEADERS, END_STREAM, ErrorCode
from gateway.wire.settings import Limits
from tests.examples import examples
from tests.wire.link import HERE, OK, PEER, Link, content, fields, headers

LIMITS = Limits(stream_window=1000, connection_window=65_535)
TRAILERS = fields(x="y")
SIZES = st.one_of(st.integers(0, 40), st.sampled_from([1000, 16_384, 20_000, 40_000, 70_000]))


class Modelled:
    """What the model knows of a stream."""

    def __init__(self, window: int) -> None:
        self.asked = b""  # what the client was told to send
        self.ended = False  # and whether that was all
        self.got = b""  # what came of it
        self.got_head = self.got_end = False
        self.back = False  # taken back before it left
        self.window = window  # what it may send
        self.credit = LIMITS.stream_window  # what the server may send to it
        self.answer = []  # what it must have been told
        self.head_sent = False
        self.consumed = 0
        self.received = 0


class Client(RuleBasedStateMachine):
    """The client is asked for things by rules, and the server does what it may."""

    def __init__(self) -> None:
        super().__init__()
        self.link = Link(limits=LIMITS)
        self.streams: dict[int, tuple] = {}
        self.over: dict[int, tuple] = {}
        self.held: dict[int, int] = {}  # opened, and not taken yet: the window they were given
        self.resets: set[int] = set()  # said, and not taken yet
        self.window = frames.DEFAULT_WINDOW
        self.initial = frames.DEFAULT_WINDOW
        self.largest = frames.SMALLEST_MAX_FRAME
        self.credit = LIMITS.connection_window
        self.byte = 0

    @initialize(initial=st.sampled_from([0, 10, 1000, 65_535, 200_000, 200_000]))
    def begins(self, initial):
        self.receive(frames.settings({frames.INITIAL_WINDOW_SIZE: initial}))
        self.initial = initial
        self.flush()

    # What is asked of the client.

    @rule(size=SIZES, end=st.booleans(), paced=st.booleans())
    def request(self, size, end, paced):
        data = self.some(size)
        stream = self.link.request(data, end=end, paced=paced)
        model = Modelled(self.initial)
        model.asked, model.ended = data, end
        self.streams[stream.id] = stream, model
        self.held[stream.id] = self.initial

    @rule(
        sizes=st.lists(st.tuples(SIZES, st.booleans()), min_size=2, max_size=6),
        back=st.sets(st.integers(0, 5), max_size=3),
        more=SIZES,
    )
    def requests_of_which_some_are_taken_back(self, sizes, back, more):
        first = self.link.connection._next
        for size, end in sizes:
            self.request(size, end, paced=False)
        for number in (first + 2 * at for at in sorted(back) if at < len(sizes)):
            self.cancel_one(number)
        for number in range(first, first + 2 * len(sizes), 2):
            if number in self.streams and not self.streams[number][1].ended:
                self.send_one(number, more, end=True)

    @precondition(lambda self: self.streams)
    @rule(data=st.data(), size=SIZES, end=st.booleans())
    def send(self, data, size, end):
        number = data.draw(st.sampled_from(sorted(self.streams)))
        if not self.streams[number][1].ended:
            self.send_one(number, size, end=end)

    def send_one(self, number, size, *, end):
        stream, model = self.streams[number]
        more = self.some(size)
        model.asked += more
        model.ended = end
        self.link.connection.send(stream, more, end=end)

    @precondition(lambda self: self.streams)
    @rule(data=st.data())
    def cancel(self, data):
        self.cancel_one(data.draw(st.sampled_from(sorted(self.streams))))
        self.flush()

    def cancel_one(self, number):
        stream, model = self.over[number] = self.streams.pop(number)
        if self.link.connection.cancel(stream):
            assert number in self.held
            del self.held[number]
            model.back = True
        else:
            self.resets.add(number)

    @precondition(lambda self: any(s.paced for s, _ in self.streams.values()))
    @rule(data=st.data(), part=st.integers(1, 1000))
    def consume(self, data, part):
        paced = sorted(number for number, (stream, _) in self.streams.items() if stream.paced)
        stream, model = self.streams[data.draw(st.sampled_from(paced))]
        size = min(part, model.received - model.consumed)
        if size:
            model.consumed += size
            self.link.connection.consumed(stream, size)

    @precondition(lambda self: self.over)
    @rule(data=st.data())
    def consume_of_what_is_over(self, data):
        stream, _ = self.over[data.draw(st.sampled_from(sorted(self.over)))]
        self.link.connection.consumed(stream, LIMITS.stream_window)

    @rule()
    def write(self):
        self.flush()

    def flush(self):
        """The client's bytes reach the server; returns them as frames."""
        sent = self.link.sent()
        for number in self.held:
            # What left before new settings were known is counted by the old ones.
            assert number in {one.stream for one in sent}
        self.held.clear()
        reset = {one.stream for one in sent if one.kind == frames.RST_STREAM}
        assert self.resets <= reset
        self.resets.clear()
        for one in sent:
            if one.kind == frames.WINDOW_UPDATE:
                increment = int.from_bytes(one.payload, "big")
                assert increment > 0
                if one.stream:
                    assert one.stream in self.streams
                    self.streams[one.stream][1].credit += increment
                else:
                    self.credit += increment
            elif one.kind in {frames.HEADERS, frames.DATA}:
                self.arrives(one)
        return sent

    def arrives(self, one):
        _, model = self.streams.get(one.stream) or self.over[one.stream]
        assert not model.got_end, "nothing follows the end"
        assert not model.back, "nothing of it is sent"
        if one.kind == frames.HEADERS:
            assert not model.got_head
            assert one.flags & END_HEADERS
            model.got_head = True
        else:
            assert model.got_head
            assert len(one.payload) <= self.largest
            assert not one.payload or len(one.payload) <= min(self.window, model.window)
            model.got += one.payload
            self.window -= len(one.payload)
            model.window -= len(one.payload)
        model.got_end = bool(one.flags & END_STREAM)
        assert model.asked.startswith(model.got), "bytes are in order, and none is lost"
        assert not model.got_end or (model.ended and model.got == model.asked)

    # What the server does.

    @rule(size=st.sampled_from([1, 10, 5_000, 20_000, 100_000]))
    def widen(self, size):
        self.flush()
        self.window += size
        self.receive(frames.window_update(0, size))
        self.flush()

    @precondition(lambda self: self.streams)
    @rule(data=st.data(), size=st.sampled_from([1, 10, 5_000, 20_000, 100_000]))
    def widen_stream(self, data, size):
        self.flush()
        number = data.draw(st.sampled_from(sorted(self.streams)))
        self.streams[number][1].window += size
        self.receive(frames.window_update(number, size))
        self.flush()

    @rule(
        initial=st.sampled_from([0, 1, 1000, 65_535, 200_000]),
        largest=st.sampled_from([16_384, 20_000]),
        backwards=st.booleans(),
    )
    def set(self, initial, largest, backwards):
        self.flush()
        self.largest = largest
        values = [(frames.INITIAL_WINDOW_SIZE, initial), (frames.MAX_FRAME_SIZE, largest)]
        values = dict(reversed(values) if backwards else values)
        for _, model in self.streams.values():
            model.window += initial - self.initial
        self.initial = initial
        self.receive(frames.settings(values))
        self.flush()

    @precondition(lambda self: self.streams)
    @rule(data=st.data(), size=st.integers(0, 1000), end=st.booleans(), padding=st.integers(-1, 9))
    def answer(self, data, size, end, padding):
        """Sends some content, after a head."""
        self.flush()
        number = data.draw(st.sampled_from(sorted(self.streams)))
        _, model = self.streams[number]
        received = b""
        if not model.head_sent:
            received = headers(OK, number)
            model.head_sent = True
            model.answer.append(("head", 200, False))
        cost = size + padding + 1
        if cost <= min(model.credit, self.credit):
            model.credit -= cost
            self.credit -= cost
            payload = self.some(size)
            received += content(payload, number, end=end, padding=padding)
            model.received += size
            if payload:
                if model.answer[-1][0] == "data":
                    payload = model.answer.pop()[1] + payload
                model.answer.append(("data", payload))
            if end:
                model.answer.append(("end",))
                self.ends(number)
        self.receive(received)
        self.flush()

    @precondition(lambda self: self.streams)
    @rule(data=st.data())
    def trailers(self, data):
        self.flush()
        number = data.draw(st.sampled_from(sorted(self.streams)))
        _, model = self.streams[number]
        if model.head_sent:
            model.answer.append(("trailers", (("x", b"y"),)))
            self.ends(number)
            self.receive(headers(TRAILERS, number, end=True))
        else:
            model.answer.append(("head", 200, True))
            self.ends(number)
            self.receive(headers(OK, number, end=True))

    @precondition(lambda self: self.streams)
    @rule(data=st.data(), code=st.sampled_from(list(ErrorCode)))
    def reset(self, data, code):
        self.flush()
        number = data.draw(st.sampled_from(sorted(self.streams)))
        self.streams[number][1].answer.append(("reset", code, PEER))
        self.ends(number)
        self.receive(frames.rst_stream(number, code))

    @precondition(lambda self: self.streams)
    @rule(data=st.data())
    def breaks_a_stream(self, data):
        self.flush()
        number = data.draw(st.sampled_from(sorted(self.streams)))
        self.streams[number][1].answer.append(("reset", ErrorCode.PROTOCOL_ERROR, HERE))
        self.ends(number)
        self.receive(frames.window_update(number, 0))
        self.flush()

    @precondition(lambda self: self.over)
    @rule(data=st.data())
    def speaks_of_what_is_over(self, data):
        number = data.draw(st.sampled_from(sorted(self.over)))
        self.receive(
            frames.window_update(number, 1), headers(OK, number), frames.rst_stream(number, 8)
        )

    def ends(self, number):
        self.over[number] = self.streams.pop(number)

    def receive(self, *received):
        assert self.link.receive(*received) is None

    def some(self, size):
        """Returns bytes that are like no others near."""
        self.byte = (self.byte + 1) % 251
        return (bytes([self.byte]) + bytes(range(100)))[:size].ljust(size, b"x")

    # What holds at any time.

    @invariant()
    def the_streams_are_those_of_the_model(self):
        streams = self.link.connection.streams
        assert streams == {number: stream for number, (stream, _) in self.streams.items()}

    @invariant()
    def streams_heard_what_was_said(self):
        for stream, model in (*self.streams.values(), *self.over.values()):
            assert [one for one in stream.events if one != ("writable",)] == model.answer

    @invariant()
    def windows_are_those_of_the_model(self):
        if not self.link.connection.outgoing and not self.held:
            assert self.link.connection.outgoing.window == self.window

    @invariant()
    def nothing_waits_that_may_be_sent(self):
        if self.link.connection.outgoing:
            return
        for number, (_, model) in self.streams.items():
            if number not in self.held and model.got != model.asked:
                assert min(self.window, model.window) <= 0

    @invariant()
    def the_server_can_always_send_more(self):
        """Or has what was not consumed yet to wait for."""
        if self.link.connection.outgoing:
            return
        assert self.credit > LIMITS.connection_window // 2
        for stream, model in self.streams.values():
            outstanding = model.received - model.consumed if stream.paced else 0
            assert model.credit + outstanding > LIMITS.stream_window // 2


TestClient = Client.TestCase
TestClient.settings = settings(max_examples=examples(2), stateful_step_count=40, deadline=None)

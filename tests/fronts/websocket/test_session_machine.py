"""Client and server side by side, in any order of events, against a small model of both.

The wire is two lists of frames. Anything may happen at any moment: either side speaks, a frame
arrives, a call takes, sends or ends, the client cancels, and, where the session can be resumed, the
wire breaks with all that is on it. The model's client knows the documentation only.
"""

import json
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.call import Code
from gateway.fronts.websocket.frames import Cancel, Credit, End, Message, Open
from gateway.fronts.websocket.json_frames import JsonFraming
from gateway.fronts.websocket.limits import Limits
from gateway.fronts.websocket.session import Session
from tests.examples import examples
from tests.fronts.websocket.sessions import Calls

LIMITS = Limits(streams=3, message_size=50, credit=4, buffer=80, session_buffer=170)


@dataclass
class Told:
    """What one side of a stream has said, and the other has heard."""

    said: list = field(default_factory=list)
    heard: list = field(default_factory=list)


@dataclass
class Stream:
    """A client's stream, and what its call does at the server."""

    id: int
    named: int | None  # the credit of `open`
    up: Told = field(default_factory=Told)  # requests
    down: Told = field(default_factory=Told)  # replies
    # The client.
    granted: int = 64  # ever, to the server
    allowed: int = LIMITS.credit  # ever, by the server
    sizes: list = field(default_factory=list)  # of what it has not granted anew
    sent: int = 0
    seq: int = 0
    kept: list = field(default_factory=list)
    seen: int = 0
    closed: bool = False
    left: bool = False  # it was cancelled
    headers: int = 0
    status: str | None = None
    # The server.
    there: bool = False  # whether the call began
    begun: bool = False  # whether its headers were sent
    replied: int = 0
    ended: str | None = None
    rude: bool = False  # a rule was broken on it


class Sides(RuleBasedStateMachine):
    """Of one socket."""

    resumable = False

    def __init__(self):
        super().__init__()
        self.calls = Calls()
        self.session = Session(JsonFraming(), LIMITS, self.calls, resumable=self.resumable)
        self.calls.session = self.session
        self.streams = {}
        self.next_id = 1
        self.up = []  # frames on their way to the server
        self.down = []
        self.forgotten = {}  # by id: the highest number that the server keeps no more

    # Which there are.

    def at_client(self, index):
        """A stream that the client has."""
        here = [each for each in self.streams.values() if each.status is None]
        return here[index % len(here)] if here else None

    def at_server(self, index):
        """A stream whose call runs."""
        here = [
            each
            for each in self.streams.values()
            if each.there
            and each.id in self.session.streams
            and not self.session.streams[each.id].outflow.ended
        ]
        return here[index % len(here)] if here else None

    # The client speaks.

    @rule(
        gap=st.integers(1, 3),
        credit=st.sampled_from([None, 0, 1, 2]),
        end=st.sampled_from([False, False, True]),
    )
    def opens(self, gap, credit, end):
        if len([each for each in self.streams.values() if each.status is None]) > LIMITS.streams:
            return
        self.next_id += gap
        stream = Stream(self.next_id, credit)
        stream.granted = 64 if credit is None else credit
        stream.closed = end
        stream.up.said.append(b"0")
        self.streams[stream.id] = stream
        self.up.append(Open(stream.id, "m", credit=credit, body=b"0", end=end))

    @rule(index=st.integers(0, 9), sizes=st.lists(st.integers(1, 50), min_size=1, max_size=4))
    def sends(self, index, sizes):
        stream = self.at_client(index)
        if stream is None or stream.closed or stream.left:
            return
        for size in sizes:
            free = not stream.sizes or sum(stream.sizes) + size <= LIMITS.buffer
            whole = self.on_the_way()
            free = free and (not whole or whole + size <= LIMITS.session_buffer)
            if stream.sent >= stream.allowed or not free:
                return
            stream.sent += 1
            stream.sizes.append(size)
            data = str(stream.sent).encode().ljust(size)[:size]
            stream.up.said.append(data)
            self._say(stream, data)

    @rule(index=st.integers(0, 9))
    def half_closes(self, index):
        stream = self.at_client(index)
        if stream is not None and not stream.closed and not stream.left:
            self._say(stream, None, end=True)

    def on_the_way(self):
        """Bytes that the client was not granted anew, as far as it knows."""
        alive = [each for each in self.streams.values() if each.status is None and not each.left]
        return sum(sum(each.sizes) for each in alive)

    def _say(self, stream, data, *, end=False):
        if self.resumable:
            stream.seq += 1
        stream.closed = end
        frame = Message(stream.id, data, end, stream.seq)
        if self.resumable:
            stream.kept.append(frame)
        self.up.append(frame)

    @rule(index=st.integers(0, 9), n=st.integers(0, 3))
    def grants(self, index, n):
        stream = self.at_client(index)
        if stream is not None and not stream.left:
            stream.granted += n
            self.up.append(Credit(stream.id, n, stream.seen if self.resumable else 0))

    @rule(
        index=st.integers(0, 9),
        how=st.sampled_from(["ends", "ends", "fails", "cancels", "breaks a rule", "late", "no"]),
    )
    def something_ends(self, index, how):
        match how:
            case "ends" | "fails":
                self.ends(index, Code.OK if how == "ends" else Code.NOT_FOUND)
            case "cancels":
                self.cancels(index)
            case "breaks a rule":
                self.breaks_a_rule(index, 10 * index)
            case "late":
                self.speaks_of_what_is_over(index, ("message", "credit", "cancel")[index % 3])

    @rule()
    def a_moment_passes(self):
        self.calls.owing = False
        self.session.grant_owed()

    def cancels(self, index):
        stream = self.at_client(index)
        if stream is not None and not stream.left:
            stream.left = True
            self.up.append(Cancel(stream.id))

    def breaks_a_rule(self, index, size):
        """Sends what it may not: too much, too large, or after the end."""
        stream = self.at_client(index)
        if stream is None or stream.left:
            return
        stream.rude = True
        self._say(stream, b"!" * size, end=stream.closed)

    def speaks_of_what_is_over(self, index, kind):
        over = [each for each in self.streams.values() if each.status is not None and each.there]
        if not over:
            return
        stream = over[index % len(over)]
        if kind == "message":
            if self.resumable:
                stream.seq += 1
            self.up.append(Message(stream.id, b"late", seq=stream.seq))
        else:
            self.up.append(Credit(stream.id, 5) if kind == "credit" else Cancel(stream.id))

    # Frames arrive.

    @rule(ups=st.integers(0, 9), writes=st.integers(0, 9), downs=st.integers(0, 9))
    def frames_move(self, ups, writes, downs):
        self.the_server_hears(ups)
        self.the_server_writes(writes)
        self.the_client_hears(downs)

    def the_server_hears(self, most):
        for _ in range(min(most, len(self.up))):
            frame = self.up.pop(0)
            match frame:
                case Open():
                    full = len(self.session.streams) >= LIMITS.streams
                    self.session.open(frame)
                    self.streams[frame.id].there = not full
                    assert (frame.id in self.calls.began) is not full
                case Message():
                    self.session.message(frame)
                case Credit():
                    self.session.credit(frame)
                case Cancel():
                    self.session.cancel(frame)

    def the_server_writes(self, most):
        for _ in range(most):
            frame = self.session.next()
            if frame is None:
                break
            self.down.append(json.loads(frame))
            for each in self.session.streams.values():
                self.forgotten[each.id] = each.outflow.forgotten

    def the_client_hears(self, most):
        for _ in range(min(most, len(self.down))):
            self._hear(self.down.pop(0))

    def _hear(self, frame):
        stream = self.streams[frame["id"]]
        kind = frame["t"]
        if kind == "credit":
            stream.allowed += frame["n"]
            del stream.sizes[: frame["n"]]
            if self.resumable:
                stream.kept = [each for each in stream.kept if each.seq > frame.get("seq", 0)]
            return
        assert stream.status is None, "a frame after the status"
        assert ("seq" in frame) is self.resumable
        if self.resumable:
            assert frame["seq"] == stream.seen + 1, "lost or doubled"
            stream.seen += 1
        if kind == "headers":
            assert not stream.headers
            assert not stream.down.heard
            stream.headers += 1
        elif kind == "message":
            stream.down.heard.append(frame["body"])
            automatic = stream.named is None and not self.resumable
            assert automatic or len(stream.down.heard) <= stream.granted
        else:
            assert kind == "status"
            stream.status = frame["status"]
            if self.resumable:
                self.up.append(Credit(stream.id, 0, stream.seen))
            self._judge(stream)

    def _judge(self, stream):
        """Of a stream that ended by itself nothing is missing."""
        if stream.status in {"OK", "NOT_FOUND"} and not stream.left:
            assert stream.status == stream.ended
            assert stream.down.heard == stream.down.said
        if stream.status == "CANCELLED":
            assert stream.left
        if stream.status == "RESOURCE_EXHAUSTED":
            # A client that keeps to the rules is stopped by none but the number of streams.
            assert not stream.there or any(each.rude for each in self.streams.values())

    # The calls.

    @rule(index=st.integers(0, 9), most=st.integers(1, 5))
    def takes(self, index, most):
        stream = self.at_server(index)
        for _ in range(most if stream is not None else 0):
            body = self.session.take(self.session.streams[stream.id])
            if body is not None:
                stream.up.heard.append(body)
                if not stream.rude:
                    assert stream.up.heard == stream.up.said[: len(stream.up.heard)]

    @rule(index=st.integers(0, 9))
    def begins_to_reply(self, index):
        stream = self.at_server(index)
        if stream is not None and not stream.begun:
            stream.begun = True
            self.session.headers(self.session.streams[stream.id], [])

    @rule(index=st.integers(0, 9), most=st.integers(1, 3))
    def replies(self, index, most):
        """As runs do: one message, and no other until it is written."""
        stream = self.at_server(index)
        for _ in range(most if stream is not None else 0):
            if self.session.streams[stream.id].outflow.waiting:
                return
            stream.begun = True
            stream.replied += 1
            stream.down.said.append(stream.replied)
            self.session.send(self.session.streams[stream.id], str(stream.replied).encode())
            self.the_server_writes(1)

    def ends(self, index, code):
        stream = self.at_server(index)
        if stream is not None:
            stream.ended = code.name
            self.session.end(self.session.streams[stream.id], End(code))

    # What holds at all times.

    @invariant()
    def what_is_not_granted_is_known(self):
        sizes = [each.inflow.size for each in self.session.streams.values()]
        assert self.session._ungranted == sum(sizes) <= LIMITS.session_buffer

    @invariant()
    def what_was_taken_is_granted_or_owed(self):
        for each in self.session.streams.values():
            inflow = each.inflow
            if inflow.taken and not each.outflow.ended:
                assert each.id in self.session._owed
                assert self.calls.owing

    @invariant()
    def all_is_bounded(self):
        assert len(self.session.streams) <= LIMITS.streams
        for each in self.session.streams.values():
            inflow, outflow = each.inflow, each.outflow
            assert len(inflow.inbox) <= LIMITS.credit + 1
            assert 0 <= inflow.allowed <= LIMITS.credit
            assert inflow.size <= max(LIMITS.buffer, LIMITS.message_size)
            assert inflow.size == sum(inflow._sizes)
            assert outflow.credit >= 0
            assert outflow.kept_size == sum(len(kept.frame) for kept in outflow.kept)
            new = [waits for waits in outflow.waiting if waits.costs]
            assert len(new) <= 1
        kept = [each.outflow.kept_size for each in self.session.streams.values()]
        assert self.session._kept == sum(kept) <= LIMITS.session_buffer

    def teardown(self):
        """In the end, with all said and all granted, every stream has its one status."""
        for index in range(len(self.streams)):
            self.grant_all()
            self.settle()
            while (stream := self.at_server(index)) is not None:
                stream.ended = "OK"
                self.session.end(self.session.streams[stream.id], End(Code.OK))
                self.grant_all()
                self.settle()
        self.settle()
        for stream in self.streams.values():
            assert stream.status is not None, stream
        assert self.session.idle
        assert self.session._ungranted == 0
        assert self.session._kept == 0

    def grant_all(self):
        for stream in self.streams.values():
            if stream.status is None and not stream.left:
                stream.granted += 5
                self.up.append(Credit(stream.id, 5, stream.seen if self.resumable else 0))

    def settle(self):
        """Lets all frames arrive."""
        while self.up or self.down or not self.is_quiet():
            self.the_server_hears(1000)
            self.the_server_writes(1000)
            self.the_client_hears(1000)

    def is_quiet(self):
        frame = self.session.next()
        if frame is not None:
            self.down.append(json.loads(frame))
        return frame is None


class ResumedSides(Sides):
    """Of many sockets, one after the other; what is on the wire when it breaks is lost."""

    resumable = True

    @precondition(lambda self: self.streams)
    @rule(hears=st.integers(0, 5), writes=st.integers(0, 5))
    def the_wire_breaks(self, hears, writes):
        self.the_server_hears(hears)
        self.the_server_writes(writes)
        self.up.clear()
        self.down.clear()
        named = {
            each.id: each for each in self.streams.values() if each.status is None and not each.left
        }
        seen = {each.id: each.seen for each in named.values()}
        granted = {each.id: each.granted for each in named.values()}
        resumed = {each.id: each for each in self.session.restore(seen, granted)}
        assert resumed.keys() <= named.keys()
        assert self.session.streams.keys() == resumed.keys()
        for stream in self.streams.values():
            if stream.status is not None:
                continue
            if stream.left:
                stream.status = "left"
            elif stream.id in resumed:
                self._go_on(stream, resumed[stream.id])
            elif stream.id > self.session.last_id:
                self.up.append(
                    Open(stream.id, "m", credit=stream.named, body=b"0", end=self._at_once(stream))
                )
                self.up.extend(stream.kept)
            else:
                stream.status = "lost"
                # Only one that was refused, or of which too much was kept.
                assert not stream.there or self.forgotten.get(stream.id, 0) > stream.seen

    def _at_once(self, stream):
        return stream.closed and not stream.kept

    def _go_on(self, stream, told):
        assert told.granted >= stream.allowed
        grown = told.granted - stream.allowed
        stream.allowed = told.granted
        del stream.sizes[:grown]
        stream.kept = [each for each in stream.kept if each.seq > told.seq]
        self.up.extend(stream.kept)
        # Credit is exact: what was ever granted, less what was ever written.
        outflow = self.session.streams[stream.id].outflow
        assert outflow.credit == max(0, stream.granted - outflow.sent)


SETTINGS = settings(max_examples=examples(2), stateful_step_count=50, deadline=None)

TestSides = Sides.TestCase
TestSides.settings = SETTINGS
TestResumedSides = ResumedSides.TestCase
TestResumedSides.settings = SETTINGS

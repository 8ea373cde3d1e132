"""Where records stand in traces when they begin, and which are sampled."""

import os

import pytest

from gateway.http import Headers
from gateway.record import TRACEPARENT, TRACESTATE
from gateway.telemetry.tracing.beginning import Beginning
from gateway.telemetry.tracing.sampling import Share, Wishes
from tests.telemetry.records import Maker, head
from tests.upstream.fakes import Clock

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def header(flags="01", trace=TRACE):
    return f"00-{trace}-{SPAN}-{flags}"


class Made:
    """Records of a gateway that traces."""

    def __init__(self, share=0.0, rate=100):
        self.maker = Maker()
        self.clock = Clock()
        self.maker.records.replace((), [Beginning(share, rate, self.clock)])

    def trace(self, *fields):
        given = head()
        given.headers = Headers(fields)
        return self.maker.request(given).trace


def test_without_a_caller_a_trace_begins_with_ids_of_its_own():
    made = Made()
    traces = [made.trace() for _ in range(100)]
    assert len({each.trace_id for each in traces}) == len({each.span for each in traces}) == 100
    assert {(len(each.trace_id), len(each.span)) for each in traces} == {(32, 16)}
    one = traces[0]
    assert (one.parent, one.sampled, one.passes, one.bare) == (None, False, False, True)
    assert one.traceparent == f"00-{one.trace_id}-{one.span}-02"


def test_a_caller_that_traces_is_joined():
    trace = Made().trace((TRACEPARENT, header()), (TRACESTATE, "a=1"), (TRACESTATE, "b=2"))
    assert (trace.trace_id, trace.parent, trace.state) == (TRACE, SPAN, "a=1,b=2")
    assert trace.sampled
    assert trace.span != SPAN
    assert trace.below("01" * 8) == f"00-{TRACE}-{'01' * 8}-01"


def test_a_caller_that_does_not_trace_is_left_alone():
    trace = Made(share=1).trace((TRACEPARENT, header("00")), (TRACESTATE, "a=1"))
    assert (trace.sampled, trace.passes, trace.trace_id) == (False, True, TRACE)


@pytest.mark.parametrize("flags", ["02", "03"])
def test_that_an_id_is_random_is_told_on(flags):
    trace = Made().trace((TRACEPARENT, header(flags)))
    assert trace.traceparent.endswith(flags)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([(TRACEPARENT, "nonsense"), (TRACESTATE, "a=1")], id="not-valid"),
        pytest.param([(TRACEPARENT, header()), (TRACEPARENT, header())], id="two-of-them"),
        pytest.param([(TRACESTATE, "a=1")], id="only-a-state"),
    ],
)
def test_what_makes_no_sense_begins_a_trace_anew(fields):
    trace = Made(share=1).trace(*fields)
    assert trace.trace_id != TRACE
    assert (trace.parent, trace.state, trace.bare, trace.sampled) == (None, "", False, True)


def test_so_many_callers_a_second_are_heeded():
    made = Made(rate=2)
    assert sum(made.trace((TRACEPARENT, header())).sampled for _ in range(50)) == 20
    beyond = made.trace((TRACEPARENT, header()))
    # Backends are told that it is not traced, so that they are spared too.
    assert (beyond.sampled, beyond.passes) == (False, False)
    assert beyond.traceparent == f"00-{TRACE}-{beyond.span}-00"
    made.clock.advance(1.5)
    assert sum(made.trace((TRACEPARENT, header())).sampled for _ in range(50)) == 3


def test_beyond_that_the_share_decides_by_chance_and_not_by_an_id_that_the_caller_chose():
    made = Made(share=0.5, rate=0)
    chosen = [made.trace((TRACEPARENT, header(trace="f" * 32))).sampled for _ in range(200)]
    assert 40 < sum(chosen) < 160


def test_a_share_is_by_the_last_bits_of_an_id():
    assert Share(0).picks((1 << 56) - 1) is False
    assert Share(1).picks(0) is True
    half = Share(0.5)
    assert [half.picks(each) for each in (0x7FFFFFFFFFFFFF, 0x80000000000000)] == [False, True]
    assert half.picks(0xFF_7FFFFFFFFFFFFF) is False  # bits before them say nothing
    picked = sum(Made(share=0.25).trace().sampled for _ in range(2000))
    assert 350 < picked < 650


def test_wishes_do_not_pile_up():
    clock = Clock()
    wishes = Wishes(1, clock)
    clock.advance(10_000)
    assert sum(wishes.heeds() for _ in range(100)) == 10


def test_what_comes_over_a_socket_has_a_trace_of_its_own():
    made = Made(share=1)
    socket = made.maker.request(head())
    stream = socket.on_socket("stream", Headers())
    assert stream.trace.trace_id != socket.trace.trace_id


def test_what_the_handshake_says_holds_for_all_that_comes_over_it():
    made = Made()
    given = head()
    given.headers = Headers([(TRACEPARENT, header())])
    socket = made.maker.request(given)
    stream, own = (
        socket.on_socket("stream", fields)
        for fields in (None, Headers([(TRACEPARENT, f"00-{TRACE}-{'ab' * 8}-01")]))
    )
    assert (stream.trace.trace_id, stream.trace.parent) == (TRACE, socket.trace.span)
    assert own.trace.parent == "ab" * 8


def test_a_process_that_is_forked_makes_other_ids():
    from gateway.telemetry.tracing.numbers import getrandbits

    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, getrandbits(64).to_bytes(8, "big"))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 8) != getrandbits(64).to_bytes(8, "big")

"""What is noted of a call on its way through its chain: when it began, and how it ended.

The outermost of a chain, and no policy. What it changes is what backends are told of a trace of
which no spans are made: they do not begin traces of their own then. Of one that has spans, each
attempt tells its own (`gateway.upstream.attempts.traced`).
"""

from __future__ import annotations

from gateway.call import (
    Call,
    Cancel,
    Code,
    Done,
    Metadata,
    Reply,
    RpcError,
    Stream,
    StreamCall,
    Unary,
)
from gateway.chain.failure import as_error
from gateway.record import MOST_CALLS, TRACEPARENT, TRACESTATE, CallRecord, Trace


def recorded_unary(inner: Unary) -> Unary:
    """Returns `inner`, of whose calls is noted what can be."""

    def start(call: Call, done: Done) -> Cancel:
        record = call.record
        if record is None:
            return inner(call, done)
        record.began = record.clock()
        record.caller = call
        record.received_bytes = len(call.request)
        if record.request.trace is not None:
            _tell(call, record.request.trace)

        def finish(result: Reply | RpcError) -> None:
            if isinstance(result, Reply):
                record.code = Code.OK
                record.sent_bytes = len(result.message)
            else:
                record.failed(result)
            record.ends()
            done(result)

        cancel = inner(call, finish)
        # Its request ends what is given up: of those that it has.
        return cancel if record.request.made <= MOST_CALLS else _ending(record, cancel)

    return start


def recorded_stream(inner: Stream) -> Stream:
    """Returns `inner`, of whose calls is noted what can be."""

    async def run(call: StreamCall) -> Metadata:
        record = call.record
        if record is None:
            return await inner(call)
        record.began = record.clock()
        record.caller = call
        if record.request.trace is not None:
            _tell(call, record.request.trace)
        streams = record.request.source.streams
        streams.add(record)
        try:
            trailers = await inner(call)
        except RpcError as failure:
            record.failed(failure)
            raise
        except Exception as bug:
            known = as_error(bug)
            record.failed(known)
            raise known from bug
        else:
            record.code = Code.OK
            return trailers
        finally:
            streams.discard(record)
            record.ends()

    return run


def _ending(record: CallRecord, cancel: Cancel) -> Cancel:
    """Returns what cancels a call and takes down its end."""

    def give_up() -> None:
        cancel()
        record.ends()

    return give_up


def _tell(call: Call, trace: Trace) -> None:
    """Has backends be told of a trace without spans."""
    if not trace.sampled and not trace.passes:
        call.metadata = _untraced(call.metadata, trace)


def _untraced(metadata: Metadata, trace: Trace) -> Metadata:
    """Returns what backends are told of a trace without spans that is not the caller's."""
    told = TRACEPARENT, trace.traceparent
    if trace.bare:
        return metadata + (told,)  # noqa: RUF005  metadata is no tuple
    return Metadata((*metadata.without(TRACEPARENT, TRACESTATE), told))

"""Streaming calls behind policies: each is run by the task that owns it."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import cast

from gateway.call import OK, Metadata, Outcome, Stream, StreamAround, StreamCall
from gateway.chain.failure import as_error
from gateway.chain.links import CANCELLED, Links, Policy, groups


def compose_stream(policies: Sequence[Policy], upstream: Stream) -> Stream:
    """Returns `upstream` behind `policies`; `upstream` itself when there are none."""
    inner = upstream
    for around_by, group in groups(policies, "stream"):
        if around_by:
            for around in reversed(group):
                inner = _around_stream(cast("StreamAround", around), inner)
        else:
            inner = _gated_stream(group, inner)
    return inner


def _gated_stream(policies: Sequence[Policy], inner: Stream) -> Stream:
    links = Links(policies)

    async def run(call: StreamCall) -> Metadata:
        await links.admit_after(call, links.admit(call))
        outcome = CANCELLED
        try:
            trailers = await inner(call)
            outcome = Outcome(OK)
        except Exception as failure:
            known = as_error(failure)
            outcome = Outcome(known.status)
            if known is failure:
                raise
            raise known from failure
        finally:
            links.tell(call, outcome)
        return trailers

    return run


def _around_stream(around: StreamAround, inner: Stream) -> Stream:
    async def proceed(call: StreamCall) -> Metadata:
        return await inner(call)

    def run(call: StreamCall) -> Awaitable[Metadata]:
        return around.stream(call, proceed)

    return run

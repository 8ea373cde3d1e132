"""Upstreams without sockets: channels that end calls as they are told, time and luck by hand."""

from __future__ import annotations

from gateway.call import NO_METADATA, Reply, RpcError
from gateway.upstream.channel import State
from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.later import call_at
from gateway.upstream.spec import UpstreamSpec
from gateway.upstream.upstream import Upstream


class Clock:
    """A clock that is set by hand, in seconds, with what is to be called at times of it."""

    def __init__(self, now=1000.0):
        self.now = now
        self.timers = []

    def __call__(self):
        return self.now

    def call_at(self, when, callback):
        """Calls at a time (`later.CallAt`)."""
        timer = Timer(when, callback)
        self.timers.append(timer)
        return timer

    def advance(self, seconds):
        """Lets time pass, and calls what is to be called meanwhile."""
        until = self.now + seconds
        while due := [each for each in self.timers if each.on and each.when <= until]:
            first = min(due, key=lambda each: each.when)
            first.on = False
            self.now = max(self.now, first.when)
            first.callback()
        self.timers = [each for each in self.timers if each.on]
        self.now = until


class Timer:
    """Something that is to be called at a time."""

    def __init__(self, when, callback):
        self.when = when
        self.callback = callback
        self.on = True

    def cancel(self):
        self.on = False


class FakeChannel:
    """A channel that ends calls as it is told: at once, or when `finish` is called."""

    def __init__(self, name, result=None, state=State.READY):
        self.address = name
        self.state = state
        self.unreached = ""
        self.result = result or Reply(name.encode())
        self.waits = False
        self.calls = []
        self.cancelled = 0
        self.closed = None
        self.heard = None

    @property
    def pending(self):
        return len(self.calls)

    def become(self, state):
        """Has another state, and tells of it."""
        self.state = state
        self.heard(state)

    def start(self, call, done):
        self.calls.append(call)
        self.done = done
        if not self.waits:
            done(self.result)

        def cancel():
            self.cancelled += 1

        return cancel

    async def stream(self, call):
        self.calls.append(call)
        if isinstance(self.result, RpcError):
            raise self.result
        await call.start(NO_METADATA)
        await call.send(self.result.message)
        return NO_METADATA

    async def close(self, grace):
        self.closed = grace


def listings(count, **arguments):
    """Returns so many endpoints, as the config lists them."""
    return tuple(Listing(Endpoint("h", number + 1), **arguments) for number in range(count))


def upstream_of(*channels, clock=None, random=lambda: 0.0, **arguments):
    """Returns an open upstream on these channels, one an endpoint."""
    left = iter(channels)

    def make(spec, endpoint, heard, queue):
        channel = next(left)
        channel.heard = heard
        return channel

    spec = UpstreamSpec("test", listings(len(channels)), **arguments)
    clock = clock or Clock()
    later = getattr(clock, "call_at", call_at)
    upstream = Upstream(spec, make, clock=clock, random=random, call_at=later)
    upstream.open()
    return upstream

"""A cache in front of an upstream that answers when told to, with a clock that stands still."""

from __future__ import annotations

import heapq
from itertools import count

from google.protobuf import descriptor_pb2, descriptor_pool

from gateway.call import NO_METADATA, Call, Code, Deadline, Metadata, Reply, RpcError, Status
from gateway.policies.cache.cache import Cache
from gateway.policies.cache.flights import Flights
from gateway.policies.cache.freshness import Policy
from gateway.policies.cache.headers import Told
from gateway.policies.cache.keeping import Keeping
from gateway.policies.cache.keys import Keys
from gateway.policies.cache.means import Means
from gateway.policies.cache.onecaller import told_of
from gateway.policies.cache.shelf import MemoryShelf
from gateway.policies.cache.tags import Tags
from gateway.state.cache import CacheStore

METHOD = "shop.v1.Catalog/GetProduct"


def request_type():
    """`message Ask {string id = 1; repeated string ids = 2; Ask inner = 3; …}`."""
    file = descriptor_pb2.FileDescriptorProto(name="ask.proto", package="t", syntax="proto3")
    enum = file.enum_type.add(name="Color")
    for number, name in enumerate(("COLOR_UNSPECIFIED", "RED")):
        enum.value.add(name=name, number=number)
    message = file.message_type.add(name="Ask")
    field = descriptor_pb2.FieldDescriptorProto
    for number, (name, type_, label, of) in enumerate(
        [
            ("id", field.TYPE_STRING, 1, ""),
            ("ids", field.TYPE_STRING, 3, ""),
            ("inner", field.TYPE_MESSAGE, 1, ".t.Ask"),
            ("inners", field.TYPE_MESSAGE, 3, ".t.Ask"),
            ("number", field.TYPE_INT64, 1, ""),
            ("sure", field.TYPE_BOOL, 1, ""),
            ("color", field.TYPE_ENUM, 1, ".t.Color"),
            ("raw", field.TYPE_BYTES, 1, ""),
            ("share", field.TYPE_DOUBLE, 1, ""),
        ],
        1,
    ):
        message.field.add(name=name, number=number, type=type_, label=label, type_name=of or None)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("t.Ask")


ASK = request_type()


class Time:
    """A clock, and timers that fire when it is moved."""

    def __init__(self):
        self.now = 1000.0
        self._timers = []
        self._serial = count()

    def __call__(self):
        return self.now

    def at(self, when, then):
        timer = Timer(then)
        heapq.heappush(self._timers, (when, next(self._serial), timer))
        return timer

    @property
    def timers(self):
        """Those that have neither fired nor been cancelled."""
        return [timer for _, _, timer in self._timers if timer.then is not None]

    def turn(self):
        """Fires the first, if its time has come."""
        if self._timers and self._timers[0][0] <= self.now:
            _, _, timer = heapq.heappop(self._timers)
            timer.fire()

    def move(self, seconds):
        self.now += seconds
        while self._timers and self._timers[0][0] <= self.now:
            self.turn()


class Timer:
    def __init__(self, then):
        self.then = then

    def fire(self):
        then, self.then = self.then, None
        if then is not None:
            then()

    def cancel(self):
        self.then = None


class Asked:
    """One call that came to the upstream."""

    def __init__(self, call, done):
        self.call = call
        self._done = done
        self.cancelled = False

    def answer(self, message=b"m", **metadata):
        self._done(Reply(message, given(metadata)))

    def end(self, result):
        self._done(result)

    def fail(self, code=Code.UNAVAILABLE, reason=None, **metadata):
        self._done(RpcError(Status(code, "no"), reason=reason, metadata=given(metadata)))

    def cancel(self):
        self.cancelled = True


def given(metadata):
    if not metadata:
        return NO_METADATA
    return Metadata((name.replace("_", "-"), value) for name, value in metadata.items())


class Upstream:
    """Takes calls, and answers when told to."""

    def __init__(self):
        self.asked = []

    def __call__(self, call, done):
        asked = Asked(call, done)
        self.asked.append(asked)
        return asked.cancel

    @property
    def last(self):
        return self.asked[-1]


class Caching:
    """A cache, its store, its upstream and its clock."""

    def __init__(
        self,
        *,
        vary=(),
        claims=(),
        tags=(),
        timeout=10.0,
        size=10**6,
        entry_size=10**5,
        told=None,
        shared=False,
        tells=None,
        rank=None,
        time=None,
        **policy,
    ):
        self.time = time or Time()
        self.upstream = Upstream()
        self.store = CacheStore(size, entry_size)
        self.flights = Flights(
            timeout,
            self.time,
            self.time.at,
            rank=rank,
            told=None if tells is None else told_of(tells),
        )
        keeping = Keeping(
            Policy(**{"ttl": 30.0, "shared": shared, **policy}),
            Tags(tags, ASK),
            Told(vary if told is None else told, shared=shared),
            entry_size,
            lambda data: data != b"\xff",
            for_one=tells is not None,
        )
        keys = Keys([METHOD.encode()], vary=vary, claims=claims, shared=shared)
        shelf = MemoryShelf(self.store, METHOD)
        self.filter = Cache(Means(keys, keeping, shelf, self.flights, self.time))

    def ask(self, call=None, **parts):
        """Makes a call; returns what becomes of it."""
        ended = Ended()
        asked = call or Call(METHOD, **{"request": b"r", **parts})
        ended.cancel = self.filter.filter(asked, ended.append, self.upstream)
        return ended

    def deadline(self, seconds):
        return Deadline(self.time.now + seconds)


class Ended(list):
    """What a call completed with; empty until then."""

    cancel = None

    @property
    def reply(self):
        (result,) = self
        assert isinstance(result, Reply), result
        return result

    @property
    def error(self):
        (result,) = self
        assert isinstance(result, RpcError), result
        return result

    @property
    def message(self):
        return self.reply.message

    @property
    def code(self):
        return self.error.status.code

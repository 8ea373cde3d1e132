"""Upstreams without sockets, an engine before them, and event loops that turn when they are told."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from google.protobuf.message_factory import GetMessageClass

from gateway.call import NO_METADATA, Call, Code, Metadata, Reply, RpcError, Status
from gateway.chain import Method
from gateway.fronts.graphql.document import Documents, Limits
from gateway.fronts.graphql.engine import Engine
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.routing.caller import Caller

CALLER = Caller(Metadata(), None, None, "203.0.113.7", "graphql", "r1", None)
WIDE = Limits(
    depth=100,
    cost=2**70,
    aliases=10**4,
    tokens=10**5,
    root_fields=100,
    size=10**6,
    fields=10**6,
    introspection_depth=100,
    overlaps=10**7,
)


def failure(code=Code.UNAVAILABLE, message="It is away."):
    return RpcError(Status(code, message))


@dataclass
class Asked:
    """A call that came in, and how it is answered."""

    name: str
    request: object
    call: Call
    done: Callable
    cancelled: bool = False
    over: bool = False


@dataclass
class Backend:
    """All methods of a registry: each answers with what a function makes of its request.

    Calls pass `policies`, which keep answers by key where `keeps_keys`. `at_once` completes a call before `start` returns; else `answer` completes those that are held,
    in whatever order the test likes.
    """

    registry: object
    answers: Mapping[str, Callable] = field(default_factory=dict)
    at_once: bool = True
    asked: list[Asked] = field(default_factory=list)
    streams: Mapping[str, Callable] = field(default_factory=dict)
    policies: Sequence = ()
    keeps_keys: bool = False

    def methods(self):
        return {
            descriptor.name: Method(
                descriptor, self.policies, self.start, self.stream, keeps_keys=self.keeps_keys
            )
            for service in self.registry.services()
            for descriptor in self.registry.methods(service)
        }

    def input_of(self, name):
        service, _, method = name.partition("/")
        found = self.registry.pool.FindServiceByName(service).methods_by_name[method]
        return GetMessageClass(found.input_type)

    def start(self, call, done):
        asked = Asked(call.method, self.input_of(call.method).FromString(call.request), call, done)
        self.asked.append(asked)
        if self.at_once:
            self.answer(asked)

        def cancel():
            asked.cancelled = not asked.over

        return cancel

    def answer(self, asked):
        asked.over = True
        answer = self.answers[asked.name](asked.request)
        if isinstance(answer, RpcError | Reply):
            asked.done(answer)
        elif isinstance(answer, bytes):
            asked.done(Reply(answer))
        else:
            asked.done(Reply(answer.SerializePartialToString()))

    async def stream(self, call):
        await self.streams[call.method](call)
        return NO_METADATA

    @property
    def held(self):
        return [each for each in self.asked if not each.over and not each.cancelled]

    @property
    def names(self):
        """The short names of the methods that were called, in order."""
        return [each.name.partition("/")[2] for each in self.asked]


@dataclass
class Turns:
    """An event loop of one thing: what is to be done at the end of a turn."""

    waiting: deque = field(default_factory=deque)

    def soon(self, work):
        self.waiting.append(work)

    def turn(self):
        """Does what has been asked for so far; returns whether there was anything."""
        count = len(self.waiting)
        for _ in range(count):
            self.waiting.popleft()()
        return count > 0


@dataclass
class Bench:
    """An engine over a graph, before a backend."""

    schema: object
    backend: Backend
    turns: Turns = field(default_factory=Turns)

    def __post_init__(self):
        documents = Documents(self.schema, WIDE)
        self.engine = Engine(self.schema, self.backend.methods(), documents, soon=self.turns.soon)

    def prepare(self, query, variables: Mapping | None = None, name=None):
        return self.engine.prepare(GraphqlRequest(query, name, variables), CALLER)

    def start(self, query, variables=None) -> "Running":
        responses: list[bytes] = []
        cancel = self.engine.run(self.prepare(query, variables), responses.append)
        return Running(self, responses, cancel)

    def run(self, query, variables=None, pick: Callable[[Sequence], int] = lambda _held: 0):
        """Runs a document to its end; `pick` says which of the calls that wait is answered next."""
        running = self.start(query, variables)
        while not running.responses:
            if self.turns.turn():
                continue
            held = self.backend.held
            assert held, "nothing is under way, and there is no response"
            self.backend.answer(held[pick(held)])
        return running.response


@dataclass
class Running:
    """A run, and what it has responded."""

    bench: Bench
    responses: list[bytes]
    cancel: Callable[[], None]

    @property
    def response(self):
        (response,) = self.responses
        return json.loads(response)


def codes(response):
    """The path and code of each error."""
    return [
        ("/".join(map(str, each["path"])), each["extensions"]["code"])
        for each in response.get("errors", ())
    ]


async def ticks(count=5):
    """Lets other tasks go on."""
    for _ in range(count):
        await asyncio.sleep(0)

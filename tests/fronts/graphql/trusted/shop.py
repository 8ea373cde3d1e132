"""The shop's graph with its joins, an engine over services that answer from functions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from google.protobuf.message_factory import GetMessageClass

from gateway.call import Code, Metadata, Reply, RpcError, Status
from gateway.chain import Method
from gateway.fronts.graphql.document import Documents, Limits
from gateway.fronts.graphql.engine import Engine
from gateway.fronts.graphql.joins import edges
from gateway.fronts.graphql.trusted.automatic import Automatic
from gateway.fronts.graphql.trusted.lookup import Lookup
from gateway.fronts.graphql.trusted.reading import Trusted, read_trusted
from gateway.routing.caller import Caller
from tests.fronts.graphql.graphs import ROOT, graph_of, shop_registry

CALLER = Caller(Metadata(), None, None, "203.0.113.7", "graphql", "r1", None)


def files(folder="schema/operations"):
    """Returns the files of a folder of the repository, as the app names them."""
    found = sorted((ROOT / folder).glob("*.graphql"))
    return [(str(path.relative_to(ROOT)), path.read_text("utf-8")) for path in found]


@cache
def graph():
    registry = shop_registry()
    methods = [method for name in registry.services() for method in registry.methods(name)]
    joins = (ROOT / "schema/joins.graphql").read_text("utf-8")
    return graph_of(
        registry,
        edges=lambda types: (
            edges(types, methods, registry, files=[("schema/joins.graphql", joins)]).fields
        ),
    )


def failure(code=Code.UNAVAILABLE, message="It is away."):
    return RpcError(Status(code, message))


@dataclass
class Services:
    """Every RPC of the shop: answers with what a function fills its reply with, else an empty one.

    Attributes:
        answers: By the RPC's short name: fills a reply, given the request, or raises RpcError.
        held: Short names of RPCs that never answer.
        policies: What calls pass.
        calls: Short name, request and call of all that came in.
        cancelled: Short names of calls that were cancelled.
    """

    answers: Mapping[str, Callable] = field(default_factory=dict)
    held: frozenset = frozenset()
    policies: Sequence = ()
    calls: list = field(default_factory=list)
    cancelled: list = field(default_factory=list)

    @property
    def called(self):
        return [name for name, _, _ in self.calls]

    def methods(self):
        registry = shop_registry()
        return {
            descriptor.name: Method(descriptor, self.policies, self._start(descriptor), None)
            for service in registry.services()
            for descriptor in registry.methods(service)
        }

    def _start(self, descriptor):
        registry = shop_registry()
        name = descriptor.name.rpartition("/")[2]

        def start(call, done):
            kinds = (descriptor.input, descriptor.output)
            asked, reply = (GetMessageClass(registry.message(kind)) for kind in kinds)
            request, answer = asked.FromString(call.request), reply()
            self.calls.append((name, request, call))
            if name in self.held:
                return lambda: self.cancelled.append(name)
            try:
                self.answers.get(name, lambda *_: None)(request, answer)
            except RpcError as failed:
                done(failed)
            else:
                done(Reply(answer.SerializeToString(), Metadata()))
            return lambda: None

        return start


def trusted_of(*texts, limits=None):
    """Reads texts as files `a.graphql`, `b.graphql` …."""
    named = [(f"{letter}.graphql", text) for letter, text in zip("abcdef", texts, strict=False)]
    return read_trusted(named, graph().schema, limits or Limits())


def engine_of(
    services,
    trusted=None,
    *,
    only=False,
    automatic: Automatic | None = None,
    limits=None,
    soon=None,
):
    documents = Documents(graph().schema, limits or Limits())
    lookup = Lookup(documents, trusted or Trusted(), only=only, automatic=automatic)
    return Engine(
        graph().schema,
        services.methods(),
        documents,
        find=lookup.find,
        soon=soon,
    )

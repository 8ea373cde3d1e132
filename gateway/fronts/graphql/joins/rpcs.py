"""The RPCs that edges may call: by name, with their messages and what their protos say of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import Descriptor

from gateway.fronts.graphql.graph.options import DeclaredLookup, GraphOptions, MethodOptions
from gateway.fronts.graphql.graph.roots import is_free_of_effects, options_of
from gateway.fronts.graphql.joins.candidates import nearest
from gateway.schema.method import MethodDescriptor
from gateway.schema.registry import Registry


class Rpcs:
    """All RPCs that an edge can name.

    Args:
        methods: What the gateway can call.
        registry: Their descriptors.
        options: What the configuration says of the graph.
    """

    def __init__(
        self, methods: Iterable[MethodDescriptor], registry: Registry, options: GraphOptions
    ) -> None:
        self._methods = {method.name: method for method in methods}
        self._registry = registry
        self._options = options

    def __iter__(self) -> Iterator[MethodDescriptor]:
        return iter(self._methods.values())

    def find(self, name: str) -> MethodDescriptor | None:
        """Returns the RPC of a full name, `shop.v1.Catalog/GetProduct`; None without one."""
        return self._methods.get(name)

    def like(self, name: str) -> list[str]:
        """Returns the names of RPCs that were probably meant."""
        return nearest(name, self._methods)

    def message(self, name: str) -> Descriptor | None:
        """Returns a message by its full name; None without one."""
        try:
            return self._registry.message(name)
        except KeyError:
            return None

    def input(self, method: MethodDescriptor) -> Descriptor:
        """Returns an RPC's request message."""
        return self._registry.message(method.input)

    def output(self, method: MethodDescriptor) -> Descriptor:
        """Returns an RPC's reply message."""
        return self._registry.message(method.output)

    def reads(self, method: MethodDescriptor) -> bool:
        """Whether an RPC has no side effects: by option, by its proto, or by a rule of GET."""
        return is_free_of_effects(method, self._said(method))

    def lookups(self, method: MethodDescriptor) -> tuple[DeclaredLookup, ...]:
        """Returns the lookups that an RPC's option declares."""
        return self._said(method).lookups

    def origin(self, method: MethodDescriptor) -> str:
        """Returns what to call the file of an RPC in errors."""
        return self._registry.origin(method.file) if method.file else method.name

    def _said(self, method: MethodDescriptor) -> MethodOptions:
        service = self._registry.pool.FindServiceByName(method.service)
        return options_of(service.methods_by_name[method.name.partition("/")[2]], self._options)

"""What people say of the graph: in protos (`gateway/v1/options.proto`) and in the configuration.

Data only. `annotations` reads the protos' side; where both say something, the configuration counts
(`over`). None, or an empty tuple, means that nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class FieldOptions:
    """Of a field of a message.

    Attributes:
        name: Its name in the graph, in outputs and inputs.
        hide: Whether it is left out.
        scopes: What a caller must have to see it, all of these; an empty one takes back what the
            other says.
    """

    name: str | None = None
    hide: bool | None = None
    scopes: tuple[str, ...] | None = None

    def over(self, other: FieldOptions) -> FieldOptions:
        """Returns both together; what this one says counts."""
        return FieldOptions(
            other.name if self.name is None else self.name,
            other.hide if self.hide is None else self.hide,
            other.scopes if self.scopes is None else self.scopes,
        )


@dataclass(frozen=True, slots=True)
class DeclaredLookup:
    """What an RPC can look up, as its option says it: names and paths, not checked yet.

    Attributes:
        type: Full name of the message that is found.
        keys: The request field that takes the keys.
        items: Path of the reply's field that holds the answers; empty for the reply itself.
        by: Path of the key in an answer; empty where `items` is a map or the reply.
        max_batch: The most keys in one call; 0 is no limit.
        mask: The request's field that takes the selection; empty for none.
    """

    type: str
    keys: str
    items: str = ""
    by: str = ""
    max_batch: int = 0
    mask: str = ""


@dataclass(frozen=True, slots=True)
class MethodOptions:
    """Of a method.

    Attributes:
        name: The field's name in the graph.
        aliases: More names of the same field.
        hide: Whether it is left out of the roots; joins may call it all the same.
        kind: What it is, in place of what the proto tells. Of unary methods only.
        lookups: What it can look up. Of protos only: the configuration has a list of its own.
    """

    name: str | None = None
    aliases: tuple[str, ...] = ()
    hide: bool | None = None
    kind: Literal["query", "mutation"] | None = None
    lookups: tuple[DeclaredLookup, ...] = ()

    def over(self, other: MethodOptions) -> MethodOptions:
        """Returns both together; what this one says counts."""
        return MethodOptions(
            other.name if self.name is None else self.name,
            self.aliases or other.aliases,
            other.hide if self.hide is None else self.hide,
            other.kind if self.kind is None else self.kind,
            self.lookups or other.lookups,
        )


@dataclass(frozen=True, slots=True)
class OneofOptions:
    """Of a oneof.

    Attributes:
        union: Whether it is one field of a union type, and of a `@oneOf` type in inputs.
    """

    union: bool | None = None

    def over(self, other: OneofOptions) -> OneofOptions:
        """Returns both together; what this one says counts."""
        return OneofOptions(other.union if self.union is None else self.union)


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """What the configuration says of the graph.

    Attributes:
        services: Globs over the services that it holds; health and reflection are never in it.
        naming: Whether root fields stand side by side, or below a field for their service.
        names: Whether names that clash are settled (`qualify`), or an error (`fail`).
        subscriptions: Whether server streams are in it.
        methods: By full name, `shop.catalog.v1.CatalogService/GetProduct`.
        fields: By full name, `shop.catalog.v1.Product.gtin`.
        oneofs: By full name, `shop.catalog.v1.Product.delivery`.
        partial: Whether others have graphs of other services: what is said of services that are
            not here is passed over then, not wrong.
    """

    services: tuple[str, ...] = ("*",)
    naming: Literal["flat", "by_service"] = "flat"
    names: Literal["qualify", "fail"] = "qualify"
    subscriptions: bool = True
    methods: Mapping[str, MethodOptions] = field(default_factory=dict)
    fields: Mapping[str, FieldOptions] = field(default_factory=dict)
    oneofs: Mapping[str, OneofOptions] = field(default_factory=dict)
    partial: bool = False

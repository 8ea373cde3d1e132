"""What others add to the graph beside edges: fields that Python resolves, and their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphql import GraphQLField, GraphQLNamedType


@dataclass(frozen=True, slots=True)
class Additions:
    """Fields and types to add.

    Attributes:
        fields: By the name of the object type or root, and the field's.
        types: New types, those included that no field leads to.
        origins: Where fields (`Product.score`) and types are declared, for errors.
    """

    fields: Mapping[str, Mapping[str, GraphQLField]] = field(default_factory=dict)
    types: Sequence[GraphQLNamedType] = ()
    origins: Mapping[str, str] = field(default_factory=dict)

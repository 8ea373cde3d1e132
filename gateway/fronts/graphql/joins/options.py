"""What the configuration, or the option on an RPC, says of a lookup. Data only.

Names are as they were written; whether they exist is judged by `lookups`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from gateway.fronts.graphql.joins.places import Place


@dataclass(frozen=True, slots=True)
class LookupOptions:
    """One entry of `graphql.lookups`: an RPC that finds messages by their keys.

    All but the method may be empty; it is then inferred from the RPC's messages.

    Attributes:
        method: The RPC, `shop.catalog.v1.CatalogService/BatchGetProducts`.
        type: The full name of the message that an answer is.
        keys: The request field that takes the keys.
        items: Dotted path in the reply to the answers; empty for the reply itself where one call
            takes one key.
        by: Dotted path in an answer to its key; empty where `items` is a map.
        max_batch: The most keys in one call; 0 is no limit.
        mask: The request field of type google.protobuf.FieldMask that gets the selection; empty
            for none.
        place: Where it is declared.
    """

    method: str
    type: str = ""
    keys: str = ""
    items: str = ""
    by: str = ""
    max_batch: int = 0
    mask: str = ""
    place: Place = field(default_factory=Place)

    def corrected(self, part: str, value: str) -> LookupOptions:
        """Returns the entry with another value for one of its parts, by the part's name."""
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        parts[part] = int(value) if isinstance(parts[part], int) else value
        return LookupOptions(**parts)

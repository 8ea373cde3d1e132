"""What an extension in Python is made of: fields of the graph that Strawberry resolves.

    from gateway.extensions import Extensions, Info

    extensions = Extensions()

    @extensions.query
    class Query:
        @strawberry.field
        async def cheapest(self, info: Info) -> Product: ...

`graphql.extensions: ["shop.bff:extensions"]` names it. See docs/graphql-extensions.md.
"""

from gateway.call import RpcError
from gateway.fronts.graphql.extend.client import Gateway
from gateway.fronts.graphql.extend.context import Context
from gateway.fronts.graphql.extend.declared import Extensions, Info, batch
from gateway.fronts.graphql.extend.scalars import Int64, UInt32, UInt64

__all__ = [
    "Context",
    "Extensions",
    "Gateway",
    "Info",
    "Int64",
    "RpcError",
    "UInt32",
    "UInt64",
    "batch",
]

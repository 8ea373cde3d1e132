"""The edges between services: fields of the graph that are found by another call.

    options     a lookup as it is declared: this RPC finds that message by these keys
    sdl         `extend type` with `@join` and `@call`, read
    edges       both held against the protos: fields with their sources, or all that is wrong

It calls nothing: the planner and the executor read the sources.
"""

from gateway.fronts.graphql.joins.edges import Edges, edges
from gateway.fronts.graphql.joins.options import LookupOptions
from gateway.fronts.graphql.joins.places import Place

__all__ = ["Edges", "LookupOptions", "Place", "edges"]

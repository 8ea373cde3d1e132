"""What every edge of a graph is held against, in one hand."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.fronts.graphql.graph.types import Types
from gateway.fronts.graphql.joins.declared import Lookups
from gateway.fronts.graphql.joins.places import Findings
from gateway.fronts.graphql.joins.rpcs import Rpcs


@dataclass(frozen=True, slots=True)
class Context:
    """All that edges refer to.

    Attributes:
        types: The graph's types.
        rpcs: What can be called.
        lookups: The declared lookups.
        findings: Gets what is wrong, and what to warn of.
    """

    types: Types
    rpcs: Rpcs
    lookups: Lookups
    findings: Findings

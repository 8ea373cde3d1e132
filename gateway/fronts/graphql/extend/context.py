"""What resolvers are told of a request: `info.context`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateway.fronts.graphql.extend.client import Gateway


@dataclass(slots=True, eq=False)
class Context:
    """The context of one operation; of a subscription, of each event.

    Attributes:
        gateway: Calls services as the caller of the request.
        state: For what resolvers share: a DataLoader, what was looked up before.
    """

    gateway: Gateway
    state: dict[str, Any] = field(default_factory=dict)

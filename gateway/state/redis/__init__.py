"""A Redis that several gateways share: a client whose waits are bounded, and that may be away.

`client` is what others use: commands and scripts. It stands on `nodes` (who of a cluster has a
key), `node` (one server: connections that are kept open, a breaker before them) and `link` (one
connection, its commands in flight).
"""

from gateway.state.address import AddressError
from gateway.state.redis.client import Redis
from gateway.state.redis.failure import StateUnavailable
from gateway.state.redis.refusal import Refusal, StateRefused
from gateway.state.redis.script import Script

__all__ = ["AddressError", "Redis", "Refusal", "Script", "StateRefused", "StateUnavailable"]

"""What upstreams say of balancing that could have no effect, for what is said elsewhere.

Checked on the tree, as `checks` does.
"""

from collections.abc import Iterator

from gateway.config.problems import Problem
from gateway.config.substitution import Substituted
from gateway.config.tree import Node, select


def check_balancing(root: Node) -> Iterator[Problem]:
    """Every such key of an upstream in the tree."""
    own = root.child("zone")
    for path, node in select(root, "upstreams", "*", "balancing", "locality"):
        if own is None:
            message = "needs the gateway's own zone; set zone, at the top"
            yield Problem.at(node.key, path, message)
            continue
        listed = [*select(root, *map(str, path[:2]), "endpoints", "*")]
        zones = {zone.value for _, each in listed if (zone := each.child("zone")) is not None}
        # What the environment says may be a zone of other gateways' endpoints.
        known = isinstance(own.value, str) and not isinstance(own.value, Substituted)
        if listed and not zones:
            yield Problem.at(node.key, path, "has no effect: no endpoint has a zone")
        elif listed and known and own.value not in zones:
            message = f"has no effect: no endpoint is in the gateway's zone, {own.value}"
            yield Problem.at(node.key, path, message)

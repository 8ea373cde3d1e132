"""Whether the admin listener needs a token: where others than its own machine can reach it.

Checked on the tree, as `checks` does.
"""

import ipaddress
from collections.abc import Iterator
from typing import Final

from gateway.config.problems import Problem
from gateway.config.tree import Node, select
from gateway.config.units import TcpAddress, UnitError, parse_address

_MESSAGE: Final = (
    "others can reach this address, so admin.token is needed: a secret that operators show "
    "(/healthz, /livez, /readyz and /jwks.json are open without it)"
)


def check_admin(root: Node) -> Iterator[Problem]:
    """The admin listener, where it is open to others."""
    for path, node in select(root, "admin", "address"):
        if _is_reached(node.value) and not any(select(root, "admin", "token")):
            yield Problem.at(node.place, path, _MESSAGE)


def _is_reached(value: object) -> bool:
    """Whether an address is of more than this machine; who may open a Unix socket, its folder says.

    A name but `localhost` may be of any address.
    """
    try:
        address = parse_address(value if isinstance(value, str) else "")
    except UnitError:
        return False
    if not isinstance(address, TcpAddress):
        return False
    try:
        return not ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        return address.host.lower() != "localhost"

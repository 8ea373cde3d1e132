"""How a connection to a Redis is made: as its address says, kept alive, and TLS at its best."""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final

from redis.asyncio.connection import Connection, SSLConnection

from gateway.state.address import Address

# An idle connection is not forgotten by what stands between, and one that was is found out.
_KEEPALIVE: Final = {
    getattr(socket, name): value
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
    if hasattr(socket, name)  # not everywhere
}


def connection(address: Address, connect_timeout: float) -> Connection:
    """Returns a connection to a server that is not open yet.

    Args:
        address: Where it is.
        connect_timeout: Seconds for each step of opening it.
    """
    settings: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "db": address.database,
        "username": address.username,
        "password": address.password,
        "socket_timeout": None,  # waits are bounded per command, by who waits
        "socket_connect_timeout": connect_timeout,
        "socket_keepalive": True,
        "socket_keepalive_options": _KEEPALIVE,
        "protocol": 2,
    }
    if not address.tls:
        return Connection(**settings)
    return SSLConnection(
        **settings,
        ssl_ca_certs=address.ca,
        ssl_check_hostname=True,
        ssl_min_version=ssl.TLSVersion.TLSv1_2,
    )

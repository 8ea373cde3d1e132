"""Cuts a TCP connection that grpc holds: its client sees a reset, as when a process dies.

grpc gives no access to its sockets, so the one with the client's address is looked for among the
open files of the process. grpc listens on dual-stack sockets, where an IPv4 client's address is an
IPv4-mapped one (RFC 4291 section 2.5.5.2), and names the client without the mapping. Sockets of
other kinds (Unix, IPv6 with a scope) are not found.
"""

import ipaddress
import os
import re
import socket
import struct
from contextlib import suppress

_PEER = re.compile(r"ipv[46]:(?:\[|%5B)?([0-9a-fA-F.:]+?)(?:\]|%5D)?:([0-9]+)")
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, no waiting


def reset(peer: str) -> bool:
    """Resets the connection of a peer.

    Args:
        peer: the client's address as grpc writes it, `ipv4:127.0.0.1:40000`.

    Returns:
        Whether there was such a connection.
    """
    match = _PEER.fullmatch(peer)
    if not match:
        return False
    address = (_plain(match[1]), int(match[2]))
    for entry in os.listdir("/dev/fd"):  # noqa: PTH208 - names are numbers here, not paths
        with suppress(OSError):  # not a socket, not connected, or closed since
            if _reset_if(int(entry), address):
                return True
    return False


def _plain(host: str) -> str:
    """An address in its one form, IPv4 where it is an IPv4 address mapped to IPv6."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(getattr(address, "ipv4_mapped", None) or address)


def _reset_if(number: int, address: tuple[str, int]) -> bool:
    """Resets an open file if it is a connection to the address; says whether it was."""
    with socket.socket(fileno=os.dup(number)) as connection:
        if connection.family not in (socket.AF_INET, socket.AF_INET6):
            return False
        host, port = connection.getpeername()[:2]
        if (_plain(host), port) != address:
            return False
        # grpc reads the end of the stream and closes: with no lingering, that is a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        connection.shutdown(socket.SHUT_RD)
        return True

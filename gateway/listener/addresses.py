"""Where a listener listens: `host:port`, `[ipv6]:port` or `unix:/path`, and the sockets for it."""

from __future__ import annotations

import re
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gateway.listener.limits import BACKLOG

_TCP = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]+)):([0-9]{1,5})")


class ListenError(Exception):
    """An address that can't be listened on. The text names it and what is wrong."""


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host (name or address) and a port; port 0 asks for a free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The path of a Unix socket."""

    path: Path


Address: TypeAlias = "TcpAddress | UnixAddress"


def parse(text: str) -> Address:
    """Reads an address.

    Raises:
        ListenError: It is none of the three forms.
    """
    if text.startswith("unix:"):
        if path := text.removeprefix("unix:"):
            return UnixAddress(Path(path))
    elif (match := _TCP.fullmatch(text)) and (port := int(match[3])) < 65_536:
        return TcpAddress(match[1] or match[2], port)
    raise ListenError(f"{text!r} is no address: expected host:port, [ipv6]:port or unix:/path")


def bind(address: Address) -> list[socket.socket]:
    """Opens the listening sockets of an address; a host name may have several.

    Raises:
        ListenError: The address is in use, not of this machine, or not allowed.
    """
    if isinstance(address, UnixAddress):
        return [_bind_unix(address.path)]
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise ListenError(f"{address.host}: no address of that name ({error.strerror})") from error
    opened: list[socket.socket] = []
    try:
        opened.extend(_bind_tcp(family, place) for family, _, _, _, place in dict.fromkeys(found))
    except OSError as error:
        for one in opened:
            one.close()
        where = f"{address.host}:{address.port}"
        raise ListenError(f"can't listen on {where}: {error.strerror}") from error
    return opened


def share(opened: socket.socket, count: int) -> list[socket.socket]:
    """Opens as many sockets for a bound one's place, itself the first, for a process each.

    Over TCP sockets the kernel spreads connections by their hash (SO_REUSEPORT); a Unix socket is
    the same one in all processes. The place was bound alone and is opened for others only then, so
    that a second gateway is still refused it.

    Args:
        opened: What `bind` returned.
        count: How many, itself included.

    Raises:
        ListenError: The system can't share it.
    """
    shared = [opened]
    try:
        if opened.family == socket.AF_UNIX:
            shared.extend(opened.dup() for _ in range(1, count))
        elif count > 1:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            place = opened.getsockname()
            shared.extend(_bind_tcp(opened.family, place, shared=True) for _ in range(1, count))
    except OSError as error:
        for one in shared[1:]:
            one.close()
        raise ListenError(f"can't share {url(opened, secure=False)}: {error.strerror}") from error
    return shared


def _bind_tcp(family: int, place: tuple[object, ...], *, shared: bool = False) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            # So that `[::]:80` and `0.0.0.0:80` can both be listened on, everywhere alike.
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(place)
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    opened.setblocking(False)
    return opened


def _bind_unix(path: Path) -> socket.socket:
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_stale(path):
            path.unlink()
        opened.bind(str(path))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise ListenError(f"can't listen on unix:{path}: {error.strerror or error}") from error
    opened.setblocking(False)
    return opened


def _is_stale(path: Path) -> bool:
    """Returns whether a socket lies there that nobody listens on any more."""
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return False  # some other file: bind says that the address is in use
    except FileNotFoundError:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
    return False


def release(address: Address, inode: int) -> None:
    """Removes a Unix socket's file, if it is still the one that was bound.

    Args:
        address: What was bound.
        inode: What `inode_of` returned after the binding.
    """
    if isinstance(address, UnixAddress) and inode_of(address) == inode:
        with suppress(FileNotFoundError):  # somebody else was faster
            address.path.unlink()


def inode_of(address: Address) -> int:
    """Returns what tells one socket file at a path from the next; 0 where there is none."""
    if not isinstance(address, UnixAddress):
        return 0
    try:
        return address.path.stat().st_ino
    except FileNotFoundError:
        return 0


def url(opened: socket.socket, *, secure: bool) -> str:
    """Returns where clients find a bound socket: `http://127.0.0.1:43211`, `unix:/path`."""
    if opened.family == socket.AF_UNIX:
        return f"unix:{opened.getsockname()}"
    host, port = opened.getsockname()[:2]
    scheme = "https" if secure else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

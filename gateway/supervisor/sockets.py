"""The listening sockets of all workers, bound before any worker starts, open until the drain."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from gateway.listener.addresses import Address, bind, inode_of, parse, release, share, url


class Sockets:
    """For each address and worker a socket; of a Unix socket all have the same.

    While they are open here, a connection to a worker that died waits for the next one.

    Attributes:
        urls: Where clients find them.
    """

    def __init__(self, addresses: Sequence[str], workers: int, *, secure: bool) -> None:
        """Binds them all, or none.

        Args:
            addresses: Each `host:port`, `[ipv6]:port` or `unix:/path`.
            workers: How many processes.
            secure: Whether HTTPS will be served on them.

        Raises:
            ListenError: An address can't be listened on.
        """
        self.urls: tuple[str, ...] = ()
        self._of: list[list[socket.socket]] = [[] for _ in range(workers)]
        self._files: list[tuple[Address, int]] = []
        try:
            for address in map(parse, addresses):
                self._bind(address, workers, secure=secure)
        except BaseException:
            self.close()
            raise

    def _bind(self, address: Address, workers: int, *, secure: bool) -> None:
        bound = bind(address)
        self._files.append((address, inode_of(address)))
        self._of[0] += bound  # closed with them, if one can't be shared
        for opened in bound:
            for mine, sock in zip(self._of[1:], share(opened, workers)[1:], strict=True):
                mine.append(sock)
            self.urls += (url(opened, secure=secure),)

    def of(self, worker: int) -> list[int]:
        """Returns the descriptors of a worker (from 1), in the order of `urls`."""
        return [sock.fileno() for sock in self._of[worker - 1]]

    def close(self) -> None:
        """Closes them here and removes the files of Unix sockets; once more is harmless."""
        for sockets in self._of:
            for sock in sockets:
                sock.close()
        files, self._files = self._files, []
        for address, inode in files:
            release(address, inode)

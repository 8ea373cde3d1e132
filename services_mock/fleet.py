"""Replicas that are killed, stopped, frozen and started again, each by itself, on its own port.

The replicas of one `python -m services_mock` share a parent, which restarts all of them or none.
Here each is a command of its own, so that faults befall one and spare the others.
"""

import os
import random
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from services_mock.testing import Backend, start


class Replica:
    """One backend on one port, up or down.

    Attributes:
        address: Where it serves, or did; the same all along.
        flags: As on the command line; what it is started with the next time.
    """

    def __init__(self, *flags: str) -> None:
        self.flags = flags
        self._running = ExitStack()
        self._backend: Backend | None = None
        self._frozen = False
        self.address = ""
        self.start()

    def start(self) -> None:
        """Starts it; it serves when this returns (or refuses, if its flags say so)."""
        port = self.address.rpartition(":")[2] or str(_free_port())
        self._backend = self._running.enter_context(start(1, "--port", port, *self.flags))
        self.address = self._backend.addresses[0]

    @property
    def is_up(self) -> bool:
        """Whether it was started, and not ended since."""
        return self._backend is not None

    def kill(self) -> None:
        """Ends it with SIGKILL: connections are reset, nobody is told."""
        self._signal(signal.SIGKILL)
        self._ended()

    def stop(self) -> None:
        """Ends it as a deployment does, with SIGTERM: GOAWAY, a second for calls that run."""
        self.thaw()
        self._ended()

    def freeze(self) -> None:
        """Stops the process where it is: connections stay, nothing is answered any more."""
        self._signal(signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        """Has it go on."""
        if self._frozen:
            self._signal(signal.SIGCONT)
            self._frozen = False

    def restart(self, *flags: str) -> None:
        """Ends it as it may be, and starts it with other flags."""
        if self.is_up:
            self.kill()
        self.flags = flags
        self.start()

    def end(self) -> None:
        """Stops it unless it is down."""
        if self.is_up:
            self.stop()

    def _signal(self, number: signal.Signals) -> None:
        assert self._backend is not None, "it is down"
        if not self._backend.has_ended:  # it may have crashed
            with suppress(ProcessLookupError):
                os.kill(self._backend.pids[0], number)

    def _ended(self) -> None:
        self._backend, self._frozen = None, False
        self._running.close()


@contextmanager
def fleet(replicas: int, *flags: str) -> Iterator[list[Replica]]:
    """Runs replicas, each a command of its own, until the block ends.

    Args:
        replicas: how many.
        flags: as on the command line, of each.
    """
    with ExitStack() as running:
        all_of_them = []
        for _ in range(replicas):
            replica = Replica(*flags)
            running.callback(replica.end)
            all_of_them.append(replica)
        yield all_of_them


def _free_port() -> int:
    """Returns a port that nobody has, and that no connection gets by chance while nobody listens.

    Connections take theirs from the ephemeral range, which begins at 32768 or later (RFC 6335
    section 6 has it at 49152): one to a replica that is down could even take that replica's own.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port

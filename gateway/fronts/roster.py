"""The WebSockets that are open in this process, in the order in which they were opened.

Fronts enter theirs, and take them out; who asks is told of each what its front says then. It keeps
nothing else of a socket.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import NamedTuple

from gateway.call import Principal
from gateway.http import Request


class Told(NamedTuple):
    """What a front tells of a socket at the moment. Credentials are nobody's business.

    Attributes:
        principal: Who its client is, as far as that is known.
        numbers: What the front counts: `streams`, `credit`, `received`, `sent`.
    """

    principal: Principal | None
    numbers: Mapping[str, int]


class Entry(NamedTuple):
    """A socket.

    Attributes:
        serial: Its number in this process, from 1.
        form: What is spoken: `multiplexed`, `plain`, `graphql`.
        peer: Whose it is: the address.
        host: By which name the gateway was called.
        path: Where it was opened, as received, without the query.
        since: When it was opened, seconds since 1970.
        tell: Says how it is now.
    """

    serial: int
    form: str
    peer: str
    host: str
    path: str
    since: float
    tell: Callable[[], Told]


class Roster:
    """The sockets.

    Args:
        wall: Seconds since 1970.
    """

    __slots__ = ("_entries", "_last", "wall")

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self.wall = wall
        self._entries: dict[int, Entry] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._entries)

    def enter(self, form: str, request: Request, tell: Callable[[], Told]) -> Callable[[], None]:
        """Takes note of a socket; returns what takes it out again, called once or more."""
        self._last += 1
        serial = self._last
        self._entries[serial] = Entry(
            serial, form, request.peer, request.authority, request.path, self.wall(), tell
        )
        return partial(self._leave, serial)

    def by_form(self) -> Mapping[str, int]:
        """Returns how many sockets there are of each form."""
        return Counter(each.form for each in self._entries.values())

    def after(self, serial: int, most: int) -> list[Entry]:
        """Returns the sockets that were opened after one, the first `most` of them."""
        later = (each for each in self._entries.values() if each.serial > serial)
        return list(islice(later, most))

    def _leave(self, serial: int) -> None:
        self._entries.pop(serial, None)

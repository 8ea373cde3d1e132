"""What an address may ask before anybody knows who asks: so many calls a second.

Whoever guesses tokens, or has the gateway look at bad ones all day, is told to come later, before
anything is looked at. A call takes one of its address's share; it is given back when it turns out
who calls, so callers that are known pay nothing, however many of them share an address. The rate is
kept as GCRA does (ITU-T I.371): one number an address, the time at which its share would be whole.

Whether a caller that is known may do more is not decided here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from gateway.call import RpcError
from gateway.errors import error
from gateway.policies.site import site_of

_ADDRESSES: Final = 65_536  # that are remembered; 120 bytes each


class AddressGuard:
    """The shares of addresses (`authenticate.Guard`).

    Args:
        rate: Calls a second.
        burst: Calls at once.
        clock: Seconds, on a clock that never goes back.
        most: Addresses that are remembered: who has been silent longest is forgotten first.
    """

    __slots__ = ("_clock", "_interval", "_most", "_tolerance", "_whole_at")

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float], most: int = _ADDRESSES
    ) -> None:
        self._interval = 1 / rate
        self._tolerance = self._interval * burst
        self._clock = clock
        self._most = most
        self._whole_at: OrderedDict[str, float] = OrderedDict()

    def spend(self, address: str) -> None:
        """Takes one of the address's share.

        Raises:
            RpcError: TOO_MANY_UNAUTHENTICATED, with the seconds until there is one again.
        """
        now, key = self._clock(), site_of(address)
        whole_at = max(now, self._whole_at.get(key, now)) + self._interval
        # Half an interval of grace: sums of floats are never exact.
        wait = whole_at - now - self._tolerance
        if wait > self._interval / 2:
            raise too_many(wait)
        self._whole_at[key] = whole_at
        self._whole_at.move_to_end(key)
        if len(self._whole_at) > self._most:
            self._whole_at.popitem(last=False)

    def give_back(self, address: str) -> None:
        """Returns one that was taken."""
        key = site_of(address)
        if (whole_at := self._whole_at.get(key)) is None:
            return
        if whole_at - self._interval <= self._clock():
            del self._whole_at[key]
        else:
            self._whole_at[key] = whole_at - self._interval


def too_many(wait: float) -> RpcError:
    """Returns the refusal of an address that has nothing left.

    Args:
        wait: Seconds until it has.
    """
    text = "Too many calls of this address show nobody who is known."
    return error("TOO_MANY_UNAUTHENTICATED", text, retry_after=wait)

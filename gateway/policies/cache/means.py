"""By what means the replies of one method are kept: what all that has to do with them stands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.policies.cache.fetch import Answer
from gateway.policies.cache.flights import Flights
from gateway.policies.cache.keeping import Keeping
from gateway.policies.cache.keys import Keys
from gateway.policies.cache.shelf import Shelf

S_co = TypeVar("S_co", bound=Shelf, covariant=True)


@dataclass(frozen=True, slots=True)
class Means(Generic[S_co]):
    """The means of one method.

    Attributes:
        keys: Which calls are equal.
        keeping: How replies are kept.
        shelf: Where.
        flights: The calls under way, and looks, where those take a while.
        clock: The loop's, in seconds, which is the shelf's too.
    """

    keys: Keys
    keeping: Keeping
    shelf: S_co
    flights: Flights[Answer]
    clock: Callable[[], float]

"""Round robin: whose turn it is, among the endpoints that look best.

Pure: states and a turn in, an index out. It keeps no count and knows no channel.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gateway.upstream.channel import State

# Lower is better. One that still connects may be a black hole; an idle one connects when called.
_RANK = {
    State.READY: 0,
    State.IDLE: 0,
    State.CONNECTING: 1,
    State.FAILING: 2,
    State.CLOSED: 3,
}


def pick(states: Sequence[State], turn: int, tried: Collection[int] = ()) -> int:
    """Returns the index of the endpoint whose turn it is.

    Those that are ready or idle are taken in turn; while there are none, those that connect; while
    there are none of these either, those that fail.

    Args:
        states: Each endpoint's state; at least one of them is not in `tried`.
        turn: A number that grows by one with every pick.
        tried: Indexes that are not to be picked, because the call failed on them.
    """
    left = [index for index in range(len(states)) if index not in tried]
    best = min(_RANK[states[index]] for index in left)
    usable = [index for index in left if _RANK[states[index]] == best]
    return usable[turn % len(usable)]

"""One caller for all: what of a call's end may be only for who it was made for.

Where callers share entries, a call that is made once for several of them tells its backend of one
(`policies.forward`). That the backend, or a bound on what it is told, refuses that one says nothing
of the others, nor of what is kept for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeAlias

from gateway.call import Call, Code, RpcError

ToldOf: TypeAlias = "Callable[[Call], Hashable]"
"""Returns what a backend is told of a call's caller: equal for those whom it can't tell apart."""

_REFUSALS: Final = frozenset({Code.PERMISSION_DENIED, Code.UNAUTHENTICATED})
_TOO_LARGE: Final = "HEADERS_TOO_LARGE"

_json: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def told_of(claims: Sequence[str]) -> ToldOf:
    """Returns what tells callers apart as backends do that are told subjects and claims.

    Args:
        claims: The names of the claims.
    """

    def told(call: Call) -> Hashable:
        principal = call.principal
        if principal is None or not principal.subject:
            return None  # of whom nothing is told
        try:
            of = _json([principal.claims.get(claim) for claim in claims])
        except RecursionError:
            of = ""  # such a call is refused, whoever makes it
        return principal.provider, principal.subject, of

    return told


def is_refusal(result: object) -> bool:
    """Whether a call ended so that it may end otherwise for another caller."""
    return isinstance(result, RpcError) and (
        result.status.code in _REFUSALS or result.reason == _TOO_LARGE
    )

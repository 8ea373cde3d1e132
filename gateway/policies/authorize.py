"""What a caller may do: scopes, roles, and a condition.

A gate that stands behind authentication, whose principal it reads, and before all that costs a
backend something. A caller that nobody knows is asked to say who it is (401) where a known one
would be refused (403).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.call import Call, Principal, RpcError
from gateway.errors import error
from gateway.policies.auth import challenge


class Condition(Protocol):
    """A condition that was compiled."""

    def allows(self, call: Call) -> bool:
        """Whether it holds for a call: nothing but its being true does."""


class Authorize:
    """Admits callers that have all scopes, any of the roles, and for whom the condition holds.

    Args:
        scopes: All of these.
        roles: Any of these; none at all where it is empty.
        when: A condition; None for none.
        schemes: By which a caller can show itself, for the challenge of an unknown one.
    """

    __slots__ = ("_needed", "_roles", "_schemes", "_scopes", "_when")

    def __init__(
        self,
        *,
        scopes: Sequence[str] = (),
        roles: Sequence[str] = (),
        when: Condition | None = None,
        schemes: Sequence[str] = (),
    ) -> None:
        self._scopes = tuple(scopes)
        self._needed = frozenset(scopes)
        self._roles = frozenset(roles)
        self._when = when
        self._schemes = tuple(schemes)

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        asked = []
        if self._scopes:
            asked.append(f"has all scopes of {', '.join(self._scopes)}")
        if self._roles:
            asked.append(f"has a role of {', '.join(sorted(self._roles))}")
        if self._when is not None:
            asked.append("meets the condition")
        return f"Admits a call whose caller {' and '.join(asked)}."

    def admit(self, call: Call) -> None:
        """Returns to admit the call.

        Raises:
            RpcError: UNAUTHENTICATED: nobody is known who could have what is needed.
                PERMISSION_DENIED: the caller does not have it.
        """
        principal = call.principal
        if principal is None:
            if self._needed or self._roles:
                raise challenge.missing(self._schemes)
        else:
            if not self._needed <= principal.scopes:
                raise challenge.lacking_scopes(self._scopes)
            if self._roles and self._roles.isdisjoint(principal.roles):
                raise error("ROLE_MISSING", "The caller has no role that the method needs.")
        if self._when is not None and not self._when.allows(call):
            raise refusal(principal, self._schemes)


def refusal(principal: Principal | None, schemes: Sequence[str]) -> RpcError:
    """Returns the refusal of a call that a condition does not allow.

    Args:
        principal: Who calls.
        schemes: By which a caller can show itself, for the challenge of an unknown one.
    """
    if principal is None:
        return challenge.missing(schemes)
    return error("CONDITION_FAILED", "The method's condition does not allow this call.")

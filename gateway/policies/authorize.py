"""What a caller may do: scopes, roles, and a condition.

A gate that stands behind authentication, whose principal it reads, and before all that costs a
backend something. A caller that nobody knows is asked to say who it is (401) where a known one
would be refused (403).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.call import Call, RpcError
from gateway.errors import error
from gateway.policies.auth import challenge
from gateway.policies.auth.refusals import Refusals


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
        refusals: Writes refusals into the log; None for one of its own.
    """

    __slots__ = ("_any_of", "_needed", "_refusals", "_roles", "_schemes", "_scopes", "_when")

    def __init__(
        self,
        *,
        scopes: Sequence[str] = (),
        roles: Sequence[str] = (),
        when: Condition | None = None,
        schemes: Sequence[str] = (),
        refusals: Refusals | None = None,
    ) -> None:
        self._refusals = refusals or Refusals()
        self._scopes = tuple(scopes)
        self._needed = frozenset(scopes)
        self._roles = tuple(roles)
        self._any_of = frozenset(roles)
        self._when = when
        self._schemes = tuple(schemes)

    def describe(self) -> str:
        """Returns what it does, as a sentence for operators."""
        asked = []
        if self._scopes:
            asked.append(f"has all scopes of {', '.join(self._scopes)}")
        if self._roles:
            asked.append(f"has a role of {', '.join(self._roles)}")
        if self._when is not None:
            asked.append("meets the condition")
        return f"Admits a call whose caller {' and '.join(asked)}."

    def admit(self, call: Call) -> None:
        """Returns to admit the call.

        Raises:
            RpcError: UNAUTHENTICATED: nobody is known who could have what is needed.
                PERMISSION_DENIED: the caller does not have it.
        """
        failure = self._failure(call)
        if failure is not None:
            raise self._refusals.tell(call, failure)

    def _failure(self, call: Call) -> RpcError | None:
        principal = call.principal
        if principal is None:
            if self._needed or self._any_of:
                return challenge.missing(self._schemes, call.method)
        else:
            if not self._needed <= principal.scopes:
                return challenge.lacking_scopes(self._scopes, self._schemes)
            if self._any_of and self._any_of.isdisjoint(principal.roles):
                return challenge.lacking_roles(self._roles)
        if self._when is not None and not self._when.allows(call):
            return refusal(call, self._schemes)
        return None


def refusal(call: Call, schemes: Sequence[str]) -> RpcError:
    """Returns the refusal of a call that a condition does not allow.

    Args:
        call: The call, with its principal where one is known.
        schemes: By which a caller can show itself, for the challenge of an unknown one.
    """
    if call.principal is None:
        return challenge.missing(schemes, call.method)
    return error("CONDITION_FAILED", "The method's condition does not allow this call.")

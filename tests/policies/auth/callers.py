"""Callers to be authenticated: heads of requests, and a provider that knows whom it is told of."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.call import Call, Principal
from gateway.http import Headers, Request
from gateway.policies.auth.provider import BadCredentials

ADA = Principal("ada", "fake", scopes=frozenset({"orders.read"}), roles=frozenset({"clerk"}))


def head(*fields: tuple[str, str], peer: str = "203.0.113.7", **given) -> Request:
    """The head of a request with these header fields."""
    return Request("POST", "/v1/orders", None, Headers(fields), peer=peer, **given)


def call(*fields: tuple[str, str], peer: str = "203.0.113.7", method: str = "a.B/C") -> Call:
    """A call whose request had these header fields."""
    return Call(method, peer=peer, head=head(*fields, peer=peer))


@dataclass
class Fake:
    """A provider that looks at one header: knows some of its values, finds out others.

    Attributes:
        people: Who shows what, found out at once.
        slow: Who shows what, found out after a while.
        down: Raised in place of looking.
    """

    name: str = "fake"
    scheme: str = "Fake"
    header: str = "x-fake"
    people: dict[str, Principal] = field(default_factory=dict)
    slow: dict[str, Principal] = field(default_factory=dict)
    cached: dict[str, Principal] = field(default_factory=dict)
    down: Exception | None = None
    looked: int = 0

    def carried(self, head):
        return head.headers.get(self.header) is not None

    def known(self, call):
        return self.cached.get(self._shown(call))

    def identify(self, call):
        shown = self._shown(call)
        if shown is None or shown.startswith("other:"):
            return None
        self.looked += 1
        if self.down is not None:
            raise self.down
        if shown in self.people:
            return self.people[shown]
        if shown.startswith("slow:"):
            return self._find(shown)
        raise BadCredentials("The secret is none.", "it is in no table")

    async def _find(self, shown):
        if shown not in self.slow:
            raise BadCredentials("The secret is none.", "nobody knows it")
        return self.slow[shown]

    def _shown(self, call):
        return None if call.head is None else call.head.headers.get(self.header)

    async def open(self):
        """Has nothing to begin."""

    async def close(self):
        """Has nothing to end."""


class FakeGuard:
    """Counts what is spent and given back; refuses when told to."""

    def __init__(self):
        self.spent = 0
        self.refusal = None

    def spend(self, address):
        if self.refusal is not None:
            raise self.refusal
        self.spent += 1

    def give_back(self, address):
        self.spent -= 1

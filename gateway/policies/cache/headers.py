"""What clients are told of replies that were kept, and their own caches: `Cache-Control`, `Age`.

`max-age` is how long the reply holds from when its backend made it, and `Age` how much of that is
over (RFC 9111 sections 4.2 and 5.1): what is left is the difference. A reply that was just fetched
has no `Age`, unless its backend says that it had one already. `Vary` names the headers that may
make another reply of it. What is kept for one caller is `private`; so is what callers share who are
known to the gateway, for another cache could give it to those who are not.
"""

from __future__ import annotations

from gateway.call import Principal
from gateway.policies.cache.kept import Kept


def aged(age: float) -> dict[str, str]:
    """Returns the header that tells how old a reply is, given that in seconds."""
    return {"age": str(int(age))}


class Told:
    """What the clients of a method are told.

    Args:
        vary: Headers that may make another reply, lower case.
        shared: Whether all callers share entries.
    """

    __slots__ = ("_shared", "_vary")

    def __init__(self, vary: tuple[str, ...], *, shared: bool) -> None:
        self._vary = ", ".join(vary)
        self._shared = shared

    def of(self, kept: Kept, principal: Principal | None, age: float | None) -> dict[str, str]:
        """Returns the headers of a reply that is kept.

        Args:
            kept: The reply.
            principal: Who is given it.
            age: How old it is, in seconds; None for one that is new.
        """
        if age is None:
            return self.by(kept.lifetime.told, principal)
        return {**aged(age), **self.by(kept.lifetime.told, principal)}

    def by(self, told: str, principal: Principal | None, *, is_own: bool = False) -> dict[str, str]:
        """Returns the headers that go with a `Cache-Control`.

        Args:
            told: What else than `private` it says; that first, if its backend said so.
            principal: Who is given it.
            is_own: Whether it is the caller's own, also where the gateway does not know it.
        """
        is_own = is_own or not self._shared or principal is not None
        if is_own and not told.startswith("private"):
            told = f"private, {told}"
        if self._vary:
            return {"cache-control": told, "vary": self._vary}
        return {"cache-control": told}

"""What the claims of a verified token must say, and whom they show.

RFC 7519 section 4.1 has the claims, RFC 9068 section 4 what an access token's are checked for. A
claim of the wrong type makes a token bad: what it means is anybody's guess.

Signatures are not looked at here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.call import Principal
from gateway.policies.auth.claim_path import found
from gateway.policies.auth.provider import BadCredentials

_SUBJECT: Final = 255  # characters (OpenID Connect Core 1.0 section 2)
_LATEST: Final = 253_402_300_799  # the end of the year 9999: what is later is no time in seconds


class EarlyError(BadCredentials):
    """A token that is not valid yet.

    Attributes:
        wait: Seconds until it is.
    """

    def __init__(self, text: str, why: str, wait: float) -> None:
        super().__init__(text, why)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Expected:
    """What is asked of claims, and where in them things are.

    Attributes:
        issuer: `iss`, exactly.
        audiences: One of these is in `aud`.
        leeway: Seconds that clocks may differ by.
        scopes: The claim of scopes.
        roles: The claim of roles.
        plan: The claim of the plan.
    """

    issuer: str
    audiences: frozenset[str]
    leeway: float = 30.0
    scopes: str = "scope"
    roles: str = "roles"
    plan: str = "plan"

    def principal(self, provider: str, claims: Mapping[str, object], now: float) -> Principal:
        """Returns whom claims show.

        Args:
            provider: Who says so.
            claims: Those of a token whose signature is good.
            now: Seconds since 1970.

        Raises:
            BadCredentials: They are not as asked; TOKEN_EXPIRED if that is all.
        """
        if claims.get("iss") != self.issuer:
            raise BadCredentials("The token is of another issuer.", "another issuer")
        if self.audiences.isdisjoint(_texts(claims, "aud")):
            raise BadCredentials("The token is for another audience.", "another audience")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT or _controls(subject):
            raise _wrong("sub")
        expires = _time(claims, "exp")
        if expires is None:
            raise BadCredentials("The token never expires.", "no exp")
        if now >= expires + self.leeway:
            raise BadCredentials("The token has expired.", "expired", reason="TOKEN_EXPIRED")
        for name in ("nbf", "iat"):
            begins = _time(claims, name)
            if begins is not None and now < begins - self.leeway:
                wait = begins - self.leeway - now
                raise EarlyError("The token is not valid yet.", f"{name} is in the future", wait)
        return Principal(
            subject,
            provider,
            scopes=frozenset(self._scopes(claims)),
            roles=frozenset(_texts(claims, self.roles)),
            plan=self._plan(claims),
            claims=claims,
            expires=expires + self.leeway,
        )

    def _scopes(self, claims: Mapping[str, object]) -> list[str]:
        """Returns scopes: a list, or a text with spaces between them (RFC 6749 section 3.3)."""
        texts = _texts(claims, self.scopes)
        return [scope for text in texts for scope in text.split()]

    def _plan(self, claims: Mapping[str, object]) -> str | None:
        plan = found(claims, self.plan)
        if not isinstance(plan, str | None):
            raise _wrong(self.plan)
        return plan


def _texts(claims: Mapping[str, object], name: str) -> list[str]:
    """Returns a claim that is a text or a list of texts, as a list."""
    value = found(claims, name)
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise _wrong(name)
    texts = [each for each in value if isinstance(each, str)]
    if len(texts) != len(value):
        raise _wrong(name)
    return texts


def _time(claims: Mapping[str, object], name: str) -> float | None:
    """Returns a claim that is a time, seconds since 1970."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LATEST:
        raise _wrong(name)
    return float(value)


def _controls(text: str) -> bool:
    return any(char < " " or char == "\x7f" for char in text)


def _wrong(name: str) -> BadCredentials:
    return BadCredentials("A claim of the token is not as it should be.", f"the claim {name}")

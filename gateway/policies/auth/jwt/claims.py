"""What the claims of a verified token must say, and whom they show.

RFC 7519 section 4.1 has the claims, RFC 9068 section 4 what an access token's are checked for. A
claim of the wrong type makes a token bad: what it means is anybody's guess.

Signatures are not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.call import Principal
from gateway.policies.auth.claim_path import found
from gateway.policies.auth.provider import BadCredentials

_LONGEST: Final = 255  # characters of a subject (OpenID Connect Core 1.0 section 2), and a plan
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROLLED: Final = "a text with a control character"
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

    def is_own(self, claims: Mapping[str, object]) -> bool:
        """Whether a token of these claims, verified or not, is to be judged by what is here.

        It is where issuer and audience are. One whose `aud` is malformed is, too: to be told so.
        """
        if claims.get("iss") != self.issuer:
            return False
        try:
            return not self.audiences.isdisjoint(_texts(claims, "aud"))
        except BadCredentials:
            return True

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
        subject = _subject(claims.get("sub"))
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
        """Returns scopes: a list, or a text with spaces between them (RFC 6749 section 3.3).

        U+0020 alone is a space: else one scope would be two at the issuer, or two one.
        """
        texts = _texts(claims, self.scopes)
        if any(map(_CONTROL.search, texts)):
            raise _wrong(self.scopes, _CONTROLLED)
        return [scope for text in texts for scope in text.split(" ") if scope]

    def _plan(self, claims: Mapping[str, object]) -> str | None:
        plan = found(claims, self.plan)
        return None if plan is None else _name(self.plan, plan)


def _subject(value: object) -> str:
    if value is None:
        raise _wrong("sub", "missing")
    if value == "":
        raise _wrong("sub", "empty")
    return _name("sub", value)


def _name(claim: str, value: object) -> str:
    """Returns a claim that names somebody or something: kept, counted by, and logged."""
    if not isinstance(value, str):
        raise _wrong(claim, f"{_kind(value)}, not a text")
    if len(value) > _LONGEST:
        raise _wrong(claim, f"longer than {_LONGEST} characters")
    if _CONTROL.search(value):
        raise _wrong(claim, _CONTROLLED)
    return value


def _texts(claims: Mapping[str, object], name: str) -> list[str]:
    """Returns a claim that is a text or a list of texts, as a list."""
    value = found(claims, name)
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise _wrong(name, f"{_kind(value)}, not a text or a list of texts")
    for each in value:
        if not isinstance(each, str):
            raise _wrong(name, f"a list with {_kind(each)} in it, not of texts")
    return value


def _time(claims: Mapping[str, object], name: str) -> float | None:
    """Returns a claim that is a time, seconds since 1970."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, f"{_kind(value)}, not a number of seconds since 1970")
    if not 0 <= value <= _LATEST:
        raise _wrong(name, "a number that is no time in seconds since 1970")
    return float(value)


_KINDS: Final = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}


def _kind(value: object) -> str:
    """Returns what a value is in JSON."""
    return _KINDS.get(type(value), "something else")


def _wrong(name: str, what: str) -> BadCredentials:
    """Returns the refusal of a claim: its sender is told which, the log what it is. Never a value.

    Args:
        name: The claim.
        what: What it is, and what it should be.
    """
    return BadCredentials(
        f"The token's claim {name} is not as it should be.", f"the claim {name} is {what}"
    )

"""What an issuer answers about a token (RFC 7662 section 2.2), and whom that makes of its bearer.

Pure. The answer is taken at its word, but only where the word is clear: a token is good if `active`
is true and nothing else that the answer says speaks against it. Nothing is asked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from gateway.call import Principal
from gateway.policies.auth.claim_path import found
from gateway.policies.auth.provider import BadCredentials

_LONGEST: Final = 255  # characters of a subject (OpenID Connect Core 1.0 section 2)
_REFUSED: Final = "The token is none that is accepted."
_NAMES: Final = ("sub", "username", "client_id")  # who it is, the first that there is
# Members that say what kind of token it is: those that a bearer may show. A refresh token is good
# too, to who issued it.
_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "token_type": frozenset({"bearer", "access_token"}),
    "token_use": frozenset({"access", "access_token"}),
}


class BadAnswerError(Exception):
    """It is no answer to the question. The text is for the log, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a good answer says.

    Attributes:
        provider: The name of the provider, for the principal.
        issuer: The `iss`; None for any.
        audiences: One of these in `aud`; any where it is empty.
        roles: The member that holds the roles, by its name or its path.
    """

    provider: str
    issuer: str | None = None
    audiences: frozenset[str] = frozenset()
    roles: str = "roles"


def judge(answer: object, expected: Expected, now: float) -> Principal:
    """Returns the principal that an answer makes.

    Args:
        answer: Its JSON value.
        expected: What a good one says.
        now: Seconds since 1970.

    Raises:
        BadCredentials: The token is not good.
        BadAnswerError: That can't be told.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("active"), bool):
        raise BadAnswerError("it does not say whether the token is active")
    if not answer["active"]:
        raise BadCredentials(_REFUSED, "its issuer says that it is not active")
    expires = _check_times(answer, now)
    _check_kind(answer)
    if expected.issuer is not None and answer.get("iss") != expected.issuer:
        raise BadCredentials(_REFUSED, "it is of another issuer")
    if expected.audiences and expected.audiences.isdisjoint(_texts(answer.get("aud"))):
        raise BadCredentials(_REFUSED, "it is for another audience")
    return Principal(
        subject=_subject(answer),
        provider=expected.provider,
        scopes=frozenset(_scopes(answer.get("scope"))),
        roles=frozenset(_texts(found(answer, expected.roles))),
        claims={name: value for name, value in answer.items() if name != "active"},
        expires=expires,
    )


def _check_times(answer: Mapping[str, object], now: float) -> float | None:
    begins, ends = _time(answer, "nbf"), _time(answer, "exp")
    if ends is not None and ends <= now:
        raise BadCredentials("The token has expired.", "it has expired", reason="TOKEN_EXPIRED")
    if begins is not None and begins > now:
        raise BadCredentials(_REFUSED, "it is not valid yet")
    return ends


def _time(answer: Mapping[str, object], name: str) -> float | None:
    value = answer.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -inf < value < inf:
        raise BadAnswerError(f"its {name} is no number")
    return float(value)


def _check_kind(answer: Mapping[str, object]) -> None:
    for name, accepted in _KINDS.items():
        value = answer.get(name)
        if value is not None and (not isinstance(value, str) or value.lower() not in accepted):
            raise BadCredentials(_REFUSED, f"its {name} is none that a bearer may show")


def _subject(answer: Mapping[str, object]) -> str:
    for name in _NAMES:
        value = answer.get(name)
        if isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable():
            return value
    raise BadAnswerError("it names nobody")


def _scopes(value: object) -> Iterator[str]:
    """Yields scopes, with U+0020 between them and nothing else (RFC 6749 section 3.3)."""
    for text in _texts(value):
        for scope in text.split(" "):
            if scope and scope.isprintable():
                yield scope


def _texts(value: object) -> list[str]:
    """Returns the texts of a list, or the one that there is."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [each for each in value if isinstance(each, str)]
    return []

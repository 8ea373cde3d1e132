"""What the backends of a config are told of callers: the gate of each upstream, and the keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.app.settings import SettingError, claim_key
from gateway.config import Config
from gateway.config.models.auth import Forward as Given
from gateway.policies.forward import Forward, Signs
from gateway.regular import read_regular

if TYPE_CHECKING:
    from gateway.policies.internal_token import SigningKey

_AT: Final = "auth.forward"
_SHORTEST: Final = 2.0  # seconds: times in tokens are whole ones
_LONGEST: Final = 3600.0  # seconds; nobody can take a token back


class Forwarding:
    """What the backends of a config are told.

    Args:
        config: The config.
        now: Seconds since 1970.

    Attributes:
        jwks: The public keys of signed tokens, as the JSON of a JWK set; None where none is signed.

    Raises:
        SettingError: Two things would have one metadata key, or a key file can't be used.
    """

    def __init__(self, config: Config, now: Callable[[], float] = time.time) -> None:
        self._given = config.auth.forward
        self._claims = _claim_keys(self._given)
        self._gates: dict[str, Forward] = {}
        self._signs, self.jwks = _signing(self._given, now)

    def gate(self, upstream: str) -> Forward | None:
        """Returns the gate for an upstream's methods; None where nothing is told."""
        given = self._given
        if given.subject is None and not self._claims and given.token is None:
            return None
        if upstream not in self._gates:
            token = None if given.token is None else (given.token.header, self._signs(upstream))
            self._gates[upstream] = Forward(subject=given.subject, claims=self._claims, token=token)
        return self._gates[upstream]


def _claim_keys(given: Given) -> Mapping[str, str]:
    """Returns the metadata keys of claims."""
    keys = {claim: claim_key(claim) for claim in given.claims}
    taken = {given.subject: f"{_AT}.subject"}
    if given.token is not None:
        _take(taken, given.token.header, f"{_AT}.token.header")
    for number, claim in enumerate(given.claims):
        _take(taken, keys[claim], f"{_AT}.claims.{number}")
    return keys


def _take(taken: dict[str | None, str], key: str, at: str) -> None:
    if key in taken:
        raise SettingError(at, f"{key} is taken by {taken[key]}")
    taken[key] = at


def _signing(given: Given, now: Callable[[], float]) -> tuple[Callable[[str], Signs], str | None]:
    """Returns what makes the tokens for an upstream, and the public keys."""
    token = given.token
    if token is None:
        return _unsigned, None
    if not _SHORTEST <= token.lifetime <= _LONGEST:
        raise SettingError(f"{_AT}.token.lifetime", "not between 2s and 1h")
    # Signatures take a library that only who signs should load.
    from gateway.policies.internal_token import InternalTokens, published  # noqa: PLC0415  see above

    key = _key(f"{_AT}.token.key.file", token.key.file)
    others = [
        _key(f"{_AT}.token.publish.{number}", path) for number, path in enumerate(token.publish)
    ]

    def signs(upstream: str) -> Signs:
        return InternalTokens(
            key,
            issuer=token.issuer,
            audience=token.audience or upstream,
            lifetime=token.lifetime,
            now=now,
        )

    return signs, published([key, *others])


def _unsigned(_: str) -> Signs:
    raise AssertionError("nothing is signed")


def _key(at: str, path: Path) -> SigningKey:
    from gateway.policies.internal_token import KeyFileError, SigningKey  # noqa: PLC0415  see above

    try:
        return SigningKey.of_pem(read_regular(path))
    except OSError as failure:
        raise SettingError(at, f"{path.name} can't be read: {failure.strerror}") from failure
    except KeyFileError as failure:
        raise SettingError(at, f"{path.name}: {failure}") from failure

"""Short-lived signed tokens by which backends can tell that it was the gateway who called.

A JWT (RFC 7519) with the gateway's own key, ES256 or EdDSA as the key is. It says who calls, for
which backend it is, and no longer than `lifetime`; a token is used again for the same caller until
half its life is over, so that calls do not wait for signatures. Where the claims of the caller go
is one claim, `claims`: none of them can pass for one of the gateway's.

Backends check it with the public keys (`published`), which the admin listener serves as a JWK set
(RFC 7517).
"""

from __future__ import annotations

import json
import secrets
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from gateway.call import Principal

_MOST: Final = 4_096  # tokens that are kept; about 1 KiB each

_json: Final = json.JSONEncoder(sort_keys=True).encode
_Caller: TypeAlias = "tuple[str, str, frozenset[str], frozenset[str], str]"


class KeyFileError(Exception):
    """A file that holds no key to sign with. Says why."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, and how it signs.

    Attributes:
        key: As joserfc has it.
        algorithm: `ES256` or `EdDSA` (RFC 7518 section 3.1, RFC 8037).
        id: Its thumbprint (RFC 7638).
    """

    key: ECKey | OKPKey
    algorithm: str
    id: str

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm}, {self.id})"

    @classmethod
    def of_pem(cls, pem: bytes) -> SigningKey:
        """Reads a key: PEM, unencrypted, of the curve P-256 or Ed25519.

        Raises:
            KeyFileError: It is none.
        """
        try:
            private = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyFileError("the file has no unencrypted private key in PEM") from None
        if isinstance(private, EllipticCurvePrivateKey) and isinstance(private.curve, SECP256R1):
            key: ECKey | OKPKey = ECKey.import_key(pem)
            return cls(key, "ES256", key.thumbprint())
        if isinstance(private, Ed25519PrivateKey):
            key = OKPKey.import_key(pem)
            return cls(key, "EdDSA", key.thumbprint())
        raise KeyFileError("the key is neither of the curve P-256 nor Ed25519")

    def public(self) -> dict[str, str]:
        """Returns the public key as a JWK."""
        parts = {name: str(value) for name, value in self.key.as_dict(private=False).items()}
        return {**parts, "use": "sig", "alg": self.algorithm, "kid": self.id}

    def sign(self, claims: Mapping[str, object]) -> str:
        """Returns a JWT with these claims."""
        header = {"typ": "JWT", "alg": self.algorithm, "kid": self.id}
        with warnings.catch_warnings():
            # RFC 9864 has a new name for EdDSA, which few backends know so far.
            warnings.filterwarnings("ignore", "EdDSA is deprecated")
            return jwt.encode(header, dict(claims), self.key, algorithms=[self.algorithm])


def published(keys: Iterable[SigningKey]) -> str:
    """Returns public keys as the JSON of a JWK set, each once."""
    found = {key.id: key.public() for key in keys}
    return json.dumps({"keys": list(found.values())})


class InternalTokens:
    """Makes the tokens for one audience (`forward.Signs`).

    Args:
        key: The key.
        issuer: The `iss` claim.
        audience: The `aud` claim: which backend is to take them.
        lifetime: Seconds.
        now: Seconds since 1970.
        most: Tokens that are kept to be used again; the one that was not used longest goes first.
    """

    __slots__ = ("_audience", "_issuer", "_kept", "_key", "_lifetime", "_most", "_now")

    def __init__(
        self,
        key: SigningKey,
        *,
        issuer: str,
        audience: str,
        lifetime: float,
        now: Callable[[], float],
        most: int = _MOST,
    ) -> None:
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime
        self._now = now
        self._most = most
        self._kept: OrderedDict[_Caller, tuple[float, str]] = OrderedDict()

    def token(self, principal: Principal, claims: Mapping[str, object]) -> str:
        """Returns a token that lives for another half of the lifetime at least.

        Args:
            principal: Who calls.
            claims: What is told of its claims.
        """
        now = self._now()
        told = _json(claims) if claims else ""
        caller = (
            principal.provider, principal.subject, principal.scopes, principal.roles, told,
        )  # fmt: skip
        known = self._kept.get(caller)
        if known is not None and now < known[0]:
            self._kept.move_to_end(caller)
            return known[1]
        signed = self._key.sign(self._claims(principal, claims, int(now)))
        self._kept[caller] = (now + self._lifetime / 2, signed)
        self._kept.move_to_end(caller)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return signed

    def _claims(
        self, principal: Principal, claims: Mapping[str, object], now: int
    ) -> dict[str, object]:
        return {
            "iss": self._issuer,
            "sub": principal.subject,
            "aud": self._audience,
            "iat": now,
            "exp": now + int(self._lifetime),
            "jti": secrets.token_urlsafe(16),
            "provider": principal.provider,
            "scope": " ".join(sorted(principal.scopes)),  # RFC 8693 section 4.2
            "roles": sorted(principal.roles),
            **({"claims": dict(claims)} if claims else {}),
        }

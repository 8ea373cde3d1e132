"""The public keys of an issuer: which of its JWKs are taken, and for which algorithms each.

A key is used for what it says it is for, and for what the config allows, nothing else: `kty`,
`crv`, `alg`, `use` and `key_ops` (RFC 7517 section 4) pin it, so that no token can have a key used
in another way than its owner meant. Keys that are too weak, private or of an unknown kind are left
out, as section 5 asks; a set of which none is left is refused whole.

Where a set comes from and when is not known here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

log = logging.getLogger("gateway.auth")

_Jwk: TypeAlias = Mapping[str, object]

# The algorithms of each kind of key, and of each curve (RFC 7518 section 3.1, RFC 8037, RFC 9864).
_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES: Final = {
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
    ("OKP", "Ed448"): ("EdDSA",),
}
# What of a JWK is read, by its kind. All else, such as `x5c`, says nothing here.
_MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_NAMES: Final = ("kid", "alg", "use", "key_ops")

_WEAKEST: Final = 2048  # bits of an RSA key (RFC 7518 section 3.3)
_LONGEST: Final = 8192  # bits: a check of a longer one takes milliseconds
_MOST: Final = 100  # keys of a set
_TRIED: Final = 4  # keys that are tried for a token that names none


class KeySetError(Exception):
    """A document is no set of keys of use. It says why, for the log."""


class Key:
    """A public key.

    Attributes:
        kid: Its name; None where it has none.
        algorithms: What it may verify.
        alive: Whether the issuer still has it.
    """

    __slots__ = ("_key", "algorithms", "alive", "kid")

    def __init__(
        self, kid: str | None, algorithms: Collection[str], key: RSAKey | ECKey | OKPKey
    ) -> None:
        self.kid = kid
        self.algorithms = frozenset(algorithms)
        self.alive = True
        self._key = key

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether a signature is this key's, by one of its algorithms."""
        if algorithm not in self.algorithms:
            return False
        try:
            return JWSRegistry.algorithms[algorithm].verify(signed, signature, self._key)
        except ValueError:  # not even the form of a signature
            return False


class KeySet:
    """The keys of an issuer, replaced whole.

    Args:
        algorithms: Those that the config allows.
        changed: Told when there are other keys than before.
    """

    def __init__(
        self, algorithms: Collection[str], changed: Callable[[], None] = lambda: None
    ) -> None:
        self._allowed = frozenset(algorithms)
        self._changed = changed
        self._keys: dict[tuple[object, ...], Key] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def allows(self, algorithm: str) -> bool:
        """Whether tokens may be signed so."""
        return algorithm in self._allowed

    def fitting(self, algorithm: str, kid: str | None) -> list[Key]:
        """Returns the keys that may have signed a token, a few at most; none for an unknown one."""
        keys: Iterable[Key] = self._keys.values()
        if kid is not None:
            keys = [key for key in keys if key.kid == kid]
        return [key for key in keys if algorithm in key.algorithms][:_TRIED]

    def replace(self, document: object) -> None:
        """Takes the keys of a JSON Web Key Set; those that it has no more are dead.

        Raises:
            KeySetError: It is none, or has no key of use. The keys of before stay.
        """
        fresh = self.read(document)
        gone = self._keys.keys() - fresh.keys()
        if gone or fresh.keys() - self._keys.keys():
            before, self._keys = (
                self._keys,
                {each: self._keys.get(each, key) for each, key in fresh.items()},
            )
            for each in gone:
                before[each].alive = False
            self._changed()

    def read(self, document: object) -> dict[tuple[object, ...], Key]:
        """Returns the keys of a JSON Web Key Set, by all that tells one from another.

        Raises:
            KeySetError: It is none, or has no key of use.
        """
        jwks = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(jwks, list):
            raise KeySetError("it is no JSON Web Key Set")
        if len(jwks) > _MOST:
            raise KeySetError(f"it has more than {_MOST} keys")
        found: dict[tuple[object, ...], Key] = {}
        for number, jwk in enumerate(jwks):
            try:
                key = self._key(jwk)
            except _UnusableError as why:
                log.debug("key %d of a set is not used: %s", number, why)
            else:
                found[_identity(jwk)] = key
        if not found:
            raise KeySetError("it has no key that can be used")
        return found

    def _key(self, jwk: object) -> Key:
        if not isinstance(jwk, dict):
            raise _UnusableError("no object")
        kid, use, operations = jwk.get("kid"), jwk.get("use", "sig"), jwk.get("key_ops", ["verify"])
        if not isinstance(kid, str | None):
            raise _UnusableError("a kid that is no text")
        if "d" in jwk:
            raise _UnusableError("private, and so known to whoever can read the set")
        if use != "sig" or not isinstance(operations, list) or "verify" not in operations:
            raise _UnusableError("not meant to verify signatures")
        algorithms = self._allowed.intersection(_algorithms(jwk))
        if "alg" in jwk:
            algorithms &= {jwk["alg"]} if isinstance(jwk["alg"], str) else set()
        if not algorithms:
            raise _UnusableError("of no algorithm that is accepted")
        return Key(kid, algorithms, _imported(jwk))


class _UnusableError(Exception):
    """A key can't be used, and why."""


def _algorithms(jwk: _Jwk) -> tuple[str, ...]:
    """Returns what a kind of key can do at all."""
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if kind == "RSA":
        return _RSA
    if not isinstance(kind, str) or not isinstance(curve, str):
        return ()
    return _CURVES.get((kind, curve), ())


def _imported(jwk: _Jwk) -> RSAKey | ECKey | OKPKey:
    kind = str(jwk["kty"])
    members: dict[str, str | list[str]] = {"kty": kind}
    for name in _MEMBERS[kind]:
        value = jwk.get(name)
        if not isinstance(value, str):
            raise _UnusableError(f"without {name}")
        members[name] = value
    try:
        if kind == "RSA":
            size = _bits(str(jwk["n"]))
            if not _WEAKEST <= size <= _LONGEST:
                raise _UnusableError(f"an RSA key of {size} bits")
            return RSAKey.import_key(members)
        if kind == "EC":
            return ECKey.import_key(members)
        return OKPKey.import_key(members)
    except (JoseError, ValueError, TypeError, UnsupportedAlgorithm) as wrong:
        raise _UnusableError(f"not a key ({type(wrong).__name__})") from None


def _bits(number: str) -> int:
    return int.from_bytes(urlsafe_b64decode(number.encode()), "big").bit_length()


def _identity(jwk: _Jwk) -> tuple[object, ...]:
    kind = str(jwk["kty"])
    return (kind, *(repr(jwk.get(name)) for name in (*_NAMES, *_MEMBERS[kind])))

"""The public keys of an issuer: which of its JWKs are taken, and for which algorithms each.

A key is used for what it says it is for, and for what the config allows, nothing else: `kty`,
`crv`, `alg`, `use` and `key_ops` (RFC 7517 section 4) pin it, so that no token can have a key used
in another way than its owner meant. Keys that are too weak, private or of an unknown kind are left
out, as section 5 asks (`left_out` says how that is told); a set of which none is left is refused
whole.

Where a set comes from and when is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from gateway.policies.auth.jwt.left_out import (
    LeftOut,
    UnusableError,
    called,
    none_left,
    shown,
    tell,
)

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
_MOST: Final = 100  # keys of a set, and so of those that are tried for a token that names none


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
        self._left_out: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return len(self._keys)

    def allows(self, algorithm: str) -> bool:
        """Whether tokens may be signed so."""
        return algorithm in self._allowed

    def fitting(self, algorithm: str, kid: str | None) -> list[Key]:
        """Returns the keys that may have signed a token, all where it names none."""
        keys: Iterable[Key] = self._keys.values()
        if kid is not None:
            keys = [key for key in keys if key.kid == kid]
        return [key for key in keys if algorithm in key.algorithms]

    def replace(self, document: object, place: str = "a key set") -> None:
        """Takes the keys of a JSON Web Key Set; those that it has no more are dead.

        Args:
            document: It.
            place: Where it is from, for the log.

        Raises:
            KeySetError: It is none, or has no key of use. The keys of before stay.
        """
        fresh, left_out = self._read(document)
        if left_out != self._left_out:
            tell(place, [each for each in left_out if each not in self._left_out])
            self._left_out = left_out
        gone = self._keys.keys() - fresh.keys()
        if gone or fresh.keys() - self._keys.keys():
            before, self._keys = (
                self._keys,
                {each: self._keys.get(each, key) for each, key in fresh.items()},
            )
            for each in gone:
                before[each].alive = False
            self._changed()

    def check(self, document: object) -> None:
        """Looks whether `replace` would take a document.

        Raises:
            KeySetError: It would not.
        """
        self._read(document)

    def _read(self, document: object) -> tuple[dict[tuple[object, ...], Key], tuple[LeftOut, ...]]:
        """Returns the keys of a set, by all that tells one from another, and what is left out.

        Raises:
            KeySetError: It is none, or has no key of use.
        """
        jwks = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(jwks, list):
            if isinstance(document, dict) and "kty" in document:
                raise KeySetError('it is one key, not a set; write {"keys": […]} around it')
            raise KeySetError('it is no JSON Web Key Set, {"keys": […]}')
        if len(jwks) > _MOST:
            raise KeySetError(f"it has more than {_MOST} keys")
        found: dict[tuple[object, ...], Key] = {}
        left_out = []
        for number, jwk in enumerate(jwks):
            try:
                key = self._key(jwk)
            except UnusableError as why:
                left_out.append(LeftOut(called(jwk, number), str(why), why.by_design))
            else:
                found[_identity(jwk)] = key
        if not found:
            raise KeySetError(none_left(left_out))
        return found, tuple(left_out)

    def _key(self, jwk: object) -> Key:
        if not isinstance(jwk, dict):
            raise UnusableError("it is no object")
        kid, use, operations = jwk.get("kid"), jwk.get("use", "sig"), jwk.get("key_ops", ["verify"])
        if not isinstance(kid, str | None):
            raise UnusableError("its kid is no text")
        able = _algorithms(jwk)
        if "d" in jwk:
            raise UnusableError("it is private, and so known to whoever can read the set")
        if use != "sig":
            raise UnusableError(f"its use is {shown(use)}, not sig", by_design=use == "enc")
        if not isinstance(operations, list) or "verify" not in operations:
            raise UnusableError("its key_ops do not have verify")
        alg = jwk.get("alg", able[0])
        if alg not in able:
            raise UnusableError(f"its alg is {shown(alg)}, but its kind is for {', '.join(able)}")
        if "alg" in jwk:
            able = (alg,)
        algorithms = self._allowed.intersection(able)
        if not algorithms:
            text = f"it is for {', '.join(able)}, which the config's algorithms do not name"
            raise UnusableError(text, by_design=True)
        return Key(kid, algorithms, _imported(jwk))


def _algorithms(jwk: _Jwk) -> tuple[str, ...]:
    """Returns what a kind of key can do at all.

    Raises:
        UnusableError: It is of no kind that is known.
    """
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        secret = " (a secret that both sides know)" if kind == "oct" else ""
        raise UnusableError(f"its kty is {shown(kind)}{secret}, not RSA, EC or OKP")
    if kind == "RSA":
        return _RSA
    found = _CURVES.get((kind, curve)) if isinstance(curve, str) else None
    if found is None:
        known = " or ".join(name for each, name in _CURVES if each == kind)
        raise UnusableError(f"its crv is {shown(curve)}, not {known}, as {kind} has it")
    return found


def _imported(jwk: _Jwk) -> RSAKey | ECKey | OKPKey:
    kind = str(jwk["kty"])
    members: dict[str, str | list[str]] = {"kty": kind}
    for name in _MEMBERS[kind]:
        value = jwk.get(name)
        if not isinstance(value, str):
            raise UnusableError(f"it has no {name}")
        members[name] = value
    try:
        if kind == "RSA":
            size = _bits(str(jwk["n"]))
            if not _WEAKEST <= size <= _LONGEST:
                text = f"it is an RSA key of {size} bits, not of {_WEAKEST} to {_LONGEST}"
                raise UnusableError(text)
            return RSAKey.import_key(members)
        if kind == "EC":
            return ECKey.import_key(members)
        return OKPKey.import_key(members)
    except (JoseError, ValueError, TypeError, UnsupportedAlgorithm) as wrong:
        raise UnusableError(f"its members make no key ({type(wrong).__name__})") from None


def _bits(number: str) -> int:
    return int.from_bytes(urlsafe_b64decode(number.encode()), "big").bit_length()


def _identity(jwk: _Jwk) -> tuple[object, ...]:
    kind = str(jwk["kty"])
    return (kind, *(repr(jwk.get(name)) for name in (*_NAMES, *_MEMBERS[kind])))

"""Who the example's issuer knows, the keys it signs with, and its tokens. No input or output.

Tokens are those of RFC 9068, signed by ES256. Keys are made when the process starts and are gone
with it, so a token is worth nothing after a restart.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

ALGORITHM = "ES256"
_CURVE = "P-256"
_KEYS = 2  # that are published: the one that signs, and the one before


class UnknownPersonError(Exception):
    """The issuer knows nobody by this name."""


class ScopeError(Exception):
    """Somebody asks for a scope that they can't have."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who can have a token: one of the shop's users.

    `subject` is the user's id in the shop; `roles` are the user's there, in lower case.
    """

    subject: str
    name: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    tenant: str


PEOPLE: Mapping[str, Person] = {
    "ada": Person("u1", "Ada Brandt", ("customer",), ("orders.read", "orders.write"), "retail"),
    "farid": Person(
        "u6",
        "Farid Haddad",
        ("customer", "seller"),
        ("orders.read", "orders.write", "catalog.write"),
        "marketplace",
    ),
    "tereza": Person(
        "u20",
        "Tereza Horak",
        ("customer", "support"),
        ("orders.read", "orders.write"),
        "retail",
    ),
}


class Keys:
    """The key that signs, and the one before, which is still published: nobody has to hurry."""

    def __init__(self) -> None:
        self._keys: deque[ECKey] = deque(maxlen=_KEYS)
        self.rotate()

    def rotate(self) -> str:
        """Makes a new key, which signs from now on, and gives its id.

        The key before stays published; the one before that is withdrawn, and its tokens with it.
        """
        parameters: Any = {"use": "sig", "alg": ALGORITHM}
        self._keys.append(ECKey.generate_key(_CURVE, parameters, private=True, auto_kid=True))
        return self.signing.kid or ""

    @property
    def signing(self) -> ECKey:
        """The key that signs."""
        return self._keys[-1]

    def published(self) -> dict[str, Any]:
        """Gives the public keys as a JSON Web Key Set (RFC 7517 section 5)."""
        return {"keys": [key.as_dict(private=False) for key in self._keys]}


@dataclass(frozen=True, slots=True)
class Issued:
    """A token. `lasts` is in seconds."""

    token: str
    scopes: tuple[str, ...]
    lasts: int


@dataclass(frozen=True, slots=True)
class Issuer:
    """Makes tokens.

    `url` is what the tokens and the discovery document say of the issuer, `audience` whom the
    tokens are for, `lasts` for how many seconds; `now` gives seconds since 1970.
    """

    url: str
    audience: str
    lasts: int
    keys: Keys
    now: Callable[[], float]

    def issue(
        self, name: str, scopes: tuple[str, ...] | None = None, lasts: int | None = None
    ) -> Issued:
        """Makes a token for a person.

        Args:
            name: Whom, by a key of `PEOPLE`.
            scopes: Some of the person's scopes; None is all.
            lasts: Seconds; no more than the issuer's own, which None is.

        Raises:
            UnknownPersonError: Nobody is called so.
            ScopeError: A scope is none of the person's.
        """
        person = PEOPLE.get(name)
        if person is None:
            raise UnknownPersonError(name)
        granted = person.scopes if scopes is None else scopes
        if not set(granted) <= set(person.scopes):
            raise ScopeError(" ".join(granted))
        seconds = self.lasts if lasts is None else min(lasts, self.lasts)
        at, key = int(self.now()), self.keys.signing
        claims = {
            "iss": self.url,
            "aud": self.audience,
            "sub": person.subject,
            "name": person.name,
            "roles": list(person.roles),
            "scope": " ".join(granted),
            "tenant": person.tenant,
            "client_id": "demo",
            "iat": at,
            "exp": at + seconds,
            "jti": uuid4().hex,
        }
        token = jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "at+jwt"}, claims, key)
        return Issued(token, granted, seconds)

    def discovery(self) -> dict[str, Any]:
        """Gives the discovery document (OpenID Connect Discovery 1.0 section 3).

        It has what makes tokens, and none of the pages by which people would sign in.
        """
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks.json",
            "token_endpoint": f"{self.url}/token",
            "grant_types_supported": ["password"],
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "scopes_supported": sorted({scope for who in PEOPLE.values() for scope in who.scopes}),
        }

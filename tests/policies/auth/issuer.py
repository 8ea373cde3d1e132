"""An issuer of tokens for tests: keys, tokens in every shape, and its documents over HTTP.

    async with Issuer() as issuer:                 # http://127.0.0.1:PORT
        issuer.config(audiences=["shop"])          # the section `jwt` of a provider
        issuer.token(sub="ada", scope="orders.read")
        issuer.rotate()                            # a new key signs from now on

Its documents are in `pages`, by path; each is made anew for every request. A test sets others, or
has one `delay`ed, `broken`, or counts how often one was asked for in `asked`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Thread
from typing import Any, NamedTuple, Self

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

AUDIENCE = "shop"
DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/jwks.json"

_HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
_CURVES = {
    "ES256": ("P-256", ec.SECP256R1, 32),
    "ES384": ("P-384", ec.SECP384R1, 48),
    "ES512": ("P-521", ec.SECP521R1, 66),
}


def b64(data: bytes | str | Mapping[str, Any]) -> str:
    """base64url without padding; of a mapping, of its JSON."""
    if isinstance(data, Mapping):
        data = json.dumps(data, separators=(",", ":"))
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int | None = None) -> str:
    """A number as JWKs hold it."""
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


@dataclass(frozen=True)
class SigningKey:
    """A private key, its algorithm and its name."""

    kid: str | None
    alg: str
    private: Any = field(repr=False)

    @classmethod
    def make(cls, kid: str | None, alg: str = "RS256", *, bits: int = 2048) -> SigningKey:
        return cls(kid, alg, _private(kid, alg, bits))

    def sign(self, data: bytes) -> bytes:
        """The signature of bytes, as JWS has it."""
        alg, private = self.alg, self.private
        if alg in ("EdDSA", "Ed25519", "Ed448"):
            return private.sign(data)
        digest = _HASHES[alg[2:]]()
        if alg.startswith("RS"):
            return private.sign(data, padding.PKCS1v15(), digest)
        if alg.startswith("PS"):
            salted = padding.PSS(padding.MGF1(digest), digest.digest_size)
            return private.sign(data, salted, digest)
        size = _CURVES[alg][2]
        r, s = decode_dss_signature(private.sign(data, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def public(self, **members: Any) -> dict[str, Any]:
        """Its JWK; a member that is None is left out."""
        key = self.private.public_key()
        jwk: dict[str, Any] = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if isinstance(key, rsa.RSAPublicKey):
            numbers = key.public_numbers()
            jwk |= {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        elif isinstance(key, ec.EllipticCurvePublicKey):
            curve, _, size = _CURVES[self.alg]
            point = key.public_numbers()
            jwk |= {
                "kty": "EC",
                "crv": curve,
                "x": number(point.x, size),
                "y": number(point.y, size),
            }
        else:
            curve = "Ed448" if isinstance(key, ed448.Ed448PublicKey) else "Ed25519"
            jwk |= {"kty": "OKP", "crv": curve, "x": b64(key.public_bytes_raw())}
        return {name: value for name, value in (jwk | members).items() if value is not None}

    def jws(self, header: Mapping[str, Any] | str, payload: Mapping[str, Any] | bytes | str) -> str:
        """A compact JWS of any header and payload, signed by it whatever they say."""
        signed = f"{b64(header)}.{b64(payload)}"
        return f"{signed}.{b64(self.sign(signed.encode()))}"

    def header(self, **members: Any) -> dict[str, Any]:
        """The usual header; a member that is None is left out."""
        usual = {"alg": self.alg, "typ": "JWT", "kid": self.kid}
        return {name: value for name, value in (usual | members).items() if value is not None}


@cache
def _private(_kid: str | None, alg: str, bits: int) -> Any:
    if alg.startswith("ES"):
        return ec.generate_private_key(_CURVES[alg][1]())
    if alg == "Ed448":
        return ed448.Ed448PrivateKey.generate()
    if alg in ("EdDSA", "Ed25519"):
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, bits)


class Answer(NamedTuple):
    """What a page is answered with."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}


Page = Callable[[web.Request], Answer]


def as_json(value: Any, **headers: str) -> Answer:
    """An answer of JSON; `cache_control="max-age=60"` sets a header."""
    fields = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(json.dumps(value).encode(), headers={"content-type": "application/json"} | fields)


class Issuer:
    """Signs tokens and serves its keys.

    Attributes:
        url: Its name, the `iss` of its tokens: where it is served, once it is.
        keys: Those that it publishes; the last one signs.
        more: JWKs that it publishes beside them.
        pages: What it serves, by path.
        asked: How often each path was asked for.
        delay: Seconds before each answer.
        broken: Whether it cuts every connection instead of answering.
    """

    def __init__(self, url: str = "https://id.example", *, alg: str = "RS256") -> None:
        self.url = url
        self.keys = [SigningKey.make(f"{alg}-1", alg)]
        self.more: list[dict[str, Any]] = []
        self.pages: dict[str, Page] = {
            DISCOVERY: lambda _: as_json(self.metadata()),
            JWKS: lambda _: as_json(self.jwks()),
        }
        self.asked: Counter[str] = Counter()
        self.delay = 0.0
        self.broken = False
        self._runner: web.AppRunner | None = None

    # Its keys and tokens.

    @property
    def key(self) -> SigningKey:
        """The one that signs."""
        return self.keys[-1]

    def rotate(self, *, keep: bool = True) -> SigningKey:
        """Has a new key sign; the ones before stay published, or do not."""
        name, _, count = (self.key.kid or "").rpartition("-")
        fresh = SigningKey.make(f"{name}-{int(count) + 1}", self.key.alg)
        self.keys = [*self.keys, fresh] if keep else [fresh]
        return fresh

    def jwks(self) -> dict[str, Any]:
        """Its JSON Web Key Set."""
        return {"keys": [*self.more, *(key.public() for key in self.keys)]}

    def metadata(self) -> dict[str, Any]:
        """What discovery says (OpenID Connect Discovery 1.0 section 3)."""
        return {
            "issuer": self.url,
            "jwks_uri": self.url + JWKS,
            "authorization_endpoint": self.url + "/authorize",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.key.alg],
        }

    def claims(self, **claims: Any) -> dict[str, Any]:
        """The usual claims, five minutes long; one that is None is left out."""
        now = int(time.time())
        usual = {"iss": self.url, "sub": "ada", "aud": AUDIENCE, "iat": now, "exp": now + 300}
        return {name: value for name, value in (usual | claims).items() if value is not None}

    def token(
        self,
        *,
        key: SigningKey | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A token with these claims, and these header members."""
        key = key or self.key
        return key.jws(key.header(**(header or {})), self.claims(**claims))

    def config(self, *, discover: bool = False, **keys: Any) -> dict[str, Any]:
        """The section `jwt` of a provider of its tokens."""
        section: dict[str, Any] = {"issuer": self.url, "audiences": [AUDIENCE]}
        if not discover:
            section["jwks"] = {"uri": self.url + JWKS}
        return section | keys

    # Its server.

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Serves its pages, and is called by where it does."""
        self._runner = web.AppRunner(
            _application(self._answer), access_log=None, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Serves them no more; `start` with its port has it come back."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def port(self) -> int:
        """Where it is served."""
        return int(self.url.rpartition(":")[2])

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.path] += 1
        await asyncio.sleep(self.delay)
        if self.broken and request.transport is not None:
            request.transport.abort()
        page = self.pages.get(request.path)
        if page is None:
            return web.Response(status=404)
        body, status, headers = page(request)
        return web.Response(body=body, status=status, headers=dict(headers))


def _application(handler: Callable[[web.Request], Any]) -> web.Application:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    return application


@contextmanager
def served(issuer: Issuer) -> Iterator[Issuer]:
    """Serves an issuer from a thread, for tests that have no loop, or many."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(issuer.start(), loop).result(10)
        yield issuer
    finally:
        asyncio.run_coroutine_threadsafe(issuer.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()

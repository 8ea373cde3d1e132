"""`auth`: who callers are, and what backends are told of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from gateway.config.markers import OneOf
from gateway.config.models.section import section
from gateway.config.places import FILE, Secret
from gateway.config.scalars import INTROSPECTION_URL, NAME, URL, Duration, Size, Text

_TEXT = Annotated[str, Text()]
_HEADER = Annotated[
    str,
    Text(
        "a header's name",
        r"^[A-Za-z0-9_.-]{1,100}$",
        lower=True,
        reserved=("authorization", "cookie"),  # of tokens and passwords
    ),
]
_COOKIE = Annotated[str, Text("a cookie's name", r"^[A-Za-z0-9_.-]{1,100}$")]
_KEY = Annotated[
    str,
    Text(
        "a metadata key, not ending in -bin",
        r"^(?!.*-[Bb][Ii][Nn]$)[A-Za-z0-9_.-]{1,100}$",
        lower=True,
        reserved=(
            *("grpc-*", "content-*", "sec-websocket-*", "host", "user-agent", "connection"),
            *("keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"),
            *("proxy-*", "accept-encoding", "date", "server", "http2-settings"),
            # What clients show, and what the gateway itself names calls by.
            *("authorization", "cookie", "set-cookie", "x-request-id", "traceparent", "tracestate"),
        ),
    ),
]
_CLAIM = Annotated[
    str,
    Text(
        "a claim whose name can be part of a metadata key, not ending in -bin",
        r"^(?!.*-[Bb][Ii][Nn]$)[A-Za-z0-9_.-]{1,64}$",
    ),
]
_Algorithm = Literal[
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
]


@section
class Jwks:
    """A set of public keys."""

    RULES: ClassVar = (OneOf("uri", "file"),)

    uri: Annotated[str, URL] | None = Field(default=None, description="Where it is fetched.")
    file: Annotated[Path, FILE] | None = Field(default=None, description="Where it is on disk.")


@section
class Jwt:
    """Signed tokens (RFC 7519)."""

    issuer: _TEXT = Field(description="The iss claim.")
    audiences: tuple[_TEXT, ...] = Field(min_length=1, description="One of these in the aud claim.")
    jwks: Jwks | None = Field(
        default=None, description="The issuer's keys. Without it the issuer says where they are."
    )
    algorithms: tuple[_Algorithm, ...] = Field(
        default=("RS256", "ES256", "EdDSA"), min_length=1, description="Accepted algorithms."
    )
    leeway: Annotated[float, Duration(zero=True)] = Field(
        default=30.0, description="How far clocks may differ."
    )
    scopes_claim: _TEXT = Field(default="scope", description="The claim that holds the scopes.")
    roles_claim: _TEXT = Field(default="roles", description="The claim that holds the roles.")
    plan_claim: _TEXT = Field(default="plan", description="The claim that holds the plan.")
    cookie: _COOKIE | None = Field(
        default=None, description="A cookie that holds the token where no header does."
    )


@section
class StoredFile:
    """Entries in a file of their own."""

    file: Annotated[Path, FILE] = Field(description="A YAML file.")


@section
class ApiKey:
    """Keys in a header."""

    header: _HEADER = Field(default="x-api-key", description="The header.")
    keys: StoredFile = Field(description="The keys, hashed.")


@section
class Introspection:
    """Opaque tokens that their issuer is asked about (RFC 7662)."""

    endpoint: Annotated[str, INTROSPECTION_URL] = Field(description="The introspection endpoint.")
    client_id: _TEXT = Field(description="The gateway's own name there.")
    client_secret: Annotated[SecretStr, Secret()] = Field(description="The gateway's own secret.")
    issuer: _TEXT | None = Field(
        default=None, description="The iss of its answers; any without it."
    )
    audiences: tuple[_TEXT, ...] = Field(
        default=(), description="One of these in the aud of its answers; any without them."
    )
    roles_claim: _TEXT = Field(default="roles", description="The member that holds the roles.")
    cookie: _COOKIE | None = Field(
        default=None, description="A cookie that holds the token where no header does."
    )
    timeout: Annotated[float, Duration()] = Field(
        default=2.0, description="How long an answer may take."
    )


@section
class Basic:
    """Names and passwords (RFC 7617)."""

    users: StoredFile = Field(description="The users, with hashed passwords.")


@section
class Mtls:
    """The certificate that the client showed."""

    subject: Literal["auto", "uri", "dns", "email", "dn"] = Field(
        default="auto",
        description="Which of its names says who it is; auto takes a URI, else a DNS name, "
        "else the distinguished name.",
    )


@section
class ExtAuthz:
    """Envoy's external authorization service."""

    upstream: Annotated[str, NAME] = Field(description="The upstream that serves it.")
    timeout: Annotated[float, Duration()] = Field(
        default=0.5, description="How long an answer may take."
    )


@section
class Provider:
    """One way to know who calls."""

    RULES: ClassVar = (OneOf("jwt", "api_key", "introspection", "basic", "mtls", "ext_authz"),)

    jwt: Jwt | None = Field(default=None, description="Signed tokens.")
    api_key: ApiKey | None = Field(default=None, description="Keys in a header.")
    introspection: Introspection | None = Field(default=None, description="Opaque tokens.")
    basic: Basic | None = Field(default=None, description="Names and passwords.")
    mtls: Mtls | None = Field(default=None, description="Clients' certificates.")
    ext_authz: ExtAuthz | None = Field(default=None, description="An authorization service.")


@section
class KeyFile:
    """A private key in a file of its own."""

    file: Annotated[Path, FILE] = Field(description="A PEM file; of P-256 or Ed25519.")


@section
class ForwardedToken:
    """A signed token, by which backends can tell that it was the gateway who called."""

    header: _KEY = Field(default="x-gateway-token", description="Its metadata key.")
    issuer: _TEXT = Field(default="gateway", description="The iss claim.")
    audience: _TEXT | None = Field(
        default=None, description="The aud claim; else the name of the upstream."
    )
    lifetime: Annotated[float, Duration()] = Field(
        default=60.0, description="How long it is accepted."
    )
    key: KeyFile = Field(description="What signs it.")
    publish: tuple[Annotated[Path, FILE], ...] = Field(
        default=(), description="Keys that backends are to know, too: the next, the one before."
    )


@section
class Forward:
    """What backends are told of the caller; the client's own copies are removed."""

    subject: _KEY | None = Field(default=None, description="The metadata key of the subject.")
    claims: tuple[_CLAIM, ...] = Field(default=(), description="Claims that are passed on.")
    token: ForwardedToken | None = Field(default=None, description="A signed token of it all.")


@section
class Auth:
    """Authentication."""

    providers: Mapping[Annotated[str, NAME], Provider] = Field(
        default_factory=dict, description="Ways to know who calls, by name."
    )
    forward: Forward = Field(default_factory=Forward, description="What backends are told.")
    token_cache: Annotated[int, Size()] = Field(
        default=32 * 1024**2, description="Memory for tokens that were judged, of each provider."
    )

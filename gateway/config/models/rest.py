"""`rest` and `headers`: how HTTP requests become calls."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import JsonSchemaValue

from gateway.config.leaf import Leaf, LeafError
from gateway.config.markers import OrFalse
from gateway.config.models.section import section
from gateway.config.places import URL_PATH
from gateway.config.scalars import Switch, Text

_CONNECTION_HEADERS = (
    *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"),
    *("upgrade", "host", "content-length", "content-type"),
)
_TOKEN = r"[A-Za-z0-9_.-]{1,100}"  # noqa: S105  # of HTTP and gRPC metadata keys; not a password
_REQUEST_HEADER = Text(
    "a header's name", f"^{_TOKEN}$", lower=True, reserved=("grpc-*", *_CONNECTION_HEADERS)
)
_RESPONSE_KEY = Text('a metadata key, or "*" for all', rf"^(\*|{_TOKEN})$", lower=True)
_PREFIX = Text("the beginning of a header's name", r"^[A-Za-z0-9_.-]{0,100}$", lower=True)
_PREFIX_PATH = Text(
    "nothing, or a path such as /api without a slash at its end", r"^(/[A-Za-z0-9._~-]+)*$"
)
_VERSION = Text("a version such as v1 or v2beta1", r"^v[0-9]+((alpha|beta)[0-9]*)?$")
_VERSIONED_TYPE = Text(
    "a media type such as application/vnd.shop.{version}+json",
    r"^application/[A-Za-z0-9._-]*\{version\}[A-Za-z0-9._-]*\+json$",
    lower=True,
)
_TEXT = Text()
_PARAMETER = Text("a query parameter's name", r"^[A-Za-z0-9_.-]{1,100}$")


@dataclass(frozen=True, slots=True)
class UnknownQuery:
    """Which query parameters that name no field are ignored; any other is an error.

    Attributes:
        ignore: Globs; () is `reject` and ("*",) is `ignore`.
    """

    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _UnknownQueryOf(Leaf):
    def read(self, value: object, directory: Path) -> UnknownQuery:  # noqa: ARG002  # the leaf's interface
        if value == "reject":
            return UnknownQuery()
        if value == "ignore":
            return UnknownQuery(("*",))
        if isinstance(value, dict) and value.keys() == {"ignore"}:
            names = value["ignore"]
            if isinstance(names, list) and all(isinstance(name, str) and name for name in names):
                return UnknownQuery(tuple(map(str, names)))
        raise LeafError('reject, ignore or {ignore: ["utm_*"]}')

    def json_schema(self) -> JsonSchemaValue:
        names = {"type": "array", "items": {"type": "string", "minLength": 1}}
        some: JsonSchemaValue = {
            "type": "object",
            "properties": {"ignore": names},
            "required": ["ignore"],
            "additionalProperties": False,
        }
        return {"anyOf": [{"enum": ["reject", "ignore"]}, some]}

    def show(self, value: UnknownQuery) -> object:
        plain = {(): "reject", ("*",): "ignore"}
        return plain.get(value.ignore, {"ignore": list(value.ignore)})


@section
class RestJson:
    """How messages are written and read as JSON."""

    emit_defaults: Annotated[bool, Switch()] = Field(
        default=False, description="Write fields that have their default value."
    )
    enums_as_numbers: Annotated[bool, Switch()] = Field(
        default=False, description="Write enum values as numbers."
    )
    proto_names: Annotated[bool, Switch()] = Field(
        default=False, description="Write field names as in the proto, not in lowerCamelCase."
    )
    unknown_fields: Literal["reject", "ignore"] = Field(
        default="reject",
        description="What becomes of fields in requests that the message does not have.",
    )


@section
class Versions:
    """How a version of the API is asked for that a path does not say."""

    default: Annotated[str, _VERSION] = Field(description="The version where none is asked for.")
    accept: Annotated[str, _VERSIONED_TYPE] | None = Field(
        default=None, description="A media type of `Accept` with {version} in it."
    )
    header: Annotated[str, _REQUEST_HEADER] | None = Field(
        default=None, description="A header that says the version."
    )
    query: Annotated[str, _PARAMETER] | None = Field(
        default=None, description="A query parameter that says the version."
    )


@section
class Info:
    """What the API is called, in its OpenAPI document."""

    title: Annotated[str, _TEXT] = Field(default="API", description="Its name.")
    version: Annotated[str, _TEXT] = Field(default="1.0.0", description="Its version.")
    description: Annotated[str, Text(pattern="^")] = Field(
        default="", description="What it is, in Markdown."
    )


@section
class Rest:
    """The REST front."""

    prefix: Annotated[str, _PREFIX_PATH] = Field(
        default="", description="A path before every route, such as /api."
    )
    unannotated: Annotated[bool, Switch()] = Field(
        default=True, description="Methods without a rule answer POST /package.Service/Method."
    )
    unknown_query: Annotated[UnknownQuery, _UnknownQueryOf()] = Field(
        default=UnknownQuery(),
        description='Query parameters that name no field: reject, ignore or {ignore: ["utm_*"]}.',
    )
    versions: Versions | None = Field(
        default=None, description="How a version is asked for that a path does not say."
    )
    json: RestJson = Field(default_factory=RestJson, description="How messages look as JSON.")
    etag: Annotated[bool, Switch()] = Field(
        default=False, description="Put an ETag on replies to GET, and answer If-None-Match."
    )
    openapi: Annotated[str | None, URL_PATH, OrFalse()] = Field(
        default="/openapi.json", description="Where the OpenAPI document is; false for nowhere."
    )
    docs: Annotated[str | None, URL_PATH, OrFalse()] = Field(
        default="/docs", description="Where the documentation page is; false for nowhere."
    )
    info: Info = Field(
        default_factory=Info, description="What the API is called, in its OpenAPI document."
    )


@section
class RequestHeaders:
    """Client headers that backends see as metadata."""

    allow: tuple[Annotated[str, _REQUEST_HEADER], ...] = Field(
        default=(
            *("authorization", "accept-language", "x-request-id"),
            *("traceparent", "tracestate", "baggage"),
        ),
        description="Headers that pass under their own name.",
    )
    prefix: Annotated[str, _PREFIX] = Field(
        default="", description="Headers that begin with it pass without it."
    )


@section
class ResponseHeaders:
    """Backend metadata that clients see as headers."""

    allow: tuple[Annotated[str, _RESPONSE_KEY], ...] = Field(
        default=(), description='Metadata that passes under its own name; ["*"] is all.'
    )
    prefix: Annotated[str, _PREFIX] = Field(
        default="", description="Put before the name of all other metadata; empty drops it."
    )


@section
class Headers:
    """Which headers pass, either way."""

    request: RequestHeaders = Field(
        default_factory=RequestHeaders, description="Client headers to backend metadata."
    )
    response: ResponseHeaders = Field(
        default_factory=ResponseHeaders, description="Backend metadata to response headers."
    )

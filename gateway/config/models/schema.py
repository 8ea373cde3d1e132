"""`schema`: where the descriptors come from, and which services clients may reach.

Of HTTP rules it reads the keys and the kinds of their values. Whether a rule has one HTTP method, a
template that is one, and no nested bindings, is judged where rules meet their methods, so that all
that is wrong with rules is told in one round.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from gateway.config.markers import Refused, Short
from gateway.config.models.section import section
from gateway.config.places import FILE, FOLDER
from gateway.config.scalars import NAME, SERVICES, Text

DEFAULT_PROTOS = "protos"
_TEMPLATE = Annotated[
    str,
    Text("a path template such as /v1/products/{id}"),
    WithJsonSchema({"type": "string", "pattern": r"^/[^\x00-\x20]*$"}),
]
_FIELD = Annotated[str, Text('a field\'s name, or "*"', r"^(\*|[A-Za-z_][A-Za-z0-9_]*)$")]


@section
class CustomPattern:
    """google.api.CustomHttpPattern: an HTTP method that has no key of its own."""

    kind: Annotated[str, Text("an HTTP method such as HEAD, or *", r"^(\*|[A-Z]{1,20})$")] = Field(
        description="The HTTP method; * for any."
    )
    path: _TEMPLATE = Field(description="The path template.")


@section
class HttpBinding:
    """One HTTP method and path of an RPC."""

    get: _TEMPLATE | None = Field(default=None, description="The path template of a GET.")
    put: _TEMPLATE | None = Field(default=None, description="The path template of a PUT.")
    post: _TEMPLATE | None = Field(default=None, description="The path template of a POST.")
    delete: _TEMPLATE | None = Field(default=None, description="The path template of a DELETE.")
    patch: _TEMPLATE | None = Field(default=None, description="The path template of a PATCH.")
    custom: CustomPattern | None = Field(default=None, description="Another HTTP method.")
    body: _FIELD | None = Field(
        default=None, description='The field that the request body fills; "*" is the whole message.'
    )
    response_body: _FIELD | None = Field(
        default=None,
        description="The field that the response body shows; the whole message without it.",
    )


@section
class AdditionalBinding(HttpBinding):
    """An HTTP binding beside a rule's own; it can't have some itself."""

    additional_bindings: Annotated[tuple[Mapping[str, Any], ...], Refused()] = Field(
        default=(), description="Not allowed here."
    )


@section
class HttpRule(HttpBinding):
    """google.api.HttpRule, for a method chosen by `selector`; it replaces the annotation."""

    selector: Annotated[
        str, Text("a method such as shop.catalog.v1.CatalogService.GetProduct", r"^[A-Za-z0-9_.]+$")
    ] = Field(description="The method's full name, with dots.")
    additional_bindings: tuple[AdditionalBinding, ...] = Field(
        default=(), description="More methods and paths of the same RPC."
    )


@section
class ProtoFolder:
    """A folder of .proto files, an include root."""

    path: Annotated[Path, FOLDER] = Field(description="The folder.")
    exclude: tuple[Annotated[str, Text("a glob such as third_party/*")], ...] = Field(
        default=(), description="Files to leave out, by globs over the names they are imported by."
    )


@section
class Schema:
    """Descriptors are the source of everything that is served."""

    protos: tuple[Annotated[ProtoFolder, Short("path")], ...] = Field(
        default=(),
        json_schema_extra={"default": [DEFAULT_PROTOS]},
        description="Folders of .proto files, each a path or {path: …, exclude: […]}. "
        "Default: protos beside the file.",
    )
    descriptor_sets: tuple[Annotated[Path, FILE], ...] = Field(
        default=(), description="Files that hold a FileDescriptorSet, as protoc and buf write them."
    )
    reflection: tuple[Annotated[str, NAME], ...] = Field(
        default=(), description="Upstreams that are asked for their services, by name."
    )
    http_rules: tuple[HttpRule, ...] = Field(
        default=(), description="google.api.HttpRule with selector; they replace annotations."
    )
    expose: tuple[Annotated[str, SERVICES], ...] = Field(
        default=("*",), description="Services that clients may reach, by name or glob."
    )

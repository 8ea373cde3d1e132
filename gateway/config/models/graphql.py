"""`graphql`: the graph, its joins, its documents, and how much one may ask."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gateway.config.models.section import section
from gateway.config.places import FILE, FOLDER, URL_PATH
from gateway.config.scalars import SERVICES, Switch, Text, Whole

DEFAULT_JOINS = "schema/joins.graphql"
DEFAULT_OPERATIONS = "schema/operations"

_NAME = Annotated[str, Text("a GraphQL name such as getProduct", r"^[_A-Za-z][_0-9A-Za-z]*$")]
_METHOD = Annotated[
    str,
    Text(
        "a method such as shop.orders.v1.OrderService/GetOrder",
        r"^[A-Za-z_][A-Za-z0-9_.]*/[A-Za-z_][A-Za-z0-9_]*$",
    ),
]
_FULL_NAME = Annotated[
    str, Text("a full name such as shop.catalog.v1.Product.gtin", r"^[A-Za-z_][A-Za-z0-9_.]*$")
]
_FIELDS = Annotated[
    str, Text("a field, or fields with dots between them", r"^[A-Za-z_][A-Za-z0-9_.]*$")
]


@section
class GraphqlLimits:
    """How much one document may ask."""

    depth: Annotated[int, Whole(1, 100)] = Field(default=12, description="Levels of fields.")
    cost: Annotated[int, Whole(1)] = Field(
        default=1000, description="Estimated cost: RPCs and the rows that they bring."
    )
    aliases: Annotated[int, Whole(0)] = Field(default=30, description="Aliases.")
    tokens: Annotated[int, Whole(1)] = Field(default=2000, description="Tokens.")
    root_fields: Annotated[int, Whole(1)] = Field(default=20, description="Fields at the root.")
    batch: Annotated[int, Whole(1)] = Field(default=1, description="Documents in one request.")


@section
class GraphqlMethod:
    """How the graph shows one method; over the option in its proto."""

    name: _NAME | None = Field(default=None, description="The field's name.")
    aliases: tuple[_NAME, ...] = Field(default=(), description="More names of the same field.")
    hide: Annotated[bool, Switch()] | None = Field(
        default=None, description="Leave it out of the roots; joins may call it all the same."
    )
    kind: Literal["query", "mutation"] | None = Field(
        default=None, description="What it is, in place of what the proto tells."
    )


@section
class GraphqlField:
    """How the graph shows one field of a message; over the option in its proto."""

    name: _NAME | None = Field(default=None, description="Its name.")
    hide: Annotated[bool, Switch()] | None = Field(default=None, description="Leave it out.")
    scopes: tuple[Annotated[str, Text()], ...] | None = Field(
        default=None,
        description="Callers that lack one of these see null in its place, and an error.",
    )


@section
class GraphqlOneof:
    """How the graph shows one oneof; over the option in its proto."""

    union: Annotated[bool, Switch()] | None = Field(
        default=None, description="One field of a union type, and of a @oneOf type in inputs."
    )


@section
class Lookup:
    """What an RPC can find, and by which keys: what joins use."""

    method: _METHOD = Field(description="The RPC.")
    type: _FULL_NAME | None = Field(default=None, description="The message that is found.")
    keys: _FIELDS | None = Field(default=None, description="The request field that takes keys.")
    items: _FIELDS | None = Field(
        default=None, description="The reply's field that holds the answers."
    )
    by: _FIELDS | None = Field(default=None, description="The key in an answer.")
    max_batch: Annotated[int, Whole(0, 1_000_000)] = Field(
        default=0, description="The most keys in one call; 0 is no limit."
    )
    mask: _FIELDS | None = Field(
        default=None, description="The request's FieldMask that takes the selection."
    )


@section
class Graphql:
    """The GraphQL front."""

    path: Annotated[str, URL_PATH] = Field(default="/graphql", description="Where it is.")
    graphiql: Annotated[bool, Switch()] = Field(
        default=True, description="Serve the GraphiQL console."
    )
    introspection: Annotated[bool, Switch()] = Field(
        default=True, description="Answer introspection."
    )
    suggestions: Annotated[bool, Switch()] = Field(
        default=True, description="Say in errors what may have been meant."
    )
    subscriptions: Annotated[bool, Switch()] = Field(
        default=True, description="Serve subscriptions."
    )
    services: tuple[Annotated[str, SERVICES], ...] = Field(
        default=("*",), description="Services in the graph, by name or glob."
    )
    naming: Literal["flat", "by_service"] = Field(
        default="flat", description="Root fields side by side, or below one for each service."
    )
    names: Literal["qualify", "fail"] = Field(
        default="qualify", description="What becomes of names that clash: longer, or an error."
    )
    methods: Mapping[_METHOD, GraphqlMethod] = Field(
        default_factory=dict, description="How methods are shown, by full name."
    )
    fields: Mapping[_FULL_NAME, GraphqlField] = Field(
        default_factory=dict, description="How fields of messages are shown, by full name."
    )
    oneofs: Mapping[_FULL_NAME, GraphqlOneof] = Field(
        default_factory=dict, description="How oneofs are shown, by full name."
    )
    joins: tuple[Annotated[Path, FILE], ...] = Field(
        default=(),
        json_schema_extra={"default": [DEFAULT_JOINS]},
        description=f"Files of joins. Default: {DEFAULT_JOINS} beside the file.",
    )
    lookups: tuple[Lookup, ...] = Field(
        default=(), description="What RPCs can find by keys, for joins."
    )
    operations: tuple[Annotated[Path, FOLDER], ...] = Field(
        default=(),
        json_schema_extra={"default": [DEFAULT_OPERATIONS]},
        description=f"Folders of trusted documents. Default: {DEFAULT_OPERATIONS} beside the file.",
    )
    trusted_only: Annotated[bool, Switch()] = Field(
        default=False, description="Refuse other documents."
    )
    persisted: Annotated[bool, Switch()] = Field(
        default=False,
        description="Let clients store documents by their hash (automatic persisted queries).",
    )
    extensions: tuple[
        Annotated[
            str,
            Text("module:object", r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$"),
        ],
        ...,
    ] = Field(default=(), description="Extensions in Python, as module:object.")
    limits: GraphqlLimits = Field(
        default_factory=GraphqlLimits, description="How much one document may ask."
    )

"""Where the value of each field of the graph comes from, and where each argument goes.

The types of the graph are plain graphql-core types; what the planner needs beyond them is a
source: an entry of `extensions` (under `SOURCE`) of the GraphQLField, GraphQLArgument or
GraphQLInputField that it belongs to. A field without one is resolved by Python (`extend`).
Sources are data: they are made when the graph is built, and read when a document is planned.

Object types that are made of a message have a `Made` in their own `extensions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
)

from gateway.schema.method import MethodDescriptor

SOURCE = "gateway.source"
MADE = "gateway.made"

Path: TypeAlias = "tuple[FieldDescriptor, ...]"
"""Fields from a message inward: all but the last are singular messages, unless it is said that
lists are walked."""


# Of fields of output types.


@dataclass(frozen=True, slots=True)
class ProtoField:
    """A field of a message: the parent's value is the message.

    In the type of a map's entries (`{key value}`) the parent's value is the pair (key, value), and
    the descriptors are those of the entry's `key` and `value`.
    """

    descriptor: FieldDescriptor


@dataclass(frozen=True, slots=True)
class OneofUnion:
    """A oneof as one nullable field of a union type.

    Attributes:
        descriptor: The oneof.
        members: Name of the union's object type by the name of the proto field that is set.
        wrapped: Names of those proto fields whose member is a type made for the case, with the
            case as its one field (`ProtoField`; the parent's value is then the message that has the
            oneof), since it is no message, or its message is another case's too. The value of any
            other member is the field's message itself.
    """

    descriptor: OneofDescriptor
    members: Mapping[str, str]
    wrapped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Nothing:
    """The field `_: Boolean` of a message without fields: always null."""


@dataclass(frozen=True, slots=True)
class Group:
    """A field that only nests others (`naming: by_service`): its value is its parent's."""


@dataclass(frozen=True, slots=True)
class Rpc:
    """A field of Query, Mutation or Subscription: one RPC.

    Attributes:
        method: What is called; a server stream in Subscription, unary elsewhere.
        input: Its request message.
        output: Its reply.
        pick: Fields of the reply that lead to the value; empty for the reply itself. Made by
            `@call(pick: …)` only.
        given: Request fields set from values that are known at start-up (`@call(with: …)`).
    """

    method: MethodDescriptor
    input: Descriptor
    output: Descriptor
    pick: Path = ()
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """A request field with the value that the graph itself gives it.

    Attributes:
        path: The request field.
        value: What Python protobuf takes for it: str, int, float, bool, bytes.
    """

    path: Path
    value: object


@dataclass(frozen=True, slots=True)
class Lookup:
    """What an RPC can find, and by which keys: the capability that joins use.

    Attributes:
        method: A unary RPC without side effects.
        input: Its request message.
        output: Its reply.
        keys: The request field that takes the keys: repeated for a batch, else singular.
        items: Fields of the reply that lead to the answers: a repeated message field or a map;
            empty where the reply itself is the one answer (never with a batch).
        item: The message that an answer is.
        by: Fields of an answer that lead to its key; empty where `items` is a map, whose keys are
            the keys, and where there is no batch.
        max_batch: The most keys in one call; 0 is no limit. 1 without a batch.
        mask: The request's field of type google.protobuf.FieldMask that takes the selection; None
            where there is none or the option is off.
        source: Where it is declared, for errors: `gateway.yaml:12`, `shop/v1/catalog.proto:33`.
    """

    method: MethodDescriptor
    input: Descriptor
    output: Descriptor
    keys: FieldDescriptor
    items: Path
    item: Descriptor
    by: Path
    max_batch: int = 0
    mask: FieldDescriptor | None = None
    source: str = ""

    @property
    def batches(self) -> bool:
        """Whether one call takes several keys."""
        return bool(self.keys.is_repeated)


@dataclass(frozen=True, slots=True)
class Join:
    """A field whose value is found by a key of its parent, in another call: `@join`.

    The field's arguments have `Argument` sources that say which request fields they set.

    Attributes:
        lookup: How it is found.
        key: Fields of the parent's message that lead to the key. Where the last one is repeated,
            the field is a list in the order of the keys, with null for each that is missing.
        many: Several answers have the same key: the field is the list of all of them.
        given: Request fields set to fixed values.
    """

    lookup: Lookup
    key: Path
    many: bool = False
    given: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class ParentCall:
    """A field whose value is one RPC for each (distinct) parent: `@call` on an object type.

    Attributes:
        method: A unary RPC without side effects.
        input: Its request message.
        output: Its reply.
        pick: Fields of the reply that lead to the value; empty for the reply itself.
        bound: Request fields set from fields of the parent: (request path, parent path).
        given: Request fields set to fixed values.
    """

    method: MethodDescriptor
    input: Descriptor
    output: Descriptor
    pick: Path = ()
    bound: tuple[tuple[Path, Path], ...] = ()
    given: tuple[Given, ...] = ()


FieldSource: TypeAlias = "ProtoField | OneofUnion | Nothing | Group | Rpc | Join | ParentCall"


# Of arguments and fields of input types.


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument, or a field of an input object, that sets one field of a message.

    Attributes:
        path: The fields to it, from the message that the field (or the input object) is about.
            One long but for arguments of `@call` and `@join`.
    """

    path: Path


@dataclass(frozen=True, slots=True)
class OneofInput:
    """An argument or input field of a `@oneOf` input type, each of whose fields is a case."""

    descriptor: OneofDescriptor


InputSource: TypeAlias = "Argument | OneofInput"


# Of types.


@dataclass(frozen=True, slots=True)
class Made:
    """What an object or input type is made of.

    Attributes:
        message: The message; of the type of a map's entries, the entry message.
        entry: Whether it is the type of a map's entries: values are (key, value) pairs.
    """

    message: Descriptor
    entry: bool = False


def source_of(field: GraphQLField) -> FieldSource | None:
    """Returns where a field's value comes from; None where Python resolves it."""
    found: FieldSource | None = field.extensions.get(SOURCE)
    return found


def input_source(field: GraphQLArgument | GraphQLInputField) -> InputSource | None:
    """Returns where an argument goes; None where Python takes it."""
    found: InputSource | None = field.extensions.get(SOURCE)
    return found


def made_of(type_: GraphQLNamedType) -> Made | None:
    """Returns what a type is made of; None for the types of users, and for roots."""
    if isinstance(type_, GraphQLObjectType | GraphQLInputObjectType):
        found: Made | None = type_.extensions.get(MADE)
        return found
    return None

"""How an RPC finds what belongs to keys: the request for some keys, and the answers by key.

Answers are matched by key, never by order. What is found is a list for each key: empty where
nothing is, more than one where several answers have the key. Pure functions of messages; the calls
are made by `execute.loading`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway.fronts.graphql.graph.sources import Join, Lookup, ParentCall, Path
from gateway.fronts.graphql.plan.leaves import is_text
from gateway.fronts.graphql.plan.presence import is_set

Key: TypeAlias = Hashable


@dataclass(frozen=True, slots=True, eq=False)
class Finder:
    """How what belongs to keys is found.

    Attributes:
        name: Of the RPC.
        asks: The request fields that the keys go to, and how answers tell their keys. Finders of
            one RPC that ask the same have the same answers for the same keys.
        reply: The class of its reply.
        request: The serialized part of the request that holds the keys.
        found: The answers by key, of a reply to a call for some keys.
        reply_of: The serialized reply that has the answers of one key, and nothing else; None
            where a call is for one key anyway.
        chunk: The most keys in one call; 0 is no limit.
        lenient: Whether NOT_FOUND means that there is nothing: a call is for one key.
    """

    name: str
    asks: Hashable
    reply: type[Message]
    request: Callable[[Sequence[Any]], bytes]
    found: Callable[[Any, Sequence[Any]], Mapping[Any, Sequence[Any]]]
    reply_of: Callable[[Any, Sequence[Any]], bytes] | None
    chunk: int
    lenient: bool


def by_lookup(lookup: Lookup) -> Finder:
    """Returns how a lookup finds."""
    cls, keys = GetMessageClass(lookup.input), lookup.keys.name
    many = lookup.batches

    def request(wanted: Sequence[Any]) -> bytes:
        message = cls()
        if many:
            getattr(message, keys).extend(wanted)
        else:
            setattr(message, keys, wanted[0])
        return message.SerializePartialToString()

    found = _by_key(lookup) if many else _all_of(lookup.items)
    chunk = lookup.max_batch if many else 1
    reply = GetMessageClass(lookup.output)
    asks = (_names((lookup.keys,)), _names(lookup.items), _names(lookup.by))
    reply_of = _writer(lookup) if many else None
    name = lookup.method.name
    return Finder(name, asks, reply, request, found, reply_of, chunk, lenient=not many)


def by_parent(source: ParentCall) -> Finder:
    """Returns how a call for each parent finds: a key is what the parent gives the request."""
    cls = GetMessageClass(source.input)
    paths = [path for path, _ in source.bound]

    def request(wanted: Sequence[Any]) -> bytes:
        message = cls()
        for path, value in zip(paths, wanted[0], strict=True):
            if value is None:
                continue
            inner: Any = message
            for field in path[:-1]:
                inner = getattr(inner, field.name)
            if path[-1].is_repeated:
                getattr(inner, path[-1].name).extend(value)
            else:
                setattr(inner, path[-1].name, value)
        return message.SerializePartialToString()

    def found(reply: Any, wanted: Sequence[Any]) -> Mapping[Any, Sequence[Any]]:
        return {wanted[0]: [reply]}

    reply = GetMessageClass(source.output)
    asks = tuple(map(_names, paths))
    return Finder(source.method.name, asks, reply, request, found, None, 1, lenient=False)


def _names(path: Path) -> tuple[str, ...]:
    return tuple(field.name for field in path)


def _all_of(items: Path) -> Callable[[Any, Sequence[Any]], Mapping[Any, Sequence[Any]]]:
    """All that a reply for one key has is of that key."""
    if not items:
        return lambda reply, wanted: {wanted[0]: [reply]}
    read = reader(items)
    return lambda reply, wanted: {wanted[0]: read(reply) or ()}


def _by_key(lookup: Lookup) -> Callable[[Any, Sequence[Any]], Mapping[Any, Sequence[Any]]]:
    read = reader(lookup.items)
    if not lookup.by:
        return lambda reply, _wanted: {key: [item] for key, item in (read(reply) or {}).items()}
    key_of = reader(lookup.by)

    def found(reply: Any, _wanted: Sequence[Any]) -> Mapping[Any, Sequence[Any]]:
        items = list(read(reply) or ())
        keys = list(map(key_of, items))
        single: dict[Any, Sequence[Any]] = dict(zip(keys, zip(items), strict=True))
        if len(single) == len(keys):  # each key once, as most lookups answer
            return single
        answers: dict[Any, list[Any]] = {}
        for key, item in zip(keys, items, strict=True):
            answers.setdefault(key, []).append(item)
        return answers

    return found


def _writer(lookup: Lookup) -> Callable[[Any, Sequence[Any]], bytes]:
    """Returns what puts the answers of one key where a reply has them: the inverse of `_by_key`."""
    cls = GetMessageClass(lookup.output)
    *outer, last = lookup.items
    names, name = [field.name for field in outer], last.name
    is_map = not lookup.by

    def write(key: Any, answers: Sequence[Any]) -> bytes:
        if not answers:
            return b""
        message = cls()
        inner: Any = message
        for each in names:
            inner = getattr(inner, each)
        if is_map:
            getattr(inner, name)[key].CopyFrom(answers[0])
        else:
            getattr(inner, name).extend(answers)
        return message.SerializePartialToString()

    return write


def reader(path: Path) -> Callable[[Any], Any]:
    """Returns what reads a field through singular messages; None where one of them is not set."""
    *outer, last = path
    name = last.name
    if not outer:
        return attrgetter(name)
    names = [field.name for field in outer]

    def read(message: Any) -> Any:
        for each in names:
            if not is_set(message, each):
                return None
            message = getattr(message, each)
        return getattr(message, name)

    return read


def key_reader(path: Path) -> Callable[[Any], Any]:
    """Returns what reads a join's key of a parent: a scalar, or a list of them.

    A key that is not set is None; so is one that has its type's default, where the field does not
    tell the two apart: an id that is empty or 0 is no id.
    """
    read = reader(path)
    last = path[-1]
    if last.is_repeated:
        return lambda message: [key for key in read(message) or () if _fits(last, key)]
    if not last.has_presence:
        return lambda message: key if _fits(last, key := read(message)) and key else None
    outer = reader(path[:-1]) if len(path) > 1 else None
    name = last.name

    def set_only(message: Any) -> Any:
        if outer is not None:
            for field in path[:-1]:
                if not is_set(message, field.name):
                    return None
                message = getattr(message, field.name)
        key = getattr(message, name) if is_set(message, name) else None
        return key if _fits(last, key) else None

    return set_only


def _fits(field: FieldDescriptor, key: Any) -> bool:
    """Whether a request can take a key: bytes for a string are no text, and name nothing."""
    return type(key) is not bytes or field.type == FieldDescriptor.TYPE_BYTES


def bound_reader(source: ParentCall) -> Callable[[Any], tuple[Any, ...]]:
    """Returns what reads of a parent all that its call is given."""
    readers = [_hashable(path[-1], reader(path)) for _, path in source.bound]
    return lambda message: tuple([read(message) for read in readers])


def _hashable(field: FieldDescriptor, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    if field.is_repeated:
        return lambda message: tuple(read(message) or ())
    if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return lambda message: _same_nan(read(message))
    return read


def _same_nan(value: float | None) -> float | None:
    """Returns a number as a key: NaN is no key of its own, but the one object `math.nan` is."""
    return math.nan if value is not None and math.isnan(value) else value


def plain_key(source: Join) -> FieldDescriptor | None:
    """Returns the field that alone is the key of a join; None where it takes more to read it."""
    last = source.key[-1]
    alone = len(source.key) == 1 and not last.is_repeated and not last.has_presence
    if last.type == FieldDescriptor.TYPE_STRING:
        alone = alone and is_text(last)
    return last if alone else None

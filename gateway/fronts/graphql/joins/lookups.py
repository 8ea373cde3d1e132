"""Lookups held against the protos: what an RPC can find, and by which keys.

Each part of an entry is checked even where another one is wrong, as far as that makes sense. How a
mistake is told depends on where the entry is written (`declared`, `edges`): here it only gets the
name of its part.
"""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.fronts.graphql.graph.kinds import is_map
from gateway.fronts.graphql.graph.sources import Lookup, Path
from gateway.fronts.graphql.joins import inference
from gateway.fronts.graphql.joins.candidates import listed, nearest
from gateway.fronts.graphql.joins.kinds import described, is_key, same_keys
from gateway.fronts.graphql.joins.options import LookupOptions
from gateway.fronts.graphql.joins.paths import PathError, dotted, key_path, walk
from gateway.fronts.graphql.joins.rpcs import Rpcs
from gateway.schema.method import Kind, MethodDescriptor

_MASK = "google.protobuf.FieldMask"


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one part of a lookup.

    Attributes:
        part: The part's name, as in `LookupOptions`.
        message: A whole sentence.
        candidates: Values for the part that are right, the likeliest first.
    """

    part: str
    message: str
    candidates: tuple[str, ...] = ()


class MistakesError(Exception):
    """A lookup that can't be used, with every mistake in it."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(each.message for each in mistakes))


def callable_method(name: str, rpcs: Rpcs) -> MethodDescriptor:
    """Returns an RPC that joins may call: a unary one without side effects.

    Raises:
        MistakesError: There is none of the name, or it is another kind of RPC.
    """
    method = rpcs.find(name)
    if method is None:
        raise MistakesError(
            [Mistake("method", f'there is no RPC "{name}"', tuple(rpcs.like(name)))]
        )
    if method.kind is not Kind.UNARY:
        raise MistakesError(
            [Mistake("method", f"{name} is {method.kind.value}; a join calls a unary RPC")]
        )
    if not rpcs.reads(method):
        raise MistakesError(
            [
                Mistake(
                    "method",
                    f"{name} may have side effects; a join calls what has none: give the RPC "
                    "idempotency_level = NO_SIDE_EFFECTS, a rule of GET, or the kind query",
                )
            ]
        )
    return method


class _Reading:
    """One entry on its way to a Lookup."""

    def __init__(self, options: LookupOptions, method: MethodDescriptor, rpcs: Rpcs) -> None:
        self.options = options
        self.method = method
        self.rpcs = rpcs
        self.input = rpcs.input(method)
        self.output = rpcs.output(method)
        self.mistakes: list[Mistake] = []

    def wrong(self, part: str, message: str, *candidates: str) -> None:
        self.mistakes.append(Mistake(part, message, candidates))

    def type(self) -> Descriptor | None:
        name = self.options.type
        if not name:
            return None
        found = self.rpcs.message(name)
        if found is None:
            known = {self.output.full_name}
            for field in inference.item_fields(self.output):
                item = inference.item_of(field)
                known |= {item.full_name} if item is not None else set()
            near = nearest(name, known) or sorted(known)[:1]
            self.wrong("type", f'there is no message "{name}"', *near)
        return found

    def keys(self) -> FieldDescriptor | None:
        name, request = self.options.keys, self.input
        choices = inference.key_fields(request)
        if not name:
            if len(choices) == 1:
                return choices[0]
            self.wrong(
                "keys",
                f"{request.full_name} has {_fields(choices)} that could take the keys; say which"
                if choices
                else f"{request.full_name} has no field that could take keys",
                *(field.name for field in choices),
            )
            return None
        try:
            path = walk(name, request, is_key)
        except PathError as wrong:
            self.wrong("keys", str(wrong), *(wrong.candidates or _names(choices)))
            return None
        if len(path) > 1 or not is_key(path[-1]):
            self.wrong(
                "keys",
                f'"{name}" of {request.full_name} is {described(path[-1])}; keys go into a field '
                "of the request itself that holds strings or whole numbers",
                *_names(choices),
            )
            return None
        return path[0]

    def items(self, type_: Descriptor | None) -> Path | None:
        name, reply = self.options.items, self.output
        wanted = type_.full_name if type_ is not None else ""
        choices = inference.item_fields(reply, wanted)
        if not name:
            if len(choices) == 1:
                return (choices[0],)
            what = f" of {wanted}" if wanted else ""
            self.wrong(
                "items",
                f"{reply.full_name} has {_fields(choices)}{what}; say which holds the answers"
                if choices
                else f"{reply.full_name} has no repeated field or map{what or ' of messages'}",
                *_names(choices),
            )
            return None
        try:
            path = walk(name, reply, lambda field: field in choices)
        except PathError as wrong:
            self.wrong("items", str(wrong), *(wrong.candidates or _names(choices)))
            return None
        item = inference.item_of(path[-1])
        if item is None:
            self.wrong(
                "items",
                f'"{name}" of {reply.full_name} is {described(path[-1])}; the answers are '
                "a repeated message field or a map of messages",
                *_names(choices),
            )
            return None
        if wanted and item.full_name != wanted:
            self.wrong(
                "items",
                f'"{name}" of {reply.full_name} holds {item.full_name}, not {wanted}',
                *_names(choices),
            )
            return None
        return path

    def by(self, item: Descriptor, keys: FieldDescriptor) -> Path | None:
        name = self.options.by
        likely = inference.likely_keys(item, keys)
        if not name:
            found = inference.answer_key(item, keys)
            if found is None:
                self.wrong(
                    "by",
                    f"which field of {item.full_name} is the key that {keys.name} asks for?",
                    *likely,
                )
                return None
            return (found,)
        try:
            path = key_path(name, item)
        except PathError as wrong:
            self.wrong("by", str(wrong), *(wrong.candidates or likely))
            return None
        last, what = path[-1], f'"{name}" of {item.full_name}'
        if last.is_repeated:
            self.wrong("by", f"{what} is a list; an answer has one key", *likely)
            return None
        if not same_keys(last, keys):
            self.wrong("by", _unlike(what, last, keys), *likely)
            return None
        return path

    def mask(self) -> FieldDescriptor | None:
        name, request = self.options.mask, self.input
        if not name:
            return None
        masks = [
            field.name
            for field in request.fields
            if field.message_type is not None
            and field.message_type.full_name == _MASK
            and not field.is_repeated
        ]
        if name not in masks:
            self.wrong("mask", f'"{name}" is no {_MASK} of {request.full_name}', *masks)
            return None
        return request.fields_by_name[name]


def resolve(options: LookupOptions, rpcs: Rpcs) -> Lookup:
    """Returns the lookup that an entry means.

    Raises:
        MistakesError: With every mistake in the entry.
    """
    reading = _Reading(options, callable_method(options.method, rpcs), rpcs)
    if options.max_batch < 0:
        reading.wrong("max_batch", "max_batch is negative; 0 is no limit", "0")
    mask, type_, keys = reading.mask(), reading.type(), reading.keys()
    if keys is None or (options.type and type_ is None):
        raise MistakesError(reading.mistakes)
    found = _batch(reading, type_, keys) if keys.is_repeated else _single(reading, type_, keys)
    if reading.mistakes or found is None:
        raise MistakesError(reading.mistakes)
    items, item, by = found
    return Lookup(
        method=reading.method,
        input=reading.input,
        output=reading.output,
        keys=keys,
        items=items,
        item=item,
        by=by,
        max_batch=options.max_batch if keys.is_repeated else 1,
        mask=mask,
        source=str(options.place),
    )


def _batch(
    reading: _Reading, type_: Descriptor | None, keys: FieldDescriptor
) -> tuple[Path, Descriptor, Path] | None:
    items = reading.items(type_)
    item = inference.item_of(items[-1]) if items else None
    if items is None or item is None:
        return None
    if not is_map(items[-1]):
        by = reading.by(item, keys)
        return None if by is None else (items, item, by)
    if reading.options.by:
        reading.wrong("by", f'"{dotted(items)}" is a map: its keys are the keys', "")
    entry = items[-1].message_type
    assert entry is not None  # a map is a list of entries
    key = entry.fields_by_name["key"]
    if not same_keys(key, keys):
        reading.wrong("items", _unlike(f'the key of "{dotted(items)}"', key, keys))
    return items, item, ()


def _single(
    reading: _Reading, type_: Descriptor | None, keys: FieldDescriptor
) -> tuple[Path, Descriptor, Path] | None:
    reply = reading.output
    call = "with one key a call, the reply itself is the answer"
    if reading.options.items:
        reading.wrong("items", f"{keys.name} takes one key: {call}; use @call with pick", "")
    if reading.options.by:
        reading.wrong("by", f"{keys.name} takes one key: {call}", "")
    if type_ is not None and type_.full_name != reply.full_name:
        reading.wrong(
            "type",
            f"{keys.name} takes one key and the reply is {reply.full_name}, not "
            f"{type_.full_name}; {call}: use @call with pick",
            reply.full_name,
        )
    return (), reply, ()


def _unlike(what: str, field: FieldDescriptor, keys: FieldDescriptor) -> str:
    return f"{what} is {described(field)}, and {keys.name} takes {described(keys)}"


def _names(fields: list[FieldDescriptor]) -> list[str]:
    return [field.name for field in fields]


def _fields(fields: list[FieldDescriptor]) -> str:
    return listed(_names(fields))

"""What graphql-core's executor makes of a document: a resolver for each kind of source.

The resolvers read messages as plainly as can be: nothing is planned, batched or shared, and a join
asks for one key at a time.
"""

from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.internal import type_checkers
from google.protobuf.message_factory import GetMessageClass
from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    execute_sync,
    get_nullable_type,
    parse,
)

from gateway.call import Code, RpcError
from gateway.fronts.graphql.graph.kinds import WRAPPERS
from gateway.fronts.graphql.graph.sources import (
    Group,
    Join,
    Nothing,
    OneofUnion,
    ParentCall,
    ProtoField,
    Rpc,
    input_source,
    source_of,
)


@dataclass
class Member:
    """A value of a union."""

    type_name: str
    value: Any


def expected(schema, answers, text, variables=None):
    """Executes a document; returns data and errors."""

    def resolve(parent, info, /, **arguments):
        return _resolve(parent, info, arguments, answers)

    return execute_sync(
        schema,
        parse(text),
        variable_values=variables,
        field_resolver=resolve,
        type_resolver=lambda value, _info, _type: value.type_name,
    )


def _resolve(parent, info, arguments, answers):
    if isinstance(parent, Member):
        parent = parent.value
    definition = info.parent_type.fields[info.field_name]
    source = source_of(definition)
    match source:
        case ProtoField():
            return _read(parent, source.descriptor)
        case OneofUnion():
            case = type(parent).WhichOneof(parent, source.descriptor.name)
            if case not in source.members:  # hidden ones are not there
                return None
            value = parent if case in source.wrapped else getattr(parent, case)
            return Member(source.members[case], value)
        case Group():
            return parent if parent is not None else ()
        case Nothing():
            return None
        case Rpc():
            request = _request(source, definition, arguments)
            return _picked(_call(answers, source, request), source)
        case ParentCall():
            request = _request(source, definition, arguments)
            for (*outer, last), path in source.bound:
                into = request
                for each in outer:
                    into = getattr(into, each.name)
                if (value := _raw(parent, path)) is not None:
                    setattr(into, last.name, value)
            return _picked(_call(answers, source, request), source)
        case Join():
            return _joined(parent, source, definition, arguments, answers)
    raise AssertionError(source)


def _read(parent, field):
    if isinstance(parent, tuple):
        return _shown(parent[0 if field.name == "key" else 1], field)
    value = getattr(parent, field.name)
    if field.is_repeated:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return sorted(value.items(), key=lambda pair: pair[0])
        return [_shown(each, field) for each in value]
    may_lack = field.has_presence and not field.is_required
    if may_lack and not type(parent).HasField(parent, field.name):
        return None
    return _shown(value, field)


def _shown(value, field):
    """The value that the scalars of the graph serialize."""
    message = field.message_type
    if message is not None:
        return _unwrapped(value)
    if field.type == FieldDescriptor.TYPE_FLOAT:
        return type_checkers.ToShortestFloat(value)
    return value


def _unwrapped(value):
    if type(value).DESCRIPTOR.full_name in WRAPPERS:
        return _shown(value.value, type(value).DESCRIPTOR.fields_by_name["value"])
    if type(value).DESCRIPTOR.full_name == "google.protobuf.Value":
        # graphql-core takes no null from a scalar: the resolver must say it.
        return None if value.WhichOneof("kind") in (None, "null_value") else value
    return value


def _request(source, definition, arguments):
    """The request of a field, as far as its arguments are numbers and texts, in objects or not."""
    request = GetMessageClass(source.input)()
    for given in source.given:
        _set(request, given.path, given.value)
    _fill(request, definition.args, arguments)
    return request


def _fill(message, definitions, given):
    for name, value in given.items():
        path = getattr(input_source(definitions[name]), "path", ())
        if value is None or not path:
            continue
        if path[-1].message_type is None:
            _set(message, path, value)
        elif isinstance(inner := get_nullable_type(definitions[name].type), GraphQLInputObjectType):
            _fill(getattr(message, path[-1].name), inner.fields, value)


def _set(message, path, value):
    for each in path[:-1]:
        message = getattr(message, each.name)
    if path[-1].is_repeated:
        getattr(message, path[-1].name).extend(value)
    else:
        setattr(message, path[-1].name, value)


def _call(answers, source, request):
    answer = answers[source.method.name](request)
    if isinstance(answer, RpcError):
        raise answer
    # As it comes from the wire.
    return GetMessageClass(source.output).FromString(answer.SerializePartialToString())


def _raw(message, path):
    for each in path[:-1]:
        if not message.HasField(each.name):
            return None
        message = getattr(message, each.name)
    return getattr(message, path[-1].name)


def _picked(reply, source):
    if not source.pick:
        return _unwrapped(reply)
    for each in source.pick[:-1]:
        if not reply.HasField(each.name):
            return None
        reply = getattr(reply, each.name)
    return _read(reply, source.pick[-1])


def _joined(parent, source, definition, arguments, answers):
    last = source.key[-1]
    value = _raw(parent, source.key)
    if last.is_repeated:
        return [
            _of_key(key, source, definition, arguments, answers, in_list=True)
            for key in value or ()
        ]
    holder = parent
    for each in source.key[:-1]:
        holder = getattr(holder, each.name)
    missing = not holder.HasField(last.name) if last.has_presence else not value
    if value is None or missing:
        return [] if source.many else None
    return _of_key(value, source, definition, arguments, answers)


def _of_key(key, source, definition, arguments, answers, *, in_list=False):
    lookup = source.lookup
    request = GetMessageClass(lookup.input)()
    for given in source.given:
        _set(request, given.path, given.value)
    for name, value in arguments.items():
        if value is not None:
            _set(request, input_source(definition.args[name]).path, value)
    _set(request, (lookup.keys,), [key] if lookup.batches else key)
    answer = answers[lookup.method.name](request)
    if isinstance(answer, RpcError):
        if not lookup.batches and answer.status.code is Code.NOT_FOUND:
            return [] if source.many else None
        return GraphQLError(answer.status.message) if in_list else _raised(answer)
    reply = GetMessageClass(lookup.output).FromString(answer.SerializePartialToString())
    found = _raw(reply, lookup.items) if lookup.items else [reply]
    if lookup.batches:
        if lookup.by:
            found = [each for each in found if _raw(each, lookup.by) == key]
        else:
            found = [found[key]] if key in found else []
    return list(found) if source.many else next(iter(found), None)


def _raised(failure):
    raise failure

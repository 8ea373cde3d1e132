"""A client's classes: one for each service, with a method for each call.

What a method does is the front's; here is what classes and methods are called, and their frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from google.protobuf.descriptor import ServiceDescriptor

from gateway.schema.comments import Comments
from gateway.schema.method import MethodDescriptor
from gateway.schema.registry import Registry
from gateway.typescript.words import RESERVED, camel, free, member, paragraphs, tsdoc

# A class's own, and what a value that has it would be taken for: a promise.
_NOT_METHODS = frozenset({"constructor", "then"})
_NOT_SERVICES = frozenset({"then"})


class Member(NamedTuple):
    """One method of a class.

    Attributes:
        name: Its name.
        method: The RPC that it calls.
        said: What its comment says beside what the RPC's does.
        signature: Its parameters and what it returns: `(request: R): Promise<T>`.
        body: What it returns, an expression.
    """

    name: str
    method: MethodDescriptor
    said: str
    signature: str
    body: str


class Front(NamedTuple):
    """What a front calls its parts.

    Attributes:
        runtime: The class of the runtime that makes calls: `Rest`.
        client: The interface of all services: `RestClient`.
        taken: Names that the module has already.
        beside: What a client has beside its services.
    """

    runtime: str
    client: str
    taken: frozenset[str]
    beside: frozenset[str] = frozenset()


def class_names(services: Iterable[str], taken: Iterable[str]) -> Mapping[str, str]:
    """Returns the names of services' classes, by the services' full names.

    Where several have one name, all of them get the shortest end of their package before it that
    tells them apart.
    """
    all_ = sorted(services)
    short = [each.rpartition(".")[2] for each in all_]
    found: dict[str, str] = {}
    used = {*RESERVED, *taken}
    for service, name in zip(all_, short, strict=True):
        rivals = [each for each in all_ if each.rpartition(".")[2] == name]
        settled = free(_apart(service, rivals) if len(rivals) > 1 else name, used)
        used.add(settled)
        found[service] = settled
    return found


def _apart(service: str, rivals: Sequence[str]) -> str:
    parts = service.split(".")
    for count in range(2, len(parts) + 1):
        end = parts[-count:]
        if sum(each.split(".")[-count:] == end for each in rivals) == 1:
            return "".join(part[:1].upper() + part[1:] for part in end)
    return parts[-1]


def method_names(methods: Iterable[MethodDescriptor]) -> Mapping[str, str]:
    """Returns the names of methods of one class, by the RPCs' full names."""
    used, found = set(_NOT_METHODS), {}
    for method in methods:
        name = free(camel(method.name.partition("/")[2]), used)
        used.add(name)
        found[method.name] = name
    return found


def classes(
    members: Mapping[str, Sequence[Member]], front: Front, registry: Registry, comments: Comments
) -> str:
    """Returns the classes of services, and the interface and the object that have them all.

    Args:
        members: Of each service, by its full name.
        front: What its parts are called.
        registry: The services' descriptors.
        comments: What their protos say of them.
    """
    named = class_names(members, front.taken)
    texts = [
        _class(
            named[service],
            each,
            front.runtime,
            registry.pool.FindServiceByName(service),
            comments,
        )
        for service, each in sorted(members.items())
    ]
    properties: dict[str, str] = {}
    for name in named.values():
        properties[free(camel(name), {*properties, *front.beside, *_NOT_SERVICES})] = name
    fields = "".join(f"  readonly {member(key)}: {name};\n" for key, name in properties.items())
    made = "".join(f"    {member(key)}: new {name}(calls),\n" for key, name in properties.items())
    interface = f"/** Every service. */\nexport interface {front.client} {{\n{fields}}}\n"
    function = f"function servicesOf(calls: {front.runtime}): {front.client} {{\n"
    return "\n".join([*texts, interface, f"{function}  return {{\n{made}  }};\n}}\n"])


def _class(
    name: str,
    members: Sequence[Member],
    runtime: str,
    service: ServiceDescriptor,
    comments: Comments,
) -> str:
    comment = comments.of(service.file, service.full_name) or ""
    said = paragraphs([comment, f"`{service.full_name}`"])
    start = tsdoc(said, deprecated=service.GetOptions().deprecated)
    methods = "\n".join(map(_method, members))
    return (
        f"{start}export class {name} {{\n"
        f"  readonly #calls: {runtime};\n\n"
        f"  constructor(calls: {runtime}) {{\n    this.#calls = calls;\n  }}\n\n"
        f"{methods}}}\n"
    )


def _method(member: Member) -> str:
    comment = tsdoc(
        paragraphs([member.method.comment, member.said]),
        deprecated=member.method.deprecated or bool(member.method.deprecation),
        indent="  ",
    )
    return f"{comment}  {member.name}{member.signature} {{\n    return {member.body};\n  }}\n"

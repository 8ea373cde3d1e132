"""Method descriptors of a file's services, read from the pool, its source info, and HTTP rules."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor import MethodDescriptor as PoolMethod
from google.protobuf.message import DecodeError

from gateway.schema.file import SchemaFile
from gateway.schema.http_rules import ANNOTATION, Read, annotated
from gateway.schema.method import HttpRule, Idempotency, Kind, MethodDescriptor
from gateway.schema.problem import Problem
from gateway.schema.source_info import NOWHERE, Location, Path, locations

_SERVICE, _METHOD, _OPTIONS = 6, 2, 4  # field numbers in descriptor.proto
_KINDS = {
    (False, False): Kind.UNARY,
    (False, True): Kind.SERVER_STREAMING,
    (True, False): Kind.CLIENT_STREAMING,
    (True, True): Kind.BIDIRECTIONAL,
}


def _tells_of_a_method(path: Path) -> bool:
    """Whether the path is that of an RPC, or of its `google.api.http` (or a field of that)."""
    if len(path) < 4 or path[0] != _SERVICE or path[2] != _METHOD:
        return False
    return len(path) == 4 or (len(path) > 5 and path[4:6] == (_OPTIONS, ANNOTATION))


def methods_of(
    descriptor: FileDescriptor, file: SchemaFile, configured: Mapping[str, tuple[HttpRule, ...]]
) -> tuple[dict[str, tuple[MethodDescriptor, ...]], list[Problem]]:
    """Returns the methods of a file's services, in the order of the file, by service.

    What is wrong with annotations comes beside them, by file and line, and so does source info that
    is damaged; such methods have their right bindings only.

    Args:
        descriptor: The file in the pool.
        file: The same file, for its source info.
        configured: Rules of the configuration by selector: they replace annotations.
    """
    found: dict[str, tuple[MethodDescriptor, ...]] = {}
    problems: list[Problem] = []
    known: Mapping[Path, Location] = {}
    try:
        known = locations(file.source_info, _tells_of_a_method) if file.source_info else {}
    except DecodeError:
        problems.append(Problem(file.origin, message="has damaged source_code_info"))
    rule_lines = _rule_lines(known)
    for service in descriptor.services_by_name.values():
        methods = []
        for method in service.methods:
            path = (_SERVICE, service.index, _METHOD, method.index)
            location = known.get(path, NOWHERE)
            line = rule_lines.get(path, location.line)
            read = _rules(method, f"{file.origin}:{line}" if line else file.origin, configured)
            problems += [
                Problem(file.origin, line, message=f"{method.full_name}: {text}")
                for text in read.problems
            ]
            methods.append(_describe(method, location, read.rules))
        found[service.full_name] = tuple(methods)
    return found, problems


def _rule_lines(known: Mapping[Path, Location]) -> dict[Path, int]:
    """Returns the line of each annotated method's annotation, by the method's path."""
    # `option (google.api.http).get = "…"` is located by a longer path than the aggregate form is.
    lines: dict[Path, int] = {}
    for path, location in known.items():
        if len(path) > 4:
            method = path[:4]
            lines[method] = min(location.line, lines.get(method, location.line))
    return lines


def _rules(method: PoolMethod, source: str, configured: Mapping[str, tuple[HttpRule, ...]]) -> Read:
    if (rules := configured.get(method.full_name)) is not None:
        return Read(rules)
    return annotated(method.GetOptions(), source)


def _describe(
    method: PoolMethod, location: Location, rules: tuple[HttpRule, ...]
) -> MethodDescriptor:
    options = method.GetOptions()
    return MethodDescriptor(
        name=f"{method.containing_service.full_name}/{method.name}",
        kind=_KINDS[method.client_streaming, method.server_streaming],
        input=method.input_type.full_name,
        output=method.output_type.full_name,
        rules=rules,
        idempotency=Idempotency(options.idempotency_level),
        deprecated=options.deprecated,
        file=method.containing_service.file.name,
        line=location.line,
        comment=location.comment,
    )

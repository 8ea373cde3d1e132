"""What protos say of who may call their methods, and for how long: `gateway.v1.service`, `.method`.

Of each setting (a leaf, `authorize.scopes`) the method's option counts more than its service's.
Nothing is judged here but what is wrong in itself: which providers there are, the config knows, and
its policies count more than all of this.

Descriptors hand out their options as the global pool's messages, which know these extensions
(`gateway.v1.options_pb2`), whether or not the protos hold the file that declares them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

from google.protobuf.descriptor import MethodDescriptor as PoolMethod
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError, Message

from gateway.schema.problem import Problem
from gateway.schema.registry import Registry
from gateway.schema.source_info import Location, Path, locations
from gateway.v1 import options_pb2

Leaf: TypeAlias = tuple[str, ...]

_EXTENSIONS = options_pb2.DESCRIPTOR.extensions_by_name
_OF_SERVICE, _OF_METHOD = _EXTENSIONS["service"], _EXTENSIONS["method"]
_SERVICES, _METHODS = 6, 2  # field numbers in descriptor.proto
_SERVICE_OPTIONS, _METHOD_OPTIONS = 3, 4
_LEAVES: Final[tuple[Leaf, ...]] = (
    ("authenticate",),
    ("authorize", "scopes"),
    ("authorize", "roles"),
    ("authorize", "when"),
    ("timeout",),
)


class Said(NamedTuple):
    """What a proto says of one setting.

    Attributes:
        value: Texts as a tuple, a text, or seconds.
        where: The line that says it, `protos/shop/v1/shop.proto:31`.
    """

    value: object
    where: str


class Declared(NamedTuple):
    """What all protos say.

    Attributes:
        methods: Settings by method, `shop.v1.Catalog/GetProduct`; those of which anything is said.
        problems: What is wrong in itself.
    """

    methods: Mapping[str, Mapping[Leaf, Said]]
    problems: tuple[Problem, ...]


def declared(registry: Registry, services: Iterable[str]) -> Declared:
    """Returns what protos say of the methods of services.

    Args:
        registry: Their descriptors.
        services: Full names.
    """
    methods: dict[str, Mapping[Leaf, Said]] = {}
    problems: list[Problem] = []
    for name in services:
        service = registry.pool.FindServiceByName(name)
        options = {each: _option(each, _OF_METHOD) for each in service.methods}
        common = _option(service, _OF_SERVICE)
        if common is None and all(each is None for each in options.values()):
            continue
        file = _File(registry, service.file.name)
        path: Path = (_SERVICES, service.index)
        at = (*path, _SERVICE_OPTIONS, _OF_SERVICE.number)
        of_all = dict(_settings(common, file, path, at, problems))
        for method, option in options.items():
            path = (_SERVICES, service.index, _METHODS, method.index)
            at = (*path, _METHOD_OPTIONS, _OF_METHOD.number)
            said = of_all | dict(_settings(option, file, path, at, problems))
            if said:
                methods[f"{name}/{method.name}"] = said
    return Declared(methods, tuple(problems))


class _File:
    """A proto, and the lines of its services."""

    def __init__(self, registry: Registry, name: str) -> None:
        self.origin = registry.origin(name)
        self._lines: Mapping[Path, Location] = {}
        if info := registry.source_info(name):
            try:
                self._lines = locations(info, lambda path: path[:1] == (_SERVICES,))
            except DecodeError:
                self._lines = {}  # whoever reads the service's methods says that it is damaged
        # The first line of all that is at a path or below it.
        self._first: dict[Path, int] = {}
        for path, location in self._lines.items():
            for length in range(len(path) + 1):
                start = path[:length]
                self._first[start] = min(location.line, self._first.get(start, location.line))

    def line(self, declaration: Path, option: Path, field: Path) -> int:
        """Returns the line that says something, or that of what it is said of; 0 for none.

        Args:
            declaration: The path of the method or service.
            option: The path of its option.
            field: The numbers of the setting's fields within.
        """
        for length in range(len(field), -1, -1):
            found = self._first.get((*option, *field[:length]))
            if found is not None:
                return found
        return self._lines.get(declaration, Location()).line


def _settings(
    option: Any, file: _File, declaration: Path, at: Path, problems: list[Problem]
) -> Iterator[tuple[Leaf, Said]]:
    """Yields what an option says; adds what is wrong with it to `problems`."""
    if option is None:
        return
    for leaf in _LEAVES:
        value = _value(option, leaf)
        if value is None:
            continue
        line = file.line(declaration, at, _numbers(option, leaf))
        wrong = partial(Problem, file.origin, line)
        if leaf == ("timeout",):
            seconds = value.seconds + value.nanos / 1e9
            if seconds <= 0:
                problems.append(wrong(message="timeout: expected a time longer than 0s"))
                continue
            value = seconds
        elif isinstance(value, tuple) and "" in value:
            problems.append(wrong(message=f"{'.'.join(leaf)}: found an empty text"))
            continue
        yield leaf, Said(value, f"{file.origin}:{line}" if line else file.origin)


def _value(option: Any, leaf: Leaf) -> Any:
    """Returns the value of a setting, None where nothing is said of it."""
    *parents, last = leaf
    for name in parents:
        option = getattr(option, name)
    if option.DESCRIPTOR.fields_by_name[last].has_presence:
        return getattr(option, last) if option.HasField(last) else None
    return tuple(getattr(option, last)) or None


def _numbers(option: Message, leaf: Leaf) -> Path:
    numbers = []
    descriptor: Any = option.DESCRIPTOR
    for name in leaf:
        field = descriptor.fields_by_name[name]
        numbers.append(field.number)
        descriptor = field.message_type
    return tuple(numbers)


def _option(descriptor: ServiceDescriptor | PoolMethod, extension: Any) -> Any:
    """Returns the message that an option is, None without one."""
    if not descriptor.has_options:
        return None
    options: Any = descriptor.GetOptions()
    return options.Extensions[extension] if options.HasExtension(extension) else None

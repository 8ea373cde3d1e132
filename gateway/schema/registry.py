"""The registry: the descriptors of one generation, frozen.

It holds a private `google.protobuf` pool, so that two generations never meet in the global one.
Files are added to the pool at once, in the order of their imports: that finds every clash at start,
and takes 0.6 s and 170 MB for googleapis' 7,245 files. Methods are described when a service is
first asked for. It does not know where files come from, nor how messages are encoded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from gateway.schema import bundled
from gateway.schema.file import SchemaFile, Source
from gateway.schema.http_rules import Configured, configured, unknown_selectors
from gateway.schema.merge import merge
from gateway.schema.method import MethodDescriptor
from gateway.schema.methods import methods_of
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.progress import Progress
from gateway.schema.serialized import Buffer

_DUPLICATE = re.compile(r"duplicate symbol '([^']+)'")


class AddedFile(NamedTuple):
    """A file, and its descriptor in the pool (which finds no file by a name beyond ASCII)."""

    file: SchemaFile
    descriptor: FileDescriptor


class Registry:
    """The descriptors of one generation.

    Attributes:
        pool: The private pool that holds every file.
        file_bytes: The serialized FileDescriptorProto by file name, with source info where there
            was any. Made anew at each look: keep what you need again.
    """

    def __init__(
        self,
        pool: DescriptorPool,
        files: Mapping[str, AddedFile],
        http_rules: Configured,
    ) -> None:
        self.pool = pool
        self.file_bytes: Mapping[str, bytes] = _FileBytes(files)
        self._files = files
        self._http_rules = http_rules
        self._annotation_problems: list[Problem] = []
        self._service_files = {
            service.full_name: name
            for name, added in files.items()
            for service in added.descriptor.services_by_name.values()
        }
        self._services = tuple(sorted(self._service_files))
        self._methods: dict[str, tuple[MethodDescriptor, ...]] = {}

    @classmethod
    def build(
        cls,
        files: Iterable[bytes | FileDescriptorProto | SchemaFile],
        http_rules: Sequence[Mapping[str, object]] = (),
    ) -> Registry:
        """Builds a registry.

        Args:
            files: File descriptors in any order; bundled ones that they import may be missing.
            http_rules: The configuration's rules, each the YAML form of a `google.api.HttpRule`.

        Raises:
            SchemaError: The files don't fit together, or a configured rule is wrong.
        """
        steps = building(list(map(_as_file, files)), http_rules)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                registry: Registry = stop.value
                break
        if problems := registry.rule_problems():
            raise SchemaError(problems)
        return registry

    def fingerprint(self) -> bytes:
        """Returns a digest of all types: equal ones mean registries whose types are the same."""
        digest = hashlib.sha256()
        for name in sorted(self._files):
            types = self._files[name].file.types
            digest.update(f"{name}\0{len(types)}\0".encode())
            digest.update(types)
        return digest.digest()

    def message(self, full_name: str) -> Descriptor:
        """Returns the descriptor of a message type. KeyError when there is none."""
        return self.pool.FindMessageTypeByName(full_name)

    def services(self) -> tuple[str, ...]:
        """Returns the full names of all services, sorted."""
        return self._services

    def source(self, service: str) -> Source:
        """Returns where the file that declares a service came from. KeyError without one."""
        return self._files[self._service_files[service]].file.source

    def methods(self, service: str) -> tuple[MethodDescriptor, ...]:
        """Returns the methods of a service, in the order of its proto, with their right bindings.

        What is wrong with HTTP annotations in the service's file is then in `annotation_problems`.

        Raises:
            KeyError: There is no such service.
        """
        if service not in self._methods:
            added = self._files[self._service_files[service]]
            found, problems = methods_of(added.descriptor, added.file, self._http_rules.rules)
            self._methods.update(found)
            self._annotation_problems += problems
        return self._methods[service]

    def annotation_problems(self) -> list[Problem]:
        """Returns what is wrong with HTTP annotations, in the files of services asked for so far.

        Damaged source info is among it, which says where annotations stand.
        """
        return list(self._annotation_problems)

    def rule_problems(self) -> list[Problem]:
        """Returns what is wrong with configured HTTP rules, such as a selector of no method."""
        if not self._http_rules.places:
            return list(self._http_rules.problems)
        selectable = {
            method.full_name
            for service in self._services
            for method in self.pool.FindServiceByName(service).methods
        }
        unknown = unknown_selectors(self._http_rules.places, selectable)
        return [*self._http_rules.problems, *unknown]

    def files(self) -> Iterator[FileDescriptor]:
        """Yields the descriptor of every file, each after those it imports."""
        return (added.descriptor for added in self._files.values())

    def source_info(self, file: str) -> Buffer:
        """Returns the comments and positions of a file, by its name, as `source_info` reads them.

        Raises:
            KeyError: There is no such file.
        """
        return self._files[file].file.source_info

    def origin(self, file: str) -> str:
        """Returns what to call a file in an error, by its name: a path, or the source it is from.

        Raises:
            KeyError: There is no such file.
        """
        return self._files[file].file.origin


Building: TypeAlias = Generator[Progress, None, Registry]


def building(
    files: Iterable[SchemaFile], http_rules: Sequence[Mapping[str, object]] = ()
) -> Building:
    """Builds a registry in steps of a few milliseconds at most but for very large files.

    Yields how far it is after each file, so that its driver can let others run; returns the
    registry. What is wrong with configured rules is left to `Registry.rule_problems`.

    Raises:
        SchemaError: The files don't fit together; with the problems of configured rules.
    """
    rules = configured(http_rules)
    ordered, problems = merge(files)
    pool = DescriptorPool()
    added: dict[str, AddedFile] = {}
    for number, file in enumerate(ordered):
        try:
            # Left out without a word: what it imports was, and has been reported.
            if all(needed in added for needed in file.proto().dependency):
                added[file.name] = _add(pool, file)
        except TypeError as error:
            problems.append(_unfit(file, str(error), pool, added))
        yield Progress("building descriptors", number + 1, len(ordered))
    if problems:
        raise SchemaError([*problems, *rules.problems])
    _add_bundled(pool, added)
    return Registry(pool, added, rules)


def _add(pool: DescriptorPool, file: SchemaFile) -> AddedFile:
    descriptor: FileDescriptor = pool.AddSerializedFile(bytes(file.types))
    return AddedFile(file, descriptor)


def _add_bundled(pool: DescriptorPool, added: dict[str, AddedFile]) -> None:
    """Adds the files that every registry knows, but those whose types have another home."""
    for file in merge(bundled.always())[0]:
        proto = file.proto()
        names = [each.name for each in proto.message_type] + [each.name for each in proto.enum_type]
        if (
            file.name not in added
            and all(needed in added for needed in proto.dependency)
            and not any(_knows(pool, f"{proto.package}.{name}") for name in names)
        ):
            added[file.name] = _add(pool, file)


def _knows(pool: DescriptorPool, symbol: str) -> bool:
    try:
        pool.FindFileContainingSymbol(symbol)
    except KeyError:
        return False
    return True


def _unfit(
    file: SchemaFile, error: str, pool: DescriptorPool, added: Mapping[str, AddedFile]
) -> Problem:
    """Tells why the pool refused a file, naming the other file where two clash."""
    duplicate = _DUPLICATE.search(error)
    if duplicate and _knows(pool, symbol := duplicate[1]):
        other = added[pool.FindFileContainingSymbol(symbol).name].file
        return Problem(
            file.origin,
            message=f"defines {symbol}, which {other.origin} defines too",
            hint="is it one file under two import names? Then give it once",
        )
    return Problem(file.origin, message=error.rpartition("descriptor pool: ")[2])


def _as_file(file: bytes | FileDescriptorProto | SchemaFile) -> SchemaFile:
    if isinstance(file, SchemaFile):
        return file
    data = file if isinstance(file, bytes) else file.SerializeToString()
    try:
        return SchemaFile.cut(data, Source.DESCRIPTOR_SET, "")
    except ValueError as error:
        raise SchemaError([Problem("file descriptor", message=str(error))]) from error


class _FileBytes(Mapping[str, bytes]):
    """The files, whole again when looked up: source info may lie in a mapped cache file."""

    def __init__(self, files: Mapping[str, AddedFile]) -> None:
        self._files = files

    def __getitem__(self, name: str) -> bytes:
        return self._files[name].file.serialized()

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

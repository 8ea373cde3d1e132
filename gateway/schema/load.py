"""Loads a schema: asks every source at once, builds the registry, finds every error.

Compiling happens in child processes, hashing and reading in threads. Building the pool can't leave
the interpreter's lock, so it is done on the event loop in slices of a few milliseconds, between
which everybody else runs: a thread would hold up the loop more often, by the lock's turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.schema.cache import Cache, default_folder
from gateway.schema.descriptor_sets import from_descriptor_sets
from gateway.schema.file import SchemaFile, Source
from gateway.schema.folders import Folder
from gateway.schema.globs import chosen, idle
from gateway.schema.http_rules import configured
from gateway.schema.method import MethodDescriptor
from gateway.schema.problem import Problem, SchemaError
from gateway.schema.progress import Progress
from gateway.schema.protos import from_folders
from gateway.schema.reflected import Bounds, Reflected, ReflectionTarget
from gateway.schema.registry import Building, Registry, building
from gateway.turns import Turn


@dataclass(frozen=True, slots=True)
class Sources:
    """Where descriptors come from, and what the configuration says of them.

    Attributes:
        folders: Folders of protos.
        descriptor_sets: Files that hold a FileDescriptorSet.
        reflection: Backends to ask.
        http_rules: The YAML form of `google.api.HttpRule`s with selectors.
        expose: Globs over the services that clients may reach.
    """

    folders: Sequence[Folder] = ()
    descriptor_sets: Sequence[Path] = ()
    reflection: Sequence[ReflectionTarget] = ()
    http_rules: Sequence[Mapping[str, object]] = ()
    expose: Sequence[str] = ("*",)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A schema that is whole and right.

    Attributes:
        registry: Every descriptor.
        methods: The methods of the exposed services, by service, in the order of names.
        warnings: What an operator should know and can live with.
    """

    registry: Registry
    methods: Mapping[str, tuple[MethodDescriptor, ...]]
    warnings: tuple[Problem, ...] = ()


class RulesError(SchemaError):
    """Descriptors that fit together, with HTTP rules or `expose` that are wrong.

    Attributes:
        loaded: The schema as far as it is right. To be looked at only, for what else is wrong.
    """

    def __init__(self, problems: Iterable[Problem], loaded: Loaded) -> None:
        super().__init__(problems)
        self.loaded = loaded


def _silent(_: Progress) -> None:
    """Tells nobody."""


async def load(
    sources: Sources,
    *,
    cache: Cache | None = None,
    bounds: Bounds | None = None,
    progress: Callable[[Progress], None] = _silent,
    turn: Turn | None = None,
) -> Loaded:
    """Loads a schema without holding up the event loop.

    Args:
        sources: Where it comes from.
        cache: Where compiled protos are kept; by default where the user's caches belong.
        bounds: What is borne of one backend that is asked.
        progress: Told how far it is, on the event loop.
        turn: In which it is done; None where nobody else waits for the loop.

    Raises:
        RulesError: The descriptors are right, rules or `expose` are wrong: with all their problems.
        SchemaError: With the problems of all sources at once, and those of rules by themselves.
    """
    cache = cache or Cache(default_folder())
    turn = turn or Turn(alone=True)
    files, reflected, warnings = await _gather(sources, cache, bounds or Bounds(), progress)
    turn.begin()
    registry = await _in_turns(building(files, sources.http_rules), progress, turn)
    problems = registry.rule_problems() + [
        Problem("schema.expose", message=f"no service matches {pattern}", hint=hint)
        for pattern, hint in idle(registry.services(), sources.expose)
    ]
    methods = {}
    for service in chosen(registry.services(), sources.expose):
        if registry.source(service) is Source.REFLECTION and service not in reflected:
            continue  # in one file with a service of the backend, which does not have it
        methods[service] = registry.methods(service)
        await turn.over()
    loaded = Loaded(registry, methods, tuple(warnings))
    if problems := problems + registry.annotation_problems():
        raise RulesError(problems, loaded)
    return loaded


async def _gather(
    sources: Sources, cache: Cache, bounds: Bounds, progress: Callable[[Progress], None]
) -> tuple[list[SchemaFile], set[str], list[Problem]]:
    """Asks all sources at the same time; returns files, services of backends, and warnings."""
    problems: list[Problem] = []
    work: list[Coroutine[object, object, Reflected]] = []
    if sources.folders:
        work.append(_from_folders(sources, cache, progress))
    if sources.descriptor_sets:
        work.append(_from_descriptor_sets(sources))
    if sources.reflection:
        from gateway.schema.reflection import from_reflection  # noqa: PLC0415  it loads grpcio

        work += [from_reflection(target, bounds, progress) for target in sources.reflection]
    files: list[SchemaFile] = []
    services: set[str] = set()
    warnings: list[Problem] = []
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, SchemaError):
            problems += result.problems
        elif isinstance(result, BaseException):
            raise result
        else:
            files += result.files
            services.update(result.services)
            warnings += result.warnings
    if problems:
        raise SchemaError([*problems, *configured(sources.http_rules).problems])
    return files, services, warnings


async def _from_folders(
    sources: Sources, cache: Cache, progress: Callable[[Progress], None]
) -> Reflected:
    return Reflected(await from_folders(sources.folders, cache, progress))


async def _from_descriptor_sets(sources: Sources) -> Reflected:
    return Reflected(await from_descriptor_sets(sources.descriptor_sets))


async def _in_turns(steps: Building, progress: Callable[[Progress], None], turn: Turn) -> Registry:
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            registry: Registry = stop.value
            return registry
        if await turn.over():
            progress(step)

"""Answers that somebody wrote: the files of `serve --mock-files`, read and held against the protos.

A file is named by its method, `shop.catalog.v1.CatalogService.GetProduct.yaml` (or `.yml`,
`.json`); what is named otherwise is left alone. A file is as strict as the config, and wrong in the
same words.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gateway.call import Code, Detail, Status
from gateway.config import ConfigError, Source
from gateway.config.entries import problem_at, read_entries
from gateway.config.models.mock_file import MockEntry, MockError, MockFile
from gateway.config.noting import note
from gateway.config.problems import Path as Key
from gateway.mock.written import Condition, Delay, Entry, Faults, Fields
from gateway.regular import read_regular
from gateway.schema.method import MethodDescriptor
from gateway.schema.registry import Registry

if TYPE_CHECKING:
    from gateway.policies.cel import Compiler

_SUFFIXES: Final = (".yaml", ".yml", ".json")
_LIST: Final = "answers"
_EMPTY: Final = "no answers; expected a list of one or more, such as `- reply: {}`"
_ANY: Final = "google.protobuf.Any"


@dataclass(frozen=True, slots=True)
class Written:
    """What was read.

    Attributes:
        by_method: Entries, by the full names of their methods.
        problems: What is wrong, as lines.
        count: How many entries there are.
        digests: Of what files say, by method: the same for others in comments and layout only.
    """

    by_method: Mapping[str, tuple[Entry, ...]]
    problems: tuple[str, ...]
    count: int
    digests: Mapping[str, bytes] = field(default_factory=dict)


def read_answers(folder: Path, methods: Iterable[MethodDescriptor], registry: Registry) -> Written:
    """Reads all files of a folder.

    Args:
        folder: The folder; those within it are left alone.
        methods: Those that are served.
        registry: Their types.
    """
    by_file = {each.name.replace("/", "."): each for each in methods}
    found: dict[str, tuple[Entry, ...]] = {}
    digests: dict[str, bytes] = {}
    first: dict[str, Path] = {}
    problems: list[str] = []
    reading = _Reading(registry)
    try:
        note(folder.absolute())
        paths = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)
    except OSError as failure:
        return Written({}, (f"--mock-files: {folder} can't be read: {failure.strerror}",), 0)
    for path in paths:
        method = by_file.get(path.stem)
        if method is None:
            problems.append(f"{path}: {_unknown(path.stem, by_file)}")
        elif (before := first.setdefault(path.stem, path)) != path:
            problems.append(f"{path}: the answers of {method.name} are in {before} already")
        else:
            said, wrong = reading.said(path)
            problems += wrong
            if said is not None:
                entries, wrong = reading.entries(said, method)
                problems += wrong
                found[method.name] = entries
                digests[method.name] = said.digest
    return Written(found, tuple(problems), sum(map(len, found.values())), digests)


class _WrongError(Exception):
    """A value can't be used: the key within its entry, and why."""

    def __init__(self, key: Key, text: str) -> None:
        super().__init__(text)
        self.key = key


@dataclass(frozen=True, slots=True)
class _Said:
    """What a file says, and where."""

    answers: tuple[MockEntry, ...]
    source: Source

    @property
    def digest(self) -> bytes:
        """Tells it from what else may be said."""
        return blake2b(repr(self.answers).encode("utf-8", "replace"), digest_size=16).digest()


class _Reading:
    """Reads files.

    Args:
        registry: The types of messages.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._cel: Compiler | None = None

    @staticmethod
    def said(path: Path) -> tuple[_Said | None, list[str]]:
        """Returns what a file says, and what is wrong with it whatever its method is."""
        try:
            data = read_regular(note(path.absolute()))
            read, source = read_entries(data, str(path), MockFile, under=_LIST)
        except OSError as failure:
            return None, [f"{path}: can't be read: {failure.strerror}"]
        except ConfigError as wrong:
            return None, [str(each) for each in wrong.problems]
        if not read.answers:
            return None, [str(problem_at(source, (), _EMPTY))]
        return _Said(read.answers, source), []

    def entries(self, said: _Said, method: MethodDescriptor) -> tuple[tuple[Entry, ...], list[str]]:
        """Returns the entries of a method's file, and what is wrong with them."""
        entries, problems = [], []
        for number, given in enumerate(said.answers):
            try:
                entries.append(self._entry(given, method))
            except _WrongError as wrong:
                problems.append(_line(said.source, number, wrong))
        return tuple(entries), problems

    def _entry(self, given: MockEntry, method: MethodDescriptor) -> Entry:
        request = self._registry.message(method.input)
        faults = given.faults
        return Entry(
            fields=self._fields(given.when, request) if isinstance(given.when, Mapping) else None,
            condition=self._condition(given.when, method) if isinstance(given.when, str) else None,
            replies=self._replies(given, method),
            error=None if given.error is None else self._status(given.error),
            delay=None if given.delay is None else Delay(given.delay, given.delay),
            interval=given.interval,
            faults=None
            if faults is None
            else Faults(faults.percent, Code[faults.code] if faults.code else None, faults.delay),
        )

    def _replies(self, given: MockEntry, method: MethodDescriptor) -> tuple[bytes, ...] | None:
        streams = method.kind.server_streams
        key, other = ("stream", "reply") if streams else ("reply", "stream")
        if getattr(given, other) is not None:
            raise _WrongError((other,), f"{method.name} is {method.kind.value}; expected {key}")
        if given.reply is not None and given.error is not None:
            raise _WrongError(("error",), "beside reply; expected one of the two")
        reply = self._registry.message(method.output)
        if given.reply is not None:
            return (self._serialized(given.reply, reply, ("reply",)),)
        if given.stream is None:
            return None
        return tuple(
            self._serialized(each, reply, ("stream", number))
            for number, each in enumerate(given.stream)
        )

    def _status(self, given: MockError) -> Status:
        of = self._registry.message(_ANY)
        details = []
        for number, each in enumerate(given.details):
            packed: Any = self._message(each, of, ("error", "details", number))
            details.append(Detail(packed.type_url, packed.value))
        return Status(Code[given.code], given.message, tuple(details))

    def _fields(self, when: Mapping[str, Any], request: Descriptor) -> Fields:
        paths, expected = [], GetMessageClass(request)()
        for name, value in when.items():
            path = _path(name, request)
            nested: Any = value
            for part in reversed(path):
                nested = {part: nested}
            expected.MergeFrom(self._message(nested, request, ("when", name)))
            paths.append(path)
        return Fields(tuple(paths), expected)

    def _condition(self, when: str, method: MethodDescriptor) -> Condition:
        # The evaluator takes 14 MB: only who has a condition pays for it.
        from gateway.policies.cel import CHOOSES, Compiler, ConditionError  # noqa: PLC0415  see above

        self._cel = self._cel or Compiler(self._registry.pool, CHOOSES)
        try:
            return self._cel.compile(when, method.input).allows_message
        except ConditionError as failure:
            raise _WrongError(("when",), str(failure)) from failure

    def _serialized(self, given: Mapping[str, Any], of: Descriptor, key: Key) -> bytes:
        return self._message(given, of, key).SerializeToString(deterministic=True)

    def _message(self, given: Mapping[str, Any], of: Descriptor, key: Key) -> Message:
        message = GetMessageClass(of)()
        try:
            json_format.ParseDict(dict(given), message, descriptor_pool=self._registry.pool)
        except (json_format.ParseError, TypeError, ValueError) as failure:
            text = " ".join(str(failure).split())
            raise _WrongError(key, f"no {of.full_name}: {text}") from failure
        return message


def _path(name: str, of: Descriptor) -> tuple[str, ...]:
    """Returns the names, as protos have them, of a path of names or JSON names.

    Raises:
        _WrongError: It leads nowhere.
    """
    found: list[str] = []
    inner: Descriptor | None = of
    for part in name.split("."):
        fields = () if inner is None else inner.fields
        field = next((each for each in fields if part in (each.name, each.json_name)), None)
        if field is None:
            raise _WrongError(("when", name), f"{of.full_name} has no such field")
        found.append(field.name)
        inner = None if field.is_repeated else field.message_type
    return tuple(found)


def _line(source: Source, number: int, wrong: _WrongError) -> str:
    path: Key = (_LIST, number, *wrong.key)
    while source.place(path) is None and len(path) > 1:
        path = path[:-1]
    return str(problem_at(source, path, str(wrong)))


def _unknown(stem: str, known: Iterable[str]) -> str:
    near = _near(stem, known)
    hint = f'; did you mean "{near}"?' if near else "; expected package.Service.Method"
    return f'no method is named "{stem}"{hint}'


def _near(stem: str, known: Iterable[str]) -> str | None:
    return next(iter(difflib.get_close_matches(stem, list(known), 1)), None)

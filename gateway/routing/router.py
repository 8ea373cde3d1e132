"""The router: from an HTTP method and a raw path to a route and what its variables captured.

Precedence is that of a search through a tree, depth first with backtracking: at each segment a
literal, then `*`, then `**`; the HTTP method belongs to the leaf, so a path that a more special
template takes for GET can still reach a more general one for POST. That order is the same for
every path, so it is computed once, as a rank of each template, and there is no search: `table`
finds all templates that match at once. A request costs one look-up a segment, whatever the routes.

A verb is split off the last segment at its last colon if any template has that verb, and templates
with it are tried first; then the segment counts whole. So `/v1/urn:isbn:1` still reaches
`/v1/{id}`. `HEAD` goes where `GET` does unless a rule names it. A rule of kind `*` takes what no
rule of the same template names.

What targets are, and what captures mean, is for others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from gateway.routing.escape import decode, refuse_dots, split_path
from gateway.routing.table import ANY, Entry, Table
from gateway.routing.template import Segment, Template, Wildcard, text_of

T = TypeVar("T")


class Match(NamedTuple, Generic[T]):
    """A route was found.

    Attributes:
        target: What was added with it.
        captures: The decoded value of each variable, in the template's order.
    """

    target: T
    captures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotFound:
    """No template matches the path: 404."""


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """Templates match the path, but none for this HTTP method: 405, or the answer to OPTIONS.

    Attributes:
        methods: What the path can be called with, sorted, for `Allow`: `HEAD` where there is
            `GET`, `OPTIONS` always.
    """

    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a route comes from, for errors."""

    template: Template
    label: str
    source: str

    def __str__(self) -> str:
        return f'{self.label} ("{self.template}", {self.source})'


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two bindings that match the same requests."""

    method: str
    shape: str
    first: Binding
    second: Binding

    def __str__(self) -> str:
        return f"{self.method} {self.shape} is bound twice: by {self.first} and by {self.second}"


class RouteConflictError(ValueError):
    """Bindings that match the same requests: all there are, in the order of their paths."""

    def __init__(self, conflicts: Iterable[Conflict]) -> None:
        self.conflicts = tuple(conflicts)
        super().__init__("; ".join(map(str, self.conflicts)))


class _Capture(NamedTuple):
    """Which segments a variable takes; a `stop` of 0 or less counts from the path's end."""

    start: int
    stop: int
    multiple: bool


@dataclass(frozen=True, slots=True)
class _Handler(Generic[T]):
    """A target with what its own template's variables capture."""

    target: T
    captures: tuple[_Capture, ...]


@dataclass(slots=True)
class _Shape(Generic[T]):
    """All routes of one shape: what each HTTP method reaches there."""

    segments: tuple[Segment, ...]
    verb: str | None
    handlers: dict[str, _Handler[T]] = field(default_factory=dict)
    bindings: dict[str, list[Binding]] = field(default_factory=dict)

    def handler(self, method: str) -> _Handler[T] | None:
        """Returns what the method reaches: its own rule, for HEAD that of GET, that of `*`."""
        handlers = self.handlers
        found = handlers.get(method)
        if found is None and method == "HEAD":
            found = handlers.get("GET")
        return handlers.get(ANY) if found is None else found

    def entry(self) -> Entry[_Shape[T]]:
        """Returns the shape as an entry of a table."""
        methods = {*self.handlers, "HEAD"} if "GET" in self.handlers else set(self.handlers)
        return Entry(self.segments, frozenset(methods), self)


class RouterBuilder(Generic[T]):
    """Collects routes, in any order, and freezes them into a Router."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[tuple[Segment, ...], str | None], _Shape[T]] = {}

    def add(self, method: str, template: Template, target: T, *, label: str, source: str) -> None:
        """Adds a route.

        Args:
            method: The HTTP method, or `*`.
            template: The path it answers.
            target: What a match gives back.
            label: The RPC's name, for conflicts.
            source: Where the rule is written, for conflicts.
        """
        segments, verb = template.shape
        shape = self._shapes.setdefault(template.shape, _Shape(segments, verb))
        shape.handlers[method] = _Handler(target, _captures(template))
        shape.bindings.setdefault(method, []).append(Binding(template, label, source))

    def freeze(self) -> Router[T]:
        """Returns the router of all routes added.

        Raises:
            RouteConflictError: Some match the same requests.
        """
        conflicts = [
            Conflict(method, text_of(shape.segments, shape.verb), first, second)
            for shape in self._shapes.values()
            for method, bindings in shape.bindings.items()
            for first, *others in [sorted(bindings, key=str)]
            for second in others
        ]
        if conflicts:
            raise RouteConflictError(sorted(conflicts, key=lambda item: (item.shape, str(item))))
        return Router(self._shapes.values())


class Router(Generic[T]):
    """Finds the route of a request. Immutable."""

    __slots__ = ("_exact", "_verbs", "_whole")

    def __init__(self, shapes: Iterable[_Shape[T]]) -> None:
        by_verb: dict[str | None, list[_Shape[T]]] = {}
        for shape in shapes:
            by_verb.setdefault(shape.verb, []).append(shape)
        self._exact = {
            text: shape for group in by_verb.values() for shape in group if (text := _plain(shape))
        }
        self._whole: Table[_Shape[T]] = _table(by_verb.pop(None, []))
        self._verbs = {verb: _table(group) for verb, group in by_verb.items() if verb is not None}

    def match(self, method: str, path: str) -> Match[T] | NotFound | NotAllowed:
        """Finds the route of a request.

        Args:
            method: The HTTP method, as received.
            path: The raw path, without the query.

        Raises:
            RpcError: INVALID_PATH: the path can't be decoded, or has a `.` or `..` segment.
        """
        # A path of literals, written plainly, outranks all others.
        if (exact := self._exact.get(path)) is not None:
            handler = exact.handler(method)
            if handler is not None:
                return Match(handler.target, ())
        raw, decoded = split_path(path)
        verb_may_be = bool(raw) and ":" in raw[-1]
        if not verb_may_be and (shape := self._whole.find(decoded, method)) is not None:
            return _found(shape, method, raw, decoded)
        readings = [(self._whole, raw, decoded)]
        if verb_may_be:
            head, _, verb = raw[-1].rpartition(":")
            # The whole segment has been decoded without an error, so its halves can be.
            table = self._verbs.get(decode(verb))
            if table is not None:
                heads = [*decoded[:-1], decode(head)]
                refuse_dots(heads)
                readings.insert(0, (table, [*raw[:-1], head], heads))
        for table, undecoded, parts in readings:
            if (shape := table.find(parts, method)) is not None:
                return _found(shape, method, undecoded, parts)
        allowed = set[str]().union(*(table.methods(parts) for table, _, parts in readings))
        return NotAllowed(tuple(sorted(allowed | {"OPTIONS"}))) if allowed else NotFound()


def _found(shape: _Shape[T], method: str, raw: list[str], decoded: list[str]) -> Match[T]:
    """Returns the match of a shape that a table found, and which so takes the method."""
    handler = shape.handler(method)
    assert handler is not None
    captures = handler.captures
    if len(captures) == 1 and not captures[0].multiple:
        return Match(handler.target, (decoded[captures[0].start],))
    return Match(handler.target, _captured(captures, raw, decoded))


def _table(shapes: Iterable[_Shape[T]]) -> Table[_Shape[T]]:
    return Table(shape.entry() for shape in shapes)


def _plain(shape: _Shape[T]) -> str | None:
    """Returns the raw path of a shape of literals, if it reads in one way only; else None.

    It is not plain where it would have to be escaped, or where its end would be read as a verb.
    """
    literals = [part for part in shape.segments if isinstance(part, str)]
    if len(literals) != len(shape.segments) or any("/" in part for part in literals):
        return None
    if ":" in (shape.verb or "") or (shape.verb is None and ":" in "".join(literals[-1:])):
        return None
    text = text_of(shape.segments, shape.verb)
    return text if text.isascii() and text.isprintable() and "%" not in text else None


def _captures(template: Template) -> tuple[_Capture, ...]:
    """Returns what the variables capture, counted from the path's end where `**` comes before."""
    length = len(template.segments)
    many = template.segments.index(Wildcard.MANY) if Wildcard.MANY in template.segments else length
    return tuple(
        _Capture(item.start, item.stop if item.stop <= many else item.stop - length, item.multiple)
        for item in template.variables
    )


def _captured(
    captures: tuple[_Capture, ...], raw: list[str], decoded: list[str]
) -> tuple[str, ...]:
    """Returns the value of each variable."""
    values = []
    for start, stop, multiple in captures:
        if not multiple:
            values.append(decoded[start])
        elif raw is decoded:
            values.append("/".join(raw[start : stop if stop > 0 else len(raw) + stop]))
        else:
            text = "/".join(raw[start : stop if stop > 0 else len(raw) + stop])
            values.append(decode(text, keep_slash=True))
    return tuple(values)

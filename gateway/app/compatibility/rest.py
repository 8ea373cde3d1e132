"""REST: which requests that were answered are refused now, or are answered otherwise.

A route is known by its verb and by the paths that it matches; what its variables are called is
nothing that a client sees. Of what a route takes and gives, the messages are compared by
`json_messages`; here is which part of a message stands where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from gateway.app.compatibility.access import access_changes, timeout_changes
from gateway.app.compatibility.change import Change, Changes, Effect
from gateway.app.compatibility.json_messages import REPLY, JsonMessages, Position
from gateway.app.compatibility.paths import Covering, covers
from gateway.app.compatibility.scalars import becomes_text, described, reads_all
from gateway.app.surface.model import Field, Method, RestSurface, Route, Surface
from gateway.routing.fields import Path
from gateway.routing.table import ANY
from gateway.routing.template import Template, parse

_RAW: Final = "google.api.HttpBody"


class Known(NamedTuple):
    """A route with its template parsed."""

    route: Route
    template: Template

    @property
    def label(self) -> str:
        """`GET /v1/users/{id}`."""
        return f"{self.route.verb} {self.route.template}"


@dataclass(frozen=True, slots=True)
class Rest:
    """Compares the REST fronts of two surfaces.

    Attributes:
        old: What clients know.
        new: What they meet.
        messages: Compares what both send.
        found: Takes what has changed.
        at: What to call a route of a host: `GET api.example/v1/users`.
    """

    old: Surface
    new: Surface
    messages: JsonMessages
    found: Changes
    at: Callable[[Known], str]

    def compare(self, old: RestSurface, new: RestSurface) -> None:
        """Compares two fronts of one host."""
        before = [Known(each, parse(each.template)) for each in old.routes]
        now = [Known(each, parse(each.template)) for each in new.routes]
        same = {(each.route.verb, each.template.shape): each for each in now}
        kept = {(each.route.verb, each.template.shape) for each in before}
        wide = Covering((each.template, each) for each in now)
        query = Position(
            "rest.query",
            sent=True,
            noun="query parameter",
            is_query=True,
            tolerates=lambda name: any(fnmatchcase(name, glob) for glob in new.ignored_query),
        )
        by_method: dict[str, list[Known]] = {}
        for each in now:
            by_method.setdefault(each.route.method, []).append(each)
        for each in before:
            found = same.get((each.route.verb, each.template.shape)) or _wider(each, wide)
            if found is None:
                method = each.route.method
                self.found.add([self._gone(each, by_method.get(method, ()) if method else ())])
            else:
                self._route(each, found, query)
        covered = Covering((each.template, each) for each in before)
        for each in now:
            if (each.route.verb, each.template.shape) not in kept:
                self.found.add(self._added(each, covered.find(each.template)))
        self._query(old, new)
        self._versions(old, new)

    def _gone(self, old: Known, others: Sequence[Known]) -> Change:
        """Returns what has become of a route; `others` are those of its method."""
        label, method = self.at(old), old.route.method
        for each in others:
            if each.template.shape == old.template.shape:
                message = f"its verb is {each.route.verb} now"
                return Change("rest.verb-changed", Effect.BREAKING, label, message, method)
        for each in others:
            if each.route.verb == old.route.verb and covers(old.template, each.template):
                message = f"fewer paths are answered: {self.at(each)}"
                return Change("rest.route-narrowed", Effect.BREAKING, label, message, method)
        if others:
            there = ", ".join(map(self.at, others))
            message = f"is not answered any more; {method} is at {there}"
            return Change("rest.route-moved", Effect.BREAKING, label, message, method)
        message = "is not answered any more"
        return Change("rest.route-removed", Effect.BREAKING, label, message, method)

    def _added(self, new: Known, covering: Sequence[Known]) -> Iterator[Change]:
        label, method = self.at(new), new.route.method
        yield Change("rest.route-added", Effect.SAFE, label, "is a new route", method)
        for each in covering:
            takes = each.route.verb in (ANY, new.route.verb)
            if takes and (each.route.method != method or not method):
                was = each.route.method or "a view"
                message = f"takes requests of {self.at(each)}, which were for {was}"
                yield Change("rest.route-shadowed", Effect.DANGEROUS, label, message, method)

    def _route(self, old: Known, new: Known, query: Position) -> None:
        label = self.at(old)
        before, now = old.route, new.route
        if before.method != now.method or bool(before.document) != bool(now.document):
            was, is_ = before.method or "a view", now.method or "a view"
            message = f"was {was} and is {is_}"
            self.found.add(
                [Change("rest.route-retargeted", Effect.DANGEROUS, label, message, now.method)]
            )
        if before.document and now.document and before.document != now.document:
            message = "its document is another: what it asks for and answers may be"
            self.found.add([Change("rest.view-changed", Effect.DANGEROUS, label, message)])
        if before.document or now.document:
            return
        first, second = self.old.methods[before.method], self.new.methods[now.method]
        if before.method != now.method:  # else that is told of the method, for all fronts
            self.found.add(access_changes(now.method, first.access, second.access), label)
            self.found.add(timeout_changes(now.method, first, second), label)
        self.found.add(_streams(label, first, second, now.method))
        self.found.add(self._variables(label, old, new, first, second))
        self._request(label, old, new, query)
        self._reply(label, before, now)

    def _variables(
        self, label: str, old: Known, new: Known, first: Method, second: Method
    ) -> Iterator[Change]:
        now = {each.start: each for each in new.template.variables}
        for each in old.template.variables:
            other = now.get(each.start)
            if other is None:
                continue
            before = _along(self.old, first.input, each.path)
            after = _along(self.new, second.input, other.path)
            message = f"was {described(before)} and is {described(after)}"
            subject, element = f"{label} {{{each.name}}}", f"{second.input}.{other.path[0]}"
            if after.type != "string" and not reads_all(before, after):
                yield Change("rest.path-type-changed", Effect.BREAKING, subject, message, element)
            elif becomes_text(before, after):
                message += ": the same paths are answered, and types that are generated have a text"
                yield Change("rest.path-type-widened", Effect.DANGEROUS, subject, message, element)

    def _request(self, label: str, old: Known, new: Known, query: Position) -> None:
        before, now = old.route, new.route
        types = self.old.methods[before.method].input, self.new.methods[now.method].input
        bound = _bound(old.template)
        if (before.body, now.body) == ("*", "*"):
            self._whole(label, *types, self.messages.request, now.method)
            return
        if "*" not in (before.body, now.body) and before.body and now.body:
            self._part(label, old, new, self.messages.request)
        elif before.body != now.body and (before.body or self._has_query(types[0], bound)):
            message = f"its body was {_body(before.body)} and is {_body(now.body)}"
            change = Change("rest.body-changed", Effect.BREAKING, label, message, now.method)
            self.found.add([change])
            return
        unless = {before.body, *bound}
        unless_new = {now.body, *_bound(new.template)} - unless
        changes = self.messages.of_part(*types, query, unless=unless, unless_new=unless_new)
        self.found.add(changes, label)
        self.found.add(self._bound_now(types[0], unless_new), label)

    def _reply(self, label: str, old: Route, new: Route) -> None:
        types = self.old.methods[old.method].output, self.new.methods[new.method].output
        if not old.response_body and not new.response_body:
            self._whole(label, *types, REPLY, new.method)
        elif old.response_body and new.response_body:
            fields = (
                _field(self.old, types[0], old.response_body),
                _field(self.new, types[1], new.response_body),
            )
            self._value(label, f"{types[0]}.{old.response_body}", fields, REPLY, new.method)
        else:
            was, is_ = _body(old.response_body or "*"), _body(new.response_body or "*")
            message = f"a reply was {was} and is {is_}"
            change = Change("rest.reply-changed", Effect.BREAKING, label, message, new.method)
            self.found.add([change])

    def _whole(self, label: str, old: str, new: str, position: Position, method: str) -> None:
        """Compares messages that are all of a body."""
        if _RAW in (old, new):
            self.found.add(_raw(label, position, old, new, method))
        else:
            self.found.add(self.messages.changes(old, new, position), label)

    def _part(self, label: str, old: Known, new: Known, position: Position) -> None:
        """Compares fields that are all of a request's body."""
        before, now = old.route, new.route
        owner = self.old.methods[before.method].input
        fields = (
            _field(self.old, owner, before.body),
            _field(self.new, self.new.methods[now.method].input, now.body),
        )
        self._value(label, f"{owner}.{before.body}", fields, position, now.method)

    def _value(
        self,
        label: str,
        subject: str,
        fields: tuple[Field, Field],
        position: Position,
        method: str,
    ) -> None:
        old, new = fields
        if _RAW in (old.of, new.of):
            self.found.add(_raw(label, position, described(old), described(new), method))
        else:
            self.found.add(self.messages.of_value(subject, old, new, position), label)

    def _has_query(self, message: str, bound: set[str]) -> bool:
        """Whether requests without a body had parameters for fields that are in a body now."""
        return any(each.name not in bound for each in self.old.messages[message].fields)

    def _bound_now(self, message: str, names: set[str]) -> Iterator[Change]:
        for each in self.old.messages[message].fields:
            if each.name in names:
                subject = f"{message}.{each.name}"
                told = "is no query parameter any more: the path or the body has it"
                yield Change("rest.query-field-bound", Effect.BREAKING, subject, told, subject)

    def _query(self, old: RestSurface, new: RestSurface) -> None:
        if "*" in new.ignored_query:
            return
        message = "parameters of that name that no field has were ignored, and are refused now"
        self.found.add(
            Change("rest.query-refused", Effect.DANGEROUS, each, message)
            for each in old.ignored_query
            if each not in new.ignored_query
        )

    def _versions(self, old: RestSurface, new: RestSurface) -> None:
        for name, was in old.versions.items():
            is_ = new.versions.get(name)
            if is_ != was:
                told = "can't be said that way any more" if is_ is None else f"is {is_} now"
                subject = f"rest.versions.{name}"
                message = f"was {was} and {told}"
                change = Change("rest.version-changed", Effect.BREAKING, subject, message)
                self.found.add([change])


def _wider(old: Known, wide: Covering[Known]) -> Known | None:
    """Returns the route that answers all that an old one answered; of its own method if it can."""
    verbs = (ANY, old.route.verb)
    found = [each for each in wide.find(old.template) if each.route.verb in verbs]
    own = [each for each in found if each.route.method == old.route.method]
    return next(iter(own or found), None)


def _streams(label: str, old: Method, new: Method, method: str) -> Iterator[Change]:
    if (old.client_streams, old.server_streams) != (new.client_streams, new.server_streams):
        message = f"was {kind_of(old)} and is {kind_of(new)}"
        yield Change("rest.stream-changed", Effect.BREAKING, label, message, method)


def kind_of(method: Method) -> str:
    """Returns what streams in the calls of a method, in words."""
    sides = [
        side
        for side, streams in (("client", method.client_streams), ("server", method.server_streams))
        if streams
    ]
    return f"a stream of the {' and the '.join(sides)}" if sides else "unary"


def _raw(label: str, position: Position, old: str, new: str, method: str) -> Iterator[Change]:
    if old != new:
        of = "request" if position.sent else "reply"
        message = f"the body of a {of} was {_content(old)} and is {_content(new)}"
        rule = "rest.content-type-changed"
        yield Change(rule, Effect.BREAKING, f"{label} ({of})", message, method)


def _content(type_: str) -> str:
    return "of any content type" if type_ == _RAW else f"{type_} as JSON"


def _body(body: str) -> str:
    return {"": "none", "*": "the whole message"}.get(body, f"the field {body}")


def _bound(template: Template) -> set[str]:
    """Returns the names of the fields that a path has all of."""
    return {each.path[0] for each in template.variables if len(each.path) == 1}


def _field(surface: Surface, message: str, name: str) -> Field:
    return next(each for each in surface.messages[message].fields if each.name == name)


def _along(surface: Surface, message: str, path: Path) -> Field:
    """Returns the field at the end of a path of names."""
    *parents, last = path
    for name in parents:
        message = _field(surface, message, name).of
    return _field(surface, message, last)

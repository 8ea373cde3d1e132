"""Makes the request message of an RPC from a path's captures, a query and a body.

`Binder` is what is known of a rule beforehand, `Bound` a path and a query read for one request:
from it and the bodies of a request, or the frames of a WebSocket, one message after the other is
made, so that a stream's path and query are read once. Authority goes from the path to the body to
the query (google/api/http.proto, "Rules for HTTP mapping"): a body may repeat what the path says, a
frame what the query says too, and nothing else may be said twice. The backend never sees another
value than the path's in a field that the path binds.

Which content type a body has, and how a stream is cut into messages, is the front's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import translate

from gateway.call import RpcError
from gateway.errors import error
from gateway.routing.parameters import Oneof, fault
from gateway.routing.plan import BodyKind, PathVariable, Plan, body_kind, compiled
from gateway.routing.query import MAX_PARAMETERS, parse
from gateway.routing.settings import Setting, read
from gateway.routing.template import Template
from gateway.schema.codec import Codec, CodecError, Message
from gateway.schema.method import HttpRule, MethodDescriptor
from gateway.schema.registry import Registry


class Binder:
    """Binds requests of one rule. The rule is right (`rules.check_rule`).

    Args:
        method: The RPC.
        rule: The rule.
        template: Its template, as `rule.template` or under a prefix.
        registry: Knows the RPC's types.
        codec: Makes its messages; asked on first use.
        ignore_query: Globs of names that a query may have though they name no field.
        form_parameters: How many parameters a body that is a form may have.
        framed: Whether messages come in frames: then each is the whole request, whatever the rule's
            body is, and the query may name all that the path does not bind.

    Attributes:
        body_kind: What the body is.
    """

    def __init__(
        self,
        method: MethodDescriptor,
        rule: HttpRule,
        template: Template,
        registry: Registry,
        codec: Codec,
        *,
        ignore_query: Iterable[str] = (),
        form_parameters: int = MAX_PARAMETERS,
        framed: bool = False,
    ) -> None:
        self._form_parameters = form_parameters
        self._method = method
        self._rule = rule
        self._template = template
        self._registry = registry
        self._codec = codec
        self._ignored = _globs(ignore_query)
        self._framed = framed
        self._plan: Plan | None = None
        self.body_kind = BodyKind.MESSAGE if framed else body_kind(method, rule, registry)

    def bind(self, captures: Sequence[str], query: str | None, body: bytes) -> bytes:
        """Returns the serialized request of a unary call whose body is JSON.

        Args:
            captures: What the template's variables captured (`Match.captures`).
            query: The raw query, or None.
            body: The whole body, empty for none.

        Raises:
            RpcError: As of `prepare` and `Bound.message`.
        """
        return self.prepare(captures, query).message(body)

    def prepare(self, captures: Sequence[str], query: str | None) -> Bound:
        """Reads a request's path and query.

        Raises:
            RpcError: INVALID_PATH_PARAMETER: a variable's text is not a value of its field.
                INVALID_QUERY, UNKNOWN_QUERY_PARAMETER, CONFLICTING_FIELD: a parameter can't be
                bound.
        """
        plan = self._plan
        if plan is None:
            plan = self._plan = compiled(
                self._method,
                self._rule,
                self._template,
                self._registry,
                self._codec,
                framed=self._framed,
            )
        values = tuple(map(_path_value, plan.variables, captures))
        settings: tuple[Setting, ...] = ()
        if query:
            pairs = parse(query)
            if self._framed or self._rule.body != "*":
                settings = read(pairs, plan.query, self._ignored, plan.members)
                if plan.mask is not None:
                    settings = plan.mask.without_empty(settings)
            else:
                for name, _ in pairs:
                    if not self._ignored(name):
                        raise fault(
                            "UNKNOWN_QUERY_PARAMETER",
                            name,
                            "is not taken here: every field is given in the body",
                        )
        return Bound(plan, values, settings, self._ignored, self._form_parameters)


class Bound:
    """The path and the query of one request, read; makes its messages."""

    __slots__ = ("_form_parameters", "_ignored", "_plan", "_settings", "_values")

    def __init__(
        self,
        plan: Plan,
        values: tuple[object, ...],
        settings: tuple[Setting, ...],
        ignored: Callable[[str], bool],
        form_parameters: int,
    ) -> None:
        self._form_parameters = form_parameters
        self._plan = plan
        self._values = values
        self._settings = settings
        self._ignored = ignored

    def message(self, body: bytes) -> bytes:
        """Returns the serialized message that a JSON body makes; for no body, pass it empty.

        Raises:
            RpcError: UNEXPECTED_BODY: the rule has no body. INVALID_JSON: it is not JSON.
                INVALID_BODY: it does not fit the type. CONFLICTING_FIELD: it holds another value of
                a field that the path or, of a frame, the query binds, or a second member of a
                oneof.
        """
        plan = self._plan
        if not body:
            return self._finished(plan.message.new(), filled=False)
        try:
            match plan.kind:
                case BodyKind.MESSAGE:
                    message = plan.message.from_json(body)
                case BodyKind.FIELD:
                    assert plan.body is not None
                    message = plan.message.new()
                    plan.body.from_json(message, body)
                case BodyKind.NONE:
                    raise error("UNEXPECTED_BODY", "This method takes no body.")
                case BodyKind.HTTP_BODY:
                    raise AssertionError("the body of an HttpBody is not JSON")
            if plan.mask is not None:
                plan.mask.fill(message, self._settings, body)
        except CodecError as problem:
            raise body_fault(problem) from None
        return self._finished(message, filled=True)

    def wire(self, data: bytes) -> bytes:
        """Returns a serialized message with what path and query bind in it, where they bind any.

        Raises:
            RpcError: INVALID_BODY: the bytes are no message of the type. CONFLICTING_FIELD: as of
                `message`.
        """
        if not self._values and not self._settings:
            return data
        try:
            message = self._plan.message.from_wire(data)
        except CodecError as problem:
            raise body_fault(problem) from None
        return self._finished(message, filled=True)

    def form(self, body: bytes) -> bytes:
        """Returns the serialized message that an `application/x-www-form-urlencoded` body makes.

        Raises:
            RpcError: As of `message` and, for the form's parameters, of `Binder.prepare`.
        """
        plan = self._plan
        if not body:
            return self._finished(plan.message.new(), filled=False)
        if plan.kind is BodyKind.NONE:
            raise error("UNEXPECTED_BODY", "This method takes no body.")
        if plan.form is None:
            raise error("UNSUPPORTED_CONTENT_TYPE", "The body of this method can't be a form.")
        # Bytes that are not ASCII are kept for the decoder to judge.
        pairs = parse(body.decode("latin-1"), self._form_parameters)
        settings = read(pairs, plan.form, self._ignored, {})
        message = plan.message.new()
        for setting in settings:
            setting.apply(message)
        if plan.mask is not None:
            plan.mask.fill_paths(
                message, self._settings, (each.parameter.path for each in settings)
            )
        return self._finished(message, filled=True)

    def http_body(self, content_type: str, data: bytes) -> bytes:
        """Returns the serialized message of a rule whose body is a `google.api.HttpBody`.

        Args:
            content_type: The request's, empty for none.
            data: The body, or the part of it that this message of a stream carries.

        Raises:
            RpcError: CONFLICTING_FIELD: the path binds another value.
        """
        raw = self._plan.raw
        assert raw is not None, "the rule's body is not an HttpBody"
        message = self._plan.message.new()
        if content_type:
            raw.content_type.set(message, content_type)
        if data:
            raw.data.set(message, data)
        return self._finished(message, filled=True)

    def _finished(self, message: Message, *, filled: bool) -> bytes:
        """Sets what the path and the query bind; `filled` tells that there was a body."""
        plan = self._plan
        for variable, value in zip(plan.variables, self._values, strict=True):
            field = variable.field
            if filled:
                if variable.in_body and field.present(message) and field.get(message) != value:
                    raise fault("CONFLICTING_FIELD", variable.name, "has another value in the path")
                _refuse_others(message, variable.oneofs, variable.name)
            field.set(message, value)
        if filled:
            for setting in self._settings:
                if setting.differs(message):
                    raise fault("CONFLICTING_FIELD", setting.name, "has another value in the body")
        for setting in self._settings:
            if filled:
                _refuse_others(message, setting.parameter.oneofs, setting.name)
            setting.apply(message)
        try:
            return plan.message.to_wire(message)
        except CodecError as problem:
            # A required field of a proto2 message is not set.
            raise body_fault(problem) from None


def _refuse_others(message: Message, oneofs: tuple[Oneof, ...], name: str) -> None:
    """Refuses a member of a oneof of which the body has set another."""
    for oneof in oneofs:
        if any(other.present(message) for other in oneof.others):
            raise fault(
                "CONFLICTING_FIELD",
                name,
                f'and another field given are both of the oneof "{oneof.path[-1]}"',
            )


def _path_value(variable: PathVariable, text: str) -> object:
    try:
        return variable.parse(text)
    except ValueError as problem:
        raise fault("INVALID_PATH_PARAMETER", variable.name, f"must be {problem}") from None


def body_fault(problem: CodecError) -> RpcError:
    """Returns the client's error of what the codec says of a body."""
    reason = "INVALID_JSON" if problem.malformed else "INVALID_BODY"
    return error(reason, str(problem), violations=problem.violations)


def _globs(globs: Iterable[str]) -> Callable[[str], bool]:
    """Returns whether a name is matched by one of the globs, upper and lower case apart."""
    pattern = re.compile("|".join(map(translate, globs)) or r"(?!)")
    return lambda name: pattern.match(name) is not None

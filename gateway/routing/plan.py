"""What is known of a rule before its first request: which field each part of a request sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from google.protobuf import field_mask_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.routing.fields import Path, along, single_message
from gateway.routing.parameters import Oneof, Parameters, oneofs
from gateway.routing.settings import Setting
from gateway.routing.template import Template
from gateway.routing.values import FIELD_MASK, Parse, has_text, parser
from gateway.schema.codec import Codec, FieldCodec, Message, MessageCodec
from gateway.schema.method import HttpRule, MethodDescriptor
from gateway.schema.registry import Registry

HTTP_BODY = "google.api.HttpBody"


class BodyKind(Enum):
    """What the body of a request is."""

    NONE = "none"
    MESSAGE = "message"  # the request message, as JSON
    FIELD = "field"  # one field of it, as JSON
    HTTP_BODY = "http body"  # raw bytes of any type: the request or its field is an HttpBody


@dataclass(frozen=True, slots=True)
class PathVariable:
    """A variable of the template.

    Attributes:
        name: Its field's path as the template has it.
        field: The field's accessor.
        parse: From the captured text to the field's value.
        oneofs: The oneofs that the field, or a message around it, is a member of.
        in_body: Whether the body can hold the field too.
    """

    name: str
    field: FieldCodec
    parse: Parse
    oneofs: tuple[Oneof, ...]
    in_body: bool


@dataclass(frozen=True, slots=True)
class Mask:
    """The FieldMask of a PATCH, which is filled from the body where the client left it empty.

    Paths are relative to the body's field (AIP-134). Fields that the path binds are left out: the
    body can only repeat them.
    """

    path: Path
    field: FieldCodec
    codec: MessageCodec
    body: Path
    body_type: MessageCodec
    bound: frozenset[str]

    def fill(self, message: Message, settings: Iterable[Setting], body: bytes) -> None:
        """Fills the mask with the paths that a JSON body has."""
        if not self._given(settings):
            self._set(message, self.body_type.json_paths(body))

    def fill_paths(
        self, message: Message, settings: Iterable[Setting], paths: Iterable[Path]
    ) -> None:
        """Fills the mask with the paths, in the request message, that a form has."""
        if not self._given(settings):
            self._set(message, (".".join(path[len(self.body) :]) for path in paths))

    def without_empty(self, settings: Iterable[Setting]) -> tuple[Setting, ...]:
        """Returns the query's settings less an empty mask: that is to be filled too."""
        return tuple(
            each for each in settings if not (each.empty and each.parameter.path == self.path)
        )

    def _given(self, settings: Iterable[Setting]) -> bool:
        return any(each.parameter.path == self.path for each in settings)

    def _set(self, message: Message, paths: Iterable[str]) -> None:
        # A repeated field comes once for each of its values in a form.
        kept = dict.fromkeys(path for path in paths if path not in self.bound)
        mask = field_mask_pb2.FieldMask(paths=kept)
        self.field.set(message, self.codec.from_wire(mask.SerializeToString()))


@dataclass(frozen=True, slots=True)
class Raw:
    """The fields of the HttpBody that a raw body fills."""

    content_type: FieldCodec
    data: FieldCodec


@dataclass(frozen=True, slots=True)
class Plan:
    """Where each part of a request goes.

    Attributes:
        kind: What the body is.
        message: The request's codec.
        variables: The template's variables, in order.
        members: The members of oneofs that the path sets, by the oneof's path.
        query: What a query's names mean.
        form: What a form's names mean; None where the body can't be a form.
        body: The field that the body is, where it is one.
        mask: The FieldMask to fill, where there is one.
        raw: Where a raw body goes, where it is an HttpBody.
    """

    kind: BodyKind
    message: MessageCodec
    variables: tuple[PathVariable, ...]
    members: Mapping[Path, str]
    query: Parameters
    form: Parameters | None
    body: FieldCodec | None
    mask: Mask | None
    raw: Raw | None


def body_kind(method: MethodDescriptor, rule: HttpRule, registry: Registry) -> BodyKind:
    """Returns what the body of a rule's requests is."""
    if not rule.body:
        return BodyKind.NONE
    if rule.body == "*":
        return BodyKind.HTTP_BODY if method.input == HTTP_BODY else BodyKind.MESSAGE
    inside = single_message(registry.message(method.input).fields_by_name[rule.body])
    is_raw = inside is not None and inside.full_name == HTTP_BODY
    return BodyKind.HTTP_BODY if is_raw else BodyKind.FIELD


def compiled(
    method: MethodDescriptor,
    rule: HttpRule,
    template: Template,
    registry: Registry,
    codec: Codec,
    *,
    framed: bool = False,
) -> Plan:
    """Makes the plan of a rule that is right (`rules.check_rule`).

    Args:
        method: The RPC.
        rule: The rule.
        template: Its template, as `rule.template` or under a prefix.
        registry: Knows the RPC's types.
        codec: Makes its messages.
        framed: Whether messages come in frames: then each is the whole request, as JSON, whatever
            the rule's body is, and the query may name all that the path does not bind.
    """
    request = registry.message(method.input)
    message = codec.message(method.input)
    kind = BodyKind.MESSAGE if framed else body_kind(method, rule, registry)
    whole = framed or rule.body == "*"
    body: Path = () if whole or not rule.body else (rule.body,)
    paths = [variable.path for variable in template.variables]
    variables = tuple(
        PathVariable(
            ".".join(path),
            message.field(path),
            parser(list(along(request, path))[-1], codec),
            oneofs(codec, request, path),
            in_body=whole or path[:1] == body,
        )
        for path in paths
    )
    bound = [(path, "path") for path in paths]
    return Plan(
        kind=kind,
        message=message,
        variables=variables,
        members={
            oneof.path: path[len(oneof.path) - 1]
            for variable, path in zip(variables, paths, strict=True)
            for oneof in variable.oneofs
        },
        query=Parameters(codec, request, (), [*bound, (body, "body")] if body else bound),
        form=_form(codec, request, kind, body),
        body=message.field(body) if body else None,
        mask=_mask(codec, request, rule, kind, paths),
        raw=_raw(message, body) if kind is BodyKind.HTTP_BODY else None,
    )


def _form(codec: Codec, request: Descriptor, kind: BodyKind, body: Path) -> Parameters | None:
    if kind is BodyKind.MESSAGE:
        return Parameters(codec, request, (), ())
    if kind is BodyKind.FIELD:
        inside = single_message(request.fields_by_name[body[0]])
        if inside is not None and not has_text(inside.full_name):
            return Parameters(codec, request, body, ())
    return None


def _mask(
    codec: Codec, request: Descriptor, rule: HttpRule, kind: BodyKind, paths: Iterable[Path]
) -> Mask | None:
    if rule.verb != "PATCH" or kind is not BodyKind.FIELD:
        return None
    inside = single_message(request.fields_by_name[rule.body])
    masks = [field.name for field in request.fields if _is_mask(field)]
    # AIP-134 calls it update_mask; of several with other names none is more likely.
    name = masks[0] if len(masks) == 1 else "update_mask"
    if inside is None or name not in masks:
        return None
    return Mask(
        path=(name,),
        field=codec.message(request.full_name).field((name,)),
        codec=codec.message(FIELD_MASK),
        body=(rule.body,),
        body_type=codec.message(inside.full_name),
        bound=frozenset(".".join(path[1:]) for path in paths if path[0] == rule.body),
    )


def _raw(message: MessageCodec, body: Path) -> Raw:
    return Raw(message.field((*body, "content_type")), message.field((*body, "data")))


def _is_mask(field: FieldDescriptor) -> bool:
    inside = single_message(field)
    return inside is not None and inside.full_name == FIELD_MASK

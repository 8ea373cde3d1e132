"""What a key's annotation says besides its type: that its reader refuses it, or its short forms.

`Refused` is read by `structure`; the rest are steps of pydantic's validation.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from gateway.config.substitution import Substituted

REFUSED = "x-refused"  # in the JSON Schema as pydantic makes it; read by `json_schema`
ONE_OF = "x-one-of"


def is_false(value: object) -> bool:
    """Whether a value says `false`, in the file or by the environment."""
    return value is False or (isinstance(value, Substituted) and value == "false")


@dataclass(frozen=True, slots=True)
class Refused:
    """No key for users: its reader refuses it, together with all else that is wrong."""

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {REFUSED: True}


@dataclass(frozen=True, slots=True)
class OrFalse:
    """`false` stands for None: the section or page is switched off."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def check(value: object, inner: Callable[[object], object]) -> object:
            return None if is_false(value) else inner(value)

        return core_schema.no_info_wrap_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(schema), {"const": False}]}


@dataclass(frozen=True, slots=True)
class OneOrMany:
    """A single value stands for a list of one."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def wrap(value: object) -> object:
            return value if isinstance(value, list | tuple) else [value]

        return core_schema.no_info_before_validator_function(wrap, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


@dataclass(frozen=True, slots=True)
class Short:
    """A text stands for a mapping with this one key."""

    key: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        def expand(value: object) -> object:
            return {self.key: value} if isinstance(value, str) else value

        return core_schema.no_info_before_validator_function(expand, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        section = handler(schema)
        return {"anyOf": [handler.resolve_ref_schema(section)["properties"][self.key], section]}


@dataclass(frozen=True, slots=True, init=False)
class OneOf:
    """A section's rule: exactly one of these keys is set."""

    keys: tuple[str, ...]

    def __init__(self, *keys: str) -> None:
        object.__setattr__(self, "keys", keys)


@dataclass(frozen=True, slots=True)
class Needs:
    """A section's rule: `key` means nothing without `other`."""

    key: str
    other: str


@dataclass(frozen=True, slots=True)
class AtMost:
    """A section's rule: the number `key` is not over the number `other`, given or by default.

    Attributes:
        key: The one.
        other: The other.
        sizes: Whether they are bytes, which may be written `4MiB`.
    """

    key: str
    other: str
    sizes: bool = False


@dataclass(frozen=True, slots=True)
class Clash:
    """A section's rule: `key` has no effect where `other` has this value, and so must be absent."""

    key: str
    other: str
    value: object

"""A leaf: one key's value, read from what YAML gives, refused with what was expected instead.

The border to pydantic for everything that is not a section; the kinds themselves are in `scalars`
and `places`.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

REFUSED = "refused"
REFUSED_SECRET = "refused_secret"  # noqa: S105  # an error's type, not a password
STATED = "stated"


class LeafError(ValueError):
    """A value that a leaf refuses: `found …, expected …`."""


class UnusableError(ValueError):
    """A value that is well formed but cannot be used; the message says it all."""


class Leaf(ABC):
    """Metadata for `Annotated[T, …]`: reads, shows and describes a value of type T."""

    secret = False

    @abstractmethod
    def read(self, value: object, directory: Path) -> object:
        """The value as T.

        Args:
            value: As YAML has it; text from the environment is `Substituted`.
            directory: What relative paths are relative to.

        Raises:
            LeafError: Its message completes "found …, expected ".
            UnusableError: Its message stands alone.
        """

    @abstractmethod
    def json_schema(self) -> JsonSchemaValue:
        """What editors check the value against."""

    def show(self, value: Any) -> object:
        """The value as the file would have it."""
        return value

    def _validate(self, value: object, info: ValidationInfo) -> object:
        directory = info.context["directory"] if info.context else Path()
        try:
            return self.read(value, directory)
        except LeafError as error:
            kind = REFUSED_SECRET if self.secret else REFUSED
            raise PydanticCustomError(kind, "expected {text}", {"text": str(error)}) from error
        except UnusableError as error:
            raise PydanticCustomError(STATED, "{text}", {"text": str(error)}) from error

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.show, when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return self.json_schema()

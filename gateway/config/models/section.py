"""A section of the configuration: a frozen pydantic dataclass that knows no other keys.

Dataclasses, as `BaseModel` has attributes of its own named `schema` and `json`: keys here.
"""

from typing import TypeVar, cast, dataclass_transform

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

_T = TypeVar("_T")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def section(cls: type[_T]) -> type[_T]:
    """Make `cls` a section."""
    made = dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))(cls)
    return cast("type[_T]", made)

"""A section of the configuration: a frozen pydantic dataclass that knows no other keys.

Dataclasses, as `BaseModel` has attributes of its own named `schema` and `json`: keys here.
"""

from typing import Any, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from gateway.config.markers import ONE_OF, OneOf

_T = TypeVar("_T")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field,))
def section(cls: type[_T]) -> type[_T]:
    """Make `cls` a section."""
    rules = [list(rule.keys) for rule in getattr(cls, "RULES", ()) if isinstance(rule, OneOf)]
    extra: dict[str, Any] = {ONE_OF: rules} if rules else {}
    config = ConfigDict(extra="forbid", json_schema_extra=extra)
    made = dataclass(frozen=True, slots=True, kw_only=True, config=config)(cls)
    return cast("type[_T]", made)

"""How JSON is written, and how much of it is taken. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JsonOptions:
    """The options of the ProtoJSON specification ("JSON Options"), as the config names them.

    Attributes:
        emit_defaults: Write fields without presence though they have their default value.
        enums_as_numbers: Write enum values as numbers, not names.
        proto_names: Write field names as in the proto, not in lowerCamelCase. Both are read.
        ignore_unknown_fields: Drop unknown fields, and unknown names of enum values, when reading.
    """

    emit_defaults: bool = False
    enums_as_numbers: bool = False
    proto_names: bool = False
    ignore_unknown_fields: bool = False

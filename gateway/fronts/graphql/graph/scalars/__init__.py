"""The scalars that GraphQL lacks, each with a strict reading of literals and of variables.

| scalar | in a message | in JSON, out | in JSON, in | read as |
| --- | --- | --- | --- | --- |
| `Int64` | int64, sint64, sfixed64 | string | string or integer | int |
| `UInt64` | uint64, fixed64 | string | string or integer | int |
| `UInt32` | uint32, fixed32 | integer | integer | int |
| `Bytes` | bytes | string, base64 | string, base64 or base64url | bytes |
| `DateTime` | Timestamp | string, RFC 3339 in UTC | string, RFC 3339 | (seconds, nanoseconds) |
| `Duration` | Duration | string, `1.5s` | string, `1.5s` | (seconds, nanoseconds) |
| `FieldMask` | FieldMask | string, `a,b.cD` | string, `a,b.cD` | tuple of paths, `b.c_d` |
| `JSON` | Struct, Value, ListValue, Any | any | any | None, bool, int, float, str, list, dict |

What is read is the canonical value, which the executor puts into messages. A wrapper is the scalar
of its one field, so what is written of it is that field. `coerce_output_value` takes what a message
holds, so graphql-core's own executor can serve as a reference. The forms are those of ProtoJSON
(https://protobuf.dev/programming-guides/json), so that REST and GraphQL say the same. Errors say
what was expected, never what a parser said.
"""

from __future__ import annotations

from collections.abc import Mapping

from graphql import GraphQLScalarType

from gateway.fronts.graphql.graph.scalars.binary import BYTES
from gateway.fronts.graphql.graph.scalars.integers import INT64, UINT32, UINT64
from gateway.fronts.graphql.graph.scalars.masks import FIELD_MASK
from gateway.fronts.graphql.graph.scalars.times import DATE_TIME, DURATION
from gateway.fronts.graphql.graph.scalars.untyped import JSON

SCALARS: Mapping[str, GraphQLScalarType] = {
    scalar.name: scalar
    for scalar in (INT64, UINT64, UINT32, BYTES, DATE_TIME, DURATION, FIELD_MASK, JSON)
}
"""All of them by name."""

__all__ = [
    "BYTES",
    "DATE_TIME",
    "DURATION",
    "FIELD_MASK",
    "INT64",
    "JSON",
    "SCALARS",
    "UINT32",
    "UINT64",
]

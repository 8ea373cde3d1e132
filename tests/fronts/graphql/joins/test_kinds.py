"""Which field's values fit into another: held against protobuf, which refuses what does not."""

from __future__ import annotations

import itertools
from functools import cache

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from gateway.fronts.graphql.joins.kinds import described, fits, is_key, same_keys, takes_scalar
from tests.fronts.graphql.graphs import of_text

WHOLE = {
    "int32": (-(2**31), 2**31 - 1),
    "sint32": (-(2**31), 2**31 - 1),
    "sfixed32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "sint64": (-(2**63), 2**63 - 1),
    "sfixed64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "fixed32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "fixed64": (0, 2**64 - 1),
}
OTHERS = ("string", "bytes", "bool", "float", "double")


@cache
def message():
    kinds = [*WHOLE, *OTHERS, "Color", "Other", "Inner"]
    fields = " ".join(f"{kind} of_{kind.lower()} = {n};" for n, kind in enumerate(kinds, start=1))
    return of_text(
        f"message All {{ {fields} repeated string list = 90; map<string, int64> counts = 91; }}"
        " message Inner { string id = 1; }"
        " enum Color { COLOR_UNSPECIFIED = 0; } enum Other { OTHER_UNSPECIFIED = 0; }"
    ).message("test.v1.All")


def of(kind: str) -> FieldDescriptor:
    return message().fields_by_name[f"of_{kind.lower()}"]


def can_be_set(target: str, values) -> bool:
    made = GetMessageClass(message())()
    try:
        for value in values:
            setattr(made, of(target).name, value)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("source", "target"), list(itertools.product(WHOLE, WHOLE)))
def test_whole_numbers_fit_where_protobuf_takes_the_least_and_the_largest(source, target):
    assert fits(of(source), of(target)) == can_be_set(target, WHOLE[source])


@pytest.mark.parametrize(("scalar", "ends"), [("Int", "int32"), ("UInt32", "uint32")])
@pytest.mark.parametrize("target", WHOLE)
def test_scalars_of_whole_numbers_fit_as_their_fields_do(scalar, ends, target):
    assert takes_scalar(scalar, of(target)) == can_be_set(target, WHOLE[ends])


@pytest.mark.parametrize(
    ("scalar", "target", "takes"),
    [
        ("ID", "string", True),
        ("ID", "bytes", False),
        ("ID", "int64", False),
        ("Int", "double", True),
        ("Int", "float", False),
        ("Int", "string", False),
        ("Boolean", "int32", False),
    ],
)
def test_other_scalars(scalar, target, takes):
    assert takes_scalar(scalar, of(target)) == takes


@pytest.mark.parametrize(("source", "target"), list(itertools.product(OTHERS, OTHERS)))
def test_other_kinds_fit_into_their_own_and_a_float_into_a_double(source, target):
    assert fits(of(source), of(target)) == (
        source == target or (source, target) == ("float", "double")
    )


def test_an_enum_fits_into_itself_only():
    assert fits(of("Color"), of("Color"))
    assert not fits(of("Color"), of("Other"))
    assert not fits(of("Color"), of("int32"))


def test_messages_do_not_fit():
    assert not fits(of("Inner"), of("Inner"))


def test_keys_are_strings_and_whole_numbers():
    kinds = [*WHOLE, *OTHERS, "Color", "Inner"]
    assert {kind for kind in kinds if is_key(of(kind))} == {*WHOLE, "string"}
    assert same_keys(of("uint64"), of("int32"))
    assert not same_keys(of("string"), of("int32"))
    assert not same_keys(of("bytes"), of("bytes"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("of_sint32", "sint32"),
        ("of_color", "test.v1.Color"),
        ("of_inner", "test.v1.Inner"),
        ("list", "repeated string"),
        ("counts", "map<string, int64>"),
    ],
)
def test_types_are_named_as_protos_write_them(name, text):
    assert described(message().fields_by_name[name]) == text

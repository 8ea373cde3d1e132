"""The mapping table: what each kind of field is in answers and in arguments."""

import pytest
from graphql import GraphQLEnumType, GraphQLUnionType, is_required_argument

from gateway.fronts.graphql.graph.scalars import DATE_TIME
from gateway.fronts.graphql.graph.sources import (
    Argument,
    Nothing,
    OneofInput,
    OneofUnion,
    ProtoField,
    input_source,
    made_of,
    source_of,
)
from tests.fronts.graphql import graphs

TABLE = [
    # proto, in answers, in arguments
    ("double f", "Float!", "Float"),
    ("float f", "Float!", "Float"),
    ("int32 f", "Int!", "Int"),
    ("sint32 f", "Int!", "Int"),
    ("sfixed32 f", "Int!", "Int"),
    ("uint32 f", "UInt32!", "UInt32"),
    ("fixed32 f", "UInt32!", "UInt32"),
    ("int64 f", "Int64!", "Int64"),
    ("sint64 f", "Int64!", "Int64"),
    ("sfixed64 f", "Int64!", "Int64"),
    ("uint64 f", "UInt64!", "UInt64"),
    ("fixed64 f", "UInt64!", "UInt64"),
    ("bool f", "Boolean!", "Boolean"),
    ("string f", "String!", "String"),
    ("bytes f", "Bytes!", "Bytes"),
    ("State f", "State!", "State"),
    ("Leaf f", "Leaf", "LeafInput"),
    ("optional int32 f", "Int", "Int"),
    ("optional State f", "State", "State"),
    ("repeated string f", "[String!]!", "[String!]"),
    ("repeated State f", "[State!]!", "[State!]"),
    ("repeated Leaf f", "[Leaf!]!", "[LeafInput!]"),
    ("map<string, int64> f", "[MFEntry!]!", "[MFEntryInput!]"),
    ("google.protobuf.Timestamp f", "DateTime", "DateTime"),
    ("google.protobuf.Duration f", "Duration", "Duration"),
    ("google.protobuf.FieldMask f", "FieldMask", "FieldMask"),
    ("google.protobuf.Struct f", "JSON", "JSON"),
    ("google.protobuf.Value f", "JSON", "JSON"),
    ("google.protobuf.ListValue f", "JSON", "JSON"),
    ("google.protobuf.Any f", "JSON", "JSON"),
    ("google.protobuf.StringValue f", "String", "String"),
    ("google.protobuf.Int64Value f", "Int64", "Int64"),
    ("google.protobuf.BytesValue f", "Bytes", "Bytes"),
    ("google.protobuf.NullValue f", "NullValue!", "NullValue"),
    ("google.protobuf.Empty f", "Empty", "EmptyInput"),
    ("repeated google.protobuf.Timestamp f", "[DateTime!]!", "[DateTime!]"),
    ("repeated google.protobuf.StringValue f", "[String!]!", "[String!]"),
    ("repeated google.protobuf.Struct f", "[JSON!]!", "[JSON!]"),
    ("repeated google.protobuf.Value f", "[JSON]!", "[JSON]"),
]


def one_message(body: str, rest: str = ""):
    """Builds the graph of a method that takes and returns message M."""
    return graphs.graph_of(
        graphs.of_text(
            "service S { rpc Get(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; } }"
            f" message M {{ {body} }} message Leaf {{ string text = 1; }}"
            f" enum State {{ STATE_UNSPECIFIED = 0; }} {rest}"
        )
    )


@pytest.fixture(scope="module")
def table():
    fields = [proto.replace(" f", f" f{n} = {n + 1};") for n, (proto, _, _) in enumerate(TABLE)]
    return one_message(" ".join(fields))


@pytest.mark.parametrize("row", range(len(TABLE)), ids=[row[0] for row in TABLE])
def test_a_field_is(table, row):
    _, output, input_ = TABLE[row]
    name = f"f{row}"
    field = table.schema.type_map["M"].fields[name]
    argument = table.schema.query_type.fields["get"].args[name]
    assert str(field.type) == output.replace("MFEntry", f"MF{row}Entry")
    assert str(argument.type) == input_.replace("MFEntry", f"MF{row}Entry")
    descriptor = source_of(field).descriptor
    assert descriptor.full_name == f"test.v1.M.{name}"
    assert input_source(argument) == Argument((descriptor,))


class TestMaps:
    def test_are_lists_of_entries_whose_keys_and_values_are_there(self):
        graph = one_message("map<int32, Leaf> by = 1;")
        for name, value in [("MByEntry", "Leaf!"), ("MByEntryInput", "LeafInput!")]:
            fields = graph.schema.type_map[name].fields
            assert {n: str(f.type) for n, f in fields.items()} == {"key": "Int!", "value": value}

    def test_may_have_null_where_values_are_json(self):
        graph = one_message("map<string, google.protobuf.Value> by = 1;")
        assert str(graph.schema.type_map["MByEntry"].fields["value"].type) == "JSON"

    def test_entries_say_so(self):
        graph = one_message("map<string, string> by = 1;")
        made = made_of(graph.schema.type_map["MByEntry"])
        assert made.entry
        assert made.message.full_name == "test.v1.M.ByEntry"


class TestEmptyMessages:
    def test_have_one_field_that_is_null(self):
        graph = one_message("Nil nil = 1;", "message Nil {}")
        fields = graph.schema.type_map["Nil"].fields
        assert str(fields["_"].type) == "Boolean"
        assert source_of(fields["_"]) == Nothing()

    def test_have_one_field_that_sets_nothing(self):
        graph = one_message("Nil nil = 1;", "message Nil {}")
        assert input_source(graph.schema.type_map["NilInput"].fields["_"]) == Argument(())

    def test_as_requests_leave_no_argument(self):
        assert not graphs.torture().schema.query_type.fields["getNothing"].args


class TestInputs:
    def test_must_be_given_where_the_proto_requires_it(self):
        field = graphs.torture().schema.query_type.fields["getBehavior"]
        given = {name for name, arg in field.args.items() if is_required_argument(arg)}
        assert given == {"id", "tags", "leaf", "oldAndRequired"}
        assert str(field.args["tags"].type) == "[String!]!"

    def test_that_only_the_server_sets_are_left_out(self):
        schema = graphs.torture().schema
        assert "made" not in schema.query_type.fields["getBehavior"].args
        assert "made" in schema.type_map["Behavior"].fields

    def test_may_be_left_out_where_a_message_requires_itself(self):
        schema = graphs.torture().schema
        assert str(schema.type_map["CircleInput"].fields["again"].type) == "CircleInput"
        assert str(schema.type_map["RingInput"].fields["circle"].type) == "CircleInput"
        assert str(schema.type_map["RingInput"].fields["rings"].type) == "[RingInput!]!"

    def test_are_deprecated_but_those_that_must_be_given(self):
        args = graphs.torture().schema.query_type.fields["getBehavior"].args
        assert args["old"].deprecation_reason
        assert args["oldAndRequired"].deprecation_reason is None


class TestFlatOneofs:
    def test_are_nullable_fields(self):
        fields = graphs.torture().schema.type_map["Flat"].fields
        assert {n: str(f.type) for n, f in fields.items()} == {
            "text": "String",
            "leaf": "Leaf",
            "number": "Int64",
            "void": "Void",
            "color": "Color",
            "single": "String",
        }


class TestUnions:
    def test_are_one_nullable_field(self):
        schema = graphs.torture().schema
        field = schema.type_map["Unions"].fields["thing"]
        assert str(field.type) == "UnionsThing"
        assert field.description == "One of several things."
        assert list(schema.type_map["Unions"].fields) == ["before", "thing", "after", "more"]

    def test_hold_messages_themselves_and_wrap_all_else(self):
        schema = graphs.torture().schema
        source = source_of(schema.type_map["Unions"].fields["thing"])
        assert isinstance(source, OneofUnion)
        assert source.members["leaf"] == "Leaf"
        assert source.wrapped == {
            *("text", "number", "color", "time", "data", "first_void", "second_void")
        }
        assert {each.name for each in schema.type_map["UnionsThing"].types} == set(
            source.members.values()
        )

    def test_wrap_a_case_as_its_one_field_which_is_there(self):
        wrapped = graphs.torture().schema.type_map["UnionsThingTime"]
        assert {n: str(f.type) for n, f in wrapped.fields.items()} == {"time": "DateTime!"}
        assert source_of(wrapped.fields["time"]) == ProtoField(
            graphs.torture_registry().message("torture.v1.Unions").fields_by_name["time"]
        )
        assert made_of(wrapped).message.full_name == "torture.v1.Unions"

    def test_hide_and_rename_cases(self):
        schema = graphs.torture().schema
        assert list(schema.type_map["UnionsThingData"].fields) == ["blob"]
        assert "secret" not in schema.type_map["UnionsThingInput"].fields
        assert "UnionsThingSecret" not in schema.type_map

    def test_are_one_of_in_inputs(self):
        schema = graphs.torture().schema
        given = schema.type_map["UnionsThingInput"]
        assert given.is_one_of
        argument = schema.query_type.fields["getUnion"].args["thing"]
        assert argument.type is given
        assert isinstance(input_source(argument), OneofInput)

    def test_are_left_out_of_inputs_where_the_server_sets_every_case(self):
        graph = one_message(
            "oneof o { option (gateway.v1.oneof).union = true;"
            " string made = 1 [(google.api.field_behavior) = OUTPUT_ONLY]; } string id = 2;"
        )
        assert list(graph.schema.query_type.fields["get"].args) == ["id"]
        assert isinstance(graph.schema.type_map["MO"], GraphQLUnionType)


class TestEnums:
    def test_have_the_protos_names_and_numbers_and_of_aliases_the_first(self):
        color = graphs.torture().schema.type_map["Color"]
        assert {n: v.value for n, v in color.values.items()} == {
            "COLOR_UNSPECIFIED": 0,
            "COLOR_RED": 1,
            "COLOR_BLUE": -2,
        }

    def test_have_other_names_for_what_graphql_keeps_for_itself(self):
        assert list(graphs.torture().schema.type_map["Odd"].values) == [
            *("false_", "true_", "null_", "None", "hidden_", "_", "class")
        ]

    def test_are_one_type_both_ways(self):
        schema = graphs.torture().schema
        color = schema.type_map["Color"]
        assert isinstance(color, GraphQLEnumType)
        assert schema.query_type.fields["getEnums"].args["color"].type is color
        assert schema.type_map["Enums"].fields["maybe"].type is color

    def test_say_what_is_deprecated_and_what_the_comments_say(self):
        color = graphs.torture().schema.type_map["Color"]
        assert color.description == "A colour."
        assert color.values["COLOR_UNSPECIFIED"].description == "None was given."
        assert color.values["COLOR_BLUE"].deprecation_reason == "No longer supported"


class TestProto2:
    def test_required_is_non_null_both_ways(self):
        schema = graphs.torture().schema
        fields = schema.type_map["Legacy"].fields
        assert str(fields["id"].type) == "String!"
        assert str(fields["piece"].type) == "LegacyPiece!"
        assert str(schema.type_map["LegacyInput"].fields["piece"].type) == "LegacyPieceInput!"

    def test_optional_is_nullable_default_or_not(self):
        fields = graphs.torture().schema.type_map["Legacy"].fields
        assert (str(fields["withDefault"].type), str(fields["without"].type)) == ("Int", "String")

    def test_groups_are_messages(self):
        fields = graphs.torture().schema.type_map["Legacy"].fields
        assert str(fields["result"].type) == "LegacyResult"
        assert str(fields["row"].type) == "[LegacyRow!]!"

    def test_entries_of_maps_are_there(self):
        entry = graphs.torture().schema.type_map["LegacyClosedByTextEntry"]
        assert {n: str(f.type) for n, f in entry.fields.items()} == {
            "key": "String!",
            "value": "Closed!",
        }

    def test_extensions_have_no_place(self):
        assert "extra" not in graphs.torture().schema.type_map["Legacy"].fields


class TestScalarReplies:
    @pytest.mark.parametrize(
        ("name", "output", "arguments"),
        [
            ("getText", "String", {"value": "String"}),
            ("getTime", "DateTime", {"seconds": "Int64", "nanos": "Int"}),
            ("getStruct", "JSON", {"fields": "[StructFieldsEntryInput!]"}),
        ],
    )
    def test_are_the_scalar_and_requests_are_their_fields(self, name, output, arguments):
        field = graphs.torture().schema.query_type.fields[name]
        assert str(field.type) == output
        assert {n: str(a.type) for n, a in field.args.items()} == arguments


class TestNamed:
    def test_makes_types_that_no_method_reaches(self):
        registry = graphs.of_text(
            "service S { rpc Get(M) returns (M); } message M { string id = 1; }"
            " message Lone { Friend friend = 1; } message Friend { string id = 1; }"
        )
        types = graphs.graph_of(registry).types
        lone = types.named("Lone")
        assert made_of(lone).message.full_name == "test.v1.Lone"
        assert lone is types.output(registry.message("test.v1.Lone"))
        assert str(lone.fields["friend"].type) == "Friend"
        assert {"Lone", "LoneInput", "M", "DateTime", "Int"} <= set(types.names())

    def test_finds_types_by_the_names_that_they_have(self):
        types = graphs.torture().types
        assert made_of(types.named("TortureV2Thing")).message.full_name == "torture.v2.Thing"
        assert types.named("DateTime") is DATE_TIME
        for name in ("Query", "Thing", "NoSuch", "__Schema"):
            assert types.named(name) is None

    def test_what_no_method_reaches_never_changes_the_names_of_what_one_reaches(self):
        registry = graphs.of_texts(
            {
                "a.proto": 'syntax = "proto3"; package a.v1; service S { rpc Get(M) returns (M); }'
                " message M { string id = 1; }",
                "b.proto": 'syntax = "proto3"; package b.v1; message M { string id = 1; }',
            }
        )
        graph = graphs.graph_of(registry)
        assert not graph.warnings
        assert made_of(graph.types.named("M")).message.full_name == "a.v1.M"
        assert made_of(graph.types.named("BV1M")).message.full_name == "b.v1.M"

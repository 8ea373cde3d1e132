"""The whole graph: names that clash, edges, what is refused, and that all of it is told at once."""

import pytest
from graphql import GraphQLField, GraphQLString, parse, validate, validate_schema

from gateway.fronts.graphql.graph.options import FieldOptions, GraphOptions, OneofOptions
from gateway.fronts.graphql.graph.sdl import sdl
from gateway.fronts.graphql.graph.sources import SOURCE, Rpc, input_source, made_of, source_of
from gateway.schema.problem import SchemaError
from tests.fronts.graphql import graphs

MUTE = "service S { rpc Get(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; } }"


def of_packages(*packages: str, body: str = "string id = 1;"):
    """Builds the graph of packages that each have a service S, a method of its own, a message M."""
    return graphs.of_texts(
        {
            f"{number}.proto": f'syntax = "proto3"; package {package};'
            f" service S {{ rpc Get{number}(M) returns (M); }} message M {{ {body} }}"
            for number, package in enumerate(packages)
        }
    )


def names_of(graph):
    return {
        made.message.full_name: type_.name
        for type_ in graph.schema.type_map.values()
        if (made := made_of(type_)) is not None
    }


class TestTypesOfOneName:
    def test_all_get_the_shortest_end_of_their_package(self):
        graph = graphs.graph_of(of_packages("shop.catalog.v1", "shop.catalog.v2"))
        assert names_of(graph) == {
            "shop.catalog.v1.M": "CatalogV1M",
            "shop.catalog.v2.M": "CatalogV2M",
        }
        assert graph.warnings == (
            (
                "M would be the name of shop.catalog.v1.M and shop.catalog.v2.M:"
                " shop.catalog.v1.M is CatalogV1M, shop.catalog.v2.M is CatalogV2M"
            ),
        )

    def test_those_still_alike_get_more_of_it(self):
        graph = graphs.graph_of(of_packages("a.x.v1", "b.x.v1", "c.y.v1"))
        assert set(names_of(graph).values()) == {"AXV1M", "BXV1M", "YV1M"}

    def test_the_order_of_methods_does_not_matter(self):
        registry = of_packages("a.x.v1", "b.x.v1", "c.y.v1")
        methods = [m for service in registry.services() for m in registry.methods(service)]
        built = [
            sdl(graphs.build_graph(order, registry, GraphOptions()))
            for order in (methods, methods[::-1])
        ]
        assert built[0] == built[1]

    def test_can_be_forbidden(self):
        options = GraphOptions(names="fail")
        with pytest.raises(SchemaError, match=r"M would be the name of a\.v1\.M and b"):
            graphs.graph_of(of_packages("a.v1", "b.v1"), options)

    def test_an_input_and_the_message_that_is_called_like_it_get_what_they_are(self):
        registry = graphs.of_text(
            "service S { rpc Get(R) returns (MInput); }"
            " message R { M m = 1; } message M { string id = 1; } message MInput { string id = 1; }"
        )
        graph = graphs.graph_of(registry)
        assert set(graph.schema.type_map) >= {"MInputMessage", "MMessageInput"}
        assert graph.warnings == (
            (
                "MInput would be the name of test.v1.M and test.v1.MInput:"
                " test.v1.M is MMessageInput, test.v1.MInput is MInputMessage"
            ),
        )

    @pytest.mark.parametrize(
        "name", ["Int", "Boolean", "ID", "Int64", "DateTime", "JSON", "Query", "Subscription"]
    )
    def test_names_of_the_graphs_own_are_nobodys(self, name):
        registry = graphs.of_text(
            f"service S {{ rpc Get(M) returns ({name}); }}"
            f" message M {{ string id = 1; }} message {name} {{ string id = 1; }}"
        )
        graph = graphs.graph_of(registry)
        assert names_of(graph)[f"test.v1.{name}"] == f"TestV1{name}"
        assert graph.warnings[0].startswith(f"{name} would be the name of test.v1.{name}, and is")

    def test_names_of_the_graphs_own_are_nobodys_without_a_package_either(self):
        text = 'syntax = "proto3"; service S { rpc Get(Query) returns (Query); } message Query {}'
        graph = graphs.graph_of(graphs.of_texts({"q.proto": text}))
        assert names_of(graph) == {"Query": "QueryMessage"}


class TestFieldsOfOneName:
    def test_all_get_the_protos_name(self):
        fields = graphs.torture().schema.type_map["Clashes"].fields
        assert {name: source_of(field).descriptor.name for name, field in fields.items()} == {
            "some_name": "some_name",
            "someName": "someName",
            "some__name": "some__name",
            "renamed": "other",
            "other": "renamed",
        }

    def test_arguments_are_called_like_fields(self):
        schema = graphs.torture().schema
        arguments = schema.query_type.fields["getClashes"].args
        fields = schema.type_map["Clashes"].fields
        assert {n: input_source(a).path[0].name for n, a in arguments.items()} == {
            n: source_of(f).descriptor.name for n, f in fields.items()
        }

    def test_by_option_are_refused(self):
        registry = graphs.of_text(
            MUTE + 'message M { string a = 1 [(gateway.v1.field).name = "x"];'
            ' string b = 2 [(gateway.v1.field).name = "x"]; }'
        )
        with pytest.raises(SchemaError, match=r"test\.v1\.M: a and b are all named x"):
            graphs.graph_of(registry)

    def test_reserved_ones_are_passed(self):
        fields = graphs.torture().schema.type_map["Names"].fields
        by_proto = {source_of(field).descriptor.name: name for name, field in fields.items()}
        assert by_proto["__typename"] == "Typename"
        assert by_proto["_leading"] == "Leading"
        assert by_proto["_"] == "_"
        assert by_proto["_1"] == "_1"
        assert by_proto["renamed"] == "renamed"
        assert by_proto["stock_keeping_unit"] == "sku"
        for name in ("class", "None", "DESCRIPTOR", "HasField", "on", "true", "null"):
            assert by_proto[name] == name


class TestOptions:
    REGISTRY = (
        MUTE
        + " message M { string a = 1; string b = 2; oneof o { string c = 3; N n = 4; } } message N {}"
    )

    def test_of_the_configuration_rename_hide_and_unite(self):
        options = GraphOptions(
            fields={
                "test.v1.M.a": FieldOptions(name="alpha"),
                "test.v1.M.b": FieldOptions(hide=True),
            },
            oneofs={"test.v1.M.o": OneofOptions(union=True)},
        )
        graph = graphs.graph_of(graphs.of_text(self.REGISTRY), options)
        assert list(graph.schema.type_map["M"].fields) == ["alpha", "o"]
        assert list(graph.schema.query_type.fields["get"].args) == ["alpha", "o"]

    def test_of_the_configuration_count_more_than_the_protos(self):
        text = MUTE + 'message M { string a = 1 [(gateway.v1.field) = {name: "x" hide: true}]; }'
        options = GraphOptions(fields={"test.v1.M.a": FieldOptions(hide=False)})
        graph = graphs.graph_of(graphs.of_text(text), options)
        assert list(graph.schema.type_map["M"].fields) == ["x"]

    def test_that_are_wrong_are_told_all_at_once(self):
        options = GraphOptions(
            fields={
                "test.v1.M.x": FieldOptions(hide=True),
                "test.v1.M.a": FieldOptions(name="a b"),
            },
            oneofs={"test.v1.M.p": OneofOptions(union=True)},
        )
        with pytest.raises(SchemaError) as caught:
            graphs.graph_of(graphs.of_text(self.REGISTRY), options)
        assert [str(problem).partition(" (")[0] for problem in caught.value.problems] == [
            "graphql.fields.test.v1.M.x: there is no such field",
            "graphql.oneofs.test.v1.M.p: there is no such oneof",
            "test.proto: test.v1.M.a can't be named 'a b'",
        ]

    def test_that_hide_every_field_leave_an_empty_type(self):
        text = MUTE + "message M { string a = 1 [(gateway.v1.field).hide = true]; }"
        graph = graphs.graph_of(graphs.of_text(text))
        assert list(graph.schema.type_map["M"].fields) == ["_"]
        assert not graph.schema.query_type.fields["get"].args


class TestEdges:
    REGISTRY = (
        MUTE + " message M { string id = 1; } message Lone { string id = 1; }"
        " message Far { string id = 1; }"
    )

    def build(self, edges):
        return graphs.graph_of(graphs.of_text(self.REGISTRY), edges=edges)

    def test_are_fields_of_objects_and_of_roots(self):
        extra = GraphQLField(GraphQLString)
        graph = self.build(lambda _: {"M": {"more": extra}, "Query": {"home": extra}})
        assert list(graph.schema.type_map["M"].fields) == ["id", "more"]
        assert set(graph.schema.query_type.fields) == {"get", "home"}

    def test_bring_types_that_no_method_reaches(self):
        graph = self.build(lambda types: {"M": {"lone": GraphQLField(types.named("Lone"))}})
        assert graph.schema.type_map["Lone"] is graph.types.named("Lone")

    def test_show_though_their_type_was_looked_at_before(self):
        def edges(types):
            assert list(types.named("M").fields) == ["id"]
            return {"M": {"more": GraphQLField(GraphQLString)}}

        assert list(self.build(edges).schema.type_map["M"].fields) == ["id", "more"]

    def test_that_are_calls_at_a_root_are_listed(self):
        registry = graphs.of_text(self.REGISTRY)
        (method,) = registry.methods("test.v1.S")
        message = registry.message("test.v1.M")

        def edges(types):
            source = {SOURCE: Rpc(method, message, message)}
            return {"Query": {"again": GraphQLField(types.output(message), extensions=source)}}

        graph = graphs.graph_of(registry, edges=edges)
        assert [(each.root, each.name, each.method) for each in graph.roots] == [
            ("Query", "again", method),
            ("Query", "get", method),
        ]

    def test_bring_a_root_that_was_not_there(self):
        graph = self.build(lambda _: {"Mutation": {"do": GraphQLField(GraphQLString)}})
        assert list(graph.schema.mutation_type.fields) == ["do"]

    @pytest.mark.parametrize(("type_", "field"), [("M", "id"), ("Query", "get")])
    def test_with_the_name_of_a_field_are_refused(self, type_, field):
        with pytest.raises(SchemaError, match=f"{type_} has a field {field} already"):
            self.build(lambda _: {type_: {field: GraphQLField(GraphQLString)}})

    def test_of_types_that_are_never_reached_are_in_vain(self):
        graph = self.build(lambda _: {"Far": {"more": GraphQLField(GraphQLString)}})
        assert graph.warnings == ("the graph never reaches Far: its joins are in vain",)

    def test_that_make_no_valid_schema_are_refused(self):
        with pytest.raises(SchemaError, match="__bad"):
            self.build(lambda _: {"M": {"__bad": GraphQLField(GraphQLString)}})


class TestShop:
    def test_is_valid_and_settles_no_names(self):
        graph = graphs.shop()
        assert not validate_schema(graph.schema)
        assert not [warning for warning in graph.warnings if "would be the name" in warning]

    def test_answers_what_its_readers_ask(self):
        document = """
            query Page($id: String!) {
              getProduct(id: $id) {
                title sku gtin price { currencyCode units nanos } state
                labels { key value } attributes createTime handlingTime parcel { weightGrams }
              }
            }
            subscription { exportProducts { id } }
        """
        for definition in document.split("subscription"):
            text = definition if "query" in definition else "subscription" + definition
            assert not validate(graphs.shop().schema, parse(text))


def test_torture_is_valid_whatever_the_naming():
    for naming in ("flat", "by_service"):
        graph = graphs.graph_of(graphs.torture_registry(), GraphOptions(naming=naming))
        assert not validate_schema(graph.schema)


def test_every_field_and_input_has_a_source():
    for type_ in graphs.torture().schema.type_map.values():
        if (made := made_of(type_)) is None:
            continue
        of = source_of if hasattr(type_, "interfaces") else input_source
        assert all(of(field) for field in type_.fields.values()), made.message.full_name

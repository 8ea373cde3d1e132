"""Root fields: which method is one, of which root, and how it is called."""

import pytest

from gateway.fronts.graphql.graph.options import GraphOptions, MethodOptions
from gateway.fronts.graphql.graph.sources import Group, Rpc, source_of
from gateway.schema.problem import SchemaError
from tests.fronts.graphql import graphs

M = " message M { string id = 1; }"


def graph(methods: str, options: GraphOptions | None = None):
    return graphs.graph_of(graphs.of_text(f"service S {{ {methods} }} {M}"), options)


def listed(of):
    return [(each.root, each.name, each.method.name) for each in of.roots]


class TestKind:
    @pytest.mark.parametrize(
        ("options", "root"),
        [
            pytest.param("", "Mutation", id="a method may have side effects"),
            pytest.param(
                "option idempotency_level = NO_SIDE_EFFECTS;", "Query", id="no side effects"
            ),
            pytest.param("option idempotency_level = IDEMPOTENT;", "Mutation", id="idempotent"),
            pytest.param('option (google.api.http) = {get: "/m"};', "Query", id="GET rule"),
            pytest.param(
                'option (google.api.http) = {post: "/m" additional_bindings {get: "/m"}};',
                "Query",
                id="GET among several rules",
            ),
            pytest.param('option (google.api.http) = {post: "/m"};', "Mutation", id="POST rule"),
            pytest.param("option (gateway.v1.method).kind = QUERY;", "Query", id="by option"),
            pytest.param(
                "option idempotency_level = NO_SIDE_EFFECTS;"
                " option (gateway.v1.method).kind = MUTATION;",
                "Mutation",
                id="the option counts more",
            ),
        ],
    )
    def test_of_a_unary_method(self, options, root):
        made = graph(f"rpc Do(M) returns (M) {{ {options} }}")
        assert listed(made) == [(root, "do", "test.v1.S/Do")]

    def test_of_a_server_stream_is_a_subscription(self):
        made = graph("rpc Watch(M) returns (stream M);")
        source = source_of(made.schema.subscription_type.fields["watch"])
        assert isinstance(source, Rpc)
        assert source.method.name == "test.v1.S/Watch"
        assert source.input.full_name == source.output.full_name == "test.v1.M"

    def test_of_a_server_stream_can_be_nothing_else(self):
        with pytest.raises(SchemaError, match="S/Watch can't be a query: its answers are a stream"):
            graph("rpc Watch(M) returns (stream M) { option (gateway.v1.method).kind = QUERY; }")

    def test_streams_of_requests_are_left_out_with_a_word(self):
        made = graph("rpc Send(stream M) returns (M); rpc Talk(stream M) returns (stream M);")
        assert made.notes == (
            "not in the graph, as their requests are streams: test.v1.S/Send, test.v1.S/Talk",
        )
        assert not made.warnings
        assert not made.roots

    def test_without_subscriptions_streams_are_left_out(self):
        made = graph("rpc Watch(M) returns (stream M);", GraphOptions(subscriptions=False))
        assert made.schema.subscription_type is None

    def test_the_configuration_counts_more_than_the_proto(self):
        options = GraphOptions(methods={"test.v1.S/Do": MethodOptions(kind="query", name="done")})
        made = graph(
            "rpc Do(M) returns (M) { option (gateway.v1.method).kind = MUTATION; }", options
        )
        assert listed(made) == [("Query", "done", "test.v1.S/Do")]


def test_a_graph_without_queries_has_a_query_that_is_null():
    made = graph("rpc Do(M) returns (M);")
    assert list(made.schema.query_type.fields) == ["_"]


def test_fields_carry_comments_and_deprecation():
    made = graph("\n// Does it.\n rpc Do(M) returns (M) { option deprecated = true; }")
    field = made.schema.mutation_type.fields["do"]
    assert field.description == "Does it."
    assert field.deprecation_reason == "No longer supported"


def test_fields_are_nullable_so_that_a_failed_call_leaves_the_rest():
    assert str(graph("rpc Do(M) returns (M);").schema.mutation_type.fields["do"].type) == "M"


class TestNames:
    def test_and_aliases_are_by_option(self):
        made = graph(
            "rpc Do(M) returns (M)"
            ' { option (gateway.v1.method) = {name: "act" aliases: ["do", "perform"]}; }'
        )
        assert [name for _, name, _ in listed(made)] == ["act", "do", "perform"]

    def test_hidden_methods_have_no_field(self):
        made = graph("rpc Do(M) returns (M) { option (gateway.v1.method).hide = true; }")
        assert not made.roots
        assert made.schema.mutation_type is None

    @pytest.mark.parametrize("name", ["__do", "a-b", "1st", ""])
    def test_that_graphql_forbids_are_refused(self, name):
        for option in (f'name: "{name}"', f'aliases: ["{name}"]'):
            with pytest.raises(SchemaError, match="S/Do can't be named"):
                graph(f"rpc Do(M) returns (M) {{ option (gateway.v1.method) = {{{option}}}; }}")

    def test_of_two_by_option_are_refused(self):
        one = 'rpc %s(M) returns (M) { option (gateway.v1.method).name = "same"; }'
        with pytest.raises(SchemaError, match=r"same is the name of test\.v1\.S/A and test"):
            graph(one % "A" + one % "B")

    def test_by_option_stay_and_others_move(self):
        made = graph(
            'rpc A(M) returns (M) { option (gateway.v1.method).name = "b"; } rpc B(M) returns (M);'
        )
        assert {method: name for _, name, method in listed(made)} == {
            "test.v1.S/A": "b",
            "test.v1.S/B": "testV1B",
        }

    def test_in_two_packages_get_the_package_both(self):
        names = {each.method.name: each.name for each in graphs.torture().roots}
        assert names["torture.v1.NameService/GetThing"] == "tortureV1GetThing"
        assert names["torture.v2.NameService/GetThing"] == "tortureV2GetThing"

    def test_in_two_services_of_a_package_get_the_service_both(self):
        registry = graphs.of_text(
            f"service A {{ rpc Get(M) returns (M); }} service B {{ rpc Get(M) returns (M); }} {M}"
        )
        assert [each.name for each in graphs.graph_of(registry).roots] == ["aGet", "bGet"]


class TestServices:
    TEXT = f"service A {{ rpc GetA(M) returns (M); }} service B {{ rpc GetB(M) returns (M); }} {M}"

    def test_are_chosen_by_glob(self):
        made = graphs.graph_of(graphs.of_text(self.TEXT), GraphOptions(services=("*.A",)))
        assert [each.name for each in made.roots] == ["getA"]

    def test_globs_that_match_nothing_are_refused(self):
        with pytest.raises(SchemaError, match=r"graphql.services: no service matches test.v1.C"):
            graphs.graph_of(graphs.of_text(self.TEXT), GraphOptions(services=("test.v1.C",)))

    @pytest.mark.parametrize("package", ["grpc.health.v1", "grpc.reflection.v1"])
    def test_of_health_and_reflection_never_appear(self, package):
        text = f'syntax = "proto3"; package {package}; service H {{ rpc Get(M) returns (M); }} {M}'
        assert not graphs.graph_of(graphs.of_texts({"h.proto": text})).roots

    def test_unknown_methods_in_the_configuration_are_refused_with_the_nearest(self):
        options = GraphOptions(methods={"test.v1.A/GetX": MethodOptions(hide=True)})
        with pytest.raises(
            SchemaError, match=r"no such method with an upstream \(did you mean test.v1.A/GetA\?\)"
        ):
            graphs.graph_of(graphs.of_text(self.TEXT), options)


class TestByService:
    OPTIONS = GraphOptions(naming="by_service")

    def test_fields_stand_below_their_service(self):
        made = graphs.graph_of(graphs.of_text(TestServices.TEXT), self.OPTIONS)
        field = made.schema.mutation_type.fields["a"]
        assert (str(field.type), source_of(field)) == ("AMutation!", Group())
        assert isinstance(source_of(field.type.of_type.fields["getA"]), Rpc)
        assert [each.name for each in made.roots] == ["a.getA", "b.getB"]

    def test_methods_of_two_services_do_not_clash(self):
        text = (
            f"service A {{ rpc Get(M) returns (M); }} service B {{ rpc Get(M) returns (M); }} {M}"
        )
        made = graphs.graph_of(graphs.of_text(text), self.OPTIONS)
        assert not made.warnings
        assert [each.name for each in made.roots] == ["a.get", "b.get"]

    def test_services_of_two_packages_get_the_package_both(self):
        made = graphs.graph_of(graphs.torture_registry(), self.OPTIONS)
        names = {each.name for each in made.roots}
        assert {
            "tortureV1NameService.getThing",
            "tortureV2NameService.getThing",
            "enumService.getEnums",
        } <= names

    def test_subscriptions_stay_flat(self):
        made = graph("rpc Watch(M) returns (stream M);", self.OPTIONS)
        assert list(made.schema.subscription_type.fields) == ["watch"]

"""Which method answers an upgrade, by docs/websocket.md's "Plain"."""

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from gateway.call import RpcError
from gateway.chain import Method
from gateway.fronts.websocket.plain.compile import PlainOptions, compiling_plain
from gateway.fronts.websocket.plain.finding import find
from gateway.fronts.websocket.plain.opening import Shared
from gateway.http import Headers, Request
from gateway.routing.metadata import HeaderRules
from gateway.schema.codec import Codec
from gateway.schema.method import HttpRule, Kind, MethodDescriptor
from gateway.schema.problem import SchemaError
from gateway.schema.registry import Registry
from gateway.turns import at_once

UNARY, SERVER, CLIENT, BIDI = Kind


@pytest.fixture(scope="module")
def registry():
    file = FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    for message, field in (("Request", "id"), ("Chosen", "method"), ("Reply", "text")):
        made = file.message_type.add(name=message)
        made.field.add(name=field, number=1, type=9, label=1)
    return Registry.build([file])


@pytest.fixture(scope="module")
def codec(registry):
    return Codec(registry)


def method(name, kind, *rules, takes="t.Request"):
    """A method of rules such as `GET /v1/x`, with `*` behind it for a body."""
    parsed = [rule.split() for rule in rules]
    made = tuple(
        HttpRule(verb, path, "".join(body), source=f"t.proto:{name}")
        for verb, path, *body in parsed
    )
    return MethodDescriptor(f"t.S/{name}", kind, takes, "t.Reply", made)


class Routes:
    """What was compiled of methods."""

    def __init__(self, compiled):
        self.listed = {(each.template, each.method.name[4:]) for each in compiled.routes}
        self.starting = {each.template for each in compiled.routes if each.starts}
        self.notes = compiled.notes
        self._router = compiled.front._router

    def to(self, target):
        """The method that a target leads to, with the query that is left; None for none."""
        path, _, query = target.partition("?")
        request = Request("GET", path, query if "?" in target else None, Headers())
        found = find(self._router, request)
        if found is None:
            return None
        name = found.route.method.descriptor.name[4:]
        return name if found.query is None else (name, found.query)


@pytest.fixture
def compiled(registry, codec):
    shared = Shared(HeaderRules(), lambda packed: packed, lambda: 0.0)

    def compile_(*descriptors, **options):
        methods = [Method(each, (), None, None) for each in descriptors]
        return Routes(
            at_once(compiling_plain(methods, registry, codec, shared, PlainOptions(**options)))
        )

    return compile_


class TestAPath:
    @pytest.mark.parametrize("verb", ["GET", "POST", "DELETE", "PURGE", "*"])
    def test_answers_whatever_the_rules_verb(self, compiled, verb):
        assert compiled(method("A", UNARY, f"{verb} /v1/a")).to("/v1/a") == "A"

    @pytest.mark.parametrize("kind", [SERVER, CLIENT, BIDI])
    def test_of_several_methods_is_the_streaming_ones(self, compiled, kind):
        routes = compiled(method("A", UNARY, "GET /v1/a"), method("B", kind, "POST /v1/a *"))
        assert routes.to("/v1/a") == "B"

    def test_else_that_of_get(self, compiled):
        routes = compiled(method("A", UNARY, "PUT /v1/a *"), method("B", UNARY, "GET /v1/a"))
        assert routes.to("/v1/a") == "B"

    def test_for_which_a_rule_for_every_verb_stands(self, compiled):
        routes = compiled(method("A", UNARY, "PUT /v1/a *"), method("B", UNARY, "* /v1/a"))
        assert routes.to("/v1/a") == "B"

    def test_of_unary_methods_without_get_is_nobodys(self, compiled):
        routes = compiled(
            method("A", UNARY, "PUT /v1/{id} *"), method("B", UNARY, "DELETE /v1/{id}")
        )
        assert routes.to("/v1/a") is None
        assert routes.to("/t.S/A") == "A"
        (note,) = routes.notes
        assert note.startswith("/v1/* answers no WebSocket: PUT and DELETE are of different")

    def test_may_have_another_variable_in_each_rule(self, compiled):
        routes = compiled(method("A", UNARY, "PUT /v1/{id} *", "GET /v1/{text=*}"))
        assert routes.listed == {("/v1/{text=*}", "A"), ("/t.S/A", "A")}

    def test_of_two_streaming_methods_is_that_of_get(self, compiled):
        routes = compiled(method("A", CLIENT, "POST /v1/a *"), method("B", SERVER, "GET /v1/a"))
        assert routes.to("/v1/a") == "B"

    def test_of_two_streaming_methods_without_get_is_an_error(self, compiled):
        with pytest.raises(SchemaError) as caught:
            compiled(method("A", SERVER, "PUT /v1/{id}"), method("B", CLIENT, "POST /v1/{text} *"))
        (problem,) = caught.value.problems
        assert problem.where == "t.proto:B"
        assert problem.message == (
            "a WebSocket at /v1/* could be for either of two streaming methods, "
            't.S/A ("/v1/{id}", t.proto:A) and t.S/B ("/v1/{text}", t.proto:B)'
        )

    def test_of_one_method_bound_twice_is_no_error(self, compiled):
        routes = compiled(method("A", BIDI, "POST /v1/a *", "GET /v1/a"))
        assert routes.to("/v1/a") == "A"
        assert routes.notes == ()

    def test_a_more_special_one_that_nobody_answers_leaves_it_to_the_general(self, compiled):
        routes = compiled(
            method("A", UNARY, "PUT /v1/a *"),
            method("B", UNARY, "DELETE /v1/a"),
            method("C", UNARY, "GET /v1/{id}"),
        )
        assert routes.to("/v1/a") == "C"

    def test_unknown_has_no_route(self, compiled):
        assert compiled(method("A", UNARY, "GET /v1/a")).to("/v1/b") is None

    def test_that_is_none_is_refused(self, compiled):
        with pytest.raises(RpcError) as caught:
            compiled(method("A", UNARY, "GET /v1/{id}")).to("/v1/%zz")
        assert caught.value.reason == "INVALID_PATH"

    def test_bound_twice_for_one_verb_is_an_error(self, compiled):
        with pytest.raises(SchemaError, match="is bound twice"):
            compiled(method("A", UNARY, "GET /v1/a"), method("B", UNARY, "GET /v1/a"))


class TestTheMethodsOwnPath:
    @pytest.mark.parametrize("options", [{}, {"unannotated": False}, {"rest": False}])
    @pytest.mark.parametrize("rules", [[], ["GET /v1/a"]], ids=["unannotated", "annotated"])
    def test_every_method_has_it(self, compiled, options, rules):
        assert compiled(method("A", UNARY, *rules), **options).to("/t.S/A") == "A"

    def test_it_is_all_that_there_is_without_rest(self, compiled):
        routes = compiled(method("A", UNARY, "GET /v1/a"), rest=False)
        assert routes.listed == {("/t.S/A", "A")}

    def test_it_has_no_prefix_but_what_rest_has_there_has(self, compiled):
        routes = compiled(method("A", UNARY), method("B", UNARY, "GET /v1/b"), prefix="/api")
        assert routes.listed == {
            ("/t.S/A", "A"), ("/t.S/B", "B"), ("/api/t.S/A", "A"), ("/api/v1/b", "B"),
        }  # fmt: skip

    def test_a_rule_may_say_what_is_there(self, compiled):
        routes = compiled(method("A", UNARY), method("B", UNARY, "GET /t.S/A"), unannotated=False)
        assert routes.to("/t.S/A") == "B"


class TestACall:
    @pytest.mark.parametrize(
        ("kind", "rule", "starts"),
        [
            (UNARY, "GET /v1/a", True),
            (UNARY, "POST /v1/a *", False),
            (UNARY, "POST /v1/a id", False),
            (UNARY, "DELETE /v1/a", True),
            (SERVER, "GET /v1/a", True),
            (SERVER, "POST /v1/a *", False),
            (CLIENT, "POST /v1/a", False),
            (BIDI, "GET /v1/a", False),
        ],
    )
    def test_starts_without_a_frame_if_it_takes_one_message_and_no_body(
        self, compiled, kind, rule, starts
    ):
        routes = compiled(method("A", kind, rule))
        assert routes.starting == ({"/v1/a"} if starts else set())

    def test_is_gets_where_the_method_is_bound_twice(self, compiled):
        routes = compiled(method("A", SERVER, "POST /v1/a *", "GET /v1/a"))
        assert routes.starting == {"/v1/a"}


class TestTheQuery:
    """`?method=POST`, as clients of grpc-websocket-proxy say it."""

    @pytest.fixture
    def routes(self, compiled):
        return compiled(
            method("A", UNARY, "GET /v1/{id}"),
            method("B", UNARY, "PUT /v1/{id} *"),
            method("C", UNARY, "DELETE /v1/{id}"),
            method("D", UNARY, "PATCH /v2/{id} *"),
            method("E", UNARY, "DELETE /v2/{id}"),
            method("F", UNARY, "GET /v3", takes="t.Chosen"),
            method("G", UNARY, "POST /v3 *"),
        )

    @pytest.mark.parametrize(
        ("target", "found"),
        [
            pytest.param("/v1/a", "A", id="none"),
            pytest.param("/v1/a?method=PUT", ("B", ""), id="a-verb"),
            pytest.param("/v1/a?method=delete", ("C", ""), id="in-any-case"),
            pytest.param("/v1/a?x=1&method=PUT&y=2", ("B", "x=1&y=2"), id="among-others"),
            pytest.param("/v1/a?method=PUT&method=DELETE", ("B", ""), id="the-first"),
            pytest.param("/v1/a?method=HEAD", ("A", ""), id="as-the-router-has-it"),
            pytest.param("/v1/a?method=nonsense&x=1", ("A", "x=1"), id="no-verb-is-left-out"),
            pytest.param("/v1/a?methods=PUT", ("A", "methods=PUT"), id="another-name"),
            pytest.param("/v2/a?method=PATCH", ("D", ""), id="where-nobody-else-answers"),
            pytest.param("/v2/a?method=GET", None, id="nor-to-this-verb"),
            pytest.param("/v3?method=POST", ("F", "method=POST"), id="a-field-of-the-request"),
            pytest.param("/v4?method=GET", None, id="no-path"),
        ],
    )
    def test_chooses_among_the_rules_of_the_path(self, routes, target, found):
        assert routes.to(target) == found

    def test_a_verb_that_the_path_does_not_answer_is_refused(self, routes):
        with pytest.raises(RpcError) as caught:
            routes.to("/v1/a?method=POST")
        assert caught.value.reason == "METHOD_NOT_ALLOWED"

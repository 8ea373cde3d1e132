"""What a request makes of an RPC's message, by rest.md's "Binding"; the rows are in binding.yaml."""

import json
from pathlib import Path
from urllib.parse import quote_plus

import pytest
import yaml
from google.protobuf import json_format, message_factory
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import RpcError
from gateway.routing.binding import Binder
from gateway.routing.plan import BodyKind
from gateway.routing.query import MAX_PARAMETERS
from gateway.routing.router import Match, RouterBuilder
from gateway.routing.template import parse
from gateway.schema.method import HttpRule, Kind, MethodDescriptor

REQUEST = "routing.test.v1.Request"
ROWS = yaml.safe_load(Path(__file__).with_name("binding.yaml").read_text())
CASES = pytest.mark.parametrize(
    ("group", "case"),
    [
        pytest.param(group, case, id=f"{group['id']}-{case['id']}")
        for group in ROWS
        for case in group["cases"]
    ],
)


@pytest.fixture(scope="session")
def binder(registry, codec):
    """Makes the binder of a rule, `GET /v1/{id}`."""

    def make(rule, body="", ignore=(), request=REQUEST, framed=False, **more):
        verb, template = rule.split(" ", 1)
        method = MethodDescriptor("routing.test.v1.Test/Call", Kind.UNARY, request, REQUEST)
        return Binder(
            method,
            HttpRule(verb, template, body),
            parse(template),
            registry,
            codec,
            ignore_query=ignore,
            framed=framed,
            **more,
        )

    return make


@pytest.fixture(scope="session")
def decoded(registry):
    """Decodes a request message to the form of binding.yaml."""

    def decode(wire, request=REQUEST):
        made = message_factory.GetMessageClass(registry.message(request)).FromString(wire)
        return json_format.MessageToDict(made, preserving_proto_field_name=True)

    return decode


def captures(rule, path):
    """What a path captures of a rule's template."""
    builder = RouterBuilder()
    verb, template = rule.split(" ", 1)
    builder.add(verb, parse(template), None, label="", source="")
    found = builder.freeze().match(verb, path)
    assert isinstance(found, Match)
    return found.captures


def fields(error):
    """The fields that an error's BadRequest names."""
    for detail in error.status.details:
        if detail.type_url.endswith("BadRequest"):
            bad = error_details_pb2.BadRequest.FromString(detail.value)
            return [each.field for each in bad.field_violations]
    return []


@CASES
def test_a_request_makes_the_message(group, case, binder, decoded):
    path, _, query = case["path"].partition("?")
    body = case.get("body", "").encode("latin-1" if case.get("latin") else "utf-8")
    rule = binder(
        group["rule"],
        group.get("body", ""),
        group.get("ignore", ()),
        framed=group.get("framed", False),
    )

    def bind():
        bound = rule.prepare(captures(group["rule"], path), query if "?" in case["path"] else None)
        return bound.form(body) if group.get("form") else bound.message(body)

    if "error" not in case:
        assert json.dumps(decoded(bind()), sort_keys=True) == json.dumps(
            case["message"], sort_keys=True
        )
        return
    with pytest.raises(RpcError) as caught:
        bind()
    assert caught.value.reason == case["error"]
    if "field" in case:
        assert fields(caught.value) == [case["field"]]


class TestSerializedFrames:
    """What `Bound.wire` makes of a message that is serialized already."""

    @pytest.fixture
    def wire(self, binder, registry):
        """Binds a message into a frame of a rule, `POST /v1/{id}`."""
        of = message_factory.GetMessageClass(registry.message(REQUEST))

        def make(rule, captured, query, **fields):
            bound = binder(rule, "*", framed=True).prepare(captured, query)
            return bound.wire(of(**fields).SerializeToString())

        return make

    def test_path_and_query_are_bound_into_it(self, wire, decoded):
        made = decoded(wire("POST /v1/{id}", ("a",), "tags=x", int32=5))
        assert made == {"id": "a", "int32": 5, "tags": ["x"]}

    def test_where_they_bind_nothing_the_bytes_stay_as_they_are(self, binder):
        assert binder("POST /v1", "*", framed=True).prepare((), None).wire(b"\xff") == b"\xff"

    @pytest.mark.parametrize("query", [None, "int32=6"])
    def test_another_value_is_refused(self, wire, query):
        with pytest.raises(RpcError) as caught:
            wire("POST /v1/{id}", ("a",), query, id="b" if query is None else "a", int32=5)
        assert caught.value.reason == "CONFLICTING_FIELD"
        assert fields(caught.value) == ["id" if query is None else "int32"]

    def test_bytes_that_are_no_message_are_refused(self, binder):
        bound = binder("POST /v1/{id}", "*", framed=True).prepare(("a",), None)
        with pytest.raises(RpcError) as caught:
            bound.wire(b"\xff")
        assert caught.value.reason == "INVALID_BODY"

    def test_fields_that_no_proto_has_come_through(self, binder):
        bound = binder("POST /v1/{id}", "*", framed=True).prepare(("a",), None)
        assert b"\xf8\x3f\x07" in bound.wire(b"\xf8\x3f\x07")  # field 1023


class TestStreams:
    def test_path_and_query_are_bound_into_every_message(self, binder, decoded):
        bound = binder("POST /v1/{id}", "book").prepare(("a",), "int32=5&time=2026-01-31T12:00:00Z")
        messages = [decoded(bound.message(b'{"title": "%d"}' % n)) for n in range(3)]
        both = {"id": "a", "int32": 5, "time": "2026-01-31T12:00:00Z"}
        assert messages == [{**both, "book": {"title": str(n)}} for n in range(3)]

    def test_a_bad_message_does_not_spoil_the_next(self, binder, decoded):
        bound = binder("POST /v1/{id}", "*").prepare(("a",), None)
        with pytest.raises(RpcError):
            bound.message(b'{"id": "b"}')
        assert decoded(bound.message(b'{"note": "n"}')) == {"id": "a", "note": "n"}


class TestHttpBody:
    def test_the_request_itself(self, binder, decoded):
        request = "google.api.HttpBody"
        rule = binder("POST /v1/upload", "*", request=request)
        assert rule.body_kind is BodyKind.HTTP_BODY
        wire = rule.prepare((), None).http_body("text/plain", b"hi")
        assert decoded(wire, request) == {"content_type": "text/plain", "data": "aGk="}

    def test_a_field_beside_path_and_query(self, binder, decoded):
        rule = binder("POST /v1/{id}", "file")
        assert rule.body_kind is BodyKind.HTTP_BODY
        bound = rule.prepare(("a",), "note=n")
        assert decoded(bound.http_body("", b"\0\1")) == {
            "id": "a",
            "note": "n",
            "file": {"data": "AAE="},
        }

    def test_nothing_sent(self, binder, decoded):
        assert decoded(binder("POST /v1/{id}", "file").bind(("a",), None, b"")) == {"id": "a"}

    def test_its_fields_in_the_query(self, binder):
        with pytest.raises(RpcError) as caught:
            binder("POST /v1/{id}", "file").prepare(("a",), "file.contentType=x")
        assert caught.value.reason == "CONFLICTING_FIELD"


@pytest.mark.parametrize(("rule", "body"), [("GET /v1", ""), ("POST /v1", "*")])
def test_a_required_field_that_nothing_sets(binder, rule, body):
    # proto2 of old: the one message that every registry knows.
    part = "google.protobuf.UninterpretedOption.NamePart"
    with pytest.raises(RpcError) as caught:
        binder(rule, body, request=part).bind((), None, b"")
    assert caught.value.reason == "INVALID_BODY"


@pytest.mark.parametrize(
    ("rule", "body", "query", "told"),
    [
        pytest.param("GET /v1", "", "idd=1", 'perhaps "id" is meant.', id="the-nearest"),
        pytest.param("GET /v1", "", "qqqqqq=1", '"qqqqqq" is unknown.', id="nothing-near"),
        pytest.param("POST /v1", "*", "id=1", "every field is given in the body.", id="all-body"),
    ],
)
def test_an_unknown_parameter_is_told_what_to_do(binder, rule, body, query, told):
    with pytest.raises(RpcError) as caught:
        binder(rule, body).bind((), query, b"")
    assert caught.value.status.message.endswith(told)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", BodyKind.NONE),
        ("*", BodyKind.MESSAGE),
        ("book", BodyKind.FIELD),
        ("tags", BodyKind.FIELD),
        ("file", BodyKind.HTTP_BODY),
    ],
)
def test_a_binder_tells_what_the_body_is(binder, body, kind):
    assert binder("POST /v1/{id}", body).body_kind is kind


class TestBounds:
    def test_a_query_may_have_what_the_listener_let_through(self, binder, decoded):
        query = "&".join("tags=x" for _ in range(2 * MAX_PARAMETERS))
        assert len(decoded(binder("GET /v1").bind((), query, b""))["tags"]) == 2 * MAX_PARAMETERS

    def test_a_form_may_have_as_many_parameters_as_is_said(self, binder, decoded):
        form = binder("POST /v1", "*", form_parameters=3).prepare((), None).form
        assert decoded(form(b"tags=x&tags=x&tags=x"))["tags"] == ["x"] * 3
        for piece in (b"tags=x", b"", b"labels[a]=1", b"%zz"):
            with pytest.raises(RpcError) as caught:
                form(b"&".join([piece] * 4))
            assert caught.value.reason == "INVALID_QUERY"
            assert caught.value.status.message == "There are more than 3 parameters."

    def test_a_form_of_which_nothing_is_said(self, binder):
        with pytest.raises(RpcError) as caught:
            binder("POST /v1", "*").prepare((), None).form(b"tags=x&" * MAX_PARAMETERS)
        assert caught.value.reason == "INVALID_QUERY"

    def test_names_that_are_nested_deep(self, binder):
        with pytest.raises(RpcError) as caught:
            binder("GET /v1").bind((), "self." * 10_000 + "id=1", b"")
        assert caught.value.reason == "INVALID_QUERY"
        assert all(len(name) < 200 for name in fields(caught.value))
        assert len(caught.value.status.message) < 300

    def test_a_recursive_type_fills_no_memory(self, binder, codec, decoded, monkeypatch):
        monkeypatch.setattr("gateway.routing.parameters._MAX_KNOWN", 10)
        monkeypatch.setattr("gateway.schema.codec.message._MAX_FIELDS", 10)
        rule = binder("GET /v1")
        known = rule.prepare((), None)._plan.query._known
        before = len(codec.message(REQUEST)._fields)
        for depth in range(30):
            wire = rule.bind((), f"{'self.' * depth}text=a", b"")
            assert decoded(wire)
        assert len(known) <= 10
        assert len(codec.message(REQUEST)._fields) <= max(before, 10)


bodies = st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "book", "text"]), inner),
).map(lambda value: json.dumps(value).encode())
words = "id book . title [ ] = & % %2 + labels self time 1 struct bytes color flags page { \0 \xff"
parts = st.sampled_from([*words.split(" "), "text", "%FF", "update_mask"])
queries = st.lists(parts).map("".join) | st.text()


rules = st.sampled_from(["PATCH /v1/{id}", "GET /v1/{book.author.name}", "PUT /v1/{color}"])
requests = st.tuples(rules, st.text(), queries | st.just(""), bodies | st.just(b""))


@given(sent=requests, form=st.booleans())
@pytest.mark.parametrize("body", ["", "*", "book", "tags", "labels", "int32"])
def test_any_request_makes_a_message_or_our_own_error(binder, decoded, body, sent, form):
    rule, text, query, content = sent
    try:
        bound = binder(rule, body).prepare((text,), query)
        decoded(bound.form(content) if form else bound.message(content))
    except RpcError as error:
        assert error.reason is not None


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_text_in_path_query_and_form_is_the_text_in_json(binder, decoded, text):
    encoded = quote_plus(text)
    by_path = binder("GET /v1/{id}").bind((text,), None, b"")
    by_query = binder("GET /v1").bind((), f"id={encoded}", b"")
    by_form = binder("POST /v1", "*").prepare((), None).form(f"id={encoded}".encode())
    by_json = binder("POST /v1", "*").bind((), None, json.dumps({"id": text}).encode())
    assert decoded(by_path) == decoded(by_query) == decoded(by_form) == decoded(by_json)

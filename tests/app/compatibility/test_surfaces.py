"""Changes of what a config says, each with all that is told of it; and what holds of any surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.app.compatibility.change import Effect
from gateway.app.compatibility.compare import compare
from gateway.app.compatibility.rules import rule
from gateway.app.surface.model import (
    Access,
    Field,
    GraphqlSurface,
    Json,
    Message,
    Method,
    RestSurface,
    Route,
    Site,
    Socket,
    Surface,
    WebsocketSurface,
)
from tests.examples import examples

GET = "a.v1.S/Get"
BREAKS, MAY_BREAK = "breaking", "dangerous"
SDL = "type Query { get(id: String): Int! }"

REST = RestSurface((Route("GET", "/v1/{id}", GET),), ("utm_*",), {"default": "v1", "header": "x-v"})
GRAPHQL = GraphqlSurface("/graphql", SDL, {"Home": "a" * 64}, persisted=True)
WEBSOCKET = WebsocketSurface(
    "/ws",
    ("grpcws.v1.json", "grpcws.v1.proto"),
    ("https://app.example",),
    (Socket("/v1/{id}", GET, starts=True), Socket(f"/{GET}", GET, starts=False)),
)
SITE = Site((GET,), REST, GRAPHQL, WEBSOCKET)
METHOD = Method(
    client_streams=False,
    server_streams=False,
    input="a.v1.Req",
    output="a.v1.Rep",
    access=Access(("staff", "users"), True, ("read",), ("admin", "clerk"), "true"),
    timeout=5.0,
)
OLD = Surface(
    sites={"": SITE},
    methods={GET: METHOD},
    messages={
        "a.v1.Req": Message((Field(1, "id", "id", "string"),)),
        "a.v1.Rep": Message((Field(1, "size", "size", "int32"),)),
    },
    enums={},
    json=Json(emit_defaults=True, ignores_unknown=True),
    limits={"listener.limits.body_size": 100, "listener.limits.stream_size": None},
)


def at(**fronts: object) -> Surface:
    return replace(OLD, sites={"": replace(SITE, **fronts)})  # type: ignore[arg-type]


def of(**access: object) -> Surface:
    method = replace(METHOD, access=replace(METHOD.access, **access))  # type: ignore[arg-type]
    return replace(OLD, methods={GET: method})


OPENED = Access(None, True)
CASES: Mapping[str, tuple[Surface, Mapping[str, str]]] = {
    "the-same": (OLD, {}),
    "no-rest": (at(rest=None), {"rest.off rest": BREAKS}),
    "no-graphql": (at(graphql=None), {"graphql.off graphql": BREAKS}),
    "no-websocket": (at(websocket=None), {"websocket.off websocket": BREAKS}),
    "unknown-parameters-refused": (
        at(rest=replace(REST, ignored_query=())),
        {"rest.query-refused utm_*": MAY_BREAK},
    ),
    "all-parameters-ignored": (at(rest=replace(REST, ignored_query=("*",))), {}),
    "another-default-version": (
        at(rest=replace(REST, versions={"default": "v2"})),
        {
            "rest.version-changed rest.versions.default": BREAKS,
            "rest.version-changed rest.versions.header": BREAKS,
        },
    ),
    "graphql-elsewhere": (
        at(graphql=replace(GRAPHQL, path="/graph")),
        {"graphql.path-moved /graphql": BREAKS},
    ),
    "no-argument": (
        at(graphql=replace(GRAPHQL, sdl="type Query { get: Int! }")),
        {"graphql.arg-removed Argument Query.get(id:) was removed": BREAKS},
    ),
    "a-field-more-in-the-graph": (
        at(graphql=replace(GRAPHQL, sdl="type Query { get(id: String): Int! more: Int }")),
        {},
    ),
    "no-trusted-document": (
        at(graphql=replace(GRAPHQL, documents={})),
        {"graphql.document-removed Home": BREAKS},
    ),
    "another-hash": (
        at(graphql=replace(GRAPHQL, documents={"Home": "b" * 64})),
        {"graphql.document-changed Home": MAY_BREAK},
    ),
    "another-hash-and-no-other-documents": (
        at(graphql=replace(GRAPHQL, documents={"Home": "b" * 64}, trusted_only=True)),
        {
            "graphql.document-changed Home": BREAKS,
            "graphql.trusted-only graphql.trusted_only": BREAKS,
        },
    ),
    "no-persisted-queries-and-no-introspection": (
        at(graphql=replace(GRAPHQL, persisted=False, introspection=False)),
        {
            "graphql.persisted-off graphql.persisted": BREAKS,
            "graphql.introspection-off graphql.introspection": MAY_BREAK,
        },
    ),
    "websocket-elsewhere": (
        at(websocket=replace(WEBSOCKET, path="/socket")),
        {"websocket.path-moved /ws": BREAKS},
    ),
    "no-proto-subprotocol": (
        at(websocket=replace(WEBSOCKET, subprotocols=("grpcws.v1.json",))),
        {"websocket.subprotocol-removed grpcws.v1.proto": BREAKS},
    ),
    "no-origin": (
        at(websocket=replace(WEBSOCKET, origins=())),
        {"websocket.origin-removed https://app.example": BREAKS},
    ),
    "any-origin": (at(websocket=replace(WEBSOCKET, origins=("*",))), {}),
    "https": (
        replace(OLD, tls=True, client_certificate=True),
        {
            "listener.tls-changed listener.tls": BREAKS,
            "listener.certificate-needed listener.tls.client_certificate": BREAKS,
        },
    ),
    "names-of-the-protos": (
        replace(OLD, json=replace(OLD.json, proto_names=True)),
        {"json.names-changed rest.json.proto_names": BREAKS},
    ),
    "enums-as-numbers": (
        replace(OLD, json=replace(OLD.json, enums_as_numbers=True)),
        {"json.enums-changed rest.json.enums_as_numbers": BREAKS},
    ),
    "no-defaults-and-no-unknown-fields": (
        replace(OLD, json=Json()),
        {
            "json.defaults-left-out rest.json.emit_defaults": MAY_BREAK,
            "json.unknown-refused rest.json.unknown_fields": MAY_BREAK,
        },
    ),
    "lower-limits": (
        replace(OLD, limits={"listener.limits.body_size": 99, "listener.limits.stream_size": 0}),
        {
            "limits.lowered listener.limits.body_size": MAY_BREAK,
            "limits.lowered listener.limits.stream_size": MAY_BREAK,
        },
    ),
    "higher-limits": (
        replace(
            OLD, limits={"listener.limits.body_size": 101, "listener.limits.stream_size": None}
        ),
        {},
    ),
    "a-front-more-with-limits": (
        replace(OLD, limits={**OLD.limits, "graphql.limits.depth": 1}),
        {},
    ),
    "less-time": (
        replace(OLD, methods={GET: replace(METHOD, timeout=4.0)}),
        {f"limits.timeout-lowered {GET}": MAY_BREAK},
    ),
    "more-time": (replace(OLD, methods={GET: replace(METHOD, timeout=0.0)}), {}),
    "a-caller-is-needed": (
        of(anonymous=False),
        {f"access.authentication-needed {GET}": BREAKS},
    ),
    "nobody-is-asked": (of(**{name: getattr(OPENED, name) for name in OPENED.__slots__}), {}),
    "a-provider-less-where-nobody-need-be-known": (of(providers=("staff",)), {}),
    "a-provider-less": (
        of(providers=("staff",), anonymous=False),
        {
            f"access.authentication-needed {GET}": BREAKS,
            f"access.provider-removed {GET}": BREAKS,
        },
    ),
    "a-scope-more": (of(scopes=("read", "write")), {f"access.scope-added {GET}": BREAKS}),
    "a-role-less": (of(roles=("admin",)), {f"access.role-needed {GET}": BREAKS}),
    "a-role-more": (of(roles=("admin", "clerk", "guest")), {}),
    "another-condition": (of(when="false"), {f"access.condition-changed {GET}": MAY_BREAK}),
    "only-some-hosts": (
        replace(OLD, sites={"api.example": SITE}),
        {"hosts.limited hosts": BREAKS},
    ),
}


def effects(old: Surface, new: Surface) -> dict[str, str]:
    found = compare(old, new)
    assert all(rule(each.rule) for each in found), "every rule is explained"
    return {each.id: each.effect.value for each in found if each.effect is not Effect.SAFE}


@pytest.mark.parametrize("name", CASES)
def test_of_a_change_is_told_what_it_does(name: str) -> None:
    new, told = CASES[name]
    assert effects(OLD, new) == told


def test_a_host_that_is_gone_is_told_and_a_wildcard_takes_its_place() -> None:
    old = replace(OLD, sites={"a.x.example": SITE, "b.example": SITE})
    new = replace(OLD, sites={"*.x.example": SITE})
    assert effects(old, new) == {"hosts.removed b.example": BREAKS}


def test_the_route_of_a_host_is_named_with_it() -> None:
    old = replace(OLD, sites={"a.example": SITE, "b.example": SITE})
    without = replace(SITE, rest=replace(REST, routes=()))
    new = replace(OLD, sites={"a.example": SITE, "b.example": without})
    assert effects(old, new) == {"rest.route-removed GET b.example/v1/{id}": BREAKS}


SCALARS = ("string", "int32", "int64", "uint32", "bool", "double", "bytes")
NAMES = [f"f{number}" for number in range(1, 9)]
FIELDS = st.lists(
    st.builds(
        lambda number, type_, cardinality: Field(
            number, f"f{number}", f"f{number}", type_, cardinality=cardinality
        ),
        st.integers(2, 8),
        st.sampled_from(SCALARS),
        st.sampled_from(("one", "many")),
    ),
    unique_by=lambda each: each.number,
    max_size=5,
)


def with_fields(request: list[Field], reply: list[Field]) -> Surface:
    first, second = OLD.messages["a.v1.Req"], OLD.messages["a.v1.Rep"]
    messages = {
        "a.v1.Req": Message((*first.fields, *request)),
        "a.v1.Rep": Message((*second.fields, *reply)),
    }
    return replace(OLD, messages=messages)


@given(FIELDS, FIELDS)
@settings(max_examples=examples())
def test_a_surface_has_not_changed_since_itself(request: list[Field], reply: list[Field]) -> None:
    surface = with_fields(request, reply)
    assert compare(surface, surface) == []


@given(FIELDS, FIELDS, st.data())
@settings(max_examples=examples(2))
def test_what_is_only_added_breaks_nobody(
    request: list[Field], reply: list[Field], data: st.DataObject
) -> None:
    fewer = [
        data.draw(st.lists(st.sampled_from(each), unique_by=id) if each else st.just([]))
        for each in (request, reply)
    ]
    routes = (*REST.routes, Route("GET", "/v2/{id}", GET), Route("POST", "/v1/{id}:do", GET, "*"))
    site = replace(SITE, rest=replace(REST, routes=routes), methods=(GET, "a.v1.S/More"))
    new = replace(
        with_fields(request, reply),
        sites={"": site},
        methods={GET: METHOD, "a.v1.S/More": METHOD},
    )
    found = effects(with_fields(*fewer), new)
    assert BREAKS not in found.values()


@given(FIELDS, FIELDS)
@settings(max_examples=examples())
def test_what_is_taken_away_from_replies_is_told_by_name(
    reply: list[Field], request: list[Field]
) -> None:
    found = effects(with_fields(request, reply), with_fields(request, []))
    gone = {f"json.reply-field-removed a.v1.Rep.{each.name}" for each in reply}
    assert {each for each in found if each.startswith("json.")} == gone


def test_another_number_of_an_enum_breaks_json_that_has_numbers() -> None:
    def of_number(number: int, *, as_numbers: bool) -> Surface:
        reply = Message((Field(1, "kind", "kind", "enum", "a.v1.Kind"),))
        return replace(
            at(websocket=None),
            messages=OLD.messages | {"a.v1.Rep": reply},
            enums={"a.v1.Kind": {"NONE": 0, "LARGE": number}},
            json=Json(enums_as_numbers=as_numbers),
        )

    def found(*, as_numbers: bool) -> list[str]:
        old, new = (of_number(number, as_numbers=as_numbers) for number in (1, 2))
        return [each.id for each in compare(old, new)]

    assert found(as_numbers=True) == ["json.reply-enum-value-renumbered a.v1.Kind.LARGE"]
    assert found(as_numbers=False) == []


def test_a_route_to_another_method_is_open_to_those_who_may_call_that_one() -> None:
    other = replace(METHOD, access=replace(METHOD.access, anonymous=False), timeout=1.0)
    rest = replace(REST, routes=(Route("GET", "/v1/{id}", "a.v1.S/Fetch"),))
    new = replace(
        OLD,
        methods={"a.v1.S/Fetch": other},
        sites={"": Site(("a.v1.S/Fetch",), rest, None, None)},
    )
    found = {each.id: each.met for each in compare(OLD, new)}
    assert found["access.authentication-needed a.v1.S/Fetch"] == ("GET /v1/{id}",)
    assert found["limits.timeout-lowered a.v1.S/Fetch"] == ("GET /v1/{id}",)

"""What is a condition is decided at start-up, and what it reads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.policies.cel import Compiler, ConditionError
from gateway.policies.cel.limits import TEXT
from tests.policies.cel.shop import ORDER, POOL, SEALED, condition

REFUSED = {
    "nothing": ("", "the condition is empty"),
    "nothing but blanks": (" \n", "the condition is empty"),
    "half an expression": (
        "claims.a ==",
        "at column 12 of the condition: the condition ends too early",
    ),
    "an unknown variable": ("user.name == 'a'", "nothing has the name user.name; expected one of"),
    "a part of principal that is not": (
        "principal.subjct == 'a'",
        "did you mean principal.subject?",
    ),
    "an unknown field": ("request.nope == 1", "the request has no field nope"),
    "a type that can't be compared": (
        "request.total == 'a'",
        "== can't be used with int and string",
    ),
    "text": ("request.tenant", "of type string, not bool"),
    "a claim, which may be anything": ("claims.admin", "of type dyn, not bool"),
    "a list": ("[true]", "of type list<bool>, not bool"),
    "null": ("null", "of type null, not bool"),
    "a number": ("1", "of type int, not bool"),
    "presence of what is always there": ("has(principal.subject)", "not bool"),
    "a list made of a list": ("request.items.map(i, i.sku) == []", "map and filter"),
    "a part of a list": ("size(claims.groups.filter(g, true)) > 1", "map and filter"),
    "a key that no metadata has": ("metadata['X-Tenant'] == 'a'", "lower case"),
    "functions that are not CEL's": ("claims.a.lowerAscii() == 'a'", "no function lowerAscii"),
    "an enum's unknown name": (
        "request.state == shop.State.STATE_LOST",
        "at column 29 of the condition: shop.State has no STATE_LOST",
    ),
    "a map whose keys are messages": ("{request: 1}", "Unsupported map key"),
    "half a character": ("'\ud800' == ''", "half a character"),
    "a NUL": ("true\0", "was not expected here"),
    "more than 4,096 characters": ("true" + " " * TEXT, "more than 4096 characters"),
    "brackets in brackets": ("(" * 100 + "true" + ")" * 100, "nested too deep"),
    "thousands of brackets": ("(" * 2000 + "true" + ")" * 2000, "nested too deep"),
    "thousands of selections": ("claims" + ".a" * 2000 + " == 1", "nested too deep"),
    "loops in loops": ("[1].all(x, " * 32 + "true" + ")" * 32, "nested too deep"),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_no_condition_is(text, why):
    with pytest.raises(ConditionError) as failure:
        condition(text)
    assert why in str(failure.value)
    assert "\n" not in str(failure.value)


def test_it_may_have_lines():
    with pytest.raises(ConditionError, match=r"^at line 3, column 1 of the condition: "):
        condition("claims.a == 1 &&\n// more\nb")


@pytest.mark.parametrize(
    "text",
    [
        "request.any == request.any",
        "request.any.tenant == 'a'",
        "type(request.any) == shop.Order",
        "request.any != null",
        "request.all == []",
        "request.all.exists(a, a == null)",
        "request.all[0] == request.all[1]",
        "request == request",
        "dyn(request) == dyn(request)",
        "request in [request]",
        "[request] == []",
        "{'a': request.pages} == {}",
        "request.pages == []",
        "request.pages[0] == request.pages[1]",
        "request.pages.exists(p, p == p)",
        "request.pages.exists(p, p.of == request)",
        "shop.Sealed{tenant: 1} == null",
        "(true ? request : request).tenant == 1",
        "google.protobuf.Any{} == google.protobuf.Any{}",
        "shop.Page{of: request}.number == 1",
    ],
)
def test_nothing_is_unpacked_that_a_client_may_nest_without_end(text):
    with pytest.raises(ConditionError, match=r"google\.protobuf\.Any can't be looked at"):
        condition(text, SEALED)


@pytest.mark.parametrize(
    "text",
    [
        "request.tenant == 1",
        "has(request.any)",
        "size(claims.all) == 1 || request.pages.all(p, p.number < 3 && p.of.tenant == 1)",
        "request.pages[0].of.pages[1].number == 1",
        "request.order == shop.Order{}",
    ],
)
def test_what_stands_beside_it_is_read(text):
    condition(text, SEALED)


READS = {
    "nothing": ("true", set()),
    "a part of principal": ("principal.subject == 'a'", {"principal.subject"}),
    "several": (
        "method == 'a' && 'b' in peer.certificate.uris",
        {"method", "peer.certificate.uris"},
    ),
    "the request": ("request.tenant == claims.tenant", {"request", "claims"}),
    "the request, from the root": (".request.tenant == ''", {"request"}),
    "the request, in a loop": (
        "claims.groups.exists(g, g == request.tenant)",
        {"claims", "request"},
    ),
    "the request, as a whole": ("request == shop.Order{}", {"request"}),
    "the request, by its presence": ("has(request.note)", {"request"}),
    "the request, in a list": ("[request] != []", {"request"}),
    "the request, in a map": ("{'a': request} != {}", {"request"}),
    "the request, in a message": ("shop.Order{parent: request} != request", {"request"}),
    "the request, where it makes no difference": ("true || request.total > 1", {"request"}),
    "no request in a text": ("claims.a == 'request.total'", {"claims"}),
    "no request in a comment": ("// request.total\nclaims.a == 1", {"claims"}),
    "no request in a key": ("claims.request == metadata.request", {"claims", "metadata"}),
}


@pytest.mark.parametrize(("text", "names"), READS.values(), ids=READS.keys())
def test_it_reads(text, names):
    made = condition(text)
    assert {name for name, _ in made._reads} | ({"request"} & names) == names
    assert made.reads_request is ("request" in names)


def test_a_text_is_compiled_once_where_it_is_the_same():
    compiler = Compiler(POOL)
    claims, request = "claims.tenant == 'a'", "request.tenant == request.tenant"
    assert compiler.compile(claims, ORDER) is compiler.compile(claims, SEALED)
    assert compiler.compile(request, ORDER) is compiler.compile(request, ORDER)
    assert compiler.compile(request, ORDER) is not compiler.compile(request, SEALED)


def test_the_types_are_those_of_the_method():
    compiler = Compiler(POOL)
    compiler.compile("request.tenant == 'a'", ORDER)
    with pytest.raises(ConditionError, match="== can't be used with"):
        compiler.compile("request.tenant == 'a'", SEALED)


DEEP = """
from tests.policies.cel.shop import ADA, call, condition
from dataclasses import replace
value = {"a": 1}
for _ in range(200_000):
    value = {"a": value}
endless = []
endless.append(endless)
texts = ("claims.tenant.a.a == 1", "claims.exists(k, claims[k] == claims)", "claims == claims")
for deep in (value, endless):
    principal = replace(ADA, claims={"tenant": deep})
    for text in texts:
        assert condition(text).allows(call(principal)) is False
print("alive")
"""


def test_claims_that_would_end_the_process_are_not_looked_at():
    done = subprocess.run(
        [sys.executable, "-c", DEEP], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "alive\n", done.stderr[-500:]

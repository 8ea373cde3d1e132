"""Documents that are refused: by the parser, by limits, by rules; and that this takes little."""

from __future__ import annotations

import gc
import json
import tracemalloc

import pytest
from graphql import build_schema, get_introspection_query, parse, specified_rules, validate
from hypothesis import given
from hypothesis import strategies as st

from gateway.fronts.graphql.document import Documents, Limits
from gateway.fronts.graphql.errors import RequestError, response

SCHEMA = build_schema("""
directive @defer(if: Boolean! = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
type Query { a(x: Int, y: [Int], i: In): Query b: Query c: String product(s: [[[Int]]]): String }
type Mutation { m: Query }
input In { a: Int b: In }
""")


def documents(suggestions=True, introspection=True, **limits):
    return Documents(SCHEMA, Limits(**limits), suggestions=suggestions, introspection=introspection)


def refused(text, **options):
    with pytest.raises(RequestError) as caught:
        documents(**options).get(text)
    return json.loads(response(caught.value.errors))["errors"]


def limit(text, **options):
    (error,) = refused(text, **options)
    extensions = error["extensions"]
    assert extensions.pop("code") == "LIMIT_EXCEEDED"
    return tuple(extensions.values())


@pytest.mark.parametrize(
    ("text", "name", "value", "maximum"),
    [
        pytest.param("{a{b{c}}}", "depth", 3, 2, id="depth"),
        pytest.param("{a{...F}} fragment F on Query{b{c}}", "depth", 3, 2, id="depth-by-fragment"),
        pytest.param("{x:c y:c}", "aliases", 2, 1, id="aliases"),
        pytest.param("{...F a{...F}} fragment F on Query{x:c}", "aliases", 2, 1, id="by-fragment"),
        pytest.param("{a{c} b{c} c product}", "root_fields", 4, 3, id="root-fields"),
        pytest.param("{a{c} b{c} ...{c product}}", "root_fields", 4, 3, id="root-by-fragment"),
        pytest.param("{c c c c c c c c c c}", "fields", 10, 9, id="fields"),
        pytest.param("query A{c} query B{c} query C{c}", "operations", 3, 2, id="operations"),
        pytest.param("{" + "c " * 60 + "}", "tokens", 51, 50, id="tokens"),
        pytest.param("#\n" * 60 + "{c}", "tokens", 51, 50, id="comments"),
        pytest.param("{c" + " " * 400 + "}", "size", 403, 300, id="size"),
        pytest.param(
            "{__schema{types{name}}}", "introspection_depth", 2, 1, id="introspection-depth"
        ),
    ],
)
def test_a_limit_is_named_with_value_and_maximum(text, name, value, maximum):
    tight = {
        "depth": 2,
        "aliases": 1,
        "root_fields": 3,
        "fields": 9,
        "operations": 2,
        "tokens": 50,
        "size": 300,
        "introspection_depth": 1,
    }
    assert limit(text, **tight) == (name, value, maximum)
    (error,) = refused(text, **tight)
    assert str(value) in error["message"]
    assert str(maximum) in error["message"]


def test_fields_of_introspection_have_a_limit_of_their_own():
    text = "{a:__schema{...F} b:__schema{...F} c} fragment F on __Schema{types{name kind}}"
    assert documents(introspection_fields=6).get(text)
    assert limit(text, introspection_fields=5) == ("introspection_fields", 6, 5)


def test_what_is_at_a_limit_passes():
    text = "{x:a{b{c}} y:b{c}}"
    assert documents(depth=3, aliases=2, root_fields=2, fields=5, tokens=17, size=len(text)).get(
        text
    )


def test_a_name_that_comes_again_is_one_root_field():
    assert documents(root_fields=1).get("{c c ...{c}}")


def test_comments_are_not_taken_for_tokens():
    assert documents(tokens=5).get("#\n#\n#\n#\n#\n{c}")


def test_the_query_of_graphiql_passes_the_default_limits():
    assert documents().get(get_introspection_query(input_value_deprecation=True))


def test_introspection_that_is_off_is_refused():
    (error, *_) = refused("{__schema{queryType{name}}}", introspection=False)
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "introspection has been disabled" in error["message"]


def test_typename_is_no_introspection():
    assert documents(introspection=False).get("{__typename}")


@pytest.mark.parametrize(
    ("text", "place"), [("", 1), ("{", 2), ("{c", 3), ("{}}", 3), ("query", 6)]
)
def test_what_is_no_graphql(text, place):
    (error,) = refused(text)
    assert error["message"].startswith("Syntax Error: ")
    assert error["locations"] == [{"line": 1, "column": place}]
    assert error["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


INVALID = [
    pytest.param("{nope}", id="unknown-field"),
    pytest.param("{c{d}}", id="no-subfields"),
    pytest.param("{a}", id="subfields-missing"),
    pytest.param('{a(x:"s"){c}}', id="wrong-argument"),
    pytest.param("query($v:Int){c}", id="unused-variable"),
    pytest.param("{...F}", id="unknown-fragment"),
    pytest.param("{...F} fragment F on Query{...F}", id="cycle"),
    pytest.param("{c x:c x:a{c}}", id="conflict"),
    pytest.param("{c} {c}", id="two-anonymous"),
    pytest.param("query A{c} query A{c}", id="one-name-twice"),
    pytest.param("type T{a:Int}", id="a-definition-of-types"),
    pytest.param("fragment F on Query{c}", id="no-operation"),
    pytest.param("subscription{c}", id="no-such-root"),
    pytest.param("{c @stream}", id="stream"),
    pytest.param("mutation{...@defer{m{c}}}", id="defer-at-the-root-of-a-mutation"),
    pytest.param('{a{...@defer(label:"l"){c}} b{...@defer(label:"l"){c}}}', id="labels-are-unique"),
]


@pytest.mark.parametrize("text", INVALID)
def test_the_rules_are_those_of_the_reference(text):
    expected = validate(SCHEMA, parse(text), specified_rules, hide_suggestions=True)
    found = refused(text, suggestions=False)
    assert [error["message"] for error in found] == [error.message for error in expected]
    assert [error["locations"] for error in found] == [
        [place.formatted for place in error.locations] for error in expected
    ]
    assert {error["extensions"]["code"] for error in found} == {"GRAPHQL_VALIDATION_FAILED"}


def test_the_first_error_says_what_may_have_been_meant():
    first, second = refused("{produc prodct}")
    assert first["message"].endswith("Did you mean 'product'?")
    assert "Did you mean" not in second["message"]


def test_suggestions_can_be_off():
    (error,) = refused("{produc}", suggestions=False)
    assert error["message"] == "Cannot query field 'produc' on type 'Query'."


def test_a_large_graph_has_no_suggestions():
    fields = " ".join(f"someRatherLongNameOfAField{i}: Int" for i in range(1000))
    large = Documents(build_schema(f"type Query {{ {fields} }}"), Limits())
    assert not large.suggests
    with pytest.raises(RequestError) as caught:
        large.get("{someRatherLongNameOfAFeld1}")
    assert "Did you mean" not in caught.value.errors[0].message


def test_errors_are_not_many_and_not_long():
    many = refused("{a{" + " ".join(f"x{i}" for i in range(500)) + "}}")
    assert len(many) == 21
    (long,) = refused('{a(x:"' + "s" * 50_000 + '"){c}}')
    assert len(long["message"]) < 600


@pytest.mark.parametrize(
    "text",
    ["{a(x:DIGITS){c}}", "{a(y:[DIGITS]){c}}", "query($v:Int=DIGITS){a(x:$v){c}}"],
    ids=["argument", "item", "default"],
)
def test_an_error_does_not_quote_python(text):
    (error,) = refused(text.replace("DIGITS", "9" * 5000))  # beyond what int() reads
    assert error["message"].startswith("Expected value of type 'Int', found: 999")


def repeated(count, made):
    return "".join(made(i) for i in range(count))


LAX = Limits(depth=100, aliases=10**6, root_fields=10**6, fields=10**6, tokens=20_000, size=10**6)

# What a document may do to a parser and to rules that compare pairs. With limits that stop none of
# them before validation.
HOSTILE = [
    pytest.param("{" + "c " * 99_999, id="100000-tokens"),
    pytest.param("{" + repeated(10_000, lambda i: f"x{i}:c ") + "}", id="10000-aliases"),
    pytest.param("{a" * 1000 + "}" * 1000, id="1000-levels"),
    pytest.param("{product(s:" + "[" * 1000 + "]" * 1000 + ")}", id="1000-levels-of-a-list"),
    pytest.param("{a(i:" + "{b:" * 1000 + "1" + "}" * 1000 + "){c}}", id="1000-levels-of-an-object"),
    pytest.param("{...F0}" + repeated(1500, lambda i: f"fragment F{i} on Query{{...F{(i + 1) % 1500}}}"), id="a-cycle-of-1500-fragments"),
    pytest.param("{...F0}" + repeated(1000, lambda i: f"fragment F{i} on Query{{a{{...F{i + 1}}} b{{...F{i + 1}}}}}"), id="a-fragment-bomb"),
    pytest.param("{" + "a{c} " * 4000 + "}", id="one-field-4000-times"),
    pytest.param("{" + "a{a{a{c}}} " * 1800 + "}", id="the-same-nested"),
    pytest.param("{" + repeated(1800, lambda i: f"a(y:[{i}]){{c}} ") + "}", id="arguments-that-differ"),
    pytest.param("{" + repeated(1900, lambda i: f"...F{i} ") + "}" + repeated(1900, lambda i: f"fragment F{i} on Query{{c}}"), id="1900-fragments-side-by-side"),
    pytest.param("{" + repeated(400, lambda i: f"...F{i} ") + "}" + repeated(400, lambda i: f"fragment F{i} on Query{{a{{a{{...G{i}}}}}}} fragment G{i} on Query{{b{{b{{c}}}}}}"), id="fragments-that-overlap-deep"),
    pytest.param("query(" + repeated(4000, lambda i: f"$v{i}:Int ") + "){c}", id="4000-variables"),
    pytest.param(repeated(49, lambda i: f"query Q{i}($v:Int){{...F}} ") + "fragment F on Query{a(y:[" + "$v " * 9000 + "]){c}}", id="a-variable-9000-times-in-49-operations"),
    pytest.param("{c " + repeated(9000, lambda i: f"@d{i} ") + "}", id="9000-directives"),
    pytest.param("{a(y:[" + '"x" ' * 15_000 + "]){c}}", id="15000-wrong-values"),
    pytest.param("{a(x:" + "9" * 500_000 + "){c}}", id="a-number-of-500000-digits"),
    pytest.param('{a(x:"' + "\\u0041" * 100_000 + '"){c}}', id="a-string-of-100000-escapes"),
    pytest.param("{" + "z" * 500_000 + "}", id="a-name-of-500000-letters"),
    pytest.param("," * 900_000 + "{nope}", id="900000-commas"),
]  # fmt: skip


@pytest.mark.timeout(30)  # a rule that is quadratic takes minutes, one that is exponential for ever
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_document_is_refused_with_lax_limits(text):
    with pytest.raises(RequestError) as caught:
        Documents(SCHEMA, LAX).get(text)
    assert len(response(caught.value.errors)) < 50_000


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_document_is_refused_in_bounded_memory(text):
    hostile = documents()
    tracemalloc.start()
    try:
        with pytest.raises(RequestError):
            hostile.get(text)
        _, peak = tracemalloc.get_traced_memory()
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * 2**20
    assert kept < 2**20  # the cache has the errors, and no syntax tree


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{" + "a{" * 99 + "c" + "}" * 100, id="fields"),
        pytest.param("{" + "...{a{" * 99 + "c" + "}}" * 99 + "}", id="inline-fragments-between"),
        pytest.param("{...F0}" + repeated(99, lambda i: f"fragment F{i} on Query{{a{{...F{i + 1}}}}} ") + "fragment F99 on Query{c}", id="fragments"),
    ],
)  # fmt: skip
def test_the_deepest_document_that_a_limit_can_allow_has_a_price(text):
    operation = documents(depth=100).get(text).operation(None)
    assert operation.measure.depth == 100
    assert operation.cost({}) == 100  # fields of a root type without a source are Python's


def test_overlapping_fields_have_a_budget():
    text = "{" + "a{c} " * 60 + "}"
    assert limit(text, overlaps=1000) == ("overlaps", 1001, 1000)
    assert documents(overlaps=10**6).get(text)


def test_a_usual_document_takes_little_of_the_budget():
    card = "fragment Card on Query{c product x:a(x:1){c} b{c product}}"
    spread = "a{...Card} b{...Card ...Card a{...Card}} ...Card"
    assert documents(overlaps=500).get(f"{{{spread}}} {card}")


PIECES = ["...", "query ", "on ", "fragment ", "é", "\ud800", *'{}()[]:$@!|&="\\#,. \nabcF1']


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_any_text_is_a_document_or_refused(text):
    reading = documents()
    try:
        assert reading.get(text).operations
    except RequestError as caught:
        assert json.loads(response(caught.errors))["errors"]

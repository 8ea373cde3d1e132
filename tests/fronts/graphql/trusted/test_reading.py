"""Files of trusted documents: what is right in them, and every mistake at once."""

import pytest

from gateway.fronts.graphql.document import Limits
from gateway.fronts.graphql.errors import RequestError
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.schema.problem import SchemaError
from tests.fronts.graphql.trusted.shop import CALLER, Services, engine_of, files, graph, trusted_of


def problems(*texts):
    with pytest.raises(SchemaError) as raised:
        trusted_of(*texts)
    return [str(each) for each in raised.value.problems]


def test_operations_are_known_by_name_and_files_by_their_hash():
    text = "query A { whoAmI { peer } }\nquery B { whoAmI { peer } }\n"
    trusted = trusted_of(text)
    assert list(trusted.operations) == ["A", "B"]
    assert str(trusted.operations["B"].place) == "a.graphql:2"
    digest = trusted.operations["A"].document.digest
    assert trusted.by_digest[digest] is trusted.by_text[text]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "query A {\n  whoAmI {",
            "a.graphql:2:11: Syntax Error: Expected Name, found <EOF>.",
            id="syntax",
        ),
        pytest.param(
            "query A {\n  getUsr(id: 1) { id } }",
            "a.graphql:2:3: Cannot query field 'getUsr' on type 'Query'. (did you mean 'getUser'?)",
            id="unknown-field-with-what-is-meant",
        ),
        pytest.param(
            "{ whoAmI { peer } }",
            "a.graphql:1:1: the operation has no name (write: query Name { … })",
            id="every-operation-has-a-name",
        ),
        pytest.param(
            "fragment F on User { id }",
            "a.graphql: there is no operation in it (a file shares no fragments: move them)",
            id="a-file-has-an-operation",
        ),
    ],
)
def test_a_mistake_has_its_place_and_its_fix(text, told):
    assert problems(text) == [told]


def test_every_mistake_of_every_file_is_told_at_once():
    found = problems("query A { a b }", "query B {", "query C { whoAmI { c } }")
    assert [each.partition(" ")[0] for each in found] == [
        "a.graphql:1:11:",
        "a.graphql:1:13:",
        "b.graphql:1:10:",
        "c.graphql:1:20:",
    ]


def test_a_name_is_of_one_operation_in_all_files():
    found = problems("query A { whoAmI { peer } }", "\nquery A { whoAmI { replica } }")
    assert found == ["b.graphql:2:1: the operation A is defined already, at a.graphql:1"]


def test_fragments_are_not_shared_between_files():
    found = problems(
        'query A { getUser(id: "1") { ...F } }',
        "query B { whoAmI { ...F } }\nfragment F on WhoAmIResponse { peer }",
    )
    (told,) = found
    assert told == (
        "a.graphql:1:33: Unknown fragment 'F'."
        " (it is in b.graphql: copy it, a file shares no fragments)"
    )


@pytest.mark.parametrize(
    ("directive", "told"),
    [
        pytest.param(
            '@rest(body: "*")',
            "it names 0 HTTP methods, not one of get, post, put, patch or delete"
            ' (write: @rest(get: "/v1/path/{variable}"))',
            id="no-verb",
        ),
        pytest.param(
            '@rest(get: "/{id}", put: "/{id}")',
            "it names 2 HTTP methods, not one of get, post, put, patch or delete",
            id="two-verbs",
        ),
        pytest.param(
            '@rest(get: "v1/{id}")',
            'template "v1/{id}", column 1: expected "/", found "v"',
            id="no-template",
        ),
        pytest.param(
            '@rest(get: "/{it}")',
            "the operation has no variable $it",
            id="unknown-path-variable",
        ),
        pytest.param(
            '@rest(get: "/{user.id}")',
            "the operation has no variable $user.id (did you mean id?)",
            id="a-path-variable-is-a-variable-whole",
        ),
        pytest.param(
            '@rest(get: "/{tags}")',
            "$tags is of type [String!], which no path can hold",
            id="a-list-in-the-path",
        ),
        pytest.param(
            '@rest(get: "/{id}", body: "*")',
            "a GET has no body (leave body out, or use post)",
            id="get-with-a-body",
        ),
        pytest.param(
            '@rest(post: "/{id}", body: "id")',
            "$id is bound by the path already",
            id="body-and-path",
        ),
        pytest.param(
            '@rest(post: "/{id}", body: "tag")',
            'body is "*" or a variable of the operation, not "tag" (did you mean tags?)',
            id="unknown-body",
        ),
        pytest.param(
            '@rest(get: "/{id}", required: ["user.nme"])',
            'nothing in the answer is named "nme" at "user.nme" (did you mean name?)',
            id="unknown-required-part",
        ),
        pytest.param("@rest(get: $id)", "expected a text, found $id", id="no-literal"),
    ],
)
def test_a_wrong_rest_is_told_at_its_place(directive, told):
    (found,) = problems(
        f"query A($id: String!, $tags: [String!]) {directive} {{\n"
        "  user: getUser(id: $id) { name: displayName }\n"
        "  listProducts(filter: $id) { nextPageToken }\n"
        "  searchProducts(tags: $tags) { __typename }\n}"
    )
    place, _, message = found.partition(": @rest of A: ")
    assert message == told
    assert place.startswith("a.graphql:1:")


def test_a_query_holds_no_objects():
    (found,) = problems(
        'mutation A($user: UserInput!) @rest(post: "/u") { createUser(user: $user) { id } }'
    )
    assert found == (
        "a.graphql:1:12: @rest of A: $user is of type UserInput!, which no query can hold"
        ' (take it from the body: body: "user")'
    )


def test_a_get_changes_nothing():
    (found,) = problems('mutation A @rest(get: "/u") { signOut { __typename } }')
    assert found.endswith("a GET changes nothing, and this is a mutation (use post)")


def test_a_subscription_is_no_view():
    (found,) = problems('subscription A @rest(get: "/u") { watchOrder(id: "1") { message } }')
    assert found == "a.graphql:1:16: Directive '@rest' may not be used on subscription."


def test_limits_do_not_hold_for_what_is_written_in_files():
    tight = Limits(depth=1, cost=1, tokens=1, size=1, aliases=0, root_fields=1, fields=1)
    text = "query A { a: whoAmI { metadata { key } } b: whoAmI { peer } }"
    trusted = trusted_of(text, limits=tight)
    engine = engine_of(Services(), trusted, limits=tight)
    assert prepared(engine, "A") is not None
    (warning,) = trusted.warnings
    assert str(warning) == (
        f"a.graphql:1:1: the operation costs {trusted.operations['A'].cost},"
        " over the limit of 1 that others have"
    )


def test_variables_do_not_make_it_dearer_than_the_limit():
    text = "query A($n: Int = 5) { listProducts(pageSize: $n) { products { id } } }"
    trusted = trusted_of(text, limits=Limits(cost=50))
    engine = engine_of(Services(), trusted)
    assert prepared(engine, "A", n=40) is not None
    with pytest.raises(RequestError) as refused:
        prepared(engine, "A", n=1000)
    assert refused.value.errors[0].extensions["code"] == "LIMIT_EXCEEDED"


def prepared(engine, name, **variables):
    request = GraphqlRequest(document_id=name, variables=variables)
    return engine.prepare(request, CALLER)


def test_the_shop_s_operations_are_right():
    trusted = trusted_of(*[text for _, text in files()])
    assert set(trusted.operations) == {"Home", "ProductPage", "OrderPage", "OrderChanges"}
    assert not trusted.warnings
    assert graph().schema.get_directive("rest") is None

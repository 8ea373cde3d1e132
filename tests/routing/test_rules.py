"""Rules held against the protos; the types are in binding.proto."""

import pytest

from gateway.routing.rules import check_rule, implied_rule
from gateway.schema.method import HttpRule, Kind, MethodDescriptor

REQUEST = "routing.test.v1.Request"
BOOK = "routing.test.v1.Book"


def method(*rules, name="routing.test.v1.Test/Call"):
    return MethodDescriptor(name, Kind.UNARY, REQUEST, BOOK, rules=rules, file="t.proto", line=7)


def rule(text, body="", response_body=""):
    verb, template = text.split(" ", 1)
    return HttpRule(verb, template, body, response_body, "t.proto:9")


@pytest.mark.parametrize(
    "right",
    [
        pytest.param(rule("GET /v1/{id}"), id="a scalar"),
        pytest.param(rule("GET /v1/{color}/{bytes}/{double}"), id="any simple type"),
        pytest.param(rule("GET /v1/{book.author.display_name=a/*}"), id="in messages"),
        pytest.param(rule("GET /v1/{self.self.id}"), id="in a recursive message"),
        pytest.param(rule("GET /v1/{note}"), id="optional"),
        pytest.param(rule("GET /v1/{text}"), id="one member of a oneof"),
        pytest.param(
            rule("GET /v1/{volume.name}/{volume.title}"), id="one member, two of its fields"
        ),
        pytest.param(rule("POST /v1", "*"), id="body star"),
        pytest.param(rule("POST /v1", "books"), id="a repeated body"),
        pytest.param(rule("POST /v1", "labels"), id="a map as body"),
        pytest.param(rule("POST /v1/{book.name}", "book"), id="a variable in the body"),
        pytest.param(rule("GET /v1", "", "tags"), id="a response body"),
        pytest.param(rule("* /v1"), id="kind star"),
        pytest.param(rule("PURGE /v1"), id="a custom kind"),
        pytest.param(rule("M-SEARCH /v1"), id="a custom kind with a hyphen"),
    ],
)
def test_a_right_rule(registry, right):
    assert check_rule(method(), right, registry) == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(rule("GET v1"), 'template "v1", column 1: expected "/"', id="template"),
        pytest.param(
            rule("GET /v1/{idd}"),
            'column 6: "idd" is not a field of message routing.test.v1.Request (did you mean "id"?)',
            id="unknown field",
        ),
        pytest.param(
            rule("GET /v1/{book.titel}"),
            '"titel" is not a field of message routing.test.v1.Book (did you mean "title"?)',
            id="unknown field in a message",
        ),
        pytest.param(rule("GET /v1/{pageSize}"), '(did you mean "page_size"?)', id="json name"),
        pytest.param(rule("GET /v1/{tags}"), '"tags" is a repeated field', id="repeated"),
        pytest.param(
            rule("GET /v1/{books.title}"), '"books" is a repeated field', id="in repeated"
        ),
        pytest.param(rule("GET /v1/{labels}"), '"labels" is a map field', id="map"),
        pytest.param(rule("GET /v1/{shelf.value}"), '"shelf" is a map field', id="in a map"),
        pytest.param(rule("GET /v1/{book}"), '"book" is a message field', id="message"),
        pytest.param(rule("GET /v1/{time}"), '"time" is a message field', id="well-known type"),
        pytest.param(rule("GET /v1/{id.x}"), '"id" is not a message field', id="in a scalar"),
        pytest.param(
            rule("GET /v1/{text}/{page}"),
            '"page" and "text" are members of one oneof, "kind"',
            id="two of a oneof",
        ),
        pytest.param(
            rule("GET /v1/{volume.name}/{page}"), 'of one oneof, "kind"', id="two, one nested"
        ),
        pytest.param(
            rule("POST /v1", "bok"), 'body "bok" is neither "*" nor a top-level field', id="body"
        ),
        pytest.param(rule("POST /v1", "bok"), '(did you mean "book"?)', id="body, nearest"),
        pytest.param(rule("POST /v1", "book.title"), "top-level field", id="nested body"),
        pytest.param(
            rule("POST /v1/{id}", "id"), 'body "id" is bound by the path', id="body in the path"
        ),
        pytest.param(
            rule("GET /v1", "", "titel"),
            'response_body "titel" is not a field of message routing.test.v1.Book (did you mean',
            id="response body",
        ),
        pytest.param(rule("FETCH /v1"), 'custom kind "FETCH" is no HTTP method', id="custom kind"),
        pytest.param(rule("Get /v1"), "(did you mean GET?)", id="kind in lower case"),
    ],
)
def test_a_wrong_rule(registry, wrong, said):
    problems = check_rule(method(), wrong, registry)
    assert len(problems) == 1
    assert said in str(problems[0])
    assert str(problems[0]).startswith("t.proto:9: routing.test.v1.Test/Call: ")


def test_all_that_is_wrong_is_told(registry):
    wrong = rule("FETCH /v1/{a}/{b}/{tags}", "c", "d")
    assert len(check_rule(method(), wrong, registry)) == 6


def test_the_rule_of_a_method_without_one(registry):
    implied = implied_rule(method())
    assert implied == HttpRule("POST", "/routing.test.v1.Test/Call", "*", source="t.proto:7")
    assert check_rule(method(), implied, registry) == ()

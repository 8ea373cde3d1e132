"""What is wrong with a condition, in words of whoever wrote it."""

from __future__ import annotations

import pytest

from gateway.policies.cel import ConditionError
from gateway.policies.cel.mistakes import mistake
from tests.policies.cel.shop import POOL, condition

SAID = {
    # Names.
    "principal.scope == 'a'": (1, "principal.scope; did you mean principal.scopes?"),
    "principle.subject == 'a'": (1, "principle.subject; did you mean principal.subject?"),
    "peer.adress == ''": (1, "peer.adress; did you mean peer.address?"),
    "principal.email == 'a'": (
        1,
        "expected one of principal.subject, principal.provider, principal.plan, principal.scopes",
    ),
    "true && user == 'a'": (
        9,
        "user; expected one of method, principal, peer, claims, metadata, request",
    ),
    "principal == 'a'": (1, "principal can't be read as a whole; it has principal.subject, "),
    "request.tenant.startswith('a')": (16, "no function startswith; did you mean startsWith?"),
    # Fields.
    "request.tennant == 'a'": (9, "the request has no field tennant; did you mean tenant?"),
    "request.items[0].skuu == 'a'": (18, "shop.Item has no field skuu; did you mean sku?"),
    "request.items[0].price == 1": (18, "shop.Item has no field price; shop.Item has sku, count"),
    "request.tenant.id == 1": (16, "a string has no parts"),
    # Signs and words of other languages.
    "request.tenant = 'a'": (16, "= is no sign here; to compare is written =="),
    "request.tenant === 'a'": (18, "= is no sign here; to compare is written =="),
    "true and true": (6, "and is no word here; and is written &&"),
    "true AND true": (6, "AND is no word here; and is written &&"),
    "true or true": (6, "or is no word here; or is written ||"),
    "not true": (1, "not is no word here; not is written !"),
    "not (true)": (1, "not is no word here; not is written !"),
    "not(true)": (1, "not is no word here; not is written !"),
    "'a' not in principal.roles": (5, "not is no word here; not is written !"),
    "true & true": (6, "& is no sign here; and is written &&"),
    "true | true": (6, "| is no sign here; or is written ||"),
    "request.tenant == “a”": (19, "“ is no sign here; quotes are \" or '"),
    # Types.
    "principal.roles == 'a'": (17, 'use in, as in: "a" in principal.roles'),
    "'a' != principal.roles": (5, 'use in, as in: !("a" in principal.roles)'),
    "'a' in principal.subject": (5, "of a text use contains"),
    "principal.roles.contains('a')": (25, 'of a list use in, as in: "a" in principal.roles'),
    "request.tenant != null": (16, "it is never null"),
    "request.total > 1.5": (15, "> can't be used with int and double"),
    # What can't be read.
    "request.tenant == 'a": (19, "the text that begins here does not end"),
    "size(request.tenant": (20, "a ) is missing"),
    "request.": (9, "the condition ends too early"),
    "true false": (6, "false was not expected here"),
}


def said(text):
    with pytest.raises(ConditionError) as failure:
        condition(text)
    return failure.value


@pytest.mark.parametrize(("text", "column", "what"), [(k, *v) for k, v in SAID.items()], ids=SAID)
def test_it_says_where_and_what(text, column, what):
    words = str(said(text))
    assert words.startswith(f"at column {column} of the condition: ")
    assert what in words
    for noise in ("Syntax error", "*error*", "overload", "token", "<EOF>", "_", "struct"):
        assert noise not in words


def test_a_condition_of_several_lines_has_them_counted():
    words = str(said("true &&\n  request.tennant == 'a'"))
    assert words.startswith("at line 2, column 11 of the condition: the request has no field")


def test_what_only_follows_is_not_told():
    words = str(said("request.nope.foo.bar == 1"))
    assert words.count("column") == 1


def test_two_mistakes_are_both_told():
    words = str(said("request.nope == 1 && user == 1"))
    assert "no field nope" in words
    assert "the name user" in words


def test_a_field_is_found_by_its_json_name():
    raw = "ERROR: <input>:1:8: undefined field 'nanosValue' not found in struct 'a.Request'"
    fields = [Named("user_id", "userId"), Named("value", "nanosValue")]
    found = mistake(raw, "request.nanosValue == 1", "a.Request", lambda _: Type(fields))
    assert found.text.endswith("no field nanosValue; did you mean value?")
    assert found.lacks_field


class Named:
    def __init__(self, name, json_name):
        self.name, self.json_name = name, json_name


class Type:
    def __init__(self, fields):
        self.fields = fields


@pytest.mark.parametrize(
    ("text", "general", "lacks"),
    [
        ("request.nope == 1", "at column 9 of the condition: the request has no field nope", True),
        ("user == 1", None, False),
        ("request.items[0].nope == 1", None, False),
    ],
)
def test_what_holds_for_every_type_that_lacks_the_field(text, general, lacks):
    failure = said(text)
    assert failure.general == (general or str(failure))
    assert failure.lacks_field is lacks


def test_a_type_with_many_fields_is_not_told_in_full():
    fields = [Named(f"field{number}x" * 3, "") for number in range(40)]
    raw = "ERROR: <input>:1:8: undefined field 'q' not found in struct 'a.Request'"
    found = mistake(raw, "request.q", "a.Request", lambda _: Type(fields))
    assert found.text.endswith(" and 28 more")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param("INTERNAL: it broke [INTERNAL]", "it broke", id="of no place"),
        pytest.param(
            "ERROR: <input>:1:1: something new", "at column 1 of the condition: something new",
            id="of a form that is not known",
        ),
        pytest.param(
            "ERROR: <input>:1:8: undefined field 'q' not found in struct 'a.B'",
            "at column 8 of the condition: a.B has no field q", id="of a type that is not known",
        ),
        pytest.param("ERROR: <input>:9:9: over", "at column 9 of the condition: over", id="beyond"),
    ],
)  # fmt: skip
def test_an_error_that_is_not_known_passes_as_it_is(raw, text):
    assert mistake(raw, "true", "a.Request", POOL.FindMessageTypeByName).text == text

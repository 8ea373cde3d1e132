"""What an answer of the service means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Code, Principal, RpcError
from gateway.policies.auth.ext_authz import authorization_pb2 as pb
from gateway.policies.auth.ext_authz.answer import Allowed, judge
from gateway.policies.auth.ext_authz.changes import Action, BadAnswerError, Change
from gateway.routing.metadata import never_passes


def judged(said=None, /, **given):
    response = pb.CheckResponse(**given)
    if said is not None:
        response.dynamic_metadata.update(said)
    return bytes_judged(response.SerializeToString())


def bytes_judged(message):
    return judge(message, "external", lambda name: not never_passes(name), 1000.0)


def denied(code, **response):
    refusal = judged(status={"code": 7}, denied_response={"status": {"code": code}, **response})
    assert isinstance(refusal, RpcError)
    return refusal


def headers(**named):
    return [
        {"header": {"key": name.replace("_", "-"), "value": value}} for name, value in named.items()
    ]


def test_ok_lets_in():
    assert judged(status={}) == Allowed(Principal("", "external"))


def test_ok_may_be_said_by_its_response_alone():
    assert judged(ok_response={}) == Allowed(Principal("", "external"))


def test_ok_may_change_headers():
    allowed = judged(
        ok_response={
            "headers": headers(x_user="ada", grpc_timeout="1S"),
            "headers_to_remove": ["Authorization", "grpc-encoding", "host"],
            "response_headers_to_add": headers(x_seen="yes", connection="close"),
        }
    )
    assert allowed.request == (Change("x-user", "ada", Action.OVERWRITE),)
    assert allowed.removed == {"authorization"}
    assert allowed.reply == (Change("x-seen", "yes", Action.OVERWRITE),)


SAID = {
    "sub": "ada", "scope": "a b", "roles": ["clerk", 7], "plan": "pro", "exp": 2000, "n": 1.5,
    "deep": {"list": [1, None, True]},
}  # fmt: skip


def test_metadata_says_who_calls():
    assert judged(SAID, ok_response={}).principal == Principal(
        "ada", "external", frozenset("ab"), frozenset({"clerk"}), "pro", SAID, 2000.0
    )


def test_whole_numbers_are_whole():
    claims = judged({"id": 7, "huge": 2.0**60}, ok_response={}).principal.claims
    assert (repr(claims["id"]), repr(claims["huge"])) == ("7", repr(2.0**60))


@pytest.mark.parametrize(
    ("said", "subject"),
    [
        pytest.param({"subject": "ada", "sub": "bob"}, "ada", id="subject"),
        pytest.param({"sub": "bob"}, "bob", id="else sub"),
        pytest.param({"subject": None, "sub": "bob"}, "bob", id="null is none"),
        pytest.param({"roles": ["clerk"]}, "", id="else nobody in particular"),
    ],
)
def test_who_it_is(said, subject):
    assert judged(said, ok_response={}).principal.subject == subject


@pytest.mark.parametrize("plan", ["p" * 256, "pro\n", "pro\x85"])
def test_a_plan_that_is_no_name_is_a_bad_answer(plan):
    with pytest.raises(BadAnswerError, match="its plan is no name"):
        judged({"plan": plan}, ok_response={})


@pytest.mark.parametrize("name", ["subject", "sub"])
@pytest.mark.parametrize("value", ["", "a\nb", "a\0", "\u200b", "a" * 256, 7, True, ["ada"]])
def test_a_subject_that_is_no_name_is_a_bad_answer(name, value):
    with pytest.raises(BadAnswerError):
        judged({name: value}, ok_response={})


def test_metadata_of_the_response_overrides_that_beside_it():  # as Envoy's did, and does
    response = pb.CheckResponse(ok_response={})
    response.dynamic_metadata.update({"sub": "ada"})
    response.ok_response.dynamic_metadata.update({"sub": "bob"})
    assert bytes_judged(response.SerializeToString()).principal.subject == "bob"


@pytest.mark.parametrize(
    ("status", "code", "reason", "http_status"),
    [
        (0, Code.PERMISSION_DENIED, "AUTHORIZATION_DENIED", 403),
        (200, Code.PERMISSION_DENIED, "AUTHORIZATION_DENIED", 403),
        (302, Code.PERMISSION_DENIED, "AUTHORIZATION_DENIED", 302),
        (400, Code.INVALID_ARGUMENT, "AUTHORIZATION_DENIED", 400),
        (401, Code.UNAUTHENTICATED, "INVALID_CREDENTIALS", None),
        (403, Code.PERMISSION_DENIED, "AUTHORIZATION_DENIED", 403),
        (404, Code.NOT_FOUND, "AUTHORIZATION_DENIED", 404),
        (418, Code.PERMISSION_DENIED, "AUTHORIZATION_DENIED", 418),
        (429, Code.RESOURCE_EXHAUSTED, "AUTHORIZATION_DENIED", 429),
        (503, Code.UNAVAILABLE, "AUTHORIZATION_DENIED", 503),
        (999, Code.PERMISSION_DENIED, "AUTHORIZATION_DENIED", 403),
    ],
)
def test_the_status_of_a_refusal(status, code, reason, http_status):
    refusal = denied(status)
    assert (refusal.status.code, refusal.reason, refusal.http_status) == (code, reason, http_status)


def test_a_refusal_without_a_response_is_forbidden():
    refusal = judged(status={"code": 16})
    assert (refusal.reason, refusal.http_status) == ("AUTHORIZATION_DENIED", 403)


def test_a_refusal_with_the_response_of_ok_changes_nothing():
    refusal = judged(status={"code": 7}, ok_response={"headers": headers(x_user="ada")})
    assert isinstance(refusal, RpcError)
    assert not refusal.headers


def test_headers_of_a_refusal_go_with_it_but_those_of_http_itself():
    refusal = denied(
        401,
        headers=headers(
            www_authenticate='Bearer realm="x"', location="/login", connection="close",
            content_length="7", transfer_encoding="chunked",
        ),
    )  # fmt: skip
    assert refusal.headers == {"www-authenticate": 'Bearer realm="x"', "location": "/login"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("No such tenant.\n", "No such tenant."),
        ("", "The call is not allowed."),
        ("<p>\nno", "The call is not allowed."),
        ("a" * 501, "The call is not allowed."),
        ("\xe9", "The call is not allowed."),
    ],
    ids=["a sentence", "none", "a page", "a book", "beyond ASCII"],
)
def test_the_body_of_a_refusal_is_its_message_if_it_is_one(body, message):
    assert denied(403, body=body).status.message == message


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"status": {}, "denied_response": {}}, id="OK and denied"),
        pytest.param({"status": {"code": 7}, "error_response": {}}, id="it failed"),
        pytest.param({"error_response": {}}, id="it failed, and says nothing else"),
        pytest.param({"denied_response": {}}, id="denied, without a status"),
        pytest.param({"ok_response": {"headers": headers(x_a="a\nb")}}, id="a header that is none"),
    ],
)
def test_what_means_nothing_lets_nobody_in(given):
    with pytest.raises(BadAnswerError):
        judged(**given)


def test_what_has_ended_is_not_allowed():
    with pytest.raises(BadAnswerError):
        judged({"exp": 1000}, ok_response={})


@given(st.binary(max_size=60))
def test_whatever_bytes_come_nobody_is_let_in_but_by_ok(message):
    try:
        verdict = bytes_judged(message)
    except BadAnswerError:
        return
    if isinstance(verdict, Allowed):
        assert not pb.CheckResponse.FromString(message).status.code

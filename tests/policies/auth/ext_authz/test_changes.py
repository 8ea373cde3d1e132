"""Headers as an answer wants them."""

from __future__ import annotations

import pytest

from gateway.call import Metadata
from gateway.policies.auth.ext_authz import authorization_pb2 as pb
from gateway.policies.auth.ext_authz import changes
from gateway.policies.auth.ext_authz.changes import Action, BadAnswerError, Change

GIVEN = Metadata([("x-a", "1"), ("x-b", "2"), ("x-a", "3")])


def option(key="x-a", value="9", **given):
    header = {"key": key, "raw_value" if isinstance(value, bytes) else "value": value}
    return pb.HeaderValueOption(header=header, **given)


def read(*options):
    return changes.read(options, lambda name: not name.startswith(("grpc-", ":")))


@pytest.mark.parametrize(
    ("given", "action"),
    [
        pytest.param({}, Action.OVERWRITE, id="nothing is said"),
        pytest.param({"append": {"value": True}}, Action.APPEND, id="append"),
        pytest.param({"append": {"value": False}}, Action.OVERWRITE, id="not append"),
        pytest.param({"append": {}}, Action.OVERWRITE, id="append, without a value"),
        pytest.param({"append_action": 1}, Action.ADD_IF_ABSENT, id="if absent"),
        pytest.param({"append_action": 2}, Action.OVERWRITE, id="overwrite"),
        pytest.param({"append_action": 3}, Action.OVERWRITE_IF_EXISTS, id="if it exists"),
        pytest.param(
            {"append": {"value": True}, "append_action": 2}, Action.APPEND, id="both: the older"
        ),
    ],
)
def test_what_is_to_become_of_a_header(given, action):
    assert read(option(**given)) == (Change("x-a", "9", action),)


@pytest.mark.parametrize(
    ("action", "name", "expected"),
    [
        (Action.OVERWRITE, "x-a", [("x-b", "2"), ("x-a", "9")]),
        (Action.OVERWRITE, "x-c", [*GIVEN, ("x-c", "9")]),
        (Action.APPEND, "x-a", [*GIVEN, ("x-a", "9")]),
        (Action.APPEND, "x-c", [*GIVEN, ("x-c", "9")]),
        (Action.ADD_IF_ABSENT, "x-a", [*GIVEN]),
        (Action.ADD_IF_ABSENT, "x-c", [*GIVEN, ("x-c", "9")]),
        (Action.OVERWRITE_IF_EXISTS, "x-a", [("x-b", "2"), ("x-a", "9")]),
        (Action.OVERWRITE_IF_EXISTS, "x-c", [*GIVEN]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_becomes_of_metadata(action, name, expected):
    assert list(changes.metadata(GIVEN, [Change(name, "9", action)])) == expected


def test_what_is_left_out_goes_last():
    made = changes.metadata(GIVEN, [Change("x-a", "9", Action.APPEND)], {"x-a"})
    assert list(made) == [("x-b", "2")]


def test_a_header_overwritten_with_nothing_is_gone():
    assert list(changes.metadata(GIVEN, [Change("x-a", "", Action.OVERWRITE)])) == [("x-b", "2")]


@pytest.mark.parametrize("key", ["grpc-timeout", "GRPC-Status", ":path"])
def test_names_of_http_and_grpc_are_left_alone(key):
    assert read(option(key)) == ()


def test_names_are_lower_case_and_values_without_spaces_around_them():
    assert read(option("X-A", " 9 ")) == (Change("x-a", "9", Action.OVERWRITE),)


def test_a_value_may_come_as_bytes():
    assert read(option(value=b"9")) == (Change("x-a", "9", Action.OVERWRITE),)


@pytest.mark.parametrize("value", ["YQ", "YQ==", b"YQ=="])
def test_binary_metadata_comes_as_base64(value):
    assert read(option("x-a-bin", value))[0].value == b"a"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param([option(value="a\nb")], id="another line"),
        pytest.param([option(value="\xe9")], id="beyond ASCII"),
        pytest.param([option(value=b"\xff")], id="bytes that are none"),
        pytest.param([option("x-a-bin", "!")], id="no base64"),
        pytest.param([option(append_action=7)], id="an action that is not known"),
        pytest.param([option(value="a" * 9000), option(value="a" * 9000)], id="too much"),
    ],
)
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(BadAnswerError):
        read(*options)


def test_reply_headers():
    made = changes.reply_headers(
        {"x-kept": "1", "x-b": "1"},
        [
            Change("x-a", "1", Action.OVERWRITE),
            Change("x-a", "2", Action.APPEND),
            Change("x-b", "2", Action.ADD_IF_ABSENT),
            Change("x-c", "2", Action.OVERWRITE_IF_EXISTS),
            Change("x-d-bin", b"a", Action.APPEND),
            Change("x-e", "", Action.OVERWRITE),
        ],
    )
    assert made == {"x-kept": "1", "x-b": "1", "x-a": "1, 2", "x-d-bin": "YQ=="}


def test_cookies_are_not_joined():
    made = changes.reply_headers(
        {}, [Change("set-cookie", text, Action.APPEND) for text in ("a=1", "b=2")]
    )
    assert made == {"set-cookie": "b=2"}

"""How the end of a plain call reads."""

import json

import pytest
from google.rpc import status_pb2
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Code, RpcError, Status
from gateway.errors import error
from gateway.fronts.websocket.plain.ending import close_code, error_json, error_status, reason

NOT_FOUND = Status(Code.NOT_FOUND, "There is no such thing.")


def shown(packed):
    return b'{"@type":"x"}'


@pytest.mark.parametrize("code", [code for code in Code if code])
def test_the_close_code_is_4200_and_the_code(code):
    assert close_code(Status(code)) == 4200 + code


def test_the_reason_is_json():
    assert reason(NOT_FOUND) == (
        '{"code":5,"status":"NOT_FOUND","message":"There is no such thing."}'
    )


@given(
    st.sampled_from([code for code in Code if code]),
    st.text() | st.text(max_size=200, alphabet='"\\\n\0é€😀\ud800 a'),
)
def test_it_always_fits_and_is_always_json(code, message):
    text = reason(Status(code, message))
    assert len(text.encode()) <= 123
    read = json.loads(text)
    assert (read["code"], read["status"]) == (code, code.name)
    assert message.encode("utf-8", "replace").decode().startswith(read["message"])


def test_it_is_cut_no_more_than_it_must():
    for char, size in [("a", 1), ("é", 2), ("😀", 4), ('"', 2), ("\0", 6)]:
        text = reason(Status(Code.FAILED_PRECONDITION, char * 200))
        assert 123 - size < len(text.encode()) <= 123


class TestTheLastFrame:
    def test_a_backends_error_has_its_own_details(self):
        assert json.loads(error_json(RpcError(NOT_FOUND), "id-1", shown)) == {
            "error": {"code": 5, "status": "NOT_FOUND", "message": "There is no such thing."}
        }

    def test_the_gateways_own_has_the_request_id_too(self):
        failure = error("INVALID_JSON", "The body is not JSON.")
        told = json.loads(error_json(failure, "id-1", shown))["error"]
        assert told["code"] == 3
        assert len(told["details"]) == 2

    def test_serialized_it_is_a_status(self):
        failure = error("INVALID_JSON", "The body is not JSON.")
        made = status_pb2.Status.FromString(error_status(failure, "id-1"))
        assert (made.code, made.message) == (3, "The body is not JSON.")
        kinds = [each.type_url.rpartition(".")[2] for each in made.details]
        assert kinds == ["ErrorInfo", "RequestInfo"]
        assert b"id-1" in made.details[1].value

    @pytest.mark.parametrize("message", ["\ud800", "a\udfffb"])
    def test_a_message_that_is_no_text_hides_no_error(self, message):
        failure = RpcError(Status(Code.ABORTED, message))
        assert json.loads(error_json(failure, "id-1", shown))["error"]["code"] == 10
        assert status_pb2.Status.FromString(error_status(failure, "id-1")).code == 10

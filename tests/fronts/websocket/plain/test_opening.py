"""How a plain socket is opened, what its frames are, and the times that it keeps."""

import asyncio
import json

import pytest
from google.rpc import status_pb2

from gateway.call import Call, Code, Metadata, Principal, Reply, RpcError, Status
from gateway.errors import error
from gateway.http import Headers, Request
from gateway.policies.auth.watch import Watch
from gateway.schema.method import Kind
from tests.fronts.websocket.plain.fakes import HELLO, IN_A, WAITING, settled

UNARY, SERVER, CLIENT, BIDI = Kind
JSON, PROTO = "grpcws.plain.json", "grpcws.plain.proto"
_OFFER = "sec-websocket-protocol"


class TestForms:
    def test_binary_frames_are_serialized_messages(self, dial, backend):
        socket = dial(UNARY, WAITING, "/t.S/M", PROTO)
        assert socket.subprotocol == PROTO
        socket.takes(b"\xff anything")
        assert backend.call.request == b"\xff anything", "nothing is bound"
        backend.done[0](Reply(HELLO))
        assert socket.sent == [HELLO]

    def test_path_and_query_are_bound_into_them(self, dial, backend):
        dial(UNARY, WAITING, "/v1/a?text=hello", PROTO).takes(b"")
        assert backend.call.request == HELLO + IN_A

    def test_the_last_one_of_a_failed_call_is_a_status(self, dial, backend):
        socket = dial(UNARY, "GET /v1/{room}", "/v1/a", PROTO)
        backend.done[0](RpcError(Status(Code.NOT_FOUND, "no")))
        (frame,) = socket.sent
        assert status_pb2.Status.FromString(frame) == status_pb2.Status(code=5, message="no")
        assert socket.code == 4205

    async def test_an_empty_text_frame_half_closes_and_an_empty_binary_one_does_not(
        self, dial, backend
    ):
        dial(BIDI, WAITING, "/t.S/M", PROTO).takes(b"", "")
        assert await backend.took() == b""
        assert await backend.took() is None

    def test_text_is_refused_there(self, dial):
        socket = dial(UNARY, WAITING, "/v1/a", PROTO)
        socket.takes("{}")
        status = status_pb2.Status.FromString(socket.sent[0])
        assert b"UNSUPPORTED_CONTENT_TYPE" in status.details[0].value

    @pytest.mark.parametrize("offered", [(), (JSON,), ("Bearer", "token"), ("bearer.dG9rZW4",)])
    def test_else_it_is_text(self, dial, backend, offered):
        socket = dial(UNARY, WAITING, "/v1/a", *offered)
        assert socket.subprotocol == {JSON: JSON, "Bearer": "Bearer"}.get((*offered, "")[0])
        socket.takes("{}")
        assert backend.calls

    def test_and_binary_is_refused(self, dial):
        socket = dial(UNARY, WAITING)
        socket.takes(b"\n\x05hello")
        assert socket.reason == "UNSUPPORTED_CONTENT_TYPE"

    def test_other_subprotocols_are_not_served(self, dial, backend):
        socket = dial(UNARY, "GET /v1/{room}", "/v1/a", "grpcws.v1.json")
        assert socket.code == 4400
        assert not backend.calls


class TestOpening:
    def test_a_call_carries_what_the_handshake_says(self, dial, backend, clock):
        clock.now = 100.0
        headers = [
            ("x-request-id", "r-1"), ("x-secret", "s"), ("grpc-timeout", "1500m"),
            ("traceparent", "00-1"),
        ]  # fmt: skip
        dial(UNARY, headers=headers)
        call = backend.call
        assert (call.method, call.front, call.peer) == ("t.S/M", "websocket", "192.0.2.1")
        assert list(call.metadata) == [("x-request-id", "r-1")]
        assert call.deadline.at == 101.5
        assert (call.request_id, call.traceparent) == ("r-1", "00-1")

    def test_streams_do_too(self, dial, backend):
        asked = []

        async def stream(call):
            asked.append((call.method, call.request_id, call.deadline))
            return Metadata()

        async def run():
            backend.stream = stream
            dial(BIDI, headers=[("x-request-id", "r-1"), ("grpc-timeout", "1S")])
            await settled()

        asyncio.run(run())
        assert asked == [("t.S/M", "r-1", (1.0,))]

    @pytest.mark.parametrize("offered", [["bearer.dG9rZW4"], ["Bearer", "token"]])
    def test_a_token_becomes_metadata(self, dial, backend, offered):
        dial(UNARY, "GET /v1/{room}", "/v1/a", *offered)
        assert backend.call.metadata.get("authorization") == "Bearer token"

    def test_the_request_id_is_answered(self, dial):
        socket = dial(UNARY, headers=[("x-request-id", "r-1")])
        assert socket.accepted["headers"] == [("x-request-id", "r-1")]

    def test_a_message_that_is_too_large_is_the_listeners_to_refuse(self, dial):
        accepted = dial(UNARY, message_size=1000, compressed=True).accepted
        assert accepted["message_size"] == 1000
        assert accepted["too_large"] == 4208
        assert json.loads(accepted["too_large_reason"]) == {
            "code": 8,
            "status": "RESOURCE_EXHAUSTED",
            "message": "The message is larger than 1000 bytes.",
        }
        assert accepted["compressed"]

    @pytest.mark.parametrize(
        ("reason", "target", "headers"),
        [
            pytest.param("UNKNOWN_QUERY_PARAMETER", "/v1/a?nope=1", (), id="query"),
            pytest.param("CONFLICTING_FIELD", "/v1/a?room=b", (), id="path-and-query"),
            pytest.param("METHOD_NOT_ALLOWED", "/v1/a?method=PUT", (), id="verb"),
            pytest.param("INVALID_TIMEOUT", "/v1/a", [("grpc-timeout", "x")], id="timeout"),
            pytest.param(
                "INVALID_METADATA", "/v1/a", [("sec-websocket-protocol", "bearer.!")], id="token"
            ),
        ],
    )
    def test_what_is_wrong_is_told_once_it_is_open(self, dial, reason, target, headers):
        assert dial(UNARY, "GET /v1/{room}", target, headers=headers).reason == reason


class Only:
    """A policy that knows one token."""

    def admit(self, call):
        match call.head.headers.get("authorization"):
            case "Bearer token":
                call.principal = Principal("ann", "test")
            case None:
                headers = {"www-authenticate": "Bearer"}
                raise error("CREDENTIALS_MISSING", "Nobody is shown.", headers=headers)
            case _:
                raise error("INVALID_CREDENTIALS", "The token is none.")


class TestCaller:
    @pytest.mark.parametrize(
        ("fields", "shown"),
        [
            pytest.param({"authorization": "Bearer token"}, "Bearer token", id="header"),
            pytest.param({_OFFER: "bearer.dG9rZW4"}, "Bearer token", id="subprotocol"),
            pytest.param({_OFFER: "Bearer, token"}, "Bearer token", id="pair"),
            pytest.param(
                {_OFFER: "bearer.dG9rZW4", "authorization": "Basic eA=="},
                "Bearer token",
                id="subprotocol-before-another-scheme",
            ),
            pytest.param({"authorization": "Basic eA=="}, "Basic eA==", id="another-scheme"),
            pytest.param({}, None, id="nothing"),
        ],
    )
    @pytest.mark.parametrize("target", ["/v1/a", "/t.S/M"], ids=["route", "method"])
    def test_is_known_by_the_handshake(self, dial, backend, target, fields, shown):
        socket = dial(UNARY, WAITING, target, headers=list(fields.items()))
        socket.takes("{}")
        assert backend.call.head.headers.get("authorization") == shown
        assert backend.call.head.path == target

    async def test_of_a_stream_too(self, dial, backend):
        socket = dial(BIDI, WAITING, "/v1/a", "bearer.dG9rZW4", policies=[Only()])
        await settled()
        assert backend.call.principal.subject == "ann"
        socket.goes()
        await settled()

    @pytest.mark.parametrize(
        ("headers", "reason"),
        [([], "CREDENTIALS_MISSING"), ([("authorization", "Bearer x")], "INVALID_CREDENTIALS")],
        ids=["nothing", "bad"],
    )
    @pytest.mark.parametrize("kind", [UNARY, SERVER, CLIENT, BIDI], ids=str)
    async def test_is_refused_with_a_last_frame_and_4216(
        self, dial, backend, kind, headers, reason
    ):
        socket = dial(kind, policies=[Only()], headers=headers)
        await settled()
        assert (socket.code, socket.reason) == (4216, reason)
        assert not backend.calls

    async def test_that_is_not_known_any_more_ends_the_call(self, dial, backend, clock):
        gate = Only()
        watch = Watch(gate, lambda: clock.now, later=clock)
        socket = dial(SERVER, "GET /v1/{room}", "/v1/a", "Bearer", "token", policies=[gate, watch])
        await settled()
        gate.admit = lambda _: Only.admit(gate, Call("", head=Request("GET", "/", None, Headers())))
        clock.turn(60.0)
        await settled()
        assert (socket.code, socket.reason) == (4216, "CREDENTIALS_MISSING")
        assert backend.cancelled == 1


class TestTimes:
    def test_a_client_that_is_silent_is_pinged(self, dial, clock):
        socket = dial(UNARY, ping=25.0)
        clock.turn(25.0)
        socket.pings[0](0.1)
        clock.turn(25.0)
        assert len(socket.pings) == 2
        assert socket.ended is None

    def test_one_that_does_not_answer_is_gone(self, dial, backend, clock):
        socket = dial(UNARY, ping=25.0)
        clock.turn(25.0)
        clock.turn(25.0)
        assert socket.code == 4002
        assert backend.cancelled == 1

    async def test_one_that_is_not_read_may_be_silent(self, dial, backend, clock):
        backend.requests = asyncio.Queue(1)
        socket = dial(BIDI, ping=25.0)
        while not socket.paused:
            socket.takes(json.dumps({"text": "x" * 9000}))
            await settled()
        for _ in range(4):
            clock.turn(25.0)
        assert socket.ended is None

    def test_the_first_frame_must_come_in_time(self, dial, backend, clock):
        socket = dial(UNARY, WAITING, idle_timeout=75.0, ping=1000.0)
        clock.turn(74.9)
        assert socket.ended is None
        clock.turn(0.1)
        assert socket.ended == (4000, "no message came")
        assert not clock.due

    def test_and_within_the_deadline(self, dial, clock):
        socket = dial(UNARY, WAITING, headers=[("grpc-timeout", "5S")])
        clock.turn(5.0)
        assert socket.reason == "DEADLINE_EXCEEDED"
        assert socket.code == 4204

    def test_then_the_call_takes_its_time(self, dial, clock):
        socket = dial(UNARY, WAITING, idle_timeout=75.0, ping=1000.0)
        socket.takes("{}")
        clock.turn(999.0)
        assert socket.ended is None

    async def test_a_stream_waits_for_no_frame(self, dial, clock):
        socket = dial(BIDI, idle_timeout=75.0, ping=1000.0)
        clock.turn(999.0)
        assert socket.ended is None
        socket.goes()
        await settled()


class TestDraining:
    def test_a_call_under_way_has_its_time(self, dial, backend, clock):
        socket = dial(UNARY, drain_timeout=lambda: 30.0, ping=1000.0)
        socket.told[2]()
        clock.turn(26.9)
        assert socket.ended is None
        backend.done[0](Reply(HELLO))
        assert socket.ended == (1000, "")

    async def test_and_then_is_unavailable_before_the_listener_cuts_it(self, dial, backend, clock):
        socket = dial(SERVER, drain_timeout=lambda: 30.0, ping=1000.0)
        await settled()
        socket.told[2]()
        clock.turn(27.0)
        await settled()
        assert socket.reason == "DRAINING"
        assert socket.code == 4214
        assert backend.cancelled == 1

    def test_one_that_has_not_begun_goes_at_once(self, dial, backend, clock):
        socket = dial(UNARY, WAITING)
        socket.told[2]()
        assert socket.ended == (4000, "the gateway is shutting down")
        socket.takes("{}")
        assert not backend.calls
        assert not clock.due

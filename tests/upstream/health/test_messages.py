"""What grpc.health.v1 is asked, and what its answers mean."""

import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from hypothesis import given
from hypothesis import strategies as st

from gateway.call import Code, Reply, RpcError, Status
from gateway.errors import error
from gateway.upstream.health.messages import WELL, Answer, Says, answer_of, request, said_of


def response(status):
    return HealthCheckResponse(status=status).SerializeToString()


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param(Reply(response("SERVING")), WELL, id="SERVING is well"),
        pytest.param(
            Reply(response("NOT_SERVING")),
            Answer(Says.NOT_WELL, "says NOT_SERVING"),
            id="NOT_SERVING is not",
        ),
        pytest.param(
            Reply(response("SERVICE_UNKNOWN")),
            Answer(Says.NOT_WELL, "does not know the service"),
            id="nor is a service that is not known",
        ),
        pytest.param(
            RpcError(Status(Code.NOT_FOUND)),
            Answer(Says.NOT_WELL, "does not know the service"),
            id="of which Check says NOT_FOUND",
        ),
        pytest.param(
            Reply(b""), Answer(Says.NOT_WELL, "says UNKNOWN"), id="nor one that does not know"
        ),
        pytest.param(
            Reply(b"\x08\x63"), Answer(Says.NOT_WELL, "says 99"), id="nor what nobody defined"
        ),
        pytest.param(
            Reply(b"\xff"), Answer(Says.FAILED, "sent no HealthCheckResponse"), id="rubbish fails"
        ),
        pytest.param(
            RpcError(Status(Code.UNIMPLEMENTED)), Answer(Says.UNIMPLEMENTED), id="no health service"
        ),
        pytest.param(
            RpcError(Status(Code.UNAUTHENTICATED)),
            Answer(Says.FAILED, "refused with UNAUTHENTICATED"),
            id="a refusal fails",
        ),
        pytest.param(
            error("DEADLINE_EXCEEDED", "Late."),
            Answer(Says.FAILED, "did not answer in time"),
            id="silence fails",
        ),
        pytest.param(
            error("UPSTREAM_UNAVAILABLE", "It can't be reached."),
            Answer(Says.FAILED, "cannot be reached"),
            id="no connection fails",
        ),
        pytest.param(
            error("UPSTREAM_PROTOCOL_ERROR", "Rubbish."),
            Answer(Says.FAILED, "failed with UPSTREAM_PROTOCOL_ERROR"),
            id="a broken answer fails",
        ),
        pytest.param(
            error("CIRCUIT_OPEN", "Full."),
            Answer(Says.NOTHING),
            id="what the gateway did not send says nothing",
        ),
    ],
)
def test_the_end_of_a_check(result, expected):
    assert answer_of(result) == expected


@pytest.mark.parametrize("service", ["", "shop.v1.Catalog"])
def test_what_is_asked(service):
    assert HealthCheckRequest.FromString(request(service)).service == service


@given(st.binary(max_size=40))
def test_any_bytes_have_a_meaning(message):
    assert said_of(message).says in (Says.WELL, Says.NOT_WELL, Says.FAILED)

"""What `grpc.health.v1` is asked, and what its answers mean. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from gateway.call import Code, Reply, RpcError

CHECK: Final = "grpc.health.v1.Health/Check"
WATCH: Final = "grpc.health.v1.Health/Watch"


class Says(Enum):
    """What an answer says."""

    WELL = "well"
    NOT_WELL = "not well"
    """The server says so itself."""

    FAILED = "failed"
    """There was no answer, or none that can be believed."""

    UNIMPLEMENTED = "unimplemented"
    """The server lives, and can't be asked this."""

    NOTHING = "nothing"
    """It was not asked, for reasons of the gateway's own."""


class Answer(NamedTuple):
    """What an endpoint answered.

    Attributes:
        says: What that says.
        why: Where it is not well: a clause for operators, which goes on from `it …`.
    """

    says: Says
    why: str = ""


WELL: Final = Answer(Says.WELL)

_STATUSES: Final[Mapping[int, Answer]] = {
    HealthCheckResponse.SERVING: WELL,
    HealthCheckResponse.NOT_SERVING: Answer(Says.NOT_WELL, "says NOT_SERVING"),
    HealthCheckResponse.SERVICE_UNKNOWN: Answer(Says.NOT_WELL, "does not know the service"),
    HealthCheckResponse.UNKNOWN: Answer(Says.NOT_WELL, "says UNKNOWN"),
}

# Errors of the gateway's own for calls that were not made, through no fault of the endpoint.
_NOT_ASKED: Final = frozenset({"CIRCUIT_OPEN", "DRAINING", "CANCELLED"})

_FAILURES: Final[Mapping[str, str]] = {
    "DEADLINE_EXCEEDED": "did not answer in time",
    "UPSTREAM_UNAVAILABLE": "cannot be reached",
    "UPSTREAM_RESET": "broke off",
}


def request(service: str) -> bytes:
    """Returns what is asked of a service; of the whole server where that is empty."""
    return HealthCheckRequest(service=service).SerializeToString()


def answer_of(result: Reply | RpcError) -> Answer:
    """Returns what the end of a Check says."""
    if isinstance(result, Reply):
        return said_of(result.message)
    if result.reason is None:
        return _refusal(result.status.code)
    if result.reason in _NOT_ASKED:
        return Answer(Says.NOTHING)
    return Answer(Says.FAILED, _FAILURES.get(result.reason, f"failed with {result.reason}"))


def said_of(message: bytes) -> Answer:
    """Returns what a `HealthCheckResponse` says."""
    try:
        status = HealthCheckResponse.FromString(message).status
    except DecodeError:
        return Answer(Says.FAILED, "sent no HealthCheckResponse")
    return _STATUSES.get(status, Answer(Says.NOT_WELL, f"says {status}"))


def _refusal(code: Code) -> Answer:
    if code is Code.UNIMPLEMENTED:
        return Answer(Says.UNIMPLEMENTED)
    if code is Code.NOT_FOUND:
        return _STATUSES[HealthCheckResponse.SERVICE_UNKNOWN]
    return Answer(Says.FAILED, f"refused with {code.name}")

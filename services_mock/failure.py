"""How a service says no: a status with `google.rpc` details, raised as `Failure`.

The details travel in `grpc-status-details-bin`, as a `google.rpc.Status`. This module knows
nothing of grpc's contexts; `binding` turns a failure into the call's end.
"""

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "shop.example"


class Failure(Exception):  # noqa: N818 - an answer that a service gives, not a defect
    """Ends a call with a status that is not OK."""

    def __init__(self, code: grpc.StatusCode, message: str, *details: Message) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    def trailers(self) -> list[tuple[str, str | bytes]]:
        """Gives the trailing metadata that carries the details; none where there are none."""
        if not self.details:
            return []
        number: Any = self.code.value[0]
        status = status_pb2.Status(code=number, message=self.message)
        for detail in self.details:
            status.details.add().Pack(detail)
        return [(DETAILS_KEY, status.SerializeToString())]


def invalid(field: str, description: str) -> Failure:
    """INVALID_ARGUMENT that names the field and what is wrong with it."""
    violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
    detail = error_details_pb2.BadRequest(field_violations=[violation])
    return Failure(grpc.StatusCode.INVALID_ARGUMENT, f"{field}: {description}", detail)


def not_found(kind: str, name: str) -> Failure:
    """NOT_FOUND that names the resource, as AIP-193 asks."""
    detail = error_details_pb2.ResourceInfo(resource_type=kind, resource_name=name)
    return Failure(grpc.StatusCode.NOT_FOUND, f"there is no {kind} {name!r}", detail)


def already_exists(kind: str, name: str) -> Failure:
    """ALREADY_EXISTS that names the resource."""
    detail = error_details_pb2.ResourceInfo(resource_type=kind, resource_name=name)
    return Failure(grpc.StatusCode.ALREADY_EXISTS, f"there is a {kind} {name!r} already", detail)


def precondition(
    reason: str, subject: str, description: str, metadata: Mapping[str, str]
) -> Failure:
    """FAILED_PRECONDITION with the reason twice: for programs (ErrorInfo) and for people."""
    violation = error_details_pb2.PreconditionFailure.Violation(
        type=reason, subject=subject, description=description
    )
    return Failure(
        grpc.StatusCode.FAILED_PRECONDITION,
        description,
        error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=dict(metadata)),
        error_details_pb2.PreconditionFailure(violations=[violation]),
    )

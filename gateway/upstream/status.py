"""The status that a backend sent, as the model's Status: code, message, `google.rpc` details.

Pure, and the same for every transport. It does not decide which status a failure of the transport
becomes.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError
from google.rpc import status_pb2

from gateway.call import Code, Detail, Metadata, Status

DETAILS = "grpc-status-details-bin"


def code_of(number: int) -> Code:
    """Returns the code of a `grpc-status`; what gRPC does not define is UNKNOWN."""
    return Code(number) if 0 <= number <= max(Code) else Code.UNKNOWN


def sent_status(code: Code, message: str, trailers: Metadata) -> tuple[Status, Metadata]:
    """Returns the status that a backend sent, and the trailers less those that made it.

    `grpc-status-details-bin` holds a `google.rpc.Status`, whose details are taken. One that cannot
    be read, or that speaks of another code than `grpc-status`, is ignored. Its message stands in
    where `grpc-message` is empty.
    """
    packed = trailers.get(DETAILS)
    if packed is None:
        return Status(code, message), trailers
    trailers = trailers.without(DETAILS)
    try:
        rich = status_pb2.Status.FromString(packed)
    except (DecodeError, TypeError):
        return Status(code, message), trailers
    if rich.code != code:
        return Status(code, message), trailers
    details = tuple(Detail(detail.type_url, detail.value) for detail in rich.details)
    return Status(code, message or rich.message, details), trailers

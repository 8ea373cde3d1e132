"""What a further attempt sends in place of the call itself. Pure."""

from __future__ import annotations

from typing import Final

from gateway.call import Call, Deadline, Metadata

PREVIOUS: Final = "grpc-previous-rpc-attempts"
"""Tells backends how often the call was made before (gRFC A6)."""


def counted(metadata: Metadata, before: int) -> Metadata:
    """Returns the metadata of an attempt.

    Args:
        metadata: The call's own.
        before: How many attempts there were that a backend may have seen.
    """
    return Metadata((*metadata, (PREVIOUS, str(before)))) if before else metadata


def further(call: Call, before: int, until: Deadline | None) -> Call:
    """Returns the call that an attempt makes.

    Args:
        call: The call itself.
        before: As of `counted`.
        until: When the attempt is over.
    """
    return Call(**call.parts() | {"metadata": counted(call.metadata, before), "deadline": until})

"""The transports that carry calls, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.upstream.channel import Channel, Heard, MakeChannel
from gateway.upstream.channel.native import NativeChannel
from gateway.upstream.channel.queue import Queue
from gateway.upstream.endpoints import AnyEndpoint
from gateway.upstream.spec import ChannelSpec


def _grpcio(spec: ChannelSpec, endpoint: AnyEndpoint, heard: Heard, queue: Queue) -> Channel:
    from gateway.upstream.channel.grpcio import GrpcioChannel  # noqa: PLC0415  it loads grpcio

    return GrpcioChannel(spec, endpoint, heard, queue)


_TRANSPORTS: Final[Mapping[str, MakeChannel]] = {"native": NativeChannel, "grpcio": _grpcio}


def transport_of(name: str) -> MakeChannel:
    """Returns what makes the channels of a transport.

    Raises:
        ValueError: There is none of this name.
    """
    make = _TRANSPORTS.get(name)
    if make is None:
        known = ", ".join(_TRANSPORTS)
        raise ValueError(f"there is no transport {name!r}, only {known}")
    return make

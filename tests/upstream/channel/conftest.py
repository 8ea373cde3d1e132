"""Every test of this folder that takes `make` runs on every transport."""

import pytest

from gateway.upstream.channel.grpcio import GrpcioChannel
from gateway.upstream.channel.native import NativeChannel


@pytest.fixture(params=[NativeChannel, GrpcioChannel], ids=["native", "grpcio"])
def make(request):
    """Makes a channel from a spec and an endpoint."""
    return request.param

"""Every test of this folder that takes `make` runs on every transport."""

import pytest

from gateway.upstream.channel.grpcio import GrpcioChannel


@pytest.fixture(params=[GrpcioChannel], ids=["grpcio"])
def make(request):
    """Makes a channel from a spec and an endpoint."""
    return request.param

"""Replicas that come and go one by one."""

import grpc
import pytest

from services_mock.fleet import Replica, fleet

CATALOG = "shop.catalog.v1.CatalogService"


def asked(replica: Replica, seconds: float = 10) -> grpc.StatusCode:
    """How a call ends."""
    with grpc.insecure_channel(replica.address) as channel:
        call = channel.unary_unary(f"/{CATALOG}/ListProducts")
        try:
            call(b"", timeout=seconds)
        except grpc.RpcError as failure:
            return failure.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("end", [Replica.kill, Replica.stop], ids=["killed", "stopped"])
def test_one_goes_and_comes_back_on_its_port_and_the_others_stay(end):
    with fleet(2) as (one, other):
        address = one.address
        end(one)
        assert (one.is_up, asked(one), asked(other)) == (
            False,
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.OK,
        )
        one.start()
        assert (one.address, asked(one)) == (address, grpc.StatusCode.OK)


def test_one_that_is_frozen_answers_nobody_until_it_is_thawed():
    with fleet(1) as (one,):
        one.freeze()
        assert asked(one, 0.1) is grpc.StatusCode.DEADLINE_EXCEEDED
        one.thaw()
        assert asked(one) is grpc.StatusCode.OK


def test_one_can_be_started_with_faults():
    with fleet(1) as (one,):
        one.restart("--error", "INTERNAL")
        assert asked(one) is grpc.StatusCode.INTERNAL
        one.restart("--refuse")
        assert asked(one) is grpc.StatusCode.UNAVAILABLE
        one.restart()
        assert asked(one) is grpc.StatusCode.OK

"""Where the admin listener needs a token."""

import pytest

from gateway.config import ConfigError, from_mapping


def problems(**admin):
    try:
        from_mapping({"admin": admin}, origin="test")
    except ConfigError as error:
        return [str(each) for each in error.problems]
    return []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:9090", "127.1.2.3:9090", "[::1]:0", "localhost:9090", "unix:/run/admin.sock"],
)
def test_for_this_machine_alone_it_needs_none(address):
    assert problems(address=address) == []


@pytest.mark.parametrize(
    "address", ["0.0.0.0:9090", "[::]:9090", "10.0.0.1:9090", "gateway.internal:9090"]
)
def test_where_others_can_reach_it_it_needs_one(address):
    (problem,) = problems(address=address)
    assert problem.startswith("test: admin.address: others can reach this address")
    assert problems(address=address, token="of operators") == []


def test_without_an_address_or_a_listener_there_is_nothing_to_say():
    assert problems() == []
    assert from_mapping({"admin": False}, origin="test").config.admin is None


def test_an_address_that_is_none_is_one_mistake():
    assert len(problems(address="nowhere")) == 1

"""SRV records: hosts with ports, weights and priorities (RFC 2782)."""

import re

import pytest

from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.resolvers import UnresolvedError
from gateway.upstream.resolvers.asking import MOST, Asking
from gateway.upstream.resolvers.srv import ServiceLook, domain_of
from gateway.upstream.spec import DnsSpec

NAME = "_grpc._tcp.orders.example"


def look(server):
    return ServiceLook(DnsSpec(NAME, None, (server.endpoint,)))


def listing(host, port, weight, priority):
    return Listing(Endpoint(host, port, "orders.example"), weight, None, priority)


async def test_a_record_says_port_weight_and_priority(server):
    server.has(NAME, "SRV", "1 20 50052 b.example.", "0 10 50051 a.example.")
    server.has("a.example", "A", "10.0.0.1")
    server.has("b.example", "A", "10.0.0.3", "10.0.0.2")
    assert (await look(server)()).listings == (
        listing("10.0.0.1", 50051, 10, 0),
        listing("10.0.0.2", 50052, 20, 1),
        listing("10.0.0.3", 50052, 20, 1),
    )


async def test_certificates_are_those_of_the_service_and_not_of_its_hosts(server):
    server.has(NAME, "SRV", "0 1 50051 a.example.")
    server.has("a.example", "A", "10.0.0.1")
    (only,) = (await look(server)()).listings
    assert only.endpoint.server_name == "orders.example"
    assert only.endpoint.authority == "orders.example:50051"


async def test_hosts_whose_addresses_come_along_are_not_asked_for(server):
    server.has(NAME, "SRV", "0 1 50051 A.example.", "0 1 50051 b.example.")
    server.beside = [("a.example.", "A", ["10.0.0.1"]), ("a.example.", "AAAA", ["2001:db8::1"])]
    server.has("b.example", "A", "10.0.0.2")
    listings = (await look(server)()).listings
    assert listings == (listing("10.0.0.1", 50051, 1, 0), listing("10.0.0.2", 50051, 1, 0))
    assert server.asked == [(NAME, "SRV"), ("b.example", "A")]


async def test_a_weight_of_0_is_the_least(server):
    server.has(NAME, "SRV", "0 0 50051 a.example.")
    server.has("a.example", "A", "10.0.0.1")
    assert [each.weight for each in (await look(server)()).listings] == [1]


async def test_nothing_is_reached_at_port_0(server):
    server.has(NAME, "SRV", "0 1 0 a.example.", "0 1 50051 b.example.")
    server.has("b.example", "A", "10.0.0.2")
    assert (await look(server)()).listings == (listing("10.0.0.2", 50051, 1, 0),)


async def test_more_addresses_than_anybody_connects_to_are_not_believed(server):
    server.has(NAME, "SRV", "0 1 50051 a.example.", "0 1 50052 a.example.")
    server.has("a.example", "A", *(f"10.0.{n // 250}.{n % 250}" for n in range(MOST // 2 + 1)))
    with pytest.raises(UnresolvedError, match=f"more than {MOST} addresses"):
        await look(server)()


async def test_an_address_that_is_listed_twice_has_the_first_priority(server):
    server.has(NAME, "SRV", "5 1 50051 a.example.", "0 7 50051 b.example.")
    server.has("a.example", "A", "10.0.0.1")
    server.has("b.example", "A", "10.0.0.1")
    assert (await look(server)()).listings == (listing("10.0.0.1", 50051, 7, 0),)


async def test_the_shortest_ttl_counts(server):
    server.has(NAME, "SRV", "0 1 50051 a.example.")
    server.has("a.example", "A", "10.0.0.1")
    asking = Asking((server.endpoint,))
    ask = asking.ask

    async def with_ttls(name, kind):
        server.ttl = {"SRV": 60, "A": 5}[kind]
        return await ask(name, kind)

    asking.ask = with_ttls
    spec = DnsSpec(NAME, None, (server.endpoint,))
    made = ServiceLook(spec, asking)
    made._addresses._asking = asking
    assert (await made()).ttl == 5


@pytest.mark.parametrize(("beside", "holds"), [(5, 5), (90, 30)])
async def test_the_shortest_ttl_counts_of_addresses_that_come_along_too(server, beside, holds):
    server.has(NAME, "SRV", "0 1 50051 a.example.")
    server.beside = [
        ("a.example.", "A", ["10.0.0.1"]),
        ("other.example.", "A", ["10.0.0.9"]),  # which is nobody's
    ]
    server.ttl_beside = beside
    assert (await look(server)()).ttl == holds


async def test_a_host_without_addresses_is_left_out(server):
    server.has(NAME, "SRV", "0 1 50051 a.example.", "0 1 50051 gone.example.")
    server.has("a.example", "A", "10.0.0.1")
    assert (await look(server)()).listings == (listing("10.0.0.1", 50051, 1, 0),)


async def test_a_host_that_nobody_knows_of_is_a_failure_of_the_whole(server):
    server.has(NAME, "SRV", "0 1 50051 a.example.", "0 1 50051 b.example.")
    server.has("a.example", "A", "10.0.0.1")
    answer = server.answer

    def fails_for_b(wire, *, by_tcp):
        server.code = "SERVFAIL" if b"\x01b\x07example" in wire else None
        return answer(wire, by_tcp=by_tcp)

    server.answer = fails_for_b
    with pytest.raises(UnresolvedError, match="SERVFAIL"):
        await look(server)()


@pytest.mark.parametrize(
    ("records", "text"),
    [
        (["0 0 0 ."], "no host of its SRV records has an address"),
        (["0 1 50051 gone.example."], "no host of its SRV records has an address"),
        ([], "the name has no SRV records"),
    ],
    ids=["a service that is not there", "no host with an address", "no records"],
)
async def test_nothing_is_a_failure_that_says_so(server, records, text):
    server.has(NAME, "SRV", *records)
    with pytest.raises(UnresolvedError, match=f"^{re.escape(text)}$"):
        await look(server)()


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("_grpc._tcp.orders.example", "orders.example"),
        ("_grpc._tcp.orders.example.", "orders.example"),
        ("_orders.service.consul", "service.consul"),
    ],
)
def test_a_service_is_its_domains(name, domain):
    assert domain_of(name) == domain

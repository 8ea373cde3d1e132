"""Addresses of names, asked of a real name server."""

import asyncio
import re
from contextlib import suppress

import dns.asyncresolver
import dns.resolver
import pytest

from gateway.upstream.endpoints import Endpoint, Listing
from gateway.upstream.resolvers import UnresolvedError
from gateway.upstream.resolvers.asking import MOST, Asking
from gateway.upstream.resolvers.dns import Addresses, AddressLook, is_routed
from gateway.upstream.spec import DnsSpec


def look(server, name="orders.example", *, routed=lambda _: True, hosts=None, patience=5.0):
    spec = DnsSpec(name, 50051, (server.endpoint,))
    return AddressLook(spec, Addresses(Asking(spec.servers, patience), hosts, routed))


def found(*addresses, name="orders.example"):
    return tuple(Listing(Endpoint(each, 50051, name)) for each in addresses)


async def test_every_address_of_a_name_is_an_endpoint_that_is_called_by_the_name(server):
    server.has("orders.example", "A", "10.0.0.2", "10.0.0.1")
    answer = await look(server)()
    assert answer.listings == found("10.0.0.1", "10.0.0.2")
    endpoint = answer.listings[0].endpoint
    assert (endpoint.authority, endpoint.server_name) == ("orders.example:50051", "orders.example")
    assert server.asked == [("orders.example", "A")]


async def test_an_answer_holds_as_long_as_it_says(server):
    server.ttl = 7
    server.has("orders.example", "A", "10.0.0.1")
    assert (await look(server)()).ttl == 7


async def test_an_alias_is_followed_and_the_name_stays_the_one_asked_for(server):
    server.has("orders.example", "CNAME", "blue.example.")
    server.has("blue.example", "A", "10.0.0.1")
    assert (await look(server)()).listings == found("10.0.0.1")


async def test_a_name_without_ipv4_addresses_has_its_ipv6_ones(server):
    server.has("orders.example", "AAAA", "2001:db8::2", "2001:db8::1")
    assert (await look(server)()).listings == found("2001:db8::1", "2001:db8::2")


async def test_of_a_name_with_both_each_backend_is_listed_once(server):
    server.has("orders.example", "A", "10.0.0.1")
    server.has("orders.example", "AAAA", "2001:db8::1")
    assert (await look(server)()).listings == found("10.0.0.1")


@pytest.mark.parametrize("both", [True, False], ids=["that has both", "that has no other"])
async def test_a_machine_without_ipv4_calls_the_ipv6_addresses_of_a_name(server, both):
    server.has("orders.example", "A", "10.0.0.1")
    if both:
        server.has("orders.example", "AAAA", "2001:db8::1")
    answer = await look(server, routed=lambda address: ":" in address)()
    assert answer.listings == found("2001:db8::1" if both else "10.0.0.1")


async def test_a_failure_for_ipv4_is_none_of_the_whole_set_by_another_kind(server):
    server.has("orders.example", "AAAA", "2001:db8::1")
    server.code = "SERVFAIL"
    with pytest.raises(UnresolvedError, match="name servers failed: SERVFAIL"):
        await look(server)()
    assert ("orders.example", "AAAA") not in server.asked


async def test_an_answer_too_large_for_udp_comes_by_tcp(server):
    server.cut = True
    addresses = [f"10.0.{number // 250}.{number % 250 + 1}" for number in range(500)]
    server.has("orders.example", "A", *addresses)
    assert len((await look(server)()).listings) == 500
    assert server.by_tcp == 1


async def test_more_addresses_than_anybody_connects_to_are_not_believed(server):
    server.has("orders.example", "A", *(f"10.0.{n // 250}.{n % 250}" for n in range(MOST + 1)))
    with pytest.raises(UnresolvedError, match=f"more than {MOST} records"):
        await look(server)()


def no_such_name(server):
    server.has("other.example", "A", "10.0.0.1")


def no_addresses(server):
    server.has("orders.example", "TXT", "x")


def refused(server):
    server.code = "REFUSED"


def garbage(server):
    server.answer = lambda wire, by_tcp: wire[:2] + b"\xff"


def silent(server):
    server.silent = True


@pytest.mark.parametrize(
    ("trouble", "text"),
    [
        (no_such_name, "there is no such name"),
        (no_addresses, "the name has no AAAA records"),
        (refused, "name servers failed: REFUSED"),
        (garbage, "no name server answered in time"),
        (silent, "no name server answered in time"),
    ],
)
async def test_operators_are_told_why_there_is_no_answer_in_the_same_words_each_time(
    server, trouble, text
):
    trouble(server)
    for _ in range(2):
        with pytest.raises(UnresolvedError, match=f"^{re.escape(text)}$"):
            await look(server, patience=0.05)()


@pytest.mark.parametrize("name", ["a..b", "a" * 64 + ".example", "." * 300])
async def test_a_name_that_cannot_be_one_is_a_failure_and_no_bug(server, name):
    with pytest.raises(UnresolvedError):
        await look(server, name)()


async def test_a_look_that_is_cancelled_leaves_nothing(server):
    server.silent = True
    before = asyncio.all_tasks()
    task = asyncio.ensure_future(look(server)())
    await server.times(1)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert asyncio.all_tasks() == before


# The system's name servers.


@pytest.fixture
def system(server, tmp_path, monkeypatch):
    """A resolv.conf that names the server; such a file has no ports."""
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 127.0.0.1\nsearch shop.svc.cluster.local svc.cluster.local\n")
    monkeypatch.setattr(dns.resolver.BaseResolver, "reset", _with_port(server.endpoint.port))
    return path


def _with_port(port, reset=dns.resolver.BaseResolver.reset):
    def made(self):
        reset(self)
        self.port = port

    return made


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("orders", "orders.shop.svc.cluster.local"),
        ("orders.other", "orders.other.svc.cluster.local"),
        ("orders.example", "orders.example"),
        ("orders.", "orders"),
    ],
    ids=["the first domain", "a further domain", "a whole name", "with a dot at the end"],
)
async def test_search_domains_count_for_the_system_s_name_servers(server, system, name, full):
    server.has(full, "A", "10.0.0.1")
    made = AddressLook(DnsSpec(name, 50051), Addresses(Asking(system=str(system)), None))
    assert (await made()).listings == found("10.0.0.1", name=name.rstrip("."))


async def test_a_system_without_name_servers_is_a_failure_that_says_so(tmp_path):
    asking = Asking(system=str(tmp_path / "none"))
    with pytest.raises(UnresolvedError, match=r"^the system has no name servers$"):
        await asking.ask("orders.example", "A")


# Without a name server.


@pytest.mark.parametrize("name", ["10.0.0.1", "2001:db8::1"])
async def test_an_address_stands_for_itself(server, name):
    answer = await look(server, name)()
    assert answer.listings == (Listing(Endpoint(name, 50051)),)
    assert (answer.ttl, server.asked) == (None, [])


async def test_the_hosts_file_comes_first(server, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("10.1.0.2 orders.example orders # ours\n::1 orders\n")
    answer = await look(server, "Orders", hosts=hosts)()
    assert answer.listings == found("10.1.0.2", name="Orders")
    assert (answer.ttl, server.asked) == (None, [])


async def test_without_a_hosts_file_name_servers_are_asked(server, tmp_path):
    server.has("orders.example", "A", "10.0.0.1")
    answer = await look(server, hosts=tmp_path / "none")()
    assert answer.listings == found("10.0.0.1")


async def test_localhost_works_everywhere():
    answer = await AddressLook(DnsSpec("localhost", 50051))()
    assert Listing(Endpoint("127.0.0.1", 50051, "localhost")) in answer.listings


async def test_a_final_dot_is_no_part_of_the_name_of_a_certificate(server):
    server.has("orders.example", "A", "10.0.0.1")
    assert (await look(server, "orders.example.")()).listings == found("10.0.0.1")


def test_a_way_to_loopback_is_there_and_none_to_a_broken_address():
    assert is_routed("127.0.0.1")
    assert not is_routed("255.255.255.255")


@pytest.mark.parametrize("found", [True, False], ids=["an answer", "a failure"])
async def test_who_gives_a_look_up_is_not_kept_waiting_when_the_answer_comes_at_that_moment(
    server, found, monkeypatch
):
    """Before Python 3.12 `wait_for` returns then, as if nobody had cancelled."""
    if found:
        server.has("orders.example", "A", "10.0.0.1")
    resolve = dns.asyncresolver.Resolver.resolve

    async def resolve_at_that_moment(*arguments, **options):
        try:
            return await resolve(*arguments, **options)
        finally:
            asyncio.current_task().cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    monkeypatch.setattr(dns.asyncresolver.Resolver, "resolve", resolve_at_that_moment)
    asking = asyncio.create_task(Asking((server.endpoint,)).ask("orders.example", "A"))
    with pytest.raises(asyncio.CancelledError):
        await asking

"""The name that a client asks TLS for (SNI), as requests have it."""

from __future__ import annotations

import ssl

import pytest
import trustme

from gateway.listener import Tls


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A certificate for two names, as TLS of a listener, and who trusts it."""
    authority = trustme.CA()
    issued = authority.issue_cert("api.example", "admin.example", "127.0.0.1")
    path = tmp_path_factory.mktemp("names") / "server.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(path)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return Tls(path), client


@pytest.fixture
def visit(listen, connect, served):
    """Asks twice over a connection for a name, with header fields; returns the names seen."""

    async def one(name, *fields, trusted=()):
        names = []

        def seen(exchange):
            names.append(exchange.request.server_name)
            exchange.respond(200, (), b"")

        tls, context = served
        listener = await listen(seen, tls=tls, trusted=trusted)
        client = await connect(listener, ssl=context, server_hostname=name)
        for _ in range(2):
            await client.get("/", *fields)
        return names

    return one


async def test_every_request_of_a_connection_has_it(visit):
    assert await visit("api.example") == ["api.example"] * 2


async def test_it_is_the_connections_own(visit):
    await visit("api.example")
    assert await visit("admin.example") == ["admin.example"] * 2


async def test_a_client_that_asks_for_an_address_asks_for_no_name(visit):
    assert await visit("127.0.0.1") == ["", ""]


async def test_without_tls_there_is_none(listen, connect):
    names = []

    def seen(exchange):
        names.append(exchange.request.server_name)
        exchange.respond(200, (), b"")

    client = await connect(await listen(seen))
    await client.get()
    assert names == [""]


@pytest.mark.parametrize(
    ("fields", "trusted", "kept"),
    [
        pytest.param((), ["127.0.0.0/8"], True, id="a request of a trusted network's own"),
        pytest.param(
            ("X-Forwarded-For: 203.0.113.7",),
            ["127.0.0.0/8"],
            False,
            id="one that a proxy passes on: the name is what the proxy asked for",
        ),
        pytest.param(("X-Forwarded-For: 203.0.113.7",), [], True, id="from who is not believed"),
    ],
)
async def test_a_proxys_name_is_not_its_clients(visit, fields, trusted, kept):
    assert await visit("api.example", *fields, trusted=trusted) == (
        ["api.example"] * 2 if kept else ["", ""]
    )

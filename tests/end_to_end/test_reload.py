"""Reload: each kind of change, valid and broken, under load of all fronts, with what is open.

One gateway takes all of them, one after another; the load goes on from the first to the last.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import ssl
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import trustme
import yaml

from gateway.client import connect
from tests.end_to_end.load import OK, READS, STREAMS, WATCH_STOCK, WRITES, load
from tests.end_to_end.system import ROOT, gateway, shop_config

DONE, REFUSED = "info gateway: reloaded: ", "error gateway: the config was not reloaded"
CATALOG = "shop.catalog.*"
KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "kid": "a",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
ENOUGH = {"unauthenticated": "100000/s"}  # all clients have one address


class Log:
    """What a gateway writes on standard error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    async def until(self, *ends: str) -> list[str]:
        """Waits for a line that begins so; returns the lines since the last time."""
        async with asyncio.timeout(60):
            while True:
                lines = self.path.read_text().splitlines()[self._read :]
                for number, line in enumerate(lines, 1):
                    if line.startswith(ends):
                        self._read += number
                        return lines[:number]
                await asyncio.sleep(0.01)


class Changing:
    """A gateway whose config changes."""

    def __init__(self, running, folder: Path, config: dict) -> None:
        self.running = running
        self.folder = folder
        self.config = config
        self.log = Log(folder / "log")

    def write(self, **sections) -> None:
        self.config |= sections
        fresh = self.folder / "fresh.yaml"
        fresh.write_text(yaml.safe_dump(self.config))
        fresh.replace(self.folder / "gateway.yaml")

    async def reload(self) -> list[str]:
        self.running.process.send_signal(signal.SIGHUP)
        return await self.log.until(DONE, REFUSED)


@asynccontextmanager
async def changing(folder: Path, shop: list[str], **sections):
    protos = folder / "protos"
    shutil.copytree(ROOT / "protos", protos)
    shutil.copytree(ROOT / "schema", folder / "schema")
    config = shop_config(shop, schema={"protos": ["protos"]}, **sections)
    with (folder / "log").open("w") as errors, gateway(folder, config, errors=errors) as running:
        yield Changing(running, folder, config)


@asynccontextmanager
async def open_streams(url: str):
    """Streams of all fronts that never end; yields how many messages each has had."""
    counts = {"rest": 0, "websocket": 0, "subscription": 0}
    stock = {"interval": "0.05s"}

    async def lines(http, name, path):
        async with http.get(path, headers={"accept": "text/event-stream"}) as reply:
            assert reply.status == 200
            async for line in reply.content:
                counts[name] += line.startswith(b"data:")

    async def messages(socket):
        async with socket.stream(WATCH_STOCK, stock, end=True) as stream:
            async for _ in stream:
                counts["websocket"] += 1

    query = 'subscription{watchStock(interval:"0.05s"){sequence}}'
    async with aiohttp.ClientSession(url) as http, connect(f"ws{url[4:]}/ws") as socket:
        tasks = [
            asyncio.ensure_future(lines(http, "rest", "/v1/stock:watch?interval=0.05s")),
            asyncio.ensure_future(lines(http, "subscription", f"/graphql?query={query}")),
            asyncio.ensure_future(messages(socket)),
        ]
        try:
            async with asyncio.timeout(60):
                while not all(counts.values()):
                    await asyncio.sleep(0.01)
                    for task in tasks:
                        assert not task.done(), task
            yield counts
            assert not any(task.done() for task in tasks), "each goes on"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def policy(**settings) -> dict:
    return {"policies": [{"methods": [CATALOG], **settings}]}


VALID = {
    "a timeout": (policy(timeout="3s"), "timeout default → 3s, of 17 methods"),
    "a rate limit": (
        policy(rate_limits=[{"name": "user", "rate": "9999/s", "key": "address"}]),
        "rate_limits.user default → ",
    ),
    "its number": (
        policy(rate_limits=[{"name": "user", "rate": "9998/s", "key": "address"}]),
        "rate: 9999/s",
    ),
    "a cache": (policy(cache={"ttl": "1s"}), "cache.ttl default → 1s"),
    "concurrency": (policy(concurrency=500), "concurrency default → 500"),
    "nothing any more": ({"policies": []}, "concurrency 500 → default"),
    "headers": (
        {"headers": {"request": {"allow": ["x-request-id", "accept-language"]}}},
        "headers.request.allow: -x-fault-delay",
    ),
    "limits of the listener": (
        {"listener": {"address": "127.0.0.1:0", "limits": {"connections": 500, **ENOUGH}}},
        "listener.limits.connections 10000 → 500",
    ),
    "limits of documents": ({"graphql": {"limits": {"depth": 9}}}, "graphql.limits.depth 12 → 9"),
    "limits of sockets": (
        {"websocket": {"limits": {"streams": 90}}},
        "websocket.limits.streams 100 → 90",
    ),
    "REST": ({"rest": {"etag": True}}, "rest.etag false → true"),
    "addresses": (
        {"addresses": {"deny": ["203.0.113.0/24"]}},
        "addresses.deny: +203.0.113.0/24",
    ),
    "usage": ({"usage": {"enabled": True}}, "usage.enabled false → true"),
    "a provider": (
        {
            "auth": {"providers": {"k": {"mtls": {}}}},
            "policies": [{"methods": ["*"], "authenticate": "none"}],
            "pages": {"authenticate": "none"},
        },
        "provider k added",
    ),
    "keys and key sets": (
        {
            "auth": {
                "providers": {
                    "keys": {"api_key": {"keys": {"file": "keys.yaml"}}},
                    "tokens": {
                        "jwt": {
                            "issuer": "https://issuer.example",
                            "audiences": ["shop"],
                            "jwks": {"file": "jwks.json"},
                        }
                    },
                }
            }
        },
        "provider tokens added",
    ),
    "extensions": (
        {"graphql": {"extensions": ["schema.shop_extensions:extensions"]}},
        "graphql.extensions: +schema.shop_extensions:extensions",
    ),
    "a host": ({"hosts": {"127.0.0.1": {}}}, "host 127.0.0.1 added"),
    "no hosts": ({"hosts": {}}, "host 127.0.0.1 removed"),
}
UPSTREAM = {
    "balancing": ({"balancing": {"policy": "round_robin"}}, "balancing.policy least_request → "),
    "retries": ({"retries": {"attempts": 2}}, "upstream shop: retries.attempts none → 2"),
    "its time": ({"timeout": "4s"}, "upstream shop: timeout 5s → 4s"),
    "connections": ({"connections": 2}, "upstream shop: connections 1 → 2"),
}


@pytest.mark.timeout(300)  # two dozen reloads, each of which lets calls go before it
async def test_valid_changes_lose_nothing(tmp_path, shop):
    async with (
        changing(tmp_path, shop) as system,
        open_streams(system.running.url) as counts,
        load(system.running.url, [*READS, *WRITES, *STREAMS], each=1, pause=0.04) as outcomes,
    ):
        (tmp_path / "keys.yaml").write_text("keys: {}\n")
        (tmp_path / "jwks.json").write_text(json.dumps({"keys": [KEY]}))
        for name, (sections, told) in VALID.items():
            system.write(**sections)
            lines = await system.reload()
            assert lines[-1].startswith(DONE), (name, lines)
            assert any(told in line for line in lines), (name, lines)
        for name, (settings, told) in UPSTREAM.items():
            given = {"services": ["shop.*"], "endpoints": shop, **settings}
            system.write(upstreams={"shop": given})
            lines = await system.reload()
            assert any(told in line for line in lines), (name, lines)
        for name, change, told in FILES:
            change(tmp_path)
            lines = await system.reload()
            assert lines[-1].startswith(DONE), (name, lines)
            assert any(told in line for line in lines), (name, lines)
        assert "info gateway: nothing changed in effect" in await system.reload()
        before = dict(counts)
        async with asyncio.timeout(60):
            while any(counts[name] <= before[name] for name in counts):
                await asyncio.sleep(0.01)
    assert outcomes.failures() == {}
    assert all(outcomes.of(kind)[OK] for kind in (*READS, *WRITES, *STREAMS))


def edit(path: str, old: str, new: str):
    def change(folder: Path) -> None:
        file = folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return change


def put(path: str, text: str):
    def change(folder: Path) -> None:
        (folder / path).write_text(text)

    return change


USERS = "protos/shop/users/v1/users.proto"
FILES = [
    (
        "an RPC is added",
        put(
            "protos/added.proto",
            'syntax = "proto3"; package shop.added.v1; message M { string id = 1; }\n'
            "service S { rpc Get(M) returns (M); }\n",
        ),
        "1 method added: shop.added.v1.S/Get",
    ),
    (
        "a field is renamed",
        edit("protos/added.proto", "string id", "string name"),
        "message shop.added.v1.M: +name, -id",
    ),
    (
        "an RPC is removed",
        put("protos/added.proto", 'syntax = "proto3"; package shop.added.v1;\n'),
        "1 method removed: shop.added.v1.S/Get",
    ),
    (
        "a document is added",
        put("schema/operations/Added.graphql", 'query Added { getProduct(id: "p1") { title } }\n'),
        "1 trusted document added: Added",
    ),
    (
        "a document is changed",
        put("schema/operations/Added.graphql", 'query Added { getProduct(id: "p2") { id } }\n'),
        "1 trusted document changed (has another text): Added",
    ),
    (
        "joins are changed",
        lambda folder: [
            (folder / "schema/joins.graphql").write_text(""),
            [each.unlink() for each in (folder / "schema/operations").iterdir()],
        ],
        "of the graph removed: ",
    ),
]


BROKEN = {
    "a value": ("timeout: 5x", r"gateway.yaml:"),
    "a key": ("polices: []", "gateway.yaml:1:1: polices: unknown key"),
    "no YAML": ("a: [", "gateway.yaml:"),
    "a file that is not there": ("graphql: {joins: [gone.graphql]}", "gateway.yaml:1:19: "),
    "jwks that are none": (
        "auth: {providers: {k: {jwt: {issuer: x, audiences: [y], jwks: {file: bad.json}}}}}",
        "auth.providers.k.jwt.jwks.file: bad.json: ",
    ),
    "keys that are none": (
        "auth: {providers: {k: {api_key: {keys: {file: bad.json}}}}}",
        "auth.providers.k.api_key.keys.file: bad.json:",
    ),
    "an extension that is none": (
        "graphql: {extensions: [tests.nothing:extensions]}",
        "tests.nothing:extensions: can't be imported",
    ),
    "a policy of no method": (
        "policies: [{methods: [nobody.*], timeout: 1s}]",
        'policies.0.methods.0: no method matches "nobody.*"',
    ),
    "a condition": (
        'policies: [{methods: ["*"], authorize: {when: "1 +"}}]',
        "policies.0.authorize.when: ",
    ),
}


async def test_broken_changes_change_nothing(tmp_path, shop):
    async with (
        changing(tmp_path, shop) as system,
        open_streams(system.running.url),
        load(system.running.url, [*READS, *WRITES, *STREAMS], each=1, pause=0.04) as outcomes,
    ):
        config = tmp_path / "gateway.yaml"
        good = config.read_text()
        (tmp_path / "bad.json").write_text("[")
        for name, (text, told) in BROKEN.items():
            config.write_text(f"{text}\n{good}")
            lines = await system.reload()
            assert lines[-1].startswith(REFUSED), (name, lines)
            assert any(told in line for line in lines), (name, lines)
        config.write_text(good)
        for name, change, told in (
            ("a proto", put("protos/bad.proto", 'syntax = "proto3"; message {'), "bad.proto:1:"),
            ("joins", put("schema/joins.graphql", "type Query {"), "joins.graphql:1:"),
            (
                "a document",
                put("schema/operations/Bad.graphql", "query Bad { nothing }"),
                "Bad.graphql:1:",
            ),
        ):
            kept = {each: each.read_bytes() for each in tmp_path.rglob("*.*") if each.is_file()}
            change(tmp_path)
            lines = await system.reload()
            assert lines[-1].startswith(REFUSED), (name, lines)
            assert any(told in line for line in lines), (name, lines)
            for each in [*tmp_path.rglob("*.proto"), *tmp_path.rglob("*.graphql")]:
                if each not in kept:
                    each.unlink()
                elif each.read_bytes() != kept[each]:
                    each.write_bytes(kept[each])
        assert "info gateway: nothing changed in effect" in await system.reload()
    assert outcomes.failures() == {}


async def test_with_several_workers_nothing_is_lost_either_and_files_are_watched(tmp_path, shop):
    async with (
        changing(tmp_path, shop, workers=2, reload="watch") as system,
        open_streams(system.running.url),
        load(system.running.url, [*READS, *WRITES, *STREAMS], each=1, pause=0.04) as outcomes,
    ):
        system.write(**policy(timeout="3s"))
        lines = await system.log.until(DONE)
        assert f"info gateway: changed on disk: {tmp_path / 'gateway.yaml'}" in lines
        assert any("timeout default → 3s" in line for line in lines)
        (tmp_path / "protos/bad.proto").write_text('syntax = "proto3"; message {')
        lines = await system.log.until(REFUSED)
        assert any("bad.proto:1:" in line for line in lines)
        # What was refused is watched too: it is right now.
        (tmp_path / "protos/bad.proto").unlink()
        await system.log.until("info gateway: nothing changed in effect")
    assert outcomes.failures() == {}


async def test_certificates_change_and_a_bad_pair_changes_nothing(tmp_path, shop):
    one, other = trustme.CA(), trustme.CA()

    def issue(authority) -> None:
        issued = authority.issue_cert("127.0.0.1")
        issued.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
        issued.private_key_pem.write_to_path(tmp_path / "server.key")

    def trusting(authority) -> ssl.SSLContext:
        made = ssl.create_default_context()
        authority.configure_trust(made)
        return made

    issue(one)
    listener = {
        "address": "127.0.0.1:0",
        "tls": {"certificate": "server.pem", "key": "server.key"},
    }
    async with changing(tmp_path, shop, listener=listener) as system:
        url = system.running.url
        # A session keeps its connection.
        async with aiohttp.ClientSession(url) as before, aiohttp.ClientSession(url) as fresh:

            async def get(session, authority) -> int:
                given = {"ssl": trusting(authority), "headers": {}}
                async with session.get("/v1/products/p1", **given) as reply:
                    return reply.status

            kept = {"ssl": trusting(one)}
            async with before.get("/v1/products/p1", **kept) as reply:
                assert reply.status == 200
            issue(other)
            lines = await system.reload()
            assert "info gateway: changed: listener.tls.certificate: its file has changed" in lines
            assert await get(fresh, other) == 200
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await get(fresh, one)
            async with before.get("/v1/products/p1", **kept) as reply:
                assert reply.status == 200
            (tmp_path / "server.key").write_text("no key")
            lines = await system.reload()
            assert lines[-1].startswith(REFUSED)
            assert "gateway.yaml:" in lines[0]
            assert "listener.tls: " in lines[0]
            assert await get(fresh, other) == 200

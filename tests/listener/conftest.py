"""A raw client, and listeners that end with their test. Every async test here runs on both loops."""

import asyncio
import json
import socket
import ssl
import struct
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import trustme
import uvloop
from websockets.asyncio.client import connect as ws_connect

from gateway.listener import Limits, Tls, serve
from tests.listener.sockets import Front

PATIENCE = 20.0  # seconds until a test that waits for something gives up


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@dataclass
class Reply:
    version: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    complete: bool = True

    def header(self, name):
        found = [value for key, value in self.headers if key == name]
        assert len(found) < 2, f"{name} comes {len(found)} times"
        return found[0] if found else None

    @property
    def error(self):
        assert self.header("content-type") == "application/json"
        return json.loads(self.body)["error"]

    @property
    def reason(self):
        info, *others = self.error["details"]
        named = self.header("x-request-id")
        if named is not None:  # the pages of the admin listener have none
            kind = "type.googleapis.com/google.rpc.RequestInfo"
            assert others == [{"@type": kind, "requestId": named}]
        assert self.error["code"] == self.status
        assert info["domain"] == "gateway"
        return info["reason"]


class Client:
    """One connection, spoken byte by byte."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    async def send(self, data):
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), PATIENCE)

    async def get(self, path="/", *fields):
        lines = "".join(f"{field}\r\n" for field in fields)
        await self.send(f"GET {path} HTTP/1.1\r\nHost: shop.example\r\n{lines}\r\n".encode())
        return await self.reply()

    async def head(self):
        """Reads a reply's head: status and fields."""
        data = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        line, *fields = data.decode("latin-1")[:-4].split("\r\n")
        version, status, _ = line.split(" ", 2)
        pairs = [field.split(": ", 1) for field in fields]
        return Reply(version, int(status), [(name.lower(), value) for name, value in pairs], b"")

    async def reply(self, method="GET"):
        """Reads a whole reply, by its own framing."""
        found = await self.head()
        if method == "HEAD" or found.status in {100, 204, 304}:
            return found
        async with asyncio.timeout(PATIENCE):
            if found.header("transfer-encoding") == "chunked":
                found.complete = False
                try:
                    while size := int(await self.reader.readuntil(b"\r\n"), 16):
                        found.body += (await self.reader.readexactly(size + 2))[:-2]
                    found.complete = await self.reader.readexactly(2) == b"\r\n"
                except (asyncio.IncompleteReadError, ConnectionResetError):
                    pass
            elif (length := found.header("content-length")) is not None:
                found.body = await self.reader.readexactly(int(length))
            else:
                try:
                    found.body = await self.reader.read()
                except ConnectionResetError:
                    found.complete = False
        return found

    async def rest(self):
        """Returns what comes until the other side closes; a reset is an end too."""
        parts = []
        async with asyncio.timeout(PATIENCE):
            try:
                while data := await self.reader.read(65536):
                    parts.append(data)
            except ConnectionResetError:
                parts.append(b"")
        return b"".join(parts)

    async def close(self):
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return

    def reset(self):
        self.writer.transport.abort()

    def break_off(self):
        """Ends with a reset on the wire, whatever is still on its way."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.reset()


@pytest.fixture
async def listen():
    """Opens listeners; `listen(handler, header_timeout=0.1)` takes limits by name."""
    opened = []

    async def open_one(handler, *, addresses=("127.0.0.1:0",), tls=None, trusted=(), **limits):
        listener = await serve(
            lambda: handler,
            addresses=addresses,
            tls=tls,
            limits=Limits(**limits),
            trusted_proxies=trusted,
        )
        opened.append(listener)
        return listener

    yield open_one
    for listener in opened:
        await listener.drain(0)


@pytest.fixture
async def connect():
    """Opens raw connections to a listener's first address."""
    opened = []

    async def open_one(listener, **kwargs):
        url = listener.urls[0]
        if url.startswith("unix:"):
            pair = await asyncio.open_unix_connection(url.removeprefix("unix:"), **kwargs)
        else:
            host, port = url.split("://")[1].rsplit(":", 1)
            pair = await asyncio.open_connection(host.strip("[]"), int(port), **kwargs)
        client = Client(*pair)
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        await client.close()


@pytest.fixture
def dial(listen, connect):
    """Opens a listener and a connection to it."""

    async def open_both(handler, **limits):
        return await connect(await listen(handler, **limits))

    return open_both


def text(exchange, status, body):
    exchange.respond(status, [("Content-Type", "text/plain")], body)


def echo(exchange):
    """Answers at once with what was asked, and with the whole body."""
    request = exchange.request

    def then(body):
        shown = {
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "authority": request.authority,
            "scheme": request.scheme,
            "peer": request.peer,
            "headers": list(request.headers),
            "body": body.decode("latin-1"),
        }
        exchange.respond(200, [("Content-Type", "application/json")], json.dumps(shown).encode())

    def failed(error):
        text(exchange, 400, f"{error.fault.name} {error.limit}".encode())

    exchange.collect(1_000_000, then, failed)


@pytest.fixture(name="echo")
def echo_fixture():
    return echo


@pytest.fixture(name="text")
def text_fixture():
    return text


@pytest.fixture
def upgrade():
    """Makes a WebSocket of a raw connection, whose frames the test then speaks itself."""

    async def one(client):
        await client.send(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert (await client.head()).status == 101

    return one


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory):
    """A listener's `Tls`, and a client's context that trusts it."""
    root = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(root / "server.pem")
    issued.private_key_pem.write_to_path(root / "server.key")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return SimpleNamespace(server=Tls(root / "server.pem", root / "server.key"), trusting=trusting)


@pytest.fixture
def front():
    return Front()


@pytest.fixture
async def open_socket():
    """Opens WebSockets to a listener's first address."""
    opened = []

    async def one(listener, path="/", **kwargs):
        url = listener.urls[0].replace("http", "ws") + path
        kwargs = {"compression": None, "proxy": None, "close_timeout": 1, **kwargs}
        opened.append(await ws_connect(url, **kwargs))
        return opened[-1]

    yield one
    for client in opened:
        await client.close()

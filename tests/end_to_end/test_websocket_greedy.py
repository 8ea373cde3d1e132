"""Clients that would take more than is theirs: of memory, by not reading, by holding, by compression.

Beside each a well-behaved socket has numbers come back, and looks at the gateway's memory.
"""

from __future__ import annotations

import base64
import random
import zlib
from contextlib import suppress

import pytest

from tests.end_to_end.attacks import IMPATIENT, MIB, attacked, beside
from tests.end_to_end.raw import Raw, said
from tests.end_to_end.sockets import DIGEST, DOWNLOAD, THUMBNAIL, config, socket
from tests.end_to_end.system import gateway, reason_of
from tests.listener.wire import CONT, PING, TEXT, frame
from tests.upstream.servers import scripted

KIB = 1024
FLOOD = {"path": "samples/noise.bin", "size": "104857600", "pieceSize": 65536}


@pytest.fixture(scope="module")
def generous(shop, tmp_path_factory):
    """With rates that hold nobody up, so that other limits must."""
    folder = tmp_path_factory.mktemp("generous")
    yield from attacked(folder, shop, permessage_deflate=True, ping="60s")


# Clients that take nothing.


async def test_a_client_that_takes_nothing_is_closed_with_4001(generous, backend):
    before = await backend.counts(f"/{DOWNLOAD}")
    async with beside(generous) as neighbour, Raw.greeted(generous.url) as raw:
        for id_ in range(1, 11):
            await raw.open(id_, DOWNLOAD, FLOOD, end=True)
        for _ in range(10):
            await backend.until_gone(f"/{DOWNLOAD}", before)
            before.failed += 1
        await neighbour.more()
        assert await raw.closed() == 4001


async def flood(raw, data, most):
    """Writes without an end, but this one, and reads nothing; returns when it is cut."""
    with suppress(ConnectionError):
        for _ in range(0, most, len(data)):
            await raw.write(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(said(t="ping", data="x" * 125) * 100, id="pings-of-the-protocols"),
        pytest.param(frame(PING, b"x" * 125) * 100, id="pings-of-websockets"),
    ],
)
async def test_who_asks_and_does_not_listen(generous, data):
    async with beside(generous), Raw.greeted(generous.url) as raw:
        await flood(raw, data, 40 * MIB)


# Streams that hold what nobody takes.


async def test_replies_that_wait_for_credit_have_16_mib_in_all(generous):
    """100 streams of a socket, each with a reply of 256 KiB that it may not send.

    All of them may be under way from the backends at once: what a socket *holds* is told by who is
    refused, not by the gateway's memory.
    """
    async with beside(generous) as neighbour, socket(generous.url, "proto") as client:
        body = {"path": "samples/noise.bin", "size": str(256 * KIB)}
        ids = [await client.open(THUMBNAIL, body, end=True, credit=0) for _ in range(150)]
        refused = [await client.end(id_) for id_ in ids[100:]]
        assert {reason_of(end) for end in refused} == {"TOO_MANY_STREAMS"}
        for id_ in ids[:100]:
            assert (await client.of(id_))["t"] == "headers"
        await neighbour.more()
        await client.say("ping")
        assert (await client.of(None))["t"] == "pong"
        over = {id_: come for id_ in ids[:100] if (come := client.come(id_))}
        assert len(over) in {100 - 63, 100 - 64}
        assert {reason_of(status) for (status,) in over.values()} == {"FLOW_CONTROL"}
        held = next(id_ for id_ in ids if id_ not in over)
        await client.say("credit", id=held, n=1)
        assert (await client.end(held))["code"] == 0


async def test_full_inboxes_of_100_streams_are_more_than_a_socket_may_hold(shop, tmp_path):
    """The backend takes nothing. Each stream may have 256 KiB here, and all together 4 MiB."""
    body = {"data": base64.b64encode(bytes(63 * KIB)).decode()}
    async with scripted(lambda _: None) as stuck:
        settings = config(shop)
        settings["upstreams"]["media"] = {
            "services": ["shop.media.*"],
            "endpoints": [f"{stuck.host}:{stuck.port}"],
        }
        settings["upstreams"]["shop"]["services"] = ["shop.chat.*"]
        with gateway(tmp_path, settings, module=IMPATIENT) as served:
            async with beside(served) as neighbour, socket(served.url, "proto") as client:
                ids = [await client.open(DIGEST, {}) for _ in range(100)]
                for id_ in ids:
                    for _ in range(4):
                        await client.say("message", id=id_, body=body)
                await client.joined()
                await neighbour.more()
                heard = [frame for id_ in ids for frame in client.come(id_)]
                refused = [frame for frame in heard if frame["t"] == "status"]
                assert {reason_of(status) for status in refused} == {"FLOW_CONTROL"}
                assert 70 < len(refused) < 100


# Compression.


def packed(size, head=b""):
    """A message of so many spaces, compressed (RFC 7692 section 7.2.1)."""
    compressor = zlib.compressobj(9, wbits=-12)
    data = compressor.compress(head)
    for _ in range(size // MIB):
        data += compressor.compress(b" " * MIB)
    return (data + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


@pytest.mark.parametrize("pieces", [1, 50], ids=["one-frame", "fragments"])
async def test_a_bomb_is_unpacked_no_further_than_a_message_may_be(generous, pieces):
    bomb = packed(128 * MIB)
    size = len(bomb) // pieces + 1
    parts = [bomb[at : at + size] for at in range(0, len(bomb), size)]
    data = b"".join(
        frame(CONT if n else TEXT, part, fin=n == len(parts) - 1, rsv=0 if n else 4)
        for n, part in enumerate(parts)
    )
    async with beside(generous), Raw.greeted(generous.url, DEFLATE) as raw:
        with suppress(ConnectionError):
            await raw.write(data)
        assert await raw.closed() == 4413


async def test_small_frames_that_are_large_messages(generous):
    """Each is a ping with a MiB of spaces behind it: read one at a time, in turns with others."""
    data = frame(TEXT, packed(MIB, b'{"t":"ping"}'), rsv=4)
    assert len(data) < 2 * KIB
    async with beside(generous) as neighbour, Raw.greeted(generous.url, DEFLATE) as raw:
        await raw.write(data * 200)
        await neighbour.more()
        for _ in range(200):
            await raw.frame()


async def test_packed_data_that_is_none(generous):
    async with Raw.greeted(generous.url, DEFLATE) as raw:
        await raw.write(frame(TEXT, random.Random(1).randbytes(1000), rsv=4))
        assert await raw.closed() == 1002

"""Clients that mean harm: the right close code, memory that stays, and neighbours that notice nothing.

Beside each attack a well-behaved socket has numbers come back, and looks at the gateway's memory.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from tests.end_to_end.attacks import attacked, beside
from tests.end_to_end.frames import FRAMINGS
from tests.end_to_end.raw import Raw, said
from tests.end_to_end.sockets import (
    COUNT,
    JOIN,
    STOCK,
    WATCH,
    bare,
    socket,
)
from tests.examples import examples
from tests.listener.wire import BINARY, CLOSE, CONT, PING, TEXT, frame
from tests.listener.wire import said as closing

KIB, MIB = 1024, 1024 * 1024
USUAL = {"opens": "20/s", "messages": "200/s"}
FLOOD = {"path": "samples/noise.bin", "size": "104857600", "pieceSize": 65536}
WORDS = ("Traceback", 'File "', "gateway/", ".py", "127.0.0.1", "Error", "codec", "line 1 column")
IMPATIENT = "tests.end_to_end.impatient"


@pytest.fixture(scope="module")
def usual(shop, tmp_path_factory):
    """With the limits that a config has by itself."""
    yield from attacked(tmp_path_factory.mktemp("usual"), shop, limits=USUAL)


@pytest.fixture(scope="module")
def generous(shop, tmp_path_factory):
    """With rates that hold nobody up, so that other limits must."""
    folder = tmp_path_factory.mktemp("generous")
    yield from attacked(folder, shop, ping="60s")


# What closes, by what is sent after `hello`.

OPEN = {"t": "open", "id": 5, "method": JOIN, "body": {"room": "lobby"}}
DEEP = 30_000


def text(data):
    return frame(TEXT, data if isinstance(data, bytes) else data.encode())


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(b"\x81\xff" + (2**62).to_bytes(8), 4413, id="a-frame-of-2^62-bytes"),
        pytest.param(b"\x81\xff" + b"\xff" * 8, 4413, id="a-frame-of-2^64-bytes"),
        pytest.param(frame(TEXT, b" " * 2 * MIB), 4413, id="a-frame-of-2-MiB"),
        pytest.param(
            frame(TEXT, fin=False) + frame(CONT, b" " * KIB, fin=False) * 1200,
            4413,
            id="fragments-too-many",
        ),
        pytest.param(
            frame(TEXT, b"{", fin=False) + frame(CONT, b"", fin=False) * 100_000 + frame(CONT),
            4400,
            id="fragments-that-are-empty",
        ),
        pytest.param(text(b'{"t":"p\xff'), 1007, id="not-utf-8"),
        pytest.param(frame(TEXT, b"\xc0\xaf", fin=False), 1007, id="a-fragment-that-is-not-utf-8"),
        pytest.param(text(b'{"t":"ping","data":"\xed\xa0\x80"}'), 1007, id="a-surrogate"),
        pytest.param(frame(TEXT, b"{}", mask=b""), 1002, id="not-masked"),
        pytest.param(frame(TEXT, b"{}", rsv=4), 1002, id="a-reserved-bit"),
        pytest.param(frame(3), 1002, id="a-reserved-opcode"),
        pytest.param(frame(PING, b" " * 126), 1002, id="a-ping-of-126-bytes"),
        pytest.param(frame(PING, fin=False), 1002, id="a-ping-in-fragments"),
        pytest.param(frame(CONT), 1002, id="a-continuation-of-nothing"),
        pytest.param(frame(TEXT, fin=False) * 2, 1002, id="a-message-in-a-message"),
        pytest.param(frame(CLOSE, closing(1005)), 1002, id="a-close-code-that-is-none"),
        pytest.param(frame(CLOSE, b"\x03"), 1002, id="half-a-close-code"),
        pytest.param(frame(BINARY, b"{}"), 4400, id="binary-in-json"),
        pytest.param(text("{"), 4400, id="no-json"),
        pytest.param(text(""), 4400, id="nothing"),
        pytest.param(text("[]"), 4400, id="a-list"),
        pytest.param(text("{}"), 4400, id="no-kind"),
        pytest.param(text('{"t":"t"}'), 4400, id="an-unknown-kind"),
        pytest.param(text('{"t":"welcome"}'), 4400, id="a-frame-of-the-servers"),
        pytest.param(text('{"t":"ping","t":"ping"}'), 4400, id="a-member-twice"),
        pytest.param(text('{"t":"ping","data":"' + "x" * 126 + '"}'), 4400, id="much-ping-data"),
        pytest.param(text('{"t":"ping"}{"t":"ping"}'), 4400, id="two-frames-in-one"),
        pytest.param(text("[" * DEEP), 4400, id="deep-json"),
        pytest.param(text("[" * MIB), 4400, id="very-deep-json"),
        pytest.param(text('{"t":"open","metadata":' + "[" * DEEP), 4400, id="deep-metadata"),
        pytest.param(text('{"t":"message","id":' + "9" * 5000 + "}"), 4400, id="many-digits"),
        pytest.param(text('{"t":"message","id":1e400}'), 4400, id="infinite"),
        pytest.param(said(t="hello"), 4400, id="hello-twice"),
        pytest.param(said(t="message", id=1, body={}), 4400, id="a-message-of-no-stream"),
        pytest.param(said(t="credit", id=1, n=1), 4400, id="credit-of-no-stream"),
        pytest.param(said(t="cancel", id=1), 4400, id="a-cancel-of-no-stream"),
        pytest.param(said(**OPEN) * 2, 4409, id="an-id-in-use"),
        pytest.param(
            said(**OPEN) + said(t="cancel", id=5) + said(**OPEN), 4409, id="an-id-that-was-used"
        ),
        pytest.param(said(**OPEN) + said(**{**OPEN, "id": 4}), 4409, id="an-id-that-is-smaller"),
        *(
            pytest.param(said(**{**OPEN, "id": id_}), 4400, id=f"the-id-{id_!r}")
            for id_ in (0, -1, 2**53, 2**64, 1.5, True, "1", None)
        ),
        *(
            pytest.param(said(**OPEN) + said(t="credit", id=5, n=n), 4400, id=f"credit-of-{n!r}")
            for n in (2**31, 2**63, -1, 0.5, True, "1", None)
        ),
        pytest.param(said(**OPEN, credit=2**63), 4400, id="an-open-with-credit-of-2^63"),
        pytest.param(said(**OPEN, timeout_ms=-1), 4400, id="a-negative-time-out"),
        pytest.param(said(**OPEN, metadata={"a": "b"}), 4400, id="metadata-that-is-no-list"),
    ],
)
async def test_frames_that_close_their_socket(generous, sent, code):
    async with beside(generous):
        async with Raw.greeted(generous.url) as raw:
            with suppress(ConnectionError):  # it may be closed before all is sent
                await raw.write(sent)
            while (received := await raw.frame())[0] != CLOSE:
                pass
        assert int.from_bytes(received[1][:2]) == code
        reason = received[1][2:].decode()
        assert not any(word in reason for word in WORDS), reason


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(said(**OPEN), id="open"),
        pytest.param(said(t="ping"), id="ping"),
        pytest.param(said(t="auth", token="x"), id="auth"),
    ],
)
async def test_nothing_comes_before_hello(usual, sent):
    async with Raw.connected(usual.url) as raw:
        await raw.write(sent)
        assert await raw.closed() == 4400


async def test_text_in_protobuf_and_bytes_that_are_no_frame(usual):
    for sent in (frame(TEXT, b"{}"), frame(BINARY, b"\xff" * 9), frame(BINARY)):
        async with Raw.connected(usual.url, "Sec-WebSocket-Protocol: grpcws.v1.proto") as raw:
            await raw.write(sent)
            assert await raw.closed() == 4400


# What ends a stream, and no more.


@pytest.mark.parametrize(
    ("members", "status"),
    [
        pytest.param({"method": "x" * 900_000}, "UNIMPLEMENTED", id="a-long-method"),
        pytest.param(
            {"method": STOCK, "metadata": [["x-say", "x" * 20_000]]},
            "INVALID_ARGUMENT",
            id="metadata-of-20-KB",
        ),
        pytest.param(
            {"method": STOCK, "metadata": [["x-say", "x"]] * 40_000},
            "INVALID_ARGUMENT",
            id="metadata-of-40000-entries",
        ),
        pytest.param(
            {"method": STOCK, "metadata": [["grpc-timeout", "1S"]]},
            "INVALID_ARGUMENT",
            id="reserved-metadata",
        ),
        pytest.param(
            {"method": STOCK, "metadata": [[":path", "/"]]},
            "INVALID_ARGUMENT",
            id="a-pseudo-header",
        ),
        pytest.param(
            {"method": STOCK, "metadata": [["x-say-bin", "%"]]}, "INVALID_ARGUMENT", id="no-base64"
        ),
        pytest.param({"method": STOCK, "timeout_ms": 0}, "INVALID_ARGUMENT", id="no-time"),
        pytest.param(
            {"method": STOCK, "body": {"productId": "x" * MIB}},
            "RESOURCE_EXHAUSTED",
            id="a-body-over-the-size",
        ),
        pytest.param(
            {"method": STOCK, "body": [[[[]]]]}, "INVALID_ARGUMENT", id="a-list-for-a-body"
        ),
    ],
)
async def test_an_open_that_is_refused_harms_no_other(generous, members, status):
    async with beside(generous), socket(generous.url) as client:
        chat = await client.joined()
        given = {"body": {"productId": "p1"}, "end": True, **members}
        method, body = given.pop("method"), given.pop("body")
        end = await client.end(await client.open(method, body, **given))
        assert end["status"] == status
        assert not any(word in json.dumps(end) for word in WORDS[:5])
        await client.echo(chat, 1)


async def test_a_body_that_is_deeper_than_json_may_be_ends_its_stream(generous):
    async with socket(generous.url) as client:
        chat, id_ = await client.joined(), client.last_id + 1
        deep = '{"fields":' * 150 + "{}" + "}" * 150
        await client.websocket.send(
            f'{{"t":"open","id":{id_},"method":"{STOCK}","body":{deep},"end":true}}'
        )
        assert (await client.end(id_))["status"] == "INVALID_ARGUMENT"
        await client.echo(chat, 1)


async def test_to_grant_more_than_the_most_is_no_offence(generous):
    """That it adds nothing is `test_session`'s to see: no stream has so many messages."""
    async with socket(generous.url) as client:
        id_ = await client.open(JOIN, {"room": "lobby"}, credit=2**31 - 1)
        for _ in range(100):
            await client.say("credit", id=id_, n=2**31 - 1)
        await client.echoes(id_, 20)


# Opens, faster than anybody may.


@pytest.mark.parametrize("with_cancel", [False, True], ids=["opens", "opens-and-cancels"])
async def test_1000000_opens_end_with_4429(usual, backend, with_cancel):
    before = await backend.counts(f"/{WATCH}")

    async def attack(raw):
        for first in range(1, 1_000_001, 100):
            data = b""
            for id_ in range(first, first + 100):
                data += said(t="open", id=id_, method=WATCH, body={}, end=True)
                if with_cancel:
                    data += said(t="cancel", id=id_)
            await raw.write(data)
            await asyncio.sleep(0)  # a write that has room gives nobody else a turn
        pytest.fail("all of them were read")

    async with beside(usual), Raw.greeted(usual.url) as raw:
        attacking = asyncio.create_task(attack(raw))
        heard = Counter()
        while (received := await raw.frame())[0] != CLOSE:
            heard[json.loads(received[1])["t"]] += 1
        assert int.from_bytes(received[1][:2]) == 4429
        attacking.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await attacking
        assert heard["status"] < 1000
    after = await backend.counts(f"/{WATCH}")
    assert after.started - before.started < 200


async def test_messages_over_the_rate_are_read_later_and_close_nothing(usual):
    async with beside(usual), Raw.greeted(usual.url) as raw:
        await raw.write(b"".join(said(t="ping", data=str(n)) for n in range(500)))
        for number in range(500):
            assert json.loads((await raw.frame())[1])["data"] == str(number)


# Sockets without end.


async def test_sockets_that_never_say_hello_are_closed_with_4408(shop, tmp_path):
    limits = {"hello_timeout": "2s"}
    served = attacked(tmp_path, shop, limits=limits)
    each = next(served)

    async def attack(data):
        async with Raw.connected(each.url) as raw:
            await raw.write(data)
            return await raw.closed()

    partly = frame(TEXT, b'{"t":"hello', fin=False)
    async with beside(each):
        codes = await asyncio.gather(
            *(attack((b"", partly, frame(PING))[n % 3]) for n in range(300))
        )
    assert set(codes) == {4408}
    assert next(served, None) is None


async def test_sockets_that_come_and_go(generous):
    async def attack(number):
        async with bare(generous.url, ("json", "proto")[number % 2]) as client:
            if number % 3:
                await client.say("hello")
            if number % 3 == 2:
                await client.open(JOIN, {"room": "lobby"})
            client.websocket.transport.abort()

    async with beside(generous) as neighbour:
        for _ in range(5):
            await asyncio.gather(*map(attack, range(100)))
        await neighbour.more()


async def test_a_hello_that_comes_back_to_streams_without_number(generous):
    """There is no resuming here; what it would have back is read and forgotten."""
    seen = {str(id_): 2**53 - 1 for id_ in range(1, 20_000)}
    back = {"session": "0." + "f" * 32, "seen": seen, "granted": seen}
    async with beside(generous), socket(generous.url, features=["resume"] * 9, **back) as client:
        assert "resume_ms" not in client.welcome
        await client.echo(await client.joined(), 1)


async def test_a_page_of_another_origin_opens_nothing(usual):
    with pytest.raises(AssertionError, match="403"):
        async with Raw.connected(usual.url, "Origin: https://evil.example"):
            pass


# Anything.

METHODS = (JOIN, WATCH, COUNT, STOCK, "none")
NUMBERS = st.sampled_from([0, 1, 2, 3, 4, 2**31 - 1, 2**53 - 1, 2**53, -1])
BODIES = st.sampled_from([{}, {"room": "lobby"}, {"ping": "1"}, {"count": 3}, [], "x", None, 1])
FRAMES = st.fixed_dictionaries(
    {"t": st.sampled_from(["open", "open", "message", "credit", "cancel", "ping", "auth", "pong"])},
    optional={
        "id": st.integers(1, 5) | NUMBERS,
        "method": st.sampled_from(METHODS),
        "body": BODIES,
        "end": st.booleans(),
        "n": NUMBERS,
        "seq": NUMBERS,
        "credit": NUMBERS,
        "timeout_ms": NUMBERS,
        "token": st.text(max_size=3),
        "data": st.text(max_size=3),
    },
)


@given(st.lists(FRAMES, max_size=12))
@given_settings(
    max_examples=examples(2),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_frames_in_any_order(generous, frames):
    """Either the socket closes with a code of the protocol's, or it serves on."""

    async def send():
        async with socket(generous.url) as client:
            try:
                for each in frames:
                    await client.websocket.send(json.dumps(each))
                await client.websocket.send('{"t":"ping","data":"the last"}')
                heard = []
                while (told := json.loads(await client.websocket.recv()))[
                    "t"
                ] != "pong" or told.get("data") != "the last":
                    heard.append(told)
            except ConnectionClosed as closed:
                assert closed.rcvd.code in {4400, 4401, 4403, 4409}, closed
                assert not any(word in closed.rcvd.reason for word in WORDS), closed
                return
            ends = Counter(told["id"] for told in heard if told["t"] == "status")
            assert not ends or max(ends.values()) == 1
            opened = {each.get("id") for each in frames if each["t"] == "open"}
            assert set(ends) <= opened

    asyncio.run(send())


# Frames of protobuf, and what one gets by cutting them up.
PIECES = [
    FRAMINGS["proto"].write({"t": "open", "id": 1, "method": WATCH, "end": True}, WATCH),
    FRAMINGS["proto"].write({"t": "open", "id": 2, "method": JOIN, "body": {"room": "x"}}, JOIN),
    FRAMINGS["proto"].write({"t": "message", "id": 1, "body": {"count": 3}}, WATCH),
    FRAMINGS["proto"].write({"t": "credit", "id": 1, "n": 2**63}, None),
    FRAMINGS["proto"].write({"t": "cancel", "id": 2}, None),
    b"\x0a", b"\x12\xff", b"\xff" * 10, b"\x12\x02\x08\x01", b"\x00",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=12), max_size=6))
@given_settings(
    max_examples=examples(2),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_in_frames_of_protobuf(generous, pieces):
    """Alone and joined: what joins is one frame to protobuf, of which the last part counts."""

    async def send(messages):
        async with socket(generous.url, "proto") as client:
            with suppress(ConnectionClosed):
                for each in messages:
                    await client.websocket.send(each)
                await client.say("ping", data="the last")
                while (told := await client.hear())["t"] != "pong" or told["data"] != "the last":
                    pass
                return
            assert await client.closed() in {4400, 4401, 4403, 4409}

    asyncio.run(send(pieces))
    asyncio.run(send([b"".join(pieces)]))

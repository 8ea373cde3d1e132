"""Calls over the multiplexed form, through real sockets: all kinds, both framings and transports."""

from __future__ import annotations

import base64

import pytest

from tests.end_to_end.sockets import (
    COUNT,
    DIGEST,
    DOWNLOAD,
    JOIN,
    STOCK,
    WATCH,
    WHO,
    config,
    socket,
)
from tests.end_to_end.system import gateway, reason_of

COUNTED = {"warehouseId": "w1", "count": {"productId": "p1", "pieces": "7"}}


@pytest.fixture(scope="module")
def native(shop, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("native"), config(shop)) as each:
        yield each


@pytest.fixture(scope="module")
def through_grpcio(shop, tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("grpcio"), config(shop, transport="grpcio")) as each:
        yield each


@pytest.fixture(params=["native", "grpcio"])
def url(request, native, through_grpcio):
    return (native if request.param == "native" else through_grpcio).url


@pytest.fixture(params=["json", "proto"])
async def client(request, url):
    async with socket(url, request.param) as each:
        yield each


@pytest.fixture
async def calm(native):
    """A client of the native transport, in JSON: where neither makes a difference."""
    async with socket(native.url) as each:
        yield each


# The four kinds.


async def test_unary(client):
    id_ = await client.open(STOCK, {"productId": "p1"}, end=True)
    (stock,), status = await client.whole(id_)
    assert stock["productId"] == "p1"
    assert (status["code"], status["status"]) == (0, "OK")


async def test_a_unary_request_may_come_in_a_frame_of_its_own(client):
    id_ = await client.open(STOCK)
    await client.say("message", id=id_, body={"productId": "p2"}, end=True)
    (stock,), status = await client.whole(id_)
    assert stock["productId"] == "p2"
    assert status["code"] == 0


async def test_server_streaming(client):
    body = {"interval": "0.001s", "count": 200}
    ticks, status = await client.whole(await client.open(WATCH, body, end=True))
    assert [each["sequence"] for each in ticks] == [str(number) for number in range(1, 201)]
    assert status["code"] == 0


async def test_client_streaming(client):
    id_ = await client.open(COUNT, COUNTED)
    for _ in range(9):
        await client.say("message", id=id_, body=COUNTED)
    await client.say("message", id=id_, end=True)
    (counted,), status = await client.whole(id_)
    assert counted["counted"] == 10
    assert status["code"] == 0


async def test_bidirectional(client):
    id_ = await client.joined()
    await client.echoes(id_, 100)
    await client.say("message", id=id_, end=True)
    messages, status = await client.whole(id_)
    assert [each for each in messages if "pong" in each] == []
    assert status["code"] == 0


async def test_a_stream_without_requests(client):
    id_ = await client.open(COUNT, end=True)
    (counted,), status = await client.whole(id_)
    assert counted.get("counted", 0) == 0
    assert status["code"] == 0


async def test_many_streams_at_once_have_what_is_theirs(client):
    joined = [await client.joined() for _ in range(20)]
    for number in range(20):
        for id_ in joined:
            await client.say("message", id=id_, body={"ping": str(id_ * 100 + number)})
        for id_ in joined:
            while (pong := (await client.message(id_)).get("pong")) is None:
                pass
            assert pong == str(id_ * 100 + number)


async def test_calls_of_all_kinds_beside_each_other(client):
    """Replies come as they are there: nothing waits for the stream that was opened before."""
    chat = await client.joined()
    ticks = await client.open(WATCH, {"interval": "0.001s", "count": 50}, end=True)
    counting = await client.open(COUNT, COUNTED)
    stock = await client.open(STOCK, {"productId": "p1"}, end=True)
    assert (await client.end(stock))["code"] == 0
    assert len((await client.whole(ticks))[0]) == 50
    await client.echoes(chat, 10)
    await client.say("message", id=counting, end=True)
    assert (await client.whole(counting))[0][0]["counted"] == 1


# Metadata, errors.


async def test_metadata_passes_by_the_rules_and_that_of_open_stands_before_the_handshakes(url):
    options = {"additional_headers": {"x-say": "handshake", "authorization": "Bearer abc"}}
    async with socket(url, options=options) as client:
        one = await client.open(WHO, {}, end=True)
        other = await client.open(
            WHO,
            {},
            end=True,
            metadata=[["x-say", "a"], ["x-say", "b"], ["x-say-bin", "AAEC"], ["x-other", "1"]],
        )
        (answer,), _ = await client.whole(one)
        known = [(each["key"], each["text"]) for each in answer["metadata"] if "text" in each]
        assert ("x-say", "handshake") in known
        assert ("authorization", "Bearer abc") in known
        (answer,), _ = await client.whole(other)
        known = [(each["key"], each.get("text") or each["binary"]) for each in answer["metadata"]]
        assert [value for key, value in known if key == "x-say"] == ["a", "b"]
        assert ("x-say-bin", base64.b64encode(b"\0\1\2").decode()) in known
        assert ("authorization", "Bearer abc") in known
        assert "x-other" not in dict(known)


async def test_binary_metadata_in_protobuf_is_bytes(url):
    async with socket(url, "proto") as client:
        id_ = await client.open(WHO, {}, end=True, metadata=[["x-say-bin", "AAEC"]])
        (answer,), _ = await client.whole(id_)
        assert {"key": "x-say-bin", "binary": "AAEC"} in answer["metadata"]


async def test_headers_come_before_messages_and_trailers_with_the_status(client):
    id_ = await client.open(WATCH, {"interval": "0.001s", "count": 1}, end=True)
    headers, message, status = [await client.of(id_) for _ in range(3)]
    assert [each["t"] for each in (headers, message, status)] == ["headers", "message", "status"]
    (replica,) = headers["metadata"]
    assert replica[0] == "x-replica"
    assert status["trailers"] == [replica]


async def test_a_unary_call_has_headers_where_there_is_something_in_them(client):
    id_ = await client.open(STOCK, {"productId": "p1"}, end=True)
    assert (await client.of(id_))["metadata"][0][0] == "x-replica"
    assert (await client.of(id_))["t"] == "message"


async def test_an_error_of_the_backend_with_its_details(client):
    id_ = await client.open(STOCK, {"productId": "none"}, end=True)
    messages, status = await client.whole(id_)
    assert messages == []
    assert (status["code"], status["status"]) == (5, "NOT_FOUND")
    assert status["message"]
    types = [each["@type"].rpartition(".")[2] for each in status["details"]]
    assert "ResourceInfo" in types


async def test_an_error_behind_messages(client):
    id_ = await client.faulty(WATCH, {"interval": "0.001s"}, end=True, code="ABORTED", after=3)
    ticks, status = await client.whole(id_)
    assert len(ticks) == 3
    assert status["status"] == "ABORTED"


@pytest.mark.parametrize(
    ("method", "body", "reason"),
    [
        pytest.param("shop.none.v1.None/None", {}, "METHOD_NOT_FOUND", id="no-such-method"),
        pytest.param(STOCK, {"nope": 1}, "INVALID_BODY", id="no-such-field"),
        pytest.param(STOCK, None, "MISSING_MESSAGE", id="no-message"),
        pytest.param(WATCH, None, "MISSING_MESSAGE", id="no-message-for-a-stream"),
    ],
)
async def test_a_wrong_open_ends_its_stream_only(calm, method, body, reason):
    chat = await calm.joined()
    id_ = await calm.open(method, body, end=True)
    assert reason_of(await calm.end(id_)) == reason
    await calm.echo(chat, 1)


async def test_a_wrong_message_ends_its_stream_only(calm):
    chat, other = await calm.joined(), await calm.open(COUNT, COUNTED)
    await calm.say("message", id=other, body={"nope": 1})
    status = await calm.end(other)
    assert status["status"] == "INVALID_ARGUMENT"
    assert status["message"].startswith("Message 2: ")
    await calm.echo(chat, 1)


# Deadlines and cancellation, as the backend sees them.


@pytest.mark.parametrize("method", [STOCK, WATCH, COUNT, JOIN])
async def test_a_deadline_ends_the_call_at_the_backend_too(client, backend, method):
    before = await backend.counts(f"/{method}")
    id_ = await client.faulty(method, {}, timeout_ms=100, hang=1)
    if method == STOCK:
        await client.say("message", id=id_, end=True)
    assert (await client.end(id_))["status"] == "DEADLINE_EXCEEDED"
    await backend.until_gone(f"/{method}", before)


async def test_the_deadline_travels(client):
    id_ = await client.open(WHO, {}, end=True, timeout_ms=30_000)
    (answer,), _ = await client.whole(id_)
    assert 0 < float(answer["timeRemaining"].removesuffix("s")) <= 30


@pytest.mark.parametrize("method", [STOCK, WATCH, COUNT, JOIN])
async def test_cancel_ends_the_call_at_the_backend(client, backend, method):
    before = await backend.counts(f"/{method}")
    id_ = await client.faulty(method, {}, hang=1)
    await backend.until_started(f"/{method}", before)
    await client.say("cancel", id=id_)
    assert (await client.end(id_))["status"] == "CANCELLED"
    await backend.until_gone(f"/{method}", before)


async def test_a_cancel_amid_messages(client, backend):
    before = await backend.counts(f"/{WATCH}")
    id_ = await client.open(WATCH, {"interval": "0.001s"}, end=True)
    await client.message(id_)
    await client.say("cancel", id=id_)
    assert (await client.end(id_))["status"] == "CANCELLED"
    await backend.until_gone(f"/{WATCH}", before)
    await client.say("credit", id=id_, n=1)  # frames of a stream that has ended are ignored
    await client.say("cancel", id=id_)
    await client.echo(await client.joined(), 1)


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_a_client_that_leaves_cancels_its_calls(native, backend, how):
    before = [await backend.counts(f"/{method}") for method in (WATCH, JOIN)]
    async with socket(native.url) as client:
        await client.joined()
        await client.message(await client.open(WATCH, {"interval": "0.001s"}, end=True))
        if how == "abort":
            client.websocket.transport.abort()
    for method, each in zip((WATCH, JOIN), before, strict=True):
        await backend.until_gone(f"/{method}", each)


# Flow control: what is counted is messages, never time.

FLOOD = {"path": "samples/noise.bin", "size": "104857600", "pieceSize": 65536}


async def test_credit_is_what_the_gateway_may_send(client, backend):
    before = await backend.counts(f"/{DOWNLOAD}")
    id_ = await client.open(DOWNLOAD, FLOOD, end=True, credit=3)
    chat = await client.joined()
    for _ in range(3):
        await client.message(id_)
    await client.echoes(chat, 200)
    assert not client.kept(id_), "more came than was granted"
    await client.say("credit", id=id_, n=2)
    for _ in range(2):
        await client.message(id_)
    await client.echoes(chat, 200)
    assert not client.kept(id_)
    assert (await backend.counts(f"/{DOWNLOAD}")).ended == before.ended, "the backend waits"
    await client.say("cancel", id=id_)
    await backend.until_gone(f"/{DOWNLOAD}", before)


async def test_credit_0_holds_the_reply_of_a_unary_call_back_but_no_status(client):
    held = await client.open(STOCK, {"productId": "p1"}, end=True, credit=0)
    failed = await client.open(STOCK, {"productId": "none"}, end=True, credit=0)
    assert (await client.end(failed))["status"] == "NOT_FOUND"
    assert (await client.of(held))["t"] == "headers"
    await client.echoes(await client.joined(), 50)
    assert not client.kept(held)
    await client.say("credit", id=held, n=1)
    (stock,), status = await client.whole(held)
    assert stock["productId"] == "p1"
    assert status["code"] == 0


async def test_a_backend_that_takes_nothing_gets_no_more_and_its_client_no_credit(client, backend):
    """Bytes: those of the window, of the buffers below it, and those that were allowed anyway."""
    before = await backend.counts(f"/{DIGEST}")
    id_ = await client.faulty(DIGEST, {"data": "AAAA"}, hang=1, after=1)
    await backend.until_started(f"/{DIGEST}", before)
    chat = await client.joined()
    size = 60_000
    body = {"data": base64.b64encode(bytes(size)).decode()}
    wire = len(body["data"]) + 50
    limits = client.welcome["limits"]
    allowed, room, sizes, sent = limits["credit"], limits["buffer"], [], 0
    for _ in range(400):
        while allowed and room >= wire:
            await client.say("message", id=id_, body=body)
            allowed, room, sent = allowed - 1, room - wire, sent + 1
            sizes.append(wire)
        await client.echoes(chat, 20)
        if not client.kept(id_):
            break
        while client.kept(id_):
            frame = await client.of(id_)
            assert frame["t"] == "credit", frame
            allowed += frame["n"]
            room += sum(sizes[: frame["n"]])
            del sizes[: frame["n"]]
    else:
        pytest.fail("it is granted more for ever")
    assert sent * size < 8 * 1024 * 1024
    await client.echoes(chat, 200)
    await client.say("cancel", id=id_)
    assert (await client.end(id_))["status"] == "CANCELLED"
    await backend.until_gone(f"/{DIGEST}", before)


@pytest.mark.parametrize("by", ["messages", "bytes"])
async def test_who_sends_more_than_was_granted_loses_the_stream_only(client, by):
    chat = await client.joined()
    id_ = await client.faulty(DIGEST, {}, hang=1)
    size = 1 if by == "messages" else 100_000
    body = {"data": base64.b64encode(bytes(size)).decode()}
    # One after another, small ones might be passed on, and paid back, faster than they come.
    client.say_at_once(*[{"t": "message", "id": id_, "body": body}] * 50)
    status = await client.end(id_)
    assert status["status"] == "RESOURCE_EXHAUSTED"
    assert reason_of(status) == "FLOW_CONTROL"
    await client.echoes(chat, 10)


async def test_a_message_that_is_too_large_ends_its_stream_only(client):
    chat = await client.joined()
    id_ = await client.open(DIGEST, {})
    body = {"data": base64.b64encode(bytes(1024 * 1024 + 1)).decode()}
    if client.websocket.subprotocol == "grpcws.v1.json":
        body = {"data": body["data"][: 1024 * 1024]}
    await client.say("message", id=id_, body=body)
    status = await client.end(id_)
    assert status["status"] == "RESOURCE_EXHAUSTED"
    assert reason_of(status) == "MESSAGE_TOO_LARGE"
    await client.echo(chat, 1)

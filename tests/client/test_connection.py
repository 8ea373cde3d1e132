"""How a client connects, comes back, moves and leaves, against a scripted gateway."""

from __future__ import annotations

import asyncio
import gc
import http
import ssl
from contextlib import suppress

import pytest
import trustme

from gateway.client import Backoff, Gateway, RefusedError, RpcError, connect
from gateway.client.dialogue import Dialogue
from tests.client.scripted import AT_ONCE, Peer, scripted, session

METHOD = "a.B/C"
OK = {"code": 0, "status": "OK"}
SOON_MS = 30


async def greets(peer: Peer) -> None:
    await peer.greet()


async def answers(peer: Peer) -> None:
    await peer.greet()
    await peer.answer("there")


async def there(gateway: Gateway) -> object:
    """Makes a call, again if it was sent into a socket that was about to end."""
    while True:
        try:
            return await gateway.call(METHOD, {})
        except RpcError as lost:
            assert lost.status == "UNAVAILABLE", lost


def closes(code: int, reason: str = ""):
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.socket.close(code, reason)

    return script


class TestTheFirstConnection:
    async def test_says_hello_and_leaving_the_block_says_goodbye(self):
        async def script(peer: Peer) -> None:
            assert await peer.greet() == {"t": "hello"}
            assert peer.socket.subprotocol == "grpcws.v1.json"
            assert await peer.closed() == 1000

        async with session(script):
            pass

    async def test_headers_go_with_the_handshake(self):
        async def script(peer: Peer) -> None:
            assert peer.socket.request.headers["X-Tenant"] == "t1"
            await peer.greet()

        async with session(script, headers={"X-Tenant": "t1"}):
            pass

    @pytest.mark.parametrize("status", [403, 404, 503])
    async def test_that_is_refused_by_a_status_is_told(self, status):
        async with scripted(
            process_request=lambda s, _: s.respond(http.HTTPStatus(status), "")
        ) as g:
            with pytest.raises(RefusedError) as caught:
                await connect(g.url).__aenter__()
            assert caught.value.code == status
            assert str(status) in str(caught.value)

    @pytest.mark.parametrize("code", [4401, 4000])
    async def test_that_is_closed_instead_of_welcomed_is_told(self, code):
        async def script(peer: Peer) -> None:
            await peer.frame("hello")
            await peer.socket.close(code, "because")

        async with scripted(script) as gateway:
            with pytest.raises(RefusedError) as caught:
                await connect(gateway.url).__aenter__()
        assert (caught.value.code, caught.value.reason) == (code, "because")

    async def test_to_nobody_is_tried_once(self, unused_tcp_port):
        with pytest.raises(OSError, match="Connect call failed"):
            await connect(f"ws://127.0.0.1:{unused_tcp_port}/ws").__aenter__()

    async def test_that_breaks_before_the_welcome_is_told(self):
        async def script(peer: Peer) -> None:
            await peer.frame("hello")
            peer.cut()

        async with scripted(script) as gateway:
            with pytest.raises(ConnectionResetError):
                await connect(gateway.url).__aenter__()

    async def test_without_a_welcome_in_time_fails(self):
        async def script(peer: Peer) -> None:
            await peer.frame("hello")

        async with scripted(script) as gateway:
            with pytest.raises(TimeoutError, match="welcome"):
                await connect(gateway.url, open_timeout=0.1).__aenter__()

    async def test_to_what_is_no_websocket_fails(self):
        async def babble(_, writer) -> None:
            writer.write(b"SSH-2.0-x\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(ConnectionError, match="handshake failed"):
                await connect(f"ws://127.0.0.1:{port}/ws").__aenter__()

    async def test_to_one_that_does_not_speak_the_framing_is_refused(self):
        async with scripted(Peer.closed, subprotocols=None) as gateway:
            with pytest.raises(RefusedError, match="spoken"):
                await connect(gateway.url, subprotocol="grpcws.v1.proto").__aenter__()

    async def test_json_is_spoken_where_no_subprotocol_is_agreed_on(self):
        async with scripted(answers, subprotocols=None) as gateway, connect(gateway.url) as client:
            assert await there(client) == "there"

    async def test_tls(self):
        authority = trustme.CA()
        ours, theirs = (
            ssl.create_default_context(),
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
        )
        authority.configure_trust(ours)
        authority.issue_cert("127.0.0.1").configure_cert(theirs)
        async with scripted(answers, ssl=theirs) as gateway:
            url = gateway.url.replace("ws://", "wss://")
            async with connect(url, ssl=ours) as client:
                assert await there(client) == "there"


class TestComingBack:
    @pytest.mark.parametrize("code", [1001, 1011, 4000, 4001, 4002, 4003])
    async def test_after_a_close_that_asks_for_it(self, code):
        async with session(closes(code), answers) as gateway:
            assert await there(gateway) == "there"

    async def test_after_a_break(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            peer.cut()

        async with session(script, answers) as gateway:
            assert await there(gateway) == "there"

    async def test_streams_that_were_open_are_lost_and_calls_that_were_not_sent_wait(self):
        async def breaks(peer: Peer) -> None:
            await peer.greet(limits={"streams": 1, "message_size": 9, "credit": 1, "buffer": 9})
            await peer.frame("open")
            peer.cut()

        async with session(breaks, answers) as gateway:
            first, second = await asyncio.gather(
                gateway.call(METHOD, 1), gateway.call(METHOD, 2), return_exceptions=True
            )
            assert isinstance(first, RpcError)
            assert first.status == "UNAVAILABLE"
            assert second == "there"

    async def test_handshakes_that_fail_for_now_are_made_again(self):
        answers_by = iter([None, 503, 429, None])

        def process(socket, _):
            status = next(answers_by)
            return None if status is None else socket.respond(http.HTTPStatus(status), "")

        async with (
            scripted(closes(4000), answers, process_request=process) as gateway,
            connect(gateway.url, backoff=AT_ONCE) as client,
        ):
            assert await there(client) == "there"

    async def test_waits_longer_after_each_attempt_that_failed(self):
        draws = []

        class Drawn(Backoff):
            def delay(self, attempt: int) -> float:
                draws.append(attempt)
                return 0.0

        async with session(closes(4001), closes(4001), closes(4001), answers, backoff=Drawn()) as g:
            assert await there(g) == "there"
        assert draws == [0, 1, 2]

    async def test_a_connection_that_has_lasted_begins_anew(self):
        draws = []

        class Drawn(Backoff):
            def delay(self, attempt: int) -> float:
                draws.append(attempt)
                return 0.0

        scripts = closes(4001), closes(4001), answers
        async with session(*scripts, backoff=Drawn(steady=0.0)) as gateway:
            assert await there(gateway) == "there"
        assert draws == [0, 0]

    async def test_an_idle_client_that_was_sent_away_comes_back_for_the_next_call(self):
        closed = asyncio.Event()

        async def idles(peer: Peer) -> None:
            await peer.greet()
            await peer.socket.close(4000, "idle")
            closed.set()

        async with (
            scripted(idles, answers) as gateway,
            connect(gateway.url, backoff=AT_ONCE) as client,
        ):
            await closed.wait()
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(gateway.peers) == 1
            assert await there(client) == "there"

    @pytest.mark.parametrize("code", [4400, 4401, 4403, 4409, 4413, 4429])
    async def test_not_after_a_close_that_forbids_it(self, code):
        async def refuses(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            await peer.socket.close(code, "because")

        async with session(refuses) as gateway:
            with pytest.raises(RpcError, match="UNAVAILABLE"):
                await gateway.call(METHOD, {})
            with pytest.raises(RefusedError) as caught:
                for _ in range(100):
                    await gateway.call(METHOD, {})
            assert (caught.value.code, caught.value.reason) == (code, "because")
            with pytest.raises(RefusedError):
                await gateway.auth("t")

    @pytest.mark.parametrize(
        "data", ['{"t":"message","id":7,"body":1}', '{"t":"message"}', "{", b"{}"], ids=repr
    )
    async def test_not_to_a_gateway_that_breaks_the_protocol(self, data):
        async def breaks(peer: Peer) -> None:
            await peer.greet()
            await peer.socket.send(data)
            assert await peer.closed() == 4400

        async with session(breaks) as gateway:
            with pytest.raises((RefusedError, RpcError)):
                await gateway.call(METHOD, {})

    async def test_a_dead_connection_is_found_by_its_silence(self):
        async def dies(peer: Peer) -> None:
            await peer.greet(ping_ms=SOON_MS)
            await peer.frame("open")
            assert (await peer.frame("ping"))["data"] == ""
            await peer.say("pong")
            await peer.frame("ping")
            await peer.closed()

        async with session(dies, answers) as gateway:
            with pytest.raises(RpcError, match="UNAVAILABLE"):
                async with gateway.stream(METHOD) as stream:
                    await anext(stream)
            assert await there(gateway) == "there"

    async def test_not_after_a_message_larger_than_is_taken(self):
        async def floods(peer: Peer) -> None:
            await peer.greet()
            await peer.say("ping", data="x" * 2000)
            assert await peer.closed() == 1009

        async with session(floods, message_size=1000) as gateway:
            with pytest.raises((RefusedError, RpcError)):
                await gateway.call(METHOD, {})

    async def test_a_failure_of_the_clients_own_is_reported_and_ends_one_link(self, monkeypatch):
        reports = []
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))
        bug = LookupError("bug")

        async def provokes(peer: Peer) -> None:
            await peer.greet()
            await peer.say("ping", data="provoke")

        receive = Dialogue.receive

        def fails(self, data, now):
            if "provoke" in data:
                raise bug
            receive(self, data, now)

        monkeypatch.setattr(Dialogue, "receive", fails)
        async with session(provokes, answers) as gateway:
            assert await there(gateway) == "there"
        assert [report["exception"] for report in reports] == [bug]

    async def test_a_backoff_that_fails_is_reported_and_ends_the_client(self):
        reports = []
        asyncio.get_running_loop().set_exception_handler(lambda _, report: reports.append(report))

        class Broken(Backoff):
            def delay(self, attempt: int) -> float:
                raise LookupError("bug")

        async with session(closes(4001), backoff=Broken()) as gateway:
            with pytest.raises((RefusedError, RpcError), match=r"the client failed|broke"):
                await gateway.call(METHOD, {})
        assert isinstance(reports[0]["exception"], LookupError)


class TestGoaway:
    async def test_old_streams_end_on_the_old_socket_and_new_ones_go_to_the_new_one(self):
        moved = asyncio.Event()

        async def old(peer: Peer) -> None:
            await peer.greet(session="old")
            await peer.frame("open")
            await peer.say("goaway", reason="max_age", reconnect_ms=1)
            await peer.say("headers", id=1, metadata=[])
            await moved.wait()
            await peer.say("message", id=1, body="old")
            await peer.say("status", id=1, **OK)
            assert await peer.closed() == 1000

        async with session(old, answers) as gateway, gateway.stream(METHOD) as stream:
            await stream.headers()
            assert await there(gateway) == "there"
            moved.set()
            assert [event async for event in stream] == ["old"]

    async def test_what_fails_meanwhile_is_tried_again_while_the_old_socket_serves(self):
        async def old(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            await peer.say("goaway", reason="draining", reconnect_ms=0)
            await peer.say("headers", id=1, metadata=[])

        async def fails(peer: Peer) -> None:
            await peer.frame("hello")
            peer.cut()

        async with session(old, fails, answers) as gateway, gateway.stream(METHOD) as stream:
            await stream.headers()
            assert await there(gateway) == "there"

    async def test_a_session_that_can_be_resumed_moves_with_its_streams(self):
        async def old(peer: Peer) -> None:
            await peer.greet(session="one", resume_ms=30_000)
            await peer.frame("open")
            await peer.say("message", id=1, body=1, seq=1)
            await peer.say("goaway", reason="max_age", reconnect_ms=1)
            await peer.closed()

        async def new(peer: Peer) -> None:
            resumed = [{"id": 1, "seq": 0, "granted": 4}]
            more = {"session": "one", "resume_ms": 30_000, "resumed": resumed, "last_id": 1}
            hello = await peer.greet(**more)
            assert hello["session"] == "one"
            assert hello["seen"] == {"1": 1}
            assert hello["granted"] == {"1": 64}
            await peer.say("message", id=1, body=2, seq=2)
            await peer.say("status", id=1, **OK, seq=3)
            assert await peer.frame("credit") == {"t": "credit", "id": 1, "n": 0, "seq": 3}

        async with session(old, new, resume=True) as gateway, gateway.stream(METHOD) as stream:
            assert [event async for event in stream] == [1, 2]

    async def test_where_the_new_socket_does_not_have_it_its_streams_end_on_the_old_one(self):
        moved = asyncio.Event()

        async def old(peer: Peer) -> None:
            await peer.greet(session="one", resume_ms=30_000)
            await peer.frame("open")
            await peer.say("goaway", reason="draining", reconnect_ms=1)
            await moved.wait()
            await peer.say("message", id=1, body="old", seq=1)
            await peer.say("status", id=1, **OK, seq=2)

        async def another(peer: Peer) -> None:
            await peer.greet(session="two", resume_ms=30_000, lost=[1])
            moved.set()

        async with session(old, another, resume=True) as gateway, gateway.stream(METHOD) as stream:
            assert [event async for event in stream] == ["old"]


class TestResuming:
    async def test_a_call_survives_a_break(self):
        async def breaks(peer: Peer) -> None:
            hello = await peer.greet(session="one", resume_ms=30_000)
            assert hello["features"] == ["resume"]
            await peer.frame("open")
            assert (await peer.frame("message"))["seq"] == 1
            await peer.say("message", id=1, body="a", seq=1)
            peer.cut()

        async def goes_on(peer: Peer) -> None:
            resumed = [{"id": 1, "seq": 0, "granted": 4}]
            more = {"session": "one", "resume_ms": 30_000, "resumed": resumed, "last_id": 1}
            hello = await peer.greet(**more)
            assert hello["session"] == "one"
            again = await peer.frame("message")
            assert (again["body"], again["seq"]) == (1, 1)
            await peer.say("message", id=1, body="a", seq=1)
            await peer.say("message", id=1, body="b", seq=2)
            await peer.say("status", id=1, **OK, seq=3)

        async with session(breaks, goes_on, resume=True) as g, g.stream(METHOD) as stream:
            await stream.send(1)
            assert [event async for event in stream] == ["a", "b"]

    async def test_a_call_whose_session_is_gone_is_unavailable(self):
        async def breaks(peer: Peer) -> None:
            await peer.greet(session="one", resume_ms=30_000)
            await peer.frame("open")
            peer.cut()

        async def anew(peer: Peer) -> None:
            assert (await peer.greet(session="two", resume_ms=30_000, lost=[1]))["session"] == "one"
            await peer.answer("there")

        async with session(breaks, anew, resume=True) as gateway:
            with pytest.raises(RpcError, match="UNAVAILABLE"):
                await gateway.call(METHOD, {})
            assert await there(gateway) == "there"

    async def test_calls_are_not_waited_for_longer_than_the_gateway_keeps_them(self):
        async def breaks(peer: Peer) -> None:
            await peer.greet(session="one", resume_ms=SOON_MS)
            await peer.frame("open")
            peer.cut()

        async with session(breaks, resume=True, backoff=Backoff(60, 60, random=lambda: 1.0)) as g:
            with pytest.raises(RpcError, match="UNAVAILABLE"):
                await g.call(METHOD, {})

    async def test_a_welcome_that_is_on_its_way_is_waited_for(self):
        async def breaks(peer: Peer) -> None:
            await peer.greet(session="one", resume_ms=SOON_MS)
            await peer.frame("open")
            peer.cut()

        async def hesitates(peer: Peer) -> None:
            await asyncio.sleep(2 * SOON_MS / 1000)  # the client's time for it is over
            resumed = [{"id": 1, "seq": 0, "granted": 4}]
            await peer.greet(session="one", resume_ms=SOON_MS, resumed=resumed, last_id=1)
            await peer.say("message", id=1, body="there", seq=1)
            await peer.say("status", id=1, **OK, seq=2)

        async with session(breaks, hesitates, resume=True) as gateway:
            assert await gateway.call(METHOD, {}) == "there"

    async def test_where_the_gateway_does_not_resume_calls_are_lost(self):
        async def breaks(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            peer.cut()

        async def anew(peer: Peer) -> None:
            assert "session" not in await peer.greet()
            await peer.answer("there")

        async with session(breaks, anew, resume=True) as gateway:
            with pytest.raises(RpcError, match="UNAVAILABLE"):
                await gateway.call(METHOD, {})
            assert await there(gateway) == "there"


class TestTokens:
    async def test_a_function_is_asked_for_each_connection(self):
        tokens = iter(["one", "two"])

        def expects(token: str, code: int | None):
            async def script(peer: Peer) -> None:
                assert (await peer.greet())["token"] == token
                if code is not None:
                    await peer.socket.close(code)
                else:
                    await peer.answer("there")

            return script

        scripts = expects("one", 4003), expects("two", None)
        async with session(*scripts, token=lambda: next(tokens)) as gateway:
            assert await there(gateway) == "there"

    async def test_one_that_expires_is_renewed(self):
        async def token() -> str:
            return "new"

        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.say("auth_expiring", token_s=30)
            assert await peer.frame("auth") == {"t": "auth", "token": "new"}
            await peer.say("auth_ok")
            await peer.answer("there")

        async with session(script, token=token) as gateway:
            assert await there(gateway) == "there"

    async def test_one_can_be_given_at_any_time_and_holds_for_later_connections(self):
        async def first(peer: Peer) -> None:
            assert (await peer.greet())["token"] == "old"
            assert (await peer.frame("auth"))["token"] == "new"
            await peer.say("auth_ok")
            await peer.socket.close(4001)

        async def second(peer: Peer) -> None:
            assert (await peer.greet())["token"] == "new"
            await peer.answer("there")

        async with session(first, second, token="old") as gateway:
            await gateway.auth("new")
            assert await there(gateway) == "there"

    async def test_one_that_is_not_taken_is_told(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("auth")
            await peer.socket.close(4403, "another subject")

        async with session(script, token="old") as gateway:
            with pytest.raises(RefusedError, match="another subject"):
                await gateway.auth("new")

    async def test_one_that_is_awaited_when_the_client_closes_is_told(self):
        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("auth")

        async with scripted(script) as gateway:
            async with connect(gateway.url) as client:
                waits = asyncio.create_task(client.auth("new"))
                await gateway.all_played()
            with pytest.raises(RuntimeError, match="block was left"):
                await waits

    async def test_one_that_nobody_waits_for_any_more_is_taken_all_the_same(self):
        given_up = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("auth")
            await given_up.wait()
            await peer.say("auth_ok")
            await peer.answer("there")

        async with session(script) as gateway:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(gateway.auth("new"), 0.05)
            given_up.set()
            assert await there(gateway) == "there"

    async def test_one_that_can_not_be_renewed_is_left_to_expire(self, caplog):
        given = iter(["one", LookupError("no token"), "two"])

        def token() -> str:
            each = next(given)
            if isinstance(each, Exception):
                raise each
            return each

        async def expires(peer: Peer) -> None:
            await peer.greet()
            await peer.say("auth_expiring", token_s=0)
            await peer.socket.close(4003)

        async def anew(peer: Peer) -> None:
            assert (await peer.greet())["token"] == "two"
            await peer.answer("there")

        async with session(expires, anew, token=token) as gateway:
            assert await there(gateway) == "there"
        assert "no new token could be had" in caplog.text

    async def test_one_that_is_refused_is_asked_for_once_more(self):
        tokens = iter(["one", "two", "three"])

        async def refuses(peer: Peer) -> None:
            assert (await peer.frame("hello"))["token"] == "two"
            await peer.socket.close(4401, "it has expired")

        async def takes(peer: Peer) -> None:
            assert (await peer.greet())["token"] == "three"
            await peer.answer("there")

        async with session(closes(4001), refuses, takes, token=lambda: next(tokens)) as gateway:
            assert await there(gateway) == "there"

    async def test_one_that_is_refused_on_an_open_socket_is_asked_for_once_more(self):
        async def refuses(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("auth")
            await peer.socket.close(4401, "nobody knows it")

        async with session(refuses, answers, token=lambda: "t") as gateway:
            with pytest.raises(RefusedError, match="nobody knows it"):
                await gateway.auth("bad")
            assert await there(gateway) == "there"

    async def test_and_no_more_than_once(self):
        async def refuses(peer: Peer) -> None:
            await peer.frame("hello")
            await peer.socket.close(4401, "nobody knows it")

        scripts = closes(4001), refuses, refuses
        async with session(*scripts, token=lambda: "t") as gateway:
            with pytest.raises(RefusedError, match="nobody knows it"):
                while True:
                    with suppress(RpcError):
                        await gateway.call(METHOD, {})

    async def test_a_fixed_one_that_is_refused_ends_it(self):
        async def refuses(peer: Peer) -> None:
            await peer.frame("hello")
            await peer.socket.close(4401, "nobody knows it")

        async with session(closes(4001), refuses, token="t") as gateway:
            with pytest.raises(RefusedError, match="nobody knows it"):
                while True:
                    with suppress(RpcError):
                        await gateway.call(METHOD, {})

    async def test_a_function_that_fails_at_first_fails_the_connection(self):
        def token():
            raise LookupError("no token")

        with pytest.raises(LookupError):
            await connect("ws://127.0.0.1:1/ws", token=token).__aenter__()

    async def test_one_that_fails_later_is_asked_again(self, caplog):
        given = iter(["one", LookupError("no token"), "two"])

        def token() -> str:
            each = next(given)
            if isinstance(each, Exception):
                raise each
            return each

        async with session(closes(4001), answers, token=token) as gateway:
            assert await there(gateway) == "there"
        assert "no token" in caplog.text


class TestLeaving:
    async def test_calls_that_are_left_are_cancelled_at_both_sides(self):
        opened = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.greet()
            await peer.frame("open")
            opened.set()
            await peer.frame("cancel")
            assert await peer.closed() == 1000

        async with session(script) as gateway:
            left = asyncio.create_task(gateway.call(METHOD, {}))
            await opened.wait()
        with pytest.raises(RpcError, match="CANCELLED"):
            await left

    async def test_calls_that_wait_for_a_connection_are_cancelled(self):
        never = Backoff(60, 60, random=lambda: 1.0)
        async with session(closes(4001), backoff=never) as gateway:
            with pytest.raises(RpcError, match="UNAVAILABLE"):
                async with gateway.stream(METHOD) as stream:
                    await stream.send(1)
                    await anext(stream)
            waits = asyncio.create_task(gateway.call(METHOD, {}))
            await asyncio.sleep(0)
        with pytest.raises(RpcError, match="CANCELLED"):
            await waits

    async def test_a_gateway_that_does_not_answer_the_goodbye_is_left_all_the_same(
        self, monkeypatch
    ):
        monkeypatch.setattr("gateway.client.connection._STOP_SECONDS", 0.05)

        async def script(peer: Peer) -> None:
            await peer.greet()
            peer.socket.transport.pause_reading()

        async with scripted(script) as gateway:
            async with connect(gateway.url):
                await gateway.all_played()
            gateway.peers[0].cut()

    async def test_a_call_that_was_prepared_can_not_begin_any_more(self):
        async with session(greets) as gateway:
            stream = gateway.stream(METHOD)
        with pytest.raises(RuntimeError, match="block was left"):
            await stream.__aenter__()

    async def test_a_gateway_can_be_connected_to_again(self):
        async with scripted(greets, answers) as gateway:
            client = connect(gateway.url)
            async with client:
                await gateway.played.acquire()
                with pytest.raises(RuntimeError, match="connected already"):
                    await client.__aenter__()
            async with client:
                assert await there(client) == "there"

    async def test_no_task_is_left_and_no_failure_unseen(self):
        seen = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
        before = asyncio.all_tasks()
        async with scripted(closes(4001), closes(4001), answers) as gateway:
            async with connect(gateway.url, backoff=AT_ONCE) as client:
                assert await there(client) == "there"
                async with client.stream(METHOD) as stream:
                    stream.cancel()
            ours = {task for task in asyncio.all_tasks() - before if "client" in repr(task)}
            assert not ours
        gc.collect()
        assert not seen

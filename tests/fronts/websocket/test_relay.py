"""Which worker drives a socket: one that has its session and answers, or the one it came to."""

import asyncio
import json
import stat
import tempfile
from pathlib import Path

import pytest

from gateway.call import Principal
from gateway.fronts.websocket.driver import SocketDriver
from gateway.fronts.websocket.front import FRAMINGS, FrontOptions, WebsocketFront
from gateway.fronts.websocket.identity import Identity
from gateway.fronts.websocket.relay import Relay
from gateway.fronts.websocket.relay_records import Kind, arriving
from gateway.fronts.websocket.sessions import Sessions
from gateway.fronts.websocket.sockets import SocketOptions, Sockets
from gateway.http.certificate import Certificate
from tests.fronts.websocket.relays import Client, Wire, arrival, turns

JSON = FRAMINGS["grpcws.v1.json"]


@pytest.fixture
def folder():
    # Not pytest's: a Unix socket's path has about a hundred bytes.
    with tempfile.TemporaryDirectory(prefix="relay-") as name:
        yield Path(name) / "meeting"


@pytest.fixture
async def relays(folder):
    """Makes relays, which adopt all there is or what a test says."""
    made = []
    folder.mkdir(mode=0o700)

    async def make(worker, adopt=None, **options):
        relay = Relay(folder, worker, adopt or (lambda socket, _: listens(socket)), **options)
        await relay.open()
        made.append(relay)
        return relay

    yield make
    for relay in made:
        await relay.drain(0)
    await turns(10)


def listens(socket, got=None):
    socket.listen((got if got is not None else []).append, lambda *_: None)
    return True


async def until(check):
    async with asyncio.timeout(20):
        while not check():
            await asyncio.sleep(0)


def open_files():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


# Whom a session names.


async def test_the_worker_that_a_session_names_drives_the_socket(relays):
    got = []
    here = await relays(1)
    await relays(2, lambda socket, _: listens(socket, got))
    client = Client()
    assert await here.take(arrival("2.f"), client, "hello")
    client.say("more")
    await until(lambda: got == ["hello", "more"])


@pytest.mark.parametrize(
    "session",
    [
        pytest.param("1.f", id="this one"),
        pytest.param("3.f", id="one that there is not"),
        pytest.param("0.f", id="a single process"),
        pytest.param("", id="nothing"),
        pytest.param(".f", id="no number"),
        pytest.param("02.f", id="a leading zero"),
        pytest.param("+2.f", id="a sign"),
        pytest.param(" 2.f", id="a space"),
        pytest.param("2\n.f", id="a line end"),
        pytest.param("\u0662.f", id="another script's digit"),
        pytest.param("\uff12.f", id="a wide digit"),
        pytest.param("2" * 5 + ".f", id="five digits"),
        pytest.param("2" * 100_000, id="a huge number"),
        pytest.param("../meeting/2.f", id="a path"),
        pytest.param("2.sock\0.f", id="a file"),
    ],
)
async def test_a_session_of_no_other_worker_stays(relays, session):
    here = await relays(1)
    await relays(2, lambda *_: pytest.fail("nobody is asked"))
    client = Client()
    assert not await here.take(arrival(session), client, "hello")
    assert client.is_open
    assert client.held


async def test_a_session_that_its_worker_does_not_have_stays_and_leaves_nothing_open(relays):
    here = await relays(1)
    await relays(2, lambda *_: False)
    before = open_files()
    for _ in range(20):
        client = Client()
        assert not await here.take(arrival("2.f"), client, "hello")
        assert client.is_open
    await until(lambda: open_files() == before)


async def test_a_worker_that_died_has_nothing(relays, folder):
    here = await relays(1)
    there = await relays(2)
    there._server.close()  # as a process that ends: its file stays
    assert (folder / "2.sock").exists()
    assert not await here.take(arrival("2.f"), Client(), "hello")


async def test_the_next_process_of_a_number_takes_the_place_of_the_one_that_died(relays):
    here = await relays(1)
    (await relays(2, lambda *_: pytest.fail("it is dead")))._server.close()
    await relays(2)
    assert await here.take(arrival("2.f"), Client(), "hello")


async def test_a_worker_that_does_not_answer_in_time_is_not_waited_for(relays, folder):
    here = await relays(1, patience=0.05)
    loop = asyncio.get_running_loop()
    silent = await loop.create_unix_server(asyncio.Protocol, folder / "2.sock")
    before = open_files()
    client = Client()
    assert not await here.take(arrival("2.f"), client, "hello")
    assert client.is_open
    await until(lambda: open_files() == before)
    silent.close()


async def test_a_client_that_leaves_meanwhile_leaves_nothing_open(relays, folder):
    here = await relays(1)
    accepted = asyncio.Event()

    class Silent(asyncio.Protocol):
        def data_received(self, _data):
            accepted.set()

    loop = asyncio.get_running_loop()
    silent = await loop.create_unix_server(Silent, folder / "2.sock")
    before = open_files()
    taking = asyncio.ensure_future(here.take(arrival("2.f"), Client(), "hello"))
    await accepted.wait()
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    await until(lambda: open_files() == before)
    silent.close()


# How many.


async def test_many_are_relayed_at_once_and_none_leaves_a_descriptor(relays):
    here, got = await relays(1), []
    await relays(2, lambda socket, _: listens(socket, got))
    before = open_files()
    clients = [Client() for _ in range(200)]
    taken = await asyncio.gather(*(here.take(arrival("2.f"), each, "x") for each in clients))
    assert all(taken)
    await until(lambda: len(got) == 200)
    for client in clients:
        client.leave()
    await until(lambda: open_files() == before)


async def test_more_than_may_be_relayed_stay(relays):
    here = await relays(1)
    await relays(2, most=2)
    clients = [Client() for _ in range(3)]
    taken = [await here.take(arrival("2.f"), each, "hello") for each in clients]
    assert taken == [True, True, False]
    clients[0].leave()
    await turns(10)
    assert await here.take(arrival("2.f"), clients[2], "hello")


# The folder.


async def test_a_path_too_long_for_a_unix_socket_is_said(folder):
    with pytest.raises(OSError, match="too long"):
        await Relay(folder / ("x" * 120), 1, lambda *_: True).open()


async def test_a_folder_that_is_gone_is_said_and_no_session_is_found(folder, relays):
    here = await relays(1)
    (folder / "1.sock").unlink()
    folder.rmdir()
    assert not await here.take(arrival("2.f"), Client(), "hello")
    with pytest.raises(FileNotFoundError):
        await Relay(folder, 2, lambda *_: True).open()


async def test_the_last_one_to_leave_takes_the_folder_along(relays, folder):
    first, second = await relays(1), await relays(2)
    assert stat.S_ISSOCK((folder / "1.sock").stat().st_mode)
    await first.drain(0)
    assert [each.name for each in folder.iterdir()] == ["2.sock"]
    await second.drain(0)
    assert not folder.exists()


# The end.


async def test_a_drain_asks_each_socket_and_ends_with_the_last(relays):
    asked, here = [], await relays(1)

    def adopt(socket, _):
        socket.listen(lambda _: None, lambda *_: None, lambda: asked.append(socket))
        return True

    there = await relays(2, adopt)
    clients = [Client(), Client()]
    for client in clients:
        assert await here.take(arrival("2.f"), client, "hello")
    draining = asyncio.ensure_future(there.drain(3600))
    await turns()
    assert len(asked) == 2
    for socket, client in zip(asked, clients, strict=True):
        assert not draining.done()
        socket.close(4000, "")
        await until(lambda: any(each.ended for each in clients))
        client.leave()
    async with asyncio.timeout(20):
        await draining


async def test_what_is_left_at_the_end_of_a_drain_is_closed(relays):
    ends, here = [], await relays(1)

    def adopt(socket, _):
        socket.listen(lambda _: None, lambda *end: ends.append(end), lambda: None)
        return True

    there = await relays(2, adopt)
    client = Client()
    assert await here.take(arrival("2.f"), client, "hello")
    await there.drain(0)
    assert ends == [(1006, "")]
    await until(lambda: client.ended == (4000, "going away"))


async def test_a_worker_that_drains_takes_no_more(relays):
    here, there = await relays(1), await relays(2)
    await there.drain(0)
    assert not await here.take(arrival("2.f"), Client(), "hello")


async def test_who_was_accepted_before_a_drain_and_asks_later_is_refused(relays):
    there = await relays(2, lambda *_: pytest.fail("it takes no more"))
    early = Wire(there._accepted())
    await there.drain(0)
    late = Wire(there._accepted())
    late.tell(Kind.ARRIVED, arriving(arrival("2.f")))
    assert [(each.sent, each.closed) for each in (early, late)] == [([], True)] * 2


# With the drivers of sockets.


class Worker:
    """One worker's sockets: sessions of its own, and the relay to others'."""

    def __init__(self, number, folder, **options):
        self.sessions = Sessions(str(number))
        given = SocketOptions(**{"resume": 60.0, "authenticate": named, **options})
        self.shared = Sockets(lambda _: None, self.sessions, given)
        self.front = WebsocketFront(self.shared, FrontOptions(), {}, None, None)
        self.relay = Relay(folder, number, self.front.adopt)

    async def open(self):
        await self.relay.open()
        self.sessions.elsewhere = self.relay
        return self

    def drive(self, client, framing=JSON, **request):
        SocketDriver(client, arrival(**request).request, framing, self.shared)


async def named(credentials):
    """A token is the name of its subject."""
    if credentials.token is None:
        return Identity()
    return Identity(Principal(credentials.token, "test"))


@pytest.fixture
async def workers(folder):
    folder.mkdir(mode=0o700)
    made = []

    async def make(number, **options):
        worker = await Worker(number, folder, **options).open()
        made.append(worker)
        return worker

    yield make
    for worker in made:
        await worker.relay.drain(0)
        worker.sessions.close()
    await turns(10)


async def said(client, worker, *frames, **request):
    """Says hello, with what stands behind it; returns the first frame, or the close code."""
    worker.drive(client, **request)
    client.say(*map(json.dumps, frames))
    await until(lambda: client.got or client.ended)
    return json.loads(client.got[0]) if client.got else client.ended[0]


def hello(**members):
    return {"t": "hello", "features": ["resume"], **members}


async def begun(worker, **members):
    """A session whose client was cut off."""
    client = Client()
    welcome = await said(client, worker, hello(**members))
    client.leave(1006)
    return welcome["session"]


async def test_a_session_is_gone_on_with_at_its_worker(workers):
    here, there = await workers(1), await workers(2)
    session = await begun(there)
    client = Client()
    ping = {"t": "ping", "data": "right behind hello"}
    welcome = await said(client, here, hello(session=session), ping)
    assert (welcome["session"], welcome["lost"]) == (session, [])
    await until(lambda: len(client.got) == 2)
    assert json.loads(client.got[1]) == {"t": "pong", "data": "right behind hello"}


async def test_a_session_that_is_gone_begins_anew_where_the_client_is(workers):
    here, _ = await workers(1), await workers(2)
    client = Client()
    welcome = await said(client, here, hello(session="2.f", seen={"7": 1}))
    assert welcome["session"].startswith("1.")
    assert welcome["lost"] == [7]


async def test_the_owner_sees_that_it_is_the_same_subject(workers):
    here, there = await workers(1), await workers(2)
    session = await begun(there, token="ann")
    for token in ({"token": "bob"}, {}):
        assert await said(Client(), here, hello(session=session, **token)) == 4403
    welcome = await said(Client(), here, hello(session=session, token="ann"))
    assert welcome["session"] == session


async def by_certificate(credentials):
    """Knows clients by their certificates, and, of a token, whose it is."""
    certificate = credentials.head.certificate
    return Identity(Principal(certificate.subject, credentials.token or "tls"))


async def test_the_owner_knows_the_client_by_all_that_its_handshake_showed(workers):
    options = {"authenticate": by_certificate}
    here, there = await workers(1, **options), await workers(2, **options)
    ann, bob = (Certificate(f"CN={name}") for name in ("ann", "bob"))
    first = Client()
    session = (await said(first, there, hello(), certificate=ann))["session"]
    first.leave(1006)
    assert await said(Client(), here, hello(session=session), certificate=bob) == 4403
    client = Client()
    welcome = await said(client, here, hello(session=session), certificate=ann)
    assert welcome["session"] == session
    assert there.sessions.find(session).request.certificate == ann


async def test_the_owner_looks_at_new_tokens(workers):
    here, there = await workers(1), await workers(2)
    session = await begun(there, token="ann")
    client = Client()
    await said(client, here, hello(session=session, token="ann"))
    client.say(json.dumps({"t": "auth", "token": "ann"}))
    await until(lambda: len(client.got) == 2)
    assert json.loads(client.got[1])["t"] == "auth_ok"
    client.say(json.dumps({"t": "auth", "token": "bob"}))
    await until(lambda: client.ended)
    assert client.ended[0] == 4403


async def test_a_socket_that_is_open_at_the_owner_is_taken_over(workers):
    here, there = await workers(1), await workers(2)
    old, new, newer = Client(), Client(), Client()
    session = (await said(old, there, hello()))["session"]
    assert (await said(new, here, hello(session=session)))["session"] == session
    assert old.ended == (4000, "taken over")
    old.leave(4000)
    assert (await said(newer, there, hello(session=session)))["session"] == session
    await until(lambda: new.ended == (4000, "taken over"))


async def test_a_client_that_asks_for_no_resumption_is_not_relayed(workers):
    here, there = await workers(1), await workers(2)
    session = await begun(there)
    welcome = await said(Client(), here, {"t": "hello", "session": session})
    assert welcome["session"].startswith("1.")


@pytest.mark.parametrize("off", [1, 2])
async def test_where_one_of_them_resumes_no_more_a_session_begins_anew(workers, off):
    """Workers follow a reload one after the other."""
    here, there = await workers(1), await workers(2)
    session = await begun(there)
    worker = (here, there)[off - 1]
    fresh = Sockets(lambda _: None, worker.sessions, SocketOptions(resume=0.0))
    worker.shared = fresh
    worker.front._sockets = fresh
    welcome = await said(Client(), here, hello(session=session))
    assert welcome["session"].startswith("1.")


async def test_a_relay_that_dies_leaves_the_session_waiting(workers):
    here, there = await workers(1), await workers(2)
    session = await begun(there)
    client = Client()
    await said(client, here, hello(session=session))
    (socket,) = there.relay._sockets
    socket.link._transport.abort()
    await until(lambda: client.ended)
    assert client.ended == (4000, "going away")
    assert (await said(Client(), there, hello(session=session)))["session"] == session


async def test_a_client_that_leaves_for_good_ends_its_session_at_the_owner(workers):
    here, there = await workers(1), await workers(2)
    session = await begun(there)
    client = Client()
    await said(client, here, hello(session=session))
    client.leave(1000)
    await until(lambda: there.sessions.find(session) is None)

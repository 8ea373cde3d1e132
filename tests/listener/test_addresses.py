import socket
from pathlib import Path

import pytest

from gateway.listener import Listener, ListenError
from gateway.listener.addresses import TcpAddress, UnixAddress, bind, parse, share
from gateway.listener.limits import Limits


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("127.0.0.1:8080", TcpAddress("127.0.0.1", 8080), id="IPv4"),
        pytest.param("localhost:0", TcpAddress("localhost", 0), id="a name, any port"),
        pytest.param("[::1]:80", TcpAddress("::1", 80), id="IPv6"),
        pytest.param("unix:/run/gw.sock", UnixAddress(Path("/run/gw.sock")), id="Unix"),
        pytest.param("unix:gw.sock", UnixAddress(Path("gw.sock")), id="Unix, relative"),
    ],
)
def test_parse(text, address):
    assert parse(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8080",
        ":8080",
        "127.0.0.1",
        "127.0.0.1:",
        "::1:80",
        "[::1]",
        "a:b",
        "a:65536",
        "a:-1",
        "unix:",
        "http://a:1",
    ],
)
def test_what_is_no_address_is_named(text):
    with pytest.raises(ListenError, match="expected host:port"):
        parse(text)


async def test_several_addresses_with_free_ports(listen, connect, echo):
    listener = await listen(echo, addresses=["127.0.0.1:0", "127.0.0.1:0"])
    assert len(set(listener.urls)) == 2
    for url in listener.urls:
        assert url.startswith("http://127.0.0.1:")
        assert not url.endswith(":0")


async def test_ipv6(listen, connect, echo):
    listener = await listen(echo, addresses=["[::1]:0"])
    assert listener.urls[0].startswith("http://[::1]:")
    client = await connect(listener)
    assert b'"peer": "::1"' in (await client.get()).body


async def test_unix_socket(listen, connect, echo, tmp_path):
    path = tmp_path / "gw.sock"
    listener = await listen(echo, addresses=[f"unix:{path}"])
    assert listener.urls == (f"unix:{path}",)
    client = await connect(listener)
    assert b'"peer": ""' in (await client.get()).body
    await listener.drain(1)
    assert not path.exists()


@pytest.mark.parametrize(
    ("trusted", "peer"),
    [([], ""), (["127.0.0.0/8"], ""), (["unix"], "203.0.113.7"), (["unix", "::1"], "203.0.113.7")],
    ids=["nobody is believed", "a network is", "Unix sockets are", "both are"],
)
async def test_a_proxy_on_a_unix_socket(listen, connect, echo, tmp_path, *, trusted, peer):
    addresses = [f"unix:{tmp_path}/gw.sock", "127.0.0.1:0"]
    listener = await listen(
        echo, addresses=addresses, trusted=trusted, connections_per_address=1, connections=9
    )
    clients = [await connect(listener) for _ in range(3)]
    for client in clients:
        reply = await client.get("/", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https")
        assert f'"peer": "{peer}"'.encode() in reply.body
        assert (b'"scheme": "https"' in reply.body) == bool(peer)
    listener.configure(Limits(), ["unix"] if not peer else [])
    reply = await clients[0].get("/", "X-Forwarded-For: 203.0.113.7")
    assert (b'"peer": "203.0.113.7"' in reply.body) != bool(peer), "from the next request on"


async def test_a_client_on_tcp_is_not_believed_where_unix_sockets_are(dial, echo):
    client = await dial(echo, trusted=["unix"])
    assert b'"peer": "127.0.0.1"' in (await client.get("/", "X-Forwarded-For: 203.0.113.7")).body


async def test_a_stale_unix_socket_is_replaced(dial, echo, tmp_path):
    path = tmp_path / "gw.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    client = await dial(echo, addresses=[f"unix:{path}"])
    assert (await client.get()).status == 200


async def test_a_unix_socket_in_use_is_left_alone(listen, connect, echo, tmp_path):
    first = await listen(echo, addresses=[f"unix:{tmp_path}/gw.sock"])
    with pytest.raises(ListenError, match="in use"):
        await listen(echo, addresses=[f"unix:{tmp_path}/gw.sock"])
    assert (await (await connect(first)).get()).status == 200


async def test_a_file_that_is_no_socket_is_left_alone(listen, echo, tmp_path):
    path = tmp_path / "precious"
    path.write_text("text")
    with pytest.raises(ListenError, match="in use"):
        await listen(echo, addresses=[f"unix:{path}"])
    assert path.read_text() == "text"


async def test_a_successor_s_unix_socket_is_not_removed(listen, connect, echo, tmp_path):
    path = tmp_path / "gw.sock"
    first = await listen(echo, addresses=[f"unix:{path}"])
    path.unlink()
    second = await listen(echo, addresses=[f"unix:{path}"])
    await first.drain(1)
    assert (await (await connect(second)).get()).status == 200


async def test_all_addresses_or_none(listen, echo):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"{port}: Address already in use"):
            await listen(echo, addresses=["127.0.0.1:0", f"127.0.0.1:{port}"])


async def test_sockets_that_are_given_are_served_and_their_files_left(connect, echo, tmp_path):
    path = tmp_path / "gw.sock"
    sockets = [*bind(UnixAddress(path)), *bind(TcpAddress("127.0.0.1", 0))]
    port = sockets[1].getsockname()[1]
    listener = Listener(lambda: echo, addresses=[])
    await listener.open(sockets)
    assert listener.urls == (f"unix:{path}", f"http://127.0.0.1:{port}")
    assert (await (await connect(listener)).get()).status == 200
    await listener.drain(1)
    assert path.exists()


def test_a_socket_for_each_process_at_one_place():
    (first,) = bind(TcpAddress("127.0.0.1", 0))
    sockets = share(first, 3)
    assert sockets[0] is first
    assert len({each.getsockname() for each in sockets}) == 1
    assert len({each.fileno() for each in sockets}) == 3
    with pytest.raises(ListenError, match="in use"):
        bind(TcpAddress(*first.getsockname()))
    for each in sockets:
        each.close()


def test_a_place_of_one_process_stays_its_own():
    (first,) = share(bind(TcpAddress("127.0.0.1", 0))[0], 1)
    with first, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(first.getsockname())


def test_an_unknown_name_is_named():
    with pytest.raises(ListenError, match=r"nowhere\.invalid"):
        bind(TcpAddress("nowhere.invalid", 0))

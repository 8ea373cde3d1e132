"""The sockets of several workers: bound once, shared, and nobody else's."""

import os
import selectors
import socket
import threading
from contextlib import closing

import pytest

from gateway.listener import ListenError
from gateway.listener.addresses import UnixAddress, bind, parse
from gateway.supervisor.sockets import Sockets


@pytest.fixture
def opened():
    made = []

    def open_them(*addresses, workers=3):
        made.append(Sockets(addresses, workers, secure=False))
        return made[-1]

    yield open_them
    for each in made:
        each.close()


def place(url):
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host.strip("[]"), int(port)


def accepted(sockets, workers, number):
    """How many of so many connections each worker's first socket gets."""
    found = [0] * workers
    with selectors.DefaultSelector() as selector:
        for worker in range(workers):
            sock = socket.socket(fileno=sockets.of(worker + 1)[0])
            selector.register(sock, selectors.EVENT_READ, worker)
        while sum(found) < number:
            ready = selector.select(20)
            assert ready, f"no more than {found}"
            for key, _ in ready:
                try:
                    key.fileobj.accept()[0].close()
                except BlockingIOError:
                    continue  # of a socket that is shared, another took it
                found[key.data] += 1
        for key in list(selector.get_map().values()):
            key.fileobj.detach()
    return found


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0"])
def test_connections_are_spread_over_the_workers_of_one_port(opened, address):
    sockets = opened(address)
    (url,) = sockets.urls
    clients = [socket.create_connection(place(url), 20) for _ in range(100)]
    counts = accepted(sockets, 3, 100)
    for client in clients:
        client.close()
    # That one of three gets none of 100 happens once in 10^17.
    assert all(counts), counts


def test_each_worker_has_its_own_socket_of_each_address_in_order(opened, tmp_path):
    sockets = opened("127.0.0.1:0", f"unix:{tmp_path}/gw.sock", "127.0.0.1:0")
    assert [url.partition(":")[0] for url in sockets.urls] == ["http", "unix", "http"]
    numbers = [number for worker in (1, 2, 3) for number in sockets.of(worker)]
    assert len(set(numbers)) == 9
    # Of a TCP address each is a queue of its own, of a Unix socket all are one.
    queues = [{os.fstat(sockets.of(worker)[at]).st_ino for worker in (1, 2, 3)} for at in range(3)]
    assert [len(each) for each in queues] == [3, 1, 3]
    for worker in (1, 2, 3):
        names = []
        for number in sockets.of(worker):
            with closing(socket.socket(fileno=number)) as sock:
                name = sock.getsockname()
                names.append(
                    f"unix:{name}" if isinstance(name, str) else f"http://{name[0]}:{name[1]}"
                )
                sock.detach()
        assert tuple(names) == sockets.urls


def test_a_unix_socket_is_the_same_in_all_workers_and_its_file_goes(opened, tmp_path):
    path = tmp_path / "gw.sock"
    sockets = opened(f"unix:{path}")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(path))
        assert sum(accepted(sockets, 3, 1)) == 1
    sockets.close()
    assert not path.exists()


@pytest.mark.parametrize("workers", [1, 2], ids=["one process", "several"])
def test_a_second_gateway_does_not_share_the_port_by_accident(opened, workers):
    (url,) = opened("127.0.0.1:0").urls
    address = url.removeprefix("http://")
    with pytest.raises(ListenError, match="Address already in use"):
        if workers == 1:
            bind(parse(address))
        else:
            opened(address, workers=workers)


def test_of_many_that_start_together_one_gets_the_port(opened):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    together = threading.Barrier(8)
    won = []

    def start():
        together.wait(20)
        try:
            won.append(opened(address))
        except ListenError:
            return

    threads = [threading.Thread(target=start) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert len(won) == 1


def test_all_addresses_or_none(opened, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"127.0.0.1:{port}: Address already in use"):
            opened(f"unix:{tmp_path}/gw.sock", f"127.0.0.1:{port}")
    assert not (tmp_path / "gw.sock").exists()


def test_the_address_tells_of_https():
    sockets = Sockets(["127.0.0.1:0"], 2, secure=True)
    sockets.close()
    assert sockets.urls[0].startswith("https://127.0.0.1:")


def test_what_is_closed_is_free(opened):
    sockets = opened("127.0.0.1:0")
    sockets.close()
    sockets.close()
    opened(sockets.urls[0].removeprefix("http://"))


def test_a_unix_address_in_use_is_left_alone(opened, tmp_path):
    path = tmp_path / "gw.sock"
    opened(f"unix:{path}")
    with pytest.raises(ListenError, match="in use"):
        bind(UnixAddress(path))
    assert path.exists()

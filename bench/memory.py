"""Memory of the gateway: at rest, under load for long, and of connections that wait.

    python bench/memory.py [--quick] [--requests 200000] [--waves 8] [--connections 2000]
                           [--markdown]

Prints the resident memory (RSS) of a gateway that has just started; after each of the waves of
requests, each for a product that was never asked for before, so that a cache without a bound
would show; and with so many keep-alive connections open that have had one request each. RSS is
what the kernel has given: freed memory is not always given back, so what counts is growth.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
from contextlib import ExitStack
from pathlib import Path

from machine import machine
from peers import Peer, gateway
from processes import python
from wrk import Wrk, missing

MIB = 2**20
FROM_ONE_ADDRESS = 500  # connections; the gateway takes 1,000 of one address
AT_ONCE = 50  # that are being opened
REQUEST = b"GET /v1/products/p0001 HTTP/1.1\r\nHost: bench\r\n\r\n"


def waves(wrk: Wrk, peer: Peer, requests: int, count: int) -> None:
    """Prints the memory after each wave of requests, and how much it grew in the second half."""
    url, process = peer.url + "/v1/products/", peer.process
    rate = wrk.run(url, 32, 1, new_ids=True).requests
    seconds = max(1, round(requests / count / rate))
    asked, history = 0, []
    for wave in range(1, count + 1):
        asked += wrk.run(url, 32, seconds, new_ids=True).requests
        history.append((asked, process.rss()))
        print(
            f"after wave {wave}, {asked:>9,} requests: {history[-1][1] / MIB:7.1f} MiB", flush=True
        )
    (half, before), (_, after) = history[(count - 1) // 2], history[-1]
    grown = (after - before) / max(1, asked - half)
    verdict = "flat" if after - before < before / 100 else "NOT FLAT"
    print(f"in the second half: {grown:+.1f} bytes a request, {verdict}")


async def ask(host: str, port: int, source: str) -> asyncio.StreamWriter:
    """Opens a connection, has one request answered on it, and leaves it open."""
    reader, writer = await asyncio.open_connection(host, port, local_addr=(source, 0))
    writer.write(REQUEST)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"unexpected reply: {head!r}")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length))
    return writer


async def idle(peer: Peer, count: int) -> None:
    """Prints what connections take that are open and have nothing to do."""
    host, _, port = peer.process.address.rpartition(":")
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> asyncio.StreamWriter:
        async with turn:
            return await ask(host, int(port), f"127.0.0.{2 + number // FROM_ONE_ADDRESS}")

    before = peer.process.rss()
    writers = await asyncio.gather(*(one(number) for number in range(count)))
    during = peer.process.rss()
    for writer in writers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in writers))
    each = (during - before) / count
    print(f"{count:,} idle connections: {during / MIB:.1f} MiB, {each:,.0f} bytes each")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few requests")
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--waves", type=int, default=8)
    parser.add_argument("--connections", type=int, default=2_000)
    parser.add_argument("--markdown", action="store_true", help="print it for a page")
    options = parser.parse_args()
    if missing():
        raise SystemExit("wrk is not installed: .ci/apt-install wrk 'it makes the load'")
    if options.quick:
        options.requests, options.waves = 10_000, 2
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # here and, by inheritance, the gateway's
    wanted = options.connections + 200
    if most != resource.RLIM_INFINITY and wanted > most:
        raise SystemExit(f"{wanted} open files are needed, {most} allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    print("```\n" * options.markdown + machine())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        backend = stack.enter_context(python("bench/backend.py"))
        # Connections first, on a gateway of its own: memory that load has freed would hide them.
        with ExitStack() as short:
            peer = gateway(short, folder, backend.address, tls=False)
            print(f"at rest: {peer.process.rss() / MIB:.1f} MiB")
            asyncio.run(warm(peer))
            asyncio.run(idle(peer, options.connections))
        peer = gateway(stack, folder, backend.address, tls=False)
        waves(Wrk(folder), peer, options.requests, options.waves)
    if options.markdown:
        print("```")


async def warm(peer: Peer) -> None:
    """Has what is made on first use made."""
    host, _, port = peer.process.address.rpartition(":")
    writer = await ask(host, int(port), "127.0.0.1")
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    main()

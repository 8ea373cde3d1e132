"""WebSockets: CPU of messages, memory of idle sockets, many streams, readers that stopped.

    python bench/websocket.py [--quick] [--rounds N] [--seconds N] [--sockets 10000]
                              [--table echo|idle|many|stopped]... [--markdown]

Four tables; what each measures, and how, is said in its part:

    echo      `socket_echo.py`: CPU of an exchange of messages, beside the obvious way
              (`obvious_sockets.py`)
    idle      `socket_idle.py`: bytes of memory of a socket on which nothing is said
    many      `socket_many.py`: 10,000 streams on 1,000 sockets, little said on each
    stopped   `socket_stopped.py`: what is held for readers that have stopped

The load comes from this process (`socket_client.py`), the echo from `bench/backend.py`. CPU and
memory are the server's alone, as the kernel counts them (/proc). Anything unexpected, be it one
reply that is not what was sent, ends the run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import socket_echo
import socket_idle
import socket_many
import socket_peers
import socket_stopped
import uvloop
from machine import machine
from processes import python
from rest import Columns, head, line
from socket_client import BrokenError

TABLES = ("echo", "idle", "many", "stopped")
_MANY, _MANY_QUICK = ((100, 20), (2000, 5)), ((100, 5), (2000, 2))
"""Notes a second, and for how many seconds."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round, fewer sockets")
    parser.add_argument("--rounds", type=int, default=3, help="of the echo")
    parser.add_argument("--seconds", type=float, default=1, help="of each turn of the echo")
    parser.add_argument("--sockets", type=int, default=10_000, help="that are idle")
    parser.add_argument("--table", action="append", choices=TABLES)
    parser.add_argument("--markdown", action="store_true", help="print tables for a page")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.sockets = 1, 1_000
    return chosen


async def show(columns: Columns, rows: AsyncIterator[list[str]], *, markdown: bool) -> None:
    """Prints a table as its rows are made."""
    print("\n" + head(markdown=markdown, columns=columns), flush=True)
    async for row in rows:
        print(line(row, markdown=markdown, columns=columns), flush=True)


async def measure(chosen: argparse.Namespace, folder: Path, backend: str) -> None:
    """Makes the tables that were chosen."""
    tables, markdown = chosen.table or TABLES, chosen.markdown
    if "echo" in tables:
        with (
            socket_peers.gateway(folder, backend) as gateway,
            socket_peers.obvious(backend) as obvious,
        ):
            made = socket_echo.rows(gateway, obvious, chosen.rounds, chosen.seconds)
            await show(socket_echo.COLUMNS, made, markdown=markdown)
    if "idle" in tables:
        made = socket_idle.rows(folder, backend, chosen.sockets)
        await show(socket_idle.COLUMNS, made, markdown=markdown)
    if "many" in tables:
        with socket_peers.gateway(folder, backend) as gateway:
            sockets = 100 if chosen.quick else 1_000
            made = socket_many.rows(gateway, sockets, _MANY_QUICK if chosen.quick else _MANY)
            await show(socket_many.COLUMNS, made, markdown=markdown)
    if "stopped" in tables:
        made = socket_stopped.rows(folder, backend, chosen.seconds)
        await show(socket_stopped.COLUMNS, made, markdown=markdown)


def main() -> None:
    chosen = options()
    began = time.monotonic()
    socket_peers.allow_files(max(chosen.sockets * 11 // 10, 1_000))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        backend = stack.enter_context(python("bench/backend.py"))
        print(machine())
        for version in socket_peers.versions():
            print(version)
        try:
            uvloop.run(measure(chosen, folder, backend.address))
        except BrokenError as broken:
            raise SystemExit(f"ended: {broken}") from broken
    print(f"\ntook {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

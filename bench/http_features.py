"""CPU time that compression and CORS add to a reply, in the listener alone.

    python bench/http_features.py [--rounds N]

Requests are given to a connection as bytes, and its replies are thrown away: no socket, no backend.
What is timed is reading the head, a handler that answers at once with a JSON body that is there,
and writing the reply. Every row is measured in turn, N rounds of 2,000 requests (of 100 where much
is packed); the least of them is printed, in microseconds of CPU a request, and what it is more than
the row that it is compared with.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import string
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import Mock

import uvloop
from machine import machine

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway.http import Exchange
from gateway.listener.connection import Connection
from gateway.listener.cors import Cors
from gateway.listener.forwarded import proxies
from gateway.listener.limits import Limits
from gateway.listener.packing import Packing
from gateway.listener.service import Service

APP = "https://app.example"
BROWSER = "Accept-Encoding: gzip, deflate, br, zstd\r\n"
HEADERS = [
    ("x-request-id", "0af7651916cd43dd8448eb211c80319c"),
    ("content-type", "application/json"),
    ("etag", '"0af7651916cd43dd8448eb211c80319c"'),
]


@dataclass(frozen=True)
class Row:
    """A case: what is served, how it is asked for, and what it is compared with."""

    name: str
    body: bytes
    fields: str = ""
    codings: Sequence[str] = ()
    cors: Cors | None = None
    against: str = ""


class Sink(asyncio.Transport):
    """Throws away what is written."""

    def write(self, data: bytes) -> None: ...
    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None: ...
    def abort(self) -> None: ...


def listed(count: int) -> bytes:
    """Returns the JSON of a list of products."""
    words = random.Random(7)

    def text(length: int) -> str:
        return " ".join(
            "".join(words.choices(string.ascii_lowercase, k=words.randint(2, 9)))
            for _ in range(length)
        )

    products = [
        {
            "id": f"p{number}",
            "name": text(3),
            "description": text(12),
            "price": {"currencyCode": "EUR", "units": str(words.randint(1, 999))},
            "tags": [text(1), text(1)],
        }
        for number in range(count)
    ]
    return json.dumps({"products": products}).encode()


def asking(row: Row) -> Callable[[], None]:
    """Returns what has a row's request answered once."""

    def handle(exchange: Exchange) -> None:
        exchange.respond(200, HEADERS, row.body)

    service = Service(lambda: handle, Limits(), proxies([]))
    service.packing = Packing(row.codings) if row.codings else None
    service.cors = row.cors
    connection = Connection(service)
    transport = Sink()
    transport.get_extra_info = Mock(return_value=None)
    connection.connection_made(transport)
    head = f"GET /v1/products HTTP/1.1\r\nHost: api.example\r\n{row.fields}\r\n".encode()
    receive = connection.data_received
    return lambda: receive(head)


def rows() -> list[Row]:
    one, many = listed(1), listed(50)
    both = ("br", "gzip")
    cors = Cors((APP,))
    origin = f"Origin: {APP}\r\n"
    found = [
        Row(f"one ({len(one)} B), all off", one),
        Row("  compression on, no Accept-Encoding", one, "", both),
        Row("  compression on, of a browser", one, BROWSER, both),
        Row("  CORS on, no Origin", one, "", (), cors),
        Row("  CORS on, of a page", one, origin, (), cors),
        Row(f"50 ({len(many) // 1024} KiB), all off", many),
        Row("  compression on, no Accept-Encoding", many, "", both),
        *(
            Row(f"  {coding}", many, f"Accept-Encoding: {coding}\r\n", (coding,))
            for coding in ("gzip", "br", "zstd")
        ),
    ]
    base, made = "", []
    for row in found:
        base = base if row.name.startswith(" ") else row.name
        made.append(Row(row.name, row.body, row.fields, row.codings, row.cors, base))
    return made


async def measure(rounds: int) -> None:
    cases = rows()
    asks = [asking(row) for row in cases]
    least = [float("inf")] * len(cases)
    for _ in range(rounds):
        for place, (row, ask) in enumerate(zip(cases, asks, strict=True)):
            packs = len(row.body) > 4096 and row.fields
            count = 100 if packs else 2000
            began = time.process_time()
            for _ in range(count):
                ask()
            least[place] = min(least[place], (time.process_time() - began) / count * 1e6)
            await asyncio.sleep(0)
    by_name = {row.name: cost for row, cost in zip(cases, least, strict=True)}
    print(f"{'':42}{'µs':>8}{'more':>8}")
    for row, cost in zip(cases, least, strict=True):
        more = "" if row.against == row.name else f"{cost - by_name[row.against]:+.2f}"
        print(f"{row.name:42}{cost:8.2f}{more:>8}".rstrip())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    print(machine())
    uvloop.run(measure(given.rounds))


if __name__ == "__main__":
    main()

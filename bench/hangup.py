"""`kill -HUP` under wrk and an open chat: what is lost (nothing).

    python bench/hangup.py [--seconds 10] [--connections 32] [--workers 1]

A gateway serves the example before backends in processes of their own. wrk asks for a product over
and over on its own connections; somebody talks in a room over one WebSocket, and hears all that is
said there. Meanwhile the config is changed and SIGHUP sent twice a second.

It prints wrk's answers and what was said, and ends with 1 if an answer was not 2xx, a connection
broke, the socket closed, or of what was said anything is missing, twice or out of order.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

import yaml
from machine import machine
from processes import ROOT
from wrk import Wrk, missing

sys.path.insert(0, str(ROOT))

from gateway.client import connect
from services_mock.fleet import fleet
from tests.end_to_end.system import Gateway, gateway, shop_config

JOIN: Final = "shop.chat.v1.ChatService/Join"
RELOADED: Final = "reloaded: "
_EVERY: Final = 0.5  # seconds between two reloads
_ROOM: Final = "lobby"


class Chat:
    """Somebody who says numbers, and hears what is said.

    Attributes:
        said: How many.
        heard: All, in order.
    """

    def __init__(self) -> None:
        self.said = 0
        self.heard: list[int] = []

    async def talk(self, url: str, over: asyncio.Event) -> None:
        """Says one number after another until it is over, and hears them all to the end."""
        async with (
            connect(f"ws{url[4:]}/ws") as socket,
            socket.stream(JOIN, {"room": _ROOM, "userId": "u1"}) as stream,
        ):

            async def hear() -> None:
                async for event in stream:
                    message = event.get("message")
                    if message is not None:
                        self.heard.append(int(message["text"]))

            hearing = asyncio.create_task(hear())
            while not over.is_set():
                await stream.send({"message": {"text": str(self.said)}})
                self.said += 1
                await asyncio.sleep(0.005)
            await stream.end()
            await hearing


async def reloads(running: Gateway, folder: Path, over: asyncio.Event) -> int:
    """Reloads with another timeout each time, until it is over; returns how often."""
    path, log = folder / "gateway.yaml", folder / "log"
    count = 0
    while not over.is_set():
        config = yaml.safe_load(path.read_text())
        config["policies"] = [{"methods": ["shop.*"], "timeout": f"{count + 5}s"}]
        path.write_text(yaml.safe_dump(config))
        running.process.send_signal(signal.SIGHUP)
        count += 1
        while log.read_text().count(RELOADED) < count:  # noqa: ASYNC110  another process writes it
            await asyncio.sleep(0.01)
        await asyncio.sleep(_EVERY)
    return count


async def measure(running: Gateway, folder: Path, seconds: int, connections: int) -> bool:
    """Prints what became of it all; returns whether nothing was lost."""
    chat, over = Chat(), asyncio.Event()
    url = f"{running.url}/v1/products/p1"
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(chat.talk(running.url, over))
        reloading = tasks.create_task(reloads(running, folder, over))
        load = await asyncio.to_thread(Wrk(folder).run, url, connections, seconds)
        over.set()
    count = reloading.result()
    print(f"{count} reloads; wrk: {load.requests:,} answers, all 2xx, no connection broke")
    print(f"chat: said {chat.said:,}, heard {len(chat.heard):,}, on one socket")
    return chat.heard == list(range(chat.said)) and count > 1


def main() -> int:
    """Measures, and prints two lines."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    if missing():
        raise SystemExit("wrk is not installed")
    print(machine())
    # What is said in a room is heard of one backend alone.
    with tempfile.TemporaryDirectory() as name, fleet(1) as (backend,):
        folder = Path(name)
        limits = {"limits": {"opens": "10000/s", "messages": "10000/s"}}
        config = shop_config([backend.address], websocket=limits, workers=given.workers)
        with (
            (folder / "log").open("w") as errors,
            gateway(folder, config, errors=errors) as running,
        ):
            good = asyncio.run(measure(running, folder, given.seconds, given.connections))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""A client of the multiplexed form that does what a test says, right or wrong, and nothing else.

It has no task: frames are read when a test asks for one. Those of other streams are kept.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from services_mock.testing import calls_reach
from tests.end_to_end.frames import FRAMINGS, Frame, Json, Proto
from tests.end_to_end.system import FAULTS, shop_config

JOIN = "shop.chat.v1.ChatService/Join"
WATCH = "shop.inventory.v1.InventoryService/WatchStock"
COUNT = "shop.inventory.v1.InventoryService/CountStock"
STOCK = "shop.inventory.v1.InventoryService/GetStock"
WHO = "shop.users.v1.UserService/WhoAmI"
DOWNLOAD = "shop.media.v1.MediaService/DownloadMedia"
DIGEST = "shop.media.v1.MediaService/DigestMedia"
THUMBNAIL = "shop.media.v1.MediaService/GetThumbnail"

PATIENCE = 40
"""Seconds until a frame that does not come is missed."""

FAST = {"opens": "100000/s", "messages": "1000000/s"}
"""Limits under which a test may do as much as it likes."""


class Socket:
    """One socket after its `welcome`.

    Attributes:
        websocket: The connection.
        welcome: What the gateway said first.
        last_id: The last id that was opened.
    """

    def __init__(self, websocket: ClientConnection, framing: Json | Proto) -> None:
        self.websocket = websocket
        self.welcome: Frame = {}
        self.last_id = 0
        self._framing = framing
        self._methods: dict[int, str] = {}
        self._kept: dict[int | None, deque[Frame]] = defaultdict(deque)

    # What is said.

    async def say(self, t: str, **members: Any) -> None:
        """Sends a frame."""
        method = self._methods.get(members.get("id", 0))
        await self.websocket.send(self._framing.write({"t": t, **members}, method))

    def say_at_once(self, *frames: Frame) -> None:
        """Sends frames so that they arrive together, as long as they are small."""
        for frame in frames:
            data = self._framing.write(frame, self._methods.get(frame.get("id", 0)))
            if isinstance(data, str):
                self.websocket.protocol.send_text(data.encode())
            else:
                self.websocket.protocol.send_binary(data)
        self.websocket.send_data()

    async def open(
        self, method: str, body: Any = None, *, end: bool = False, **members: Any
    ) -> int:
        """Opens a stream; returns its id. Its request ends at once with `end`."""
        id_ = members.pop("id", None) or self.last_id + 1
        self.last_id = max(self.last_id, id_)
        self._methods[id_] = method
        if body is not None:
            members["body"] = body
        if end:
            members["end"] = True
        await self.say("open", id=id_, method=method, **members)
        return id_

    async def faulty(self, method: str, body: Any = None, **options: Any) -> int:
        """Opens a stream with a fault: `faulty(WATCH, {}, crash=1, after=2)`."""
        ours = {"end", "credit", "timeout_ms"}
        fault = [[f"x-fault-{k}", str(v)] for k, v in options.items() if k not in ours]
        rest = {k: v for k, v in options.items() if k in ours}
        return await self.open(method, body, metadata=fault, **rest)

    def goes_on_with(self, other: Socket) -> None:
        """Takes over the ids of a socket that was before."""
        self._methods = other._methods
        self.last_id = other.last_id

    # What is heard.

    async def hear(self) -> Frame:
        """Reads a frame, of whichever stream."""
        async with asyncio.timeout(PATIENCE):
            data = await self.websocket.recv()
        return self._framing.read(data, self._methods.__getitem__)

    async def of(self, id_: int | None) -> Frame:
        """Returns the next frame of a stream, or, with None, the next that is of none."""
        while not self._kept[id_]:
            frame = await self.hear()
            self._kept[frame.get("id")].append(frame)
        return self._kept[id_].popleft()

    def kept(self, id_: int) -> bool:
        """Whether frames of a stream have come that nobody has asked for."""
        return bool(self._kept[id_])

    def come(self, id_: int) -> list[Frame]:
        """Returns the frames of a stream that have come, without waiting for more."""
        return list(self._kept.pop(id_, ()))

    async def message(self, id_: int) -> Any:
        """Returns the next message of a stream."""
        while (frame := await self.of(id_))["t"] != "message":
            assert frame["t"] in {"headers", "credit"}, frame
        return frame["body"]

    async def end(self, id_: int) -> Frame:
        """Returns the status of a stream, and forgets what comes before."""
        while (frame := await self.of(id_))["t"] != "status":
            pass
        return frame

    async def whole(self, id_: int) -> tuple[list[Any], Frame]:
        """Returns all messages of a stream, and its status."""
        messages = []
        while (frame := await self.of(id_))["t"] != "status":
            if frame["t"] == "message":
                messages.append(frame["body"])
        return messages, frame

    async def all(self) -> tuple[list[Frame], int, str]:
        """Reads to the end: the frames, and the close code and reason."""
        frames = [frame for kept in self._kept.values() for frame in kept]
        try:
            while True:
                frames.append(await self.hear())
        except ConnectionClosed as closed:
            return frames, *_told(closed)

    async def closed(self) -> int:
        """Reads to the end; returns the close code."""
        return (await self.all())[1]

    # What is often done.

    async def joined(self, room: str = "lobby") -> int:
        """Opens a chat whose pings come back."""
        id_ = await self.open(JOIN, {"room": room})
        while "joined" not in await self.message(id_):
            pass
        return id_

    async def echo(self, id_: int, number: int) -> None:
        """Has a number come back through a chat, whose credit it grants anew."""
        await self.say("message", id=id_, body={"ping": str(number)})
        while (await self.message(id_)).get("pong") != str(number):
            pass

    async def echoes(self, id_: int, count: int) -> None:
        """Has so many numbers come back, one after the other."""
        for number in range(1, count + 1):
            await self.echo(id_, number)


def _told(closed: ConnectionClosed) -> tuple[int, str]:
    return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")


@asynccontextmanager
async def bare(url: str, framing: str = "json", **options: Any) -> AsyncIterator[Socket]:
    """A socket that has said nothing yet."""
    chosen = FRAMINGS[framing]
    address = url.replace("http", "ws", 1) + "/ws"
    given = {
        "subprotocols": [chosen.subprotocol],
        "compression": None,
        "ping_interval": None,
        "max_size": None,
        "proxy": None,
        "close_timeout": 2,
        **options,
    }
    websocket = await connect(address, **given)
    try:
        yield Socket(websocket, chosen)
    finally:
        await websocket.close()


@asynccontextmanager
async def socket(url: str, framing: str = "json", **hello: Any) -> AsyncIterator[Socket]:
    """A socket after its `welcome`; `options` in `hello` are those of the connection."""
    async with bare(url, framing, **hello.pop("options", {})) as each:
        await each.say("hello", **hello)
        each.welcome = await each.of(None)
        assert each.welcome["t"] == "welcome"
        yield each


def config(addresses: list[str], *, transport: str = "native", **websocket: Any) -> dict:
    """A config that serves the shop over WebSocket."""
    limits = {**FAST, **websocket.pop("limits", {})}
    passing = ["authorization", "x-request-id", "x-say", "x-say-bin", *FAULTS]
    return shop_config(
        addresses,
        upstreams={
            "shop": {"services": ["shop.*"], "endpoints": addresses, "transport": transport}
        },
        headers={"request": {"allow": passing}, "response": {"allow": ["x-replica"]}},
        websocket={"limits": limits, **websocket},
        rest={"etag": True},
    )


async def all_calls_end(addresses: list[str], *methods: str) -> None:
    """Waits until no call of these methods runs any more."""
    async with grpc.aio.insecure_channel(addresses[0]) as channel:
        for method in methods:
            await calls_reach(channel, f"/{method}", lambda now: now.ended == now.started)

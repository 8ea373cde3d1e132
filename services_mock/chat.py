"""shop.chat.v1.ChatService over the shop's state: rooms of one replica, broadcast by queues."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from services_mock.binding import Call
from services_mock.contract import chat
from services_mock.failure import Failure, invalid, not_found
from services_mock.pages import page
from services_mock.shop import Room, Shop, now

_BACKLOG = 1024  # events that a listener may be behind before it is dropped
_END = object()


def _tell(room: Room, event: Any) -> None:
    """Gives an event to all who listen; one who is too far behind gets no more."""
    for listener in list(room.listeners):
        try:
            listener.put_nowait(event)
        except asyncio.QueueFull:
            room.listeners.discard(listener)


@contextmanager
def _listening(room: Room) -> Iterator["asyncio.Queue[Any]"]:
    events: asyncio.Queue[Any] = asyncio.Queue(_BACKLOG)
    room.listeners.add(events)
    try:
        yield events
    finally:
        room.listeners.discard(events)


@contextmanager
def _present(room: Room, room_id: str, user_id: str) -> Iterator["asyncio.Queue[Any]"]:
    """Lets somebody listen, and tells the room that they came, and left, however they did."""
    try:
        with _listening(room) as events:
            _tell(room, chat.RoomEvent(room=room_id, joined=user_id))
            yield events
    finally:
        _tell(room, chat.RoomEvent(room=room_id, left=user_id))


class ChatService:
    """Lets people talk."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def _find(self, room_id: str) -> Room:
        if not room_id:
            raise invalid("room", "is required")
        if room_id not in self._shop.rooms:
            raise not_found("room", room_id)
        return self._shop.rooms[room_id]

    def _say(self, room_id: str, user_id: str, said: Any) -> Any:
        """Adds a message to a room and tells everybody."""
        room = self._find(room_id)
        if not said.WhichOneof("content"):
            raise invalid("message", "must have text, sticker or attachment")
        message = chat.ChatMessage()
        message.CopyFrom(said)
        message.user_id = user_id or said.user_id
        message.sequence = len(room.messages) + 1
        message.time.FromDatetime(now())
        room.messages.append(message)
        _tell(room, chat.RoomEvent(room=room_id, message=message))
        return message

    async def _act(
        self, requests: AsyncIterator[Any], first: Any, events: "asyncio.Queue[Any]"
    ) -> None:
        """Does what one caller asks for, and puts the end, or what went wrong, in its events."""
        room_id, user_id = first.room, first.user_id or "guest"
        request = first
        try:
            while request is not None:
                if request.room not in ("", room_id):
                    raise invalid("room", "must be the same in all messages")
                match request.WhichOneof("action"):
                    case "message":
                        self._say(room_id, user_id, request.message)
                    case "typing" if request.typing:
                        _tell(self._find(room_id), chat.RoomEvent(room=room_id, typing=user_id))
                    case "ping":
                        await events.put(chat.RoomEvent(room=room_id, pong=request.ping))
                request = await anext(requests, None)
            await events.put(_END)
        except Failure as failure:
            await events.put(failure)

    async def Join(self, requests: AsyncIterator[Any], call: Call) -> AsyncIterator[Any]:
        requests = aiter(requests)
        first = await anext(requests, None)
        if first is None:
            raise invalid("room", "is required")
        room, user_id = self._find(first.room), first.user_id or "guest"
        with _present(room, first.room, user_id) as events:
            acting = asyncio.create_task(self._act(requests, first, events))
            try:
                async for event in _heard(room, events):
                    yield event
            finally:
                acting.cancel()
                await asyncio.gather(acting, return_exceptions=True)

    async def WatchRoom(self, request: Any, call: Call) -> AsyncIterator[Any]:
        room = self._find(request.room)
        with _listening(room) as events:
            await call.open()  # from now on nothing is missed
            if request.HasField("from_sequence"):
                for message in room.messages[max(request.from_sequence - 1, 0) :]:
                    yield chat.RoomEvent(room=request.room, message=message)
            async for event in _heard(room, events):
                yield event

    def PostMessage(self, request: Any, call: Call) -> Any:
        return self._say(request.room, "", request.message)

    def ListMessages(self, request: Any, call: Call) -> Any:
        messages = self._find(request.room).messages
        some, token = page(messages, request.page_size, request.page_token)
        return chat.ListMessagesResponse(messages=some, next_page_token=token)

    def ListRooms(self, request: Any, call: Call) -> Any:
        rooms = [
            chat.Room(id=name, topic=room.topic, member_count=len(room.listeners))
            for name, room in sorted(self._shop.rooms.items())
        ]
        return chat.ListRoomsResponse(rooms=rooms)


async def _heard(room: Room, events: "asyncio.Queue[Any]") -> AsyncIterator[Any]:
    """Gives a listener's events until its end.

    Raises:
        Failure: the caller's own, or RESOURCE_EXHAUSTED for one who was too far behind.
    """
    while events in room.listeners or not events.empty():
        event = await events.get()
        if event is _END:
            return
        if isinstance(event, Failure):
            raise event
        yield event
    raise Failure(
        grpc.StatusCode.RESOURCE_EXHAUSTED, f"the caller is {_BACKLOG} events behind the room"
    )

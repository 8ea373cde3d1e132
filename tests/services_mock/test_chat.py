"""shop.chat.v1.ChatService, over sockets."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from services_mock.contract import chat
from services_mock.testing import calls_reach
from tests.services_mock.failing import fails_with, fields_at_fault

JOIN = "/shop.chat.v1.ChatService/Join"


def says(text, **fields):
    return chat.JoinRequest(message={"text": text}, **fields)


async def test_a_caller_hears_itself_to_the_end(chat_service):
    requests = [
        chat.JoinRequest(room="support", user_id="u1"),
        says("hello"),
        chat.JoinRequest(typing=True),
        chat.JoinRequest(ping=2**64 - 1),
    ]
    events = [event async for event in chat_service.Join(iter(requests))]
    assert [event.WhichOneof("event") for event in events] == [
        "joined",
        "message",
        "typing",
        "pong",
    ]
    assert (events[1].message.user_id, events[1].message.sequence) == ("u1", 1)
    assert events[3].pong == 2**64 - 1


async def test_two_hear_each_other(chat_service):
    first, second = chat_service.Join(), chat_service.Join()
    await first.write(chat.JoinRequest(room="support", user_id="u1"))
    assert (await first.read()).joined == "u1"
    await second.write(says("hello", room="support", user_id="u2"))
    assert (await first.read()).joined == "u2"
    assert (await first.read()).message.text == "hello"
    await second.done_writing()
    assert [event.WhichOneof("event") async for event in second] == ["joined", "message"]
    assert (await first.read()).left == "u2"
    first.cancel()


async def test_one_who_goes_without_a_word_has_left(chat_service, channel):
    first, second = chat_service.Join(), chat_service.Join()
    await first.write(chat.JoinRequest(room="support", user_id="u1"))
    assert (await first.read()).joined == "u1"
    await second.write(chat.JoinRequest(room="support", user_id="u2"))
    assert (await second.read()).joined == "u2"
    second.cancel()
    await calls_reach(channel, JOIN, lambda counts: counts.ended == 1)
    reply = await chat_service.ListRooms(Empty())
    assert {room.id: room.member_count for room in reply.rooms}["support"] == 1
    assert [(await first.read()).joined, (await first.read()).left] == ["u2", "u2"]
    first.cancel()


async def test_one_whose_connection_breaks_has_left(chat_service, address):
    first = chat_service.Join()
    await first.write(chat.JoinRequest(room="support", user_id="u1"))
    assert (await first.read()).joined == "u1"
    async with grpc.aio.insecure_channel(address) as channel:
        join = channel.stream_stream(
            JOIN, chat.JoinRequest.SerializeToString, chat.RoomEvent.FromString
        )
        second = join()
        await second.write(chat.JoinRequest(room="support", user_id="u2"))
        assert (await second.read()).joined == "u2"
    assert [(await first.read()).joined, (await first.read()).left] == ["u2", "u2"]
    first.cancel()


async def test_one_who_is_refused_has_left(chat_service):
    first, second = chat_service.Join(), chat_service.Join()
    await first.write(chat.JoinRequest(room="support", user_id="u1"))
    assert (await first.read()).joined == "u1"
    await second.write(chat.JoinRequest(room="support", user_id="u2"))
    await second.write(says("hello", room="lobby"))
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT):
        async for _ in second:
            pass
    assert [(await first.read()).joined, (await first.read()).left] == ["u2", "u2"]
    first.cancel()


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param([], id="nothing said"),
        pytest.param([chat.JoinRequest()], id="no room"),
        pytest.param([says("a", room="lobby"), says("b", room="garden")], id="two rooms"),
    ],
)
async def test_a_stream_is_in_one_room(chat_service, requests):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        async for _ in chat_service.Join(iter(requests)):
            pass
    assert fields_at_fault(caught.value) == ["room"]


async def test_no_such_room(chat_service):
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await chat_service.Join(iter([chat.JoinRequest(room="cellar")])).read()


async def test_watch_from_the_past_into_the_future(chat_service):
    stream = chat_service.WatchRoom(chat.WatchRoomRequest(room="lobby", from_sequence=3))
    assert (await stream.read()).message.sequence == 3
    posted = await chat_service.PostMessage(
        chat.PostMessageRequest(room="lobby", message={"user_id": "u1", "sticker": b"\x01"})
    )
    assert (await stream.read()).message == posted
    stream.cancel()


async def test_a_watcher_is_told_when_it_listens(chat_service):
    stream = chat_service.WatchRoom(chat.WatchRoomRequest(room="support"))
    await stream.initial_metadata()
    await chat_service.PostMessage(
        chat.PostMessageRequest(room="support", message={"user_id": "u1", "text": "hello"})
    )
    assert (await stream.read()).message.text == "hello"
    stream.cancel()


async def test_messages_come_in_pages(chat_service):
    first = await chat_service.ListMessages(chat.ListMessagesRequest(room="lobby", page_size=2))
    rest = await chat_service.ListMessages(
        chat.ListMessagesRequest(room="lobby", page_size=2, page_token=first.next_page_token)
    )
    sequences = [message.sequence for message in [*first.messages, *rest.messages]]
    assert sequences == [1, 2, 3]


async def test_nothing_cannot_be_said(chat_service):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT):
        await chat_service.PostMessage(chat.PostMessageRequest(room="lobby", message={}))

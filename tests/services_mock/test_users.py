"""shop.users.v1.UserService, over sockets."""

from __future__ import annotations

import grpc
import pytest

from services_mock.contract import users
from tests.services_mock.failing import fails_with, fields_at_fault


async def test_get_list_find(user_service):
    user = await user_service.GetUser(users.GetUserRequest(id="u1"))
    assert user.email == "ada@shop.example"
    listed = await user_service.ListUsers(users.ListUsersRequest(email=user.email))
    found = await user_service.FindUser(users.FindUserRequest(email=user.email))
    assert list(listed.users) == [user] == [found]


async def test_list_by_role(user_service):
    reply = await user_service.ListUsers(users.ListUsersRequest(role="ROLE_SELLER"))
    assert [user.id for user in reply.users] == ["u6", "u12", "u18"]


@pytest.mark.parametrize("method", ["GetUser", "DeleteUser"])
async def test_nobody(user_service, method):
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await getattr(user_service, method)(getattr(users, f"{method}Request")(id="nobody"))


async def test_batch(user_service):
    reply = await user_service.BatchGetUsers(users.BatchGetUsersRequest(ids=["u2", "x", "u1"]))
    assert {user.id for user in reply.users} == {"u1", "u2"}


async def test_create_then_delete(user_service):
    user = await user_service.CreateUser(
        users.CreateUserRequest(user={"email": "new@shop.example"})
    )
    assert await user_service.GetUser(users.GetUserRequest(id=user.id)) == user
    await user_service.DeleteUser(users.DeleteUserRequest(id=user.id))
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await user_service.GetUser(users.GetUserRequest(id=user.id))


@pytest.mark.parametrize(
    "user", [{"email": "ada@shop.example"}, {"id": "u1", "email": "new@shop.example"}]
)
async def test_create_whom_there_is(user_service, user):
    with fails_with(grpc.StatusCode.ALREADY_EXISTS):
        await user_service.CreateUser(users.CreateUserRequest(user=user))


async def test_an_email_address_is_one(user_service):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await user_service.CreateUser(users.CreateUserRequest(user={"email": "new"}))
    assert fields_at_fault(caught.value) == ["user.email"]


async def test_update_can_take_away_an_optional_field(user_service):
    before = await user_service.GetUser(users.GetUserRequest(id="u1"))
    assert before.HasField("birth_year")
    after = await user_service.UpdateUser(
        users.UpdateUserRequest(user={"id": "u1"}, update_mask={"paths": ["birth_year"]})
    )
    assert not after.HasField("birth_year")
    assert after.email == before.email


async def test_update_with_an_unknown_path(user_service):
    with fails_with(grpc.StatusCode.INVALID_ARGUMENT) as caught:
        await user_service.UpdateUser(
            users.UpdateUserRequest(user={"id": "u1"}, update_mask={"paths": ["shoe_size"]})
        )
    assert fields_at_fault(caught.value) == ["update_mask"]


async def test_sign_out(user_service):
    assert await user_service.SignOut(users.SignOutRequest()) == users.SignOutResponse()


async def test_who_am_i_tells_what_came(user_service, channel):
    reply = await user_service.WhoAmI(
        users.WhoAmIRequest(),
        metadata=(("x-a", "1"), ("x-a", "2"), ("x-raw-bin", b"\x00\xff")),
        timeout=60,
    )
    came = [(entry.key, entry.text or entry.binary) for entry in reply.metadata]
    assert [entry for entry in came if entry[0].startswith("x-")] == [
        ("x-a", "1"),
        ("x-a", "2"),
        ("x-raw-bin", b"\x00\xff"),
    ]
    assert 0 < reply.time_remaining.seconds <= 60
    assert reply.peer.startswith("ipv4:127.0.0.1:")


async def test_who_am_i_without_a_deadline(user_service):
    reply = await user_service.WhoAmI(users.WhoAmIRequest())
    assert not reply.HasField("time_remaining")


async def test_replies_name_their_replica(user_service):
    call = user_service.WhoAmI(users.WhoAmIRequest())
    reply = await call
    port = reply.replica.rpartition(":")[2]
    assert dict(await call.initial_metadata())["x-replica"] == port
    assert dict(await call.trailing_metadata())["x-replica"] == port


async def test_errors_are_trailers_only_so_that_clients_may_retry(user_service):
    call = user_service.GetUser(users.GetUserRequest(id="nobody"))
    with fails_with(grpc.StatusCode.NOT_FOUND):
        await call
    assert "x-replica" not in dict(await call.initial_metadata())
    assert "x-replica" in dict(await call.trailing_metadata())

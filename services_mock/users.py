"""shop.users.v1.UserService over the shop's state."""

from datetime import timedelta
from typing import Any

from services_mock import masks
from services_mock.binding import Call
from services_mock.contract import users, wellknown
from services_mock.failure import already_exists, invalid, not_found
from services_mock.pages import batch, page
from services_mock.shop import Shop, now

_KEPT = ("id", "create_time", "orders_by_year")


class UserService:
    """Knows people."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def _find(self, user_id: str) -> Any:
        if user_id not in self._shop.users:
            raise not_found("user", user_id)
        return self._shop.users[user_id]

    def _by_email(self, email: str) -> Any | None:
        for user in self._shop.users.values():
            if user.email == email:
                return user
        return None

    def _check_email(self, user: Any) -> None:
        if "@" not in user.email:
            raise invalid("user.email", "must be an email address")
        other = self._by_email(user.email)
        if other is not None and other.id != user.id:
            raise already_exists("user", user.email)

    def GetUser(self, request: Any, call: Call) -> Any:
        return self._find(request.id)

    def ListUsers(self, request: Any, call: Call) -> Any:
        found = [
            user
            for user in self._shop.users.values()
            if request.email in ("", user.email)
            and (not request.role or request.role in user.roles)
        ]
        some, token = page(found, request.page_size, request.page_token)
        return users.ListUsersResponse(users=some, next_page_token=token)

    def BatchGetUsers(self, request: Any, call: Call) -> Any:
        known = self._shop.users
        found = [known[key] for key in batch("ids", request.ids) if key in known]
        return users.BatchGetUsersResponse(users=found)

    def CreateUser(self, request: Any, call: Call) -> Any:
        user = users.User()
        user.CopyFrom(request.user)
        if user.id in self._shop.users:
            raise already_exists("user", user.id)
        self._check_email(user)
        user.id = user.id or self._shop.new_id("u")
        user.orders_by_year.clear()
        user.create_time.FromDatetime(now())
        self._shop.users[user.id] = user
        call.headers += [("x-http-code", "201"), ("location", f"/v1/users/{user.id}")]
        return user

    def UpdateUser(self, request: Any, call: Call) -> Any:
        user = self._find(request.user.id)
        changed = users.User()
        changed.CopyFrom(user)
        masks.update(changed, request.user, request.update_mask.paths, keep=_KEPT)
        self._check_email(changed)
        self._shop.users[user.id] = changed
        return changed

    def DeleteUser(self, request: Any, call: Call) -> Any:
        del self._shop.users[self._find(request.id).id]
        return wellknown.Empty()

    def SignOut(self, request: Any, call: Call) -> Any:
        return users.SignOutResponse()

    def WhoAmI(self, request: Any, call: Call) -> Any:
        answer = users.WhoAmIResponse(peer=call.peer, replica=call.replica)
        for key, value in call.metadata:
            if isinstance(value, bytes):
                answer.metadata.add(key=key, binary=value)
            else:
                answer.metadata.add(key=key, text=value)
        if call.time_remaining is not None:
            answer.time_remaining.FromTimedelta(timedelta(seconds=call.time_remaining))
        return answer

    def FindUser(self, request: Any, call: Call) -> Any:
        user = self._by_email(request.email)
        if user is None:
            raise not_found("user", request.email)
        return user

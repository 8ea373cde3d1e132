"""Names and passwords (RFC 7617), checked against a file of hashes that are slow by design.

A pair that was right is remembered for five minutes: by a hash that is keyed with what only this
process knows, for the address that showed it, and only while the file says the same of that user.
One that was wrong is not remembered, but counted (`lockout`). A name that does not exist, or is
disabled, costs the same work as one that does, and gets the same answer.

How a hash is checked is told by `passwords`, how the field is read by `basic_header`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from secrets import token_bytes
from typing import Final, NamedTuple, TypeAlias

from gateway.call import Call, Deadline, Principal, RpcError
from gateway.head import Head
from gateway.policies.auth import basic_header
from gateway.policies.auth.attached import IsOwnDoing, cross_site
from gateway.policies.auth.basic_header import Login, MalformedError, is_basic, read_basic
from gateway.policies.auth.ends import Ends
from gateway.policies.auth.in_time import in_time
from gateway.policies.auth.lockout import Lockout, Try
from gateway.policies.auth.passwords import PasswordPool, stand_in
from gateway.policies.auth.provider import BadCredentials
from gateway.policies.auth.stored_file import StoredFile
from gateway.policies.pending import Pending
from gateway.policies.site import site_of

log = logging.getLogger("gateway.auth")

REMEMBERED: Final = 300.0
"""Seconds for which a pair that was right is taken without another look."""

_MOST: Final = 10_000  # pairs that are remembered; 350 bytes each, and the name
_FIELD: Final = "authorization"
_BAD: Final = "The name or the password is wrong."


@dataclass(frozen=True, slots=True)
class User:
    """One user.

    Attributes:
        hash: The password's, by argon2id.
        principal: Who it is.
        disabled: Whether it is refused.
    """

    hash: str = field(repr=False)
    principal: Principal
    disabled: bool = False


class UserTable:
    """Users by their names.

    Args:
        users: Them.
    """

    __slots__ = ("_key", "_names", "_users")

    def __init__(self, users: Mapping[str, User]) -> None:
        self._users = dict(users)
        self._names = tuple(users)
        self._key = token_bytes(16)

    def get(self, name: str) -> User | None:
        """Returns a user that may log in; None for none of this name."""
        user = self._users.get(name)
        return None if user is None or user.disabled else user

    def plans(self) -> Mapping[str, str]:
        """Returns the plans of users who have one, by their names."""
        plans = {name: user.principal.plan for name, user in self._users.items()}
        return {name: plan for name, plan in plans.items() if plan is not None}

    def stand_in(self, name: str) -> str:
        """Returns a hash to look at for a name that may not log in: its own, or one like others'.

        The same name gets one of the same cost each time, and costs are as frequent as among users.
        """
        if (user := self._users.get(name)) is not None:
            return user.hash
        if not self._names:
            return stand_in(None)
        digest = blake2b(name.encode(), key=self._key, digest_size=8).digest()
        like = self._names[int.from_bytes(digest, "big") % len(self._names)]
        return stand_in(self._users[like].hash)


class _Right(NamedTuple):
    """A pair that was right: whose, by which hash, from where, and until when it is taken."""

    name: str
    hash: str
    site: str
    until: float


_Found: TypeAlias = Principal | RpcError | None
"""Who it is, None for a pair that is wrong; or why it can't be known."""


class Basic:
    """A provider (`gateway.policies.auth.provider.Provider`).

    Args:
        name: What the config calls it.
        users: Those that may log in.
        clock: Seconds, on a clock that never goes back.
        is_own_doing: Whether a request is its sender's. A browser shows a password that was typed
            once with what any page asks.
        pool: Who checks passwords.
        most: Pairs that are remembered.
    """

    def __init__(
        self,
        name: str,
        users: StoredFile[UserTable],
        clock: Callable[[], float],
        *,
        is_own_doing: IsOwnDoing,
        pool: PasswordPool | None = None,
        most: int = _MOST,
    ) -> None:
        self.name = name
        self.scheme = basic_header.SCHEME
        self._users = users
        self._clock = clock
        self._is_own_doing = is_own_doing
        self._pool = pool or PasswordPool()
        self._most = most
        self._lockout = Lockout(clock)
        self._key = token_bytes(32)
        self._right: OrderedDict[bytes, _Right] = OrderedDict()
        self._looks: dict[bytes, asyncio.Task[_Found]] = {}
        self._ends = Ends()

    def __repr__(self) -> str:
        return f"Basic({self.name!r})"

    def carried(self, head: Head) -> bool:
        """Whether there is `Authorization: Basic`."""
        return any(map(is_basic, head.headers.all(_FIELD)))

    def known(self, call: Call) -> Principal | None:
        """Returns who shows a pair that was right from there a while ago."""
        if call.head is None:
            return None
        shown = call.head.headers.all(_FIELD)
        if len(shown) != 1 or not is_basic(shown[0]) or not self._is_own_doing(call.head):
            return None
        try:
            digest = self._digest(call.peer, read_basic(shown[0]))
        except MalformedError:
            return None  # the gate will hear why
        right = self._right.get(digest)
        if right is None:
            return None
        user = self._users.value.get(right.name)
        if user is not None and user.hash == right.hash and self._clock() < right.until:
            return user.principal
        del self._right[digest]
        return None

    def identify(self, call: Call) -> Awaitable[Principal] | None:
        """Returns what to await for who it is; None where nothing of this scheme is shown.

        Raises:
            BadCredentials: What is shown is not well formed.
            RpcError: LOCKED_OUT; AUTHENTICATION_UNAVAILABLE: too many passwords wait; or
                CROSS_SITE_REQUEST: another site may have asked.
        """
        if call.head is None or not self.carried(call.head):
            return None
        if not self._is_own_doing(call.head):
            raise cross_site("The password")
        shown = call.head.headers.all(_FIELD)
        if len(shown) > 1:
            raise BadCredentials(_BAD, f"{len(shown)} fields of credentials in one request")
        try:
            login = read_basic(shown[0])
        except MalformedError as failure:
            raise BadCredentials(_BAD, f"malformed Basic credentials: {failure}") from None
        digest = self._digest(call.peer, login)
        look = self._looks.get(digest) or self._begin(digest, login, call.peer)
        return Pending(partial(self._awaited, look, call.deadline))

    def plans(self) -> Mapping[str, str]:
        """Returns the plans of users who have one, by their names."""
        return self._users.value.plans()

    async def open(self) -> None:
        """Begins to look for changes of the file."""
        await self._users.open()

    async def close(self) -> None:
        """Looks no more."""
        await self._users.close()
        self._pool.close()

    def _digest(self, peer: str, login: Login) -> bytes:
        # Neither an address nor a login can hold NUL.
        data = f"{peer}\0{login.name}\0{login.password}".encode()
        return blake2b(data, key=self._key, digest_size=16).digest()

    def _begin(self, digest: bytes, login: Login, peer: str) -> asyncio.Task[_Found]:
        """Begins to check a password, or refuses to."""
        self._pool.reserve()
        try:
            one = self._lockout.begin(login.name, peer)
        except RpcError:
            self._pool.release()
            if self._lockout.insists(login.name, peer):
                self._forget(login.name, peer)
            raise
        look = asyncio.get_running_loop().create_task(self._look(digest, login, one))
        self._looks[digest] = look
        return look

    async def _look(self, digest: bytes, login: Login, one: Try) -> _Found:
        """Checks a password; callers come and go meanwhile, and it is counted all the same."""
        users = self._users.value
        user = users.get(login.name)
        stored = users.stand_in(login.name) if user is None else user.hash
        try:
            right = await self._pool.matches(stored, login.password)
        except RpcError as failure:
            one.given_up()
            return failure
        finally:
            del self._looks[digest]
        if user is None or not right:
            one.wrong()
            return None
        one.right()
        until = self._clock() + REMEMBERED
        self._right[digest] = _Right(login.name, user.hash, one.site, until)
        if len(self._right) > self._most:
            self._right.popitem(last=False)
        return user.principal

    async def _awaited(self, look: asyncio.Task[_Found], deadline: Deadline | None) -> Principal:
        """Waits for a look that others may wait for too, and that counts without anybody."""
        async with in_time(deadline):
            await self._ends.of(look)
        found = look.result()
        if isinstance(found, RpcError):
            raise found.with_traceback(None)  # it is raised for each who waits
        if found is None:
            raise BadCredentials(_BAD, "a wrong password, or an unknown user")
        return found

    def _forget(self, name: str, peer: str) -> None:
        """Forgets what is remembered of a name at an address, where somebody guesses at it."""
        site = site_of(peer)
        mine = [key for key, each in self._right.items() if (each.name, each.site) == (name, site)]
        for key in mine:
            del self._right[key]
        log.warning("somebody at %s goes on guessing a password while locked out", site)

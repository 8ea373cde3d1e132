"""The model that stands between fronts and backends: a call, its reply, its end.

A front translates its protocol into calls, a channel carries them to a backend, and gates,
observers and arounds stand between the two. All of it speaks serialized protobuf (`bytes`): what
needs no decoding is not decoded. This module holds data and shapes; it decides nothing and knows
neither HTTP nor descriptors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias

from gateway.head import Head
from gateway.kept import Forms, Keys

if TYPE_CHECKING:
    from gateway.cookies import Cookies
    from gateway.record import CallRecord


class Code(IntEnum):
    """gRPC status codes (grpc/grpc, doc/statuscodes.md; `google/rpc/code.proto`)."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class Metadata:
    """gRPC metadata: lower-case keys to values, in order, a key as often as it was given.

    Values are `str`, but those of `-bin` keys, which are `bytes`. Immutable. Keys are taken as they
    come: whoever makes metadata from outside input checks it (`routing.metadata`).
    """

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[str, str | bytes]] = ()) -> None:
        self._items = tuple(items)

    def __iter__(self) -> Iterator[tuple[str, str | bytes]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return any(name == key for name, _ in self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Metadata) and self._items == other._items

    def __hash__(self) -> int:
        return hash(self._items)

    def __add__(self, other: Iterable[tuple[str, str | bytes]]) -> Metadata:
        return Metadata((*self._items, *other))

    def __repr__(self) -> str:
        # Values may hold tokens, and a repr ends in logs.
        return f"Metadata({[name for name, _ in self._items]})"

    def names(self) -> list[str]:
        """Returns the keys in order, one for each entry."""
        return [name for name, _ in self._items]

    def only(self, keys: Container[str]) -> Iterable[tuple[str, str | bytes]]:
        """Returns the entries of `keys`, in order."""
        return [item for item in self._items if item[0] in keys]

    def size(self) -> int:
        """Returns its bytes as HTTP/2 counts them: 32 more for each entry (RFC 9113, 6.5.2)."""
        return sum(len(name) + len(value) + 32 for name, value in self._items)

    def get(self, key: str) -> str | bytes | None:
        """Returns the first value of `key`, or None."""
        for name, value in self._items:
            if name == key:
                return value
        return None

    def text(self, key: str) -> str | None:
        """Returns the first value of `key` if it is text (not a `-bin` one), or None."""
        value = self.get(key)
        return value if isinstance(value, str) else None

    def without(self, *keys: str) -> Metadata:
        """Returns this metadata less all entries of `keys`."""
        return Metadata(item for item in self._items if item[0] not in keys)


NO_METADATA = Metadata()


class Deadline(NamedTuple):
    """A point on the event loop's clock (`loop.time()`, seconds) after which a call is over."""

    at: float

    def remaining(self, now: float) -> float:
        """Returns the seconds left at `now`; negative when the deadline has passed."""
        return self.at - now


class Detail(NamedTuple):
    """One entry of `google.rpc.Status.details`: a packed `google.protobuf.Any`."""

    type_url: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Status:
    """How a call ended: gRPC code, message for a developer, `google.rpc` details."""

    code: Code
    message: str = ""
    details: tuple[Detail, ...] = ()


OK = Status(Code.OK)


class RpcError(Exception):
    """A call that ended with another status than OK: the one error type of calls.

    Attributes:
        status: The gRPC status.
        headers: The gateway's own reply headers that go with it, such as `Retry-After`.
        http_status: The HTTP status where the protocol has a more exact one than the status table
            gives (405, 413, 415 …), else None.
        metadata: The backend's initial metadata and trailers, where it sent any.
        reason: The stable reason of an error of the gateway's own (`errors.REASONS`); None for a
            status that a backend sent.
        cause: What operators are told beside, such as why a connection failed: never for clients.
    """

    def __init__(
        self,
        status: Status,
        *,
        headers: Mapping[str, str] | None = None,
        http_status: int | None = None,
        metadata: Metadata = NO_METADATA,
        reason: str | None = None,
        cause: str = "",
    ) -> None:
        super().__init__(status.code.name, status.message)
        self.status = status
        self.headers = headers or {}
        self.http_status = http_status
        self.metadata = metadata
        self.reason = reason
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a call. The same type for every way of authentication.

    Attributes:
        subject: Who it is, to its provider; empty where that lets it in without a name.
        provider: Which provider says so, by its name in the config.
        scopes: What it may do.
        roles: What it is.
        plan: The plan whose numbers it has.
        claims: All that the provider says of it, as JSON values.
        expires: Until when that holds, seconds since 1970; None for no end that is known.
    """

    subject: str
    provider: str
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    plan: str | None = None
    claims: Mapping[str, object] = field(default_factory=dict, repr=False)
    expires: float | None = None

    def is_of(self, other: Principal | None) -> bool:
        """Whether both are of one subject. Of those without a name, that can't be said of any."""
        if other is None or not self.subject:
            return False
        return (self.provider, self.subject) == (other.provider, other.subject)


@dataclass(slots=True)
class Call:
    """One call on its way from a front to a backend. Gates may change it; nobody else does.

    Attributes:
        method: Full name without a leading slash, `shop.v1.Catalog/GetProduct`.
        request: The serialized request message; of a streaming call, unused.
        metadata: What the backend will be sent.
        deadline: When the call is over for everyone, or None for never.
        principal: Who calls; None is an anonymous caller.
        peer: The client's address, `203.0.113.7`.
        front: The front that made the call, `rest`.
        request_id: What names this call in logs and replies.
        traceparent: W3C trace context of the caller, as received, or None.
        head: The head of the client's request, by which the caller is known. None is a call of the
            gateway's own, which shows nothing.
        reply_headers: The gateway's own headers that go with the reply, whatever it is; None for
            none so far. Names in lower case.
        keys: What it asks for by keys, where that may be answered key by key; else None.
        affinity: The id by which its client goes to the endpoint that it went to before; empty for
            none.
        cookies: What its answer gives the client to keep; None where it can give nothing.
        upstream: The upstream that was chosen for it; empty for its service's own.
        record: What is noted of it; None for nothing.
    """

    method: str
    request: bytes = b""
    metadata: Metadata = NO_METADATA
    deadline: Deadline | None = None
    principal: Principal | None = None
    peer: str = ""
    front: str = ""
    request_id: str = ""
    traceparent: str | None = None
    head: Head | None = field(default=None, repr=False)
    reply_headers: dict[str, str] | None = None
    keys: Keys | None = field(default=None, repr=False)
    affinity: str = field(default="", repr=False)
    cookies: Cookies | None = field(default=None, repr=False)
    upstream: str = ""
    record: CallRecord | None = field(default=None, repr=False)

    def parts(self) -> dict[str, Any]:
        """Returns its attributes by name: what another call like it is made of."""
        return {name: getattr(self, name) for name in _PARTS}


_PARTS: Final = tuple(each.name for each in fields(Call))


@dataclass(slots=True)
class Reply:
    """A unary reply.

    Attributes:
        message: The serialized response message.
        initial: The backend's initial metadata.
        trailers: The backend's trailing metadata.
        headers: The gateway's own headers (`Age`), which each front writes in its own form.
        rendered: Where the message is kept and will be asked for again: the forms that fronts made
            of it, by what made them, so that each is made once. Else None.
    """

    message: bytes
    initial: Metadata = NO_METADATA
    trailers: Metadata = NO_METADATA
    headers: Mapping[str, str] = field(default_factory=dict)
    rendered: Forms | None = None


class StreamCall(Call, ABC):
    """A call of a streaming method: the front's side of it, driven by the stream's own task.

    The handler of the method (`Stream`) calls these. Cancelling the task cancels the call.
    """

    __slots__ = ()

    @abstractmethod
    async def receive(self) -> bytes | None:
        """Waits for the client's next request message; None once the client has half-closed.

        Raises:
            RpcError: What the client sent is not a message.
        """

    @abstractmethod
    async def start(self, initial: Metadata) -> None:
        """Takes the backend's initial metadata; called once at most, before the first message."""

    @abstractmethod
    async def send(self, message: bytes) -> None:
        """Gives the client one message; returns when the client can take another."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended, for observers. `reply` is set for a unary call that succeeded."""

    status: Status
    reply: Reply | None = None


Done: TypeAlias = "Callable[[Reply | RpcError], None]"
"""What a unary call completes with. Called once at most: never after its `Cancel`."""

Cancel: TypeAlias = "Callable[[], None]"
"""Ends a unary call of which nobody wants the answer. Without effect once it has completed."""

Unary: TypeAlias = "Callable[[Call, Done], Cancel]"
"""`start(call, done)`: starts a unary call. `done` may be called before `start` returns. It never
raises: what goes wrong is given to `done`."""

Stream: TypeAlias = "Callable[[StreamCall], Awaitable[Metadata]]"
"""Runs a streaming call to its end and returns the trailers. Raises RpcError for every status but
OK. The caller's task owns it: cancelling that task cancels the call at the backend."""


class Gate(Protocol):
    """Admits a call or refuses it: at once, or, where it must, after a while.

    One that always waits, or must see the reply, stands around calls: it costs each a task.
    """

    def admit(self, call: Call) -> Awaitable[None] | None:
        """Returns to admit the call (which it may change), raises RpcError to refuse it.

        Where that can't be known yet (a key is to be fetched), it returns what to await, which
        then returns or raises so.
        """


class Observer(Protocol):
    """Hears of a call's end: exactly once for every call that came as far as the observer.

    Something that is a gate too hears only of the calls that it admitted, so a permit taken in
    `admit` is given back in `ended`.
    """

    def ended(self, call: Call, outcome: Outcome) -> None:
        """Takes note. Must not raise and must not wait."""


class UnaryAround(Protocol):
    """Stands around unary calls where a policy must wait (a shared state, a cache to fill)."""

    async def unary(self, call: Call, proceed: Callable[[Call], Awaitable[Reply]]) -> Reply:
        """Answers the call, usually by awaiting `proceed(call)`."""


class Filter(Protocol):
    """Stands around unary calls in their own form: what needs no waiting costs no task."""

    def filter(self, call: Call, done: Done, proceed: Unary) -> Cancel:
        """Answers the call, usually by `proceed(call, done)`; all that `Unary` says holds for it.

        Args:
            call: The call.
            done: What the call completes with.
            proceed: Starts a call behind this policy, this one or another, as often as it likes.
        """


class StreamAround(Protocol):
    """Stands around streaming calls, for as long as each of them runs."""

    async def stream(
        self, call: StreamCall, proceed: Callable[[StreamCall], Awaitable[Metadata]]
    ) -> Metadata:
        """Runs the call, usually by awaiting `proceed(call)`; returns its trailers."""

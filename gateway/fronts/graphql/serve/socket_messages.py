"""The messages of `graphql-transport-ws`: text to data, and data to text.

graphql-ws, PROTOCOL.md, "Message types". A message that the protocol does not know, or not from a
client, is no message. What may come when is decided in `socket_session`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeGuard

from gateway.fronts.graphql.errors import RequestError
from gateway.fronts.graphql.serve.engine import GraphqlRequest
from gateway.fronts.graphql.serve.json_text import JsonError, loads
from gateway.fronts.graphql.serve.parameters import request_of
from gateway.http.websocket import Message

_AUTHORIZATION: Final = "authorization"

ID_SIZE: Final = 256
"""Characters that the id of an operation may have: it is held, and sent with each result."""

AUTHORIZATION_SIZE: Final = 16 * 1024
"""Characters of an `Authorization` in a payload: as many as a usual header section has bytes."""

ACK: Final = b'{"type":"connection_ack"}'


class BadMessage(Exception):  # noqa: N818  what came, not what went wrong here
    """What came is no message of the protocol; the exception's text says why, fit for clients."""


@dataclass(frozen=True, slots=True)
class Init:
    """`connection_init`, with what its payload has of an `Authorization` header.

    Attributes:
        authorization: The header's value; None where the payload has none.
    """

    authorization: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ping:
    """`ping`, with what its answer must repeat."""

    payload: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Pong:
    """`pong`, asked for or not."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """`subscribe`: an operation of any kind is wanted."""

    id: str
    request: GraphqlRequest


@dataclass(frozen=True, slots=True)
class Complete:
    """`complete`: an operation is not wanted any more."""

    id: str


Received: TypeAlias = "Init | Ping | Pong | Subscribe | Complete"


def read(message: Message) -> Received:
    """Returns the message that a client sent.

    Args:
        message: What came; the protocol has text messages only.

    Raises:
        BadMessage: It is none.
    """
    if not isinstance(message, str):
        raise BadMessage("a message is text")
    try:
        given = loads(message)
    except JsonError as wrong:
        raise BadMessage(str(wrong)) from None
    if not isinstance(given, dict):
        raise BadMessage("a message is an object")
    kind = given.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise BadMessage("the type is none that a client sends")
    return reader(given)


def pong(payload: Mapping[str, object] | None) -> bytes:
    """Returns the answer to a ping, with its payload."""
    if payload is None:
        return b'{"type":"pong"}'
    return b'{"type":"pong","payload":%b}' % json.dumps(payload, separators=(",", ":")).encode()


def next_result(id_: str, response: bytes) -> bytes:
    """Returns `next`: a response to an operation, as JSON."""
    return b'{"id":%b,"type":"next","payload":%b}' % (_quoted(id_), response)


def error(id_: str, errors: bytes) -> bytes:
    """Returns `error`: why an operation is over, as a JSON list. No `complete` follows it."""
    return b'{"id":%b,"type":"error","payload":%b}' % (_quoted(id_), errors)


def complete(id_: str) -> bytes:
    """Returns `complete`: an operation is over."""
    return b'{"id":%b,"type":"complete"}' % _quoted(id_)


def _quoted(id_: str) -> bytes:
    return json.dumps(id_).encode()


def _init(given: Mapping[str, object]) -> Received:
    """Reads what browsers send in place of a header, which they can't set.

    The protocol leaves the payload to clients and servers. Of what clients send, `Authorization`
    counts, in any case of letters, beside or below `headers`; null or empty is nobody.
    """
    payload = _payload(given) or {}
    below = payload.get("headers")
    places = (payload, below) if isinstance(below, dict) else (payload,)
    found = {
        value
        for place in places
        for name, value in place.items()
        if name.lower() == _AUTHORIZATION and value is not None and value != ""
        if _is_field_value(value)
    }
    if len(found) > 1:
        raise BadMessage(f"the payload has more than one {_AUTHORIZATION}")
    return Init(*found)


def _is_field_value(value: object) -> TypeGuard[str]:
    """Whether a value can be a header's; raises BadMessage where not."""
    if not isinstance(value, str):
        raise BadMessage(f"{_AUTHORIZATION} must be a string")
    if len(value) > AUTHORIZATION_SIZE:
        raise BadMessage(f"{_AUTHORIZATION} has more than {AUTHORIZATION_SIZE} characters")
    if not all(" " <= char <= "~" for char in value):
        raise BadMessage(f"{_AUTHORIZATION} is no value of a header")
    return True


def _ping(given: Mapping[str, object]) -> Received:
    return Ping(_payload(given))


def _pong(given: Mapping[str, object]) -> Received:
    _payload(given)
    return Pong()


def _subscribe(given: Mapping[str, object]) -> Received:
    id_ = _id(given)
    try:
        return Subscribe(id_, request_of(given.get("payload")))
    except RequestError as wrong:
        raise BadMessage(wrong.errors[0].message) from None


def _complete(given: Mapping[str, object]) -> Received:
    return Complete(_id(given))


_READERS: Final[Mapping[str, Callable[[Mapping[str, object]], Received]]] = {
    "connection_init": _init,
    "ping": _ping,
    "pong": _pong,
    "subscribe": _subscribe,
    "complete": _complete,
}


def _id(given: Mapping[str, object]) -> str:
    found = given.get("id")
    if not isinstance(found, str) or not found:
        raise BadMessage("the id must be a string that is not empty")
    if len(found) > ID_SIZE:
        raise BadMessage(f"the id has more than {ID_SIZE} characters")
    return found


def _payload(given: Mapping[str, object]) -> Mapping[str, object] | None:
    found = given.get("payload")
    if found is None or isinstance(found, dict):
        return found
    raise BadMessage("the payload must be an object")

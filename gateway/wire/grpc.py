"""gRPC on HTTP/2 (grpc/grpc, doc/PROTOCOL-HTTP2.md): what its fields and messages mean.

Pure functions and one reader of messages. Statuses are numbers here: what each means to a caller
is decided elsewhere. What is wrong in an answer raises AnswerError.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator
from enum import Enum
from struct import Struct
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from gateway.wire import hpack
from gateway.wire.hpack import Field, Fields, MalformedError

PREFIX: Final = 5
"""Bytes before a message: whether it is compressed, and its length."""

_PREFIX: Final = Struct(">BL")

ACCEPTED_ENCODINGS: Final = "identity,gzip"
_IDENTITY: Final = b"identity"
_ENCODINGS: Final = frozenset({_IDENTITY, b"gzip"})

# doc/http-grpc-status-mapping.md: for answers without a `grpc-status`. Others are UNKNOWN (2).
HTTP_STATUSES: Final = {
    400: 13,
    401: 16,
    403: 7,
    404: 12,
    429: 14,
    431: 13,
    502: 14,
    503: 14,
    504: 14,
}
UNKNOWN: Final = 2

# What is no metadata: the protocol's own fields, and those of HTTP that gRPC gives a meaning.
_OWN: Final = frozenset(
    {
        ":status",
        "content-type",
        "grpc-accept-encoding",
        "grpc-encoding",
        "grpc-message",
        "grpc-status",
        "te",
        "trailer",
    }
)
_CONTENT_TYPE: Final = re.compile(rb"application/grpc(?:[+;].*)?", re.IGNORECASE | re.DOTALL)
_STATUS: Final = re.compile(rb"[0-9]{1,9}")

# `grpc-timeout`: units in seconds, the finest first that holds a time in 8 digits.
_UNITS: Final = ((b"m", 1e3), (b"S", 1.0), (b"M", 1 / 60), (b"H", 1 / 3600))
_MOST_UNITS: Final = 99_999_999
_LONGEST: Final = b"99999999H"
_TIMEOUT: Final = hpack.field("grpc-timeout", b"")[:-1]
_LENGTHS: Final = tuple(bytes([length]) for length in range(10))


class Wrong(Enum):
    """What kind of wrong an answer is."""

    PROTOCOL = "not gRPC"
    HTTP_STATUS = "an HTTP status of somebody who does not speak gRPC"
    TOO_LARGE = "larger than allowed"


class AnswerError(Exception):
    """An answer that is not a well-formed one of gRPC.

    Attributes:
        wrong: The kind.
        http_status: The HTTP status, of HTTP_STATUS.
    """

    def __init__(self, wrong: Wrong, text: str, http_status: int = 0) -> None:
        super().__init__(text)
        self.wrong = wrong
        self.http_status = http_status


# Requests.


def request_block(*, secure: bool, authority: str, path: str, agent: str) -> bytes:
    """Returns the field block that all requests of a method begin with.

    Args:
        secure: Whether the connection has TLS.
        authority: Whom the request is for: `catalog:50051`.
        path: `/shop.v1.Catalog/GetProduct`.
        agent: The `user-agent`.
    """
    return hpack.fields(
        [
            (":method", "POST"),
            (":scheme", "https" if secure else "http"),
            (":path", path),
            (":authority", authority),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("grpc-accept-encoding", ACCEPTED_ENCODINGS),
            ("user-agent", agent),
        ]
    )


def timeout_field(seconds: float) -> bytes:
    """Returns the field that tells the time that is left: rounded up, and more than nothing."""
    for unit, per_second in _UNITS:
        count = int(seconds * per_second) + 1
        if count <= _MOST_UNITS:
            value = b"%d%b" % (count, unit)
            break
    else:
        value = _LONGEST
    # By hand, for no two are alike: the length of the value is one byte.
    return _TIMEOUT + _LENGTHS[len(value)] + value


def metadata_field(key: str, value: str | bytes) -> bytes:
    """Returns an entry of metadata as a field; bytes, of a `-bin` key, as base64 unpadded."""
    if isinstance(value, bytes):
        return hpack.field(key, base64.b64encode(value).rstrip(b"="))
    return hpack.field(key, value.encode("ascii"))


def prefixed(message: bytes) -> bytes:
    """Returns a message with its prefix."""
    return _PREFIX.pack(0, len(message)) + message


# Answers.


class Head(NamedTuple):
    """The head of an answer: how its messages may be encoded, and which fields are metadata."""

    encoding: bytes
    metadata: tuple[Field, ...]


class Ending(NamedTuple):
    """The trailers of an answer, or its head and trailers in one.

    Attributes:
        status: The number of the gRPC status.
        message: `grpc-message`, decoded.
        metadata: The fields that are metadata.
    """

    status: int
    message: str
    metadata: tuple[Field, ...]


def head_of(fields: Fields) -> Head:
    """Returns what the head of an answer with content says; the same for the same fields.

    Raises:
        AnswerError: It is not gRPC's.
    """
    known = fields.memo
    if not isinstance(known, Head):
        known = fields.memo = _head(fields)
    return known


def ending_of(fields: Fields) -> Ending:
    """Returns what trailers say, also those that are a head too; the same for the same fields.

    Raises:
        AnswerError: They are not gRPC's.
    """
    known = fields.memo
    if not isinstance(known, Ending):
        known = fields.memo = _ending(fields)
    return known


def _head(fields: Fields) -> Head:
    encoding = _IDENTITY
    kind = b""
    metadata: list[Field] = []
    try:
        for field in fields.lines:
            name = field.name
            if name not in _OWN:
                metadata.append(field)
            elif name == "content-type":
                kind = field.value
            elif name == "grpc-encoding":
                encoding = field.value
        _check_http(fields, kind)
        if encoding not in _ENCODINGS:
            raise AnswerError(Wrong.PROTOCOL, f"the encoding {encoding!r} was not offered")
        return Head(encoding, _checked(metadata))
    except MalformedError as failure:
        raise AnswerError(Wrong.PROTOCOL, str(failure)) from failure


def _ending(fields: Fields) -> Ending:
    status: bytes | None = None
    kind = message = b""
    metadata: list[Field] = []
    try:
        for field in fields.lines:
            name = field.name
            if name not in _OWN:
                metadata.append(field)
            elif name == "grpc-status":
                status = field.value
            elif name == "grpc-message":
                message = field.value
            elif name == "content-type":
                kind = field.value
        if status is None:
            if fields.status:
                _check_http(fields, kind)
            raise AnswerError(Wrong.PROTOCOL, "there is no grpc-status")
        if not _STATUS.fullmatch(status):
            raise AnswerError(Wrong.PROTOCOL, f"the grpc-status {status!r} is no number")
        return Ending(int(status), percent_decoded(message), _checked(metadata))
    except MalformedError as failure:
        raise AnswerError(Wrong.PROTOCOL, str(failure)) from failure


def _check_http(fields: Fields, kind: bytes) -> None:
    """Raises AnswerError for a head that a proxy or a web server sent, and no gRPC server."""
    if fields.status != 200:
        raise AnswerError(Wrong.HTTP_STATUS, f"HTTP status {fields.status}", fields.status or 0)
    if kind != b"application/grpc" and not _CONTENT_TYPE.fullmatch(kind):
        raise AnswerError(Wrong.PROTOCOL, f"the content type is {kind[:100]!r}")


def _checked(metadata: list[Field]) -> tuple[Field, ...]:
    """Returns metadata whose binary values are base64, so that it is known at once if not."""
    for field in metadata:
        if field.name[-4:] == "-bin":
            for _ in values_of(field):
                pass
    return tuple(metadata)


def values_of(field: Field) -> Iterator[str | bytes]:
    """Yields the values of a metadata field: several, where binary ones stand in a list.

    Text that is not ASCII comes as Latin-1: each byte a character.

    Raises:
        AnswerError: A binary value is not base64.
        MalformedError: The field's value is malformed.
    """
    if not field.name.endswith("-bin"):
        yield field.value.decode("latin-1")
        return
    for part in field.value.split(b","):
        bare = part.strip(b" \t").rstrip(b"=")
        try:
            yield base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
        except binascii.Error:
            raise AnswerError(Wrong.PROTOCOL, f"{field.name} is not base64") from None


def items_of(metadata: Iterable[Field]) -> Iterator[tuple[str, str | bytes]]:
    """Yields keys and values of metadata, but values that HTTP does not allow."""
    for field in metadata:
        try:
            for value in values_of(field):
                yield field.name, value
        except MalformedError:
            continue


def percent_decoded(message: bytes) -> str:
    """Returns a `grpc-message`; a wrong escape stays as it is, wrong UTF-8 is replaced."""
    return unquote_to_bytes(message).decode("utf-8", "replace")


# Messages.


class Messages:
    """Takes the messages out of an answer's content, still compressed if they are.

    Args:
        most: The most bytes of a message, also when it is inflated.
        encoding: What compressed ones are compressed with.
    """

    __slots__ = ("_buffer", "_encoding", "_failure", "_most")

    def __init__(self, most: int, encoding: bytes) -> None:
        self._most = most
        self._encoding = encoding
        self._buffer = bytearray()
        self._failure: AnswerError | None = None

    @property
    def partial(self) -> bool:
        """Whether a message has begun that has not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Takes content, and returns the messages that end in it, each with its flag.

        After it, `check` is to be called: messages before one that is too large are not lost.
        """
        buffer = self._buffer
        buffer += data
        found: list[tuple[int, bytes]] = []
        at, size = 0, len(buffer)
        while size - at >= PREFIX:
            flag, length = _PREFIX.unpack_from(buffer, at)
            if length > self._most:
                self._failure = AnswerError(Wrong.TOO_LARGE, f"a message of {length} bytes")
                break
            end = at + PREFIX + length
            if end > size:
                break
            found.append((flag, bytes(buffer[at + PREFIX : end])))
            at = end
        if at:
            del buffer[:at]
        return found

    def check(self) -> None:
        """Raises AnswerError if a message has begun that is larger than allowed."""
        if self._failure is not None:
            raise self._failure

    def plain(self, flag: int, message: bytes) -> bytes:
        """Returns a message as it was before it was compressed, if it was.

        Raises:
            AnswerError: It can't be inflated, or not within the limit.
        """
        if not flag:
            return message
        if flag != 1 or self._encoding == _IDENTITY:
            raise AnswerError(Wrong.PROTOCOL, "a message is compressed, and no encoding is named")
        return inflated(message, self._most)


def whole(data: bytes, most: int) -> bytes | None:
    """Returns the message where content is just one, not compressed and not too large.

    For what most unary answers are; None leaves the content to `Messages`.
    """
    if len(data) < PREFIX:
        return None
    flag, length = _PREFIX.unpack_from(data)
    if flag or length != len(data) - PREFIX or length > most:
        return None
    return data[PREFIX:]


def inflated(message: bytes, most: int) -> bytes:
    """Returns a gzip message inflated.

    Raises:
        AnswerError: It is not gzip, or has more than `most` bytes.
    """
    inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = inflate.decompress(message, most + 1)
    except zlib.error as failure:
        raise AnswerError(Wrong.PROTOCOL, "a message is not gzip") from failure
    if len(plain) > most:
        raise AnswerError(Wrong.TOO_LARGE, f"a message inflates to over {most} bytes")
    if not inflate.eof or inflate.unused_data:
        raise AnswerError(Wrong.PROTOCOL, "a message is gzip cut short, or followed by something")
    return plain

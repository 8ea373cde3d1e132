"""Cuts a request stream into the JSON texts of its messages, as its bytes arrive. Sans-IO.

Two forms: one value a line (NDJSON), and one array whose elements are the messages. A splitter
finds where a value ends; it does not check that the value is JSON, which the codec does. Memory is
bounded: a message of more than `limit` bytes is refused while it arrives.
"""

from __future__ import annotations

import re
from typing import Protocol

from gateway.call import RpcError
from gateway.errors import error

_SPACE = b" \t\r\n"
# Outside a string: everything up to a character that matters. Inside: up to a quote or an escape.
_PLAIN = re.compile(rb'[^"\[\]{},]+')
_STRING = re.compile(rb'[^"\\]+')


class Splitter(Protocol):
    """Takes a request body piece by piece and gives the texts of whole messages."""

    def feed(self, data: bytes) -> list[bytes]:
        """Takes a piece and returns the messages that it completes.

        Raises:
            RpcError: The body is not in this form, or a message is too large.
        """

    def finish(self) -> list[bytes]:
        """Takes the end of the body and returns what messages it completes.

        Raises:
            RpcError: The body is cut short.
        """


class LineSplitter:
    """One JSON value a line; blank lines are passed over (ndjson.org)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """See Splitter."""
        *lines, last = data.split(b"\n")
        messages: list[bytes] = []
        for line in lines:
            self._extend(line)
            self._take(messages)
        self._extend(last)
        return messages

    def finish(self) -> list[bytes]:
        """See Splitter. The last line may lack its line end."""
        messages: list[bytes] = []
        self._take(messages)
        return messages

    def _extend(self, piece: bytes) -> None:
        if len(self._rest) + len(piece) > self._limit:
            raise too_large(self._limit)
        self._rest += piece

    def _take(self, messages: list[bytes]) -> None:
        message = bytes(self._rest).strip(_SPACE)
        self._rest.clear()
        if message:
            messages.append(message)


class ArraySplitter:
    """One JSON array; each element is a message."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._value = bytearray()
        self._depth = 0  # 0 before the array, 1 in it, 2 and more in an element
        self._string = False
        self._escape = False
        self._ended = False
        self._comma = False  # a comma stands before the element that is being read

    def feed(self, data: bytes) -> list[bytes]:
        """See Splitter."""
        messages: list[bytes] = []
        at, end = 0, len(data)
        while at < end:
            if self._escape:
                self._keep(data[at : at + 1])
                self._escape = False
                at += 1
                continue
            run = (_STRING if self._string else _PLAIN).match(data, at)
            if run:
                self._plain(run[0])
                at = run.end()
                continue
            self._special(data[at : at + 1], messages)
            at += 1
        return messages

    def finish(self) -> list[bytes]:
        """See Splitter."""
        if not self._ended:
            raise error("INVALID_JSON", "The body ends before its JSON array does.")
        return []

    def _plain(self, run: bytes) -> None:
        if (self._depth == 0 or self._ended) and run.strip(_SPACE):
            raise _not_an_array(self._ended)
        if self._depth:
            self._keep(run)

    def _special(self, char: bytes, messages: list[bytes]) -> None:
        if self._string:
            self._keep(char)
            if char == b'"':
                self._string = False
            else:
                self._escape = True
        elif self._depth == 0 or self._ended:
            if char != b"[" or self._ended:
                raise _not_an_array(self._ended)
            self._depth = 1
        elif self._depth == 1 and char == b",":
            self._take(messages)
            self._comma = True
        elif self._depth == 1 and char == b"]":
            if self._comma or self._value.strip(_SPACE):
                self._take(messages)
            self._ended = True
        else:
            self._keep(char)
            if char == b'"':
                self._string = True
            elif char in b"[{":
                self._depth += 1
            elif char in b"]}":
                self._depth -= 1
                if self._depth < 1:
                    raise error("INVALID_JSON", "The JSON array has a bracket too many.")

    def _keep(self, piece: bytes) -> None:
        if len(self._value) + len(piece) > self._limit:
            raise too_large(self._limit)
        self._value += piece

    def _take(self, messages: list[bytes]) -> None:
        message = bytes(self._value).strip(_SPACE)
        if not message:
            raise error("INVALID_JSON", "The JSON array has a comma without a value.")
        self._value.clear()
        self._comma = False
        messages.append(message)


class JsonSplitter:
    """A body of type `application/json`: an array when it begins with `[`, else lines."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._chosen: Splitter | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """See Splitter."""
        if self._chosen is None:
            data = data.lstrip(_SPACE)
            if not data:
                return []
            kind = ArraySplitter if data[:1] == b"[" else LineSplitter
            self._chosen = kind(self._limit)
        return self._chosen.feed(data)

    def finish(self) -> list[bytes]:
        """See Splitter."""
        return self._chosen.finish() if self._chosen else []


def too_large(limit: int) -> RpcError:
    """Returns the error for a message of more than `limit` bytes."""
    return error("MESSAGE_TOO_LARGE", f"A message of the request is larger than {limit} bytes.")


def _not_an_array(ended: bool) -> RpcError:  # noqa: FBT001 - a private choice of two sentences
    if ended:
        return error("INVALID_JSON", "There is more after the JSON array.")
    return error("INVALID_JSON", "Expected a JSON array of messages.")

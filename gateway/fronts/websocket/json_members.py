"""The members of a frame in JSON, with their types checked; a body is left as its text.

`json` would read the whole of a frame, and with it a body that something stricter reads again. So
members are read one by one, by `json`'s scanner, which also says where a value ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal, overload

from gateway.fronts.websocket.frames import MOST_ID, FrameError
from gateway.schema.codec.text import is_beyond

# What may stand behind a body that is not read.
_LAST: Final = re.compile(
    r'(,[ \t\n\r]*"end"[ \t\n\r]*:[ \t\n\r]*(true|false)[ \t\n\r]*)?\}[ \t\n\r]*\Z'
)
_LAST_SIZE: Final = 64
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_value_at: Final = json.JSONDecoder().raw_decode
# Of a body only the end is wanted: its numbers, of whatever length, are the codec's to judge.
body_at: Final = json.JSONDecoder(parse_int=str).raw_decode
_NOT_JSON: Final = "the frame is not valid JSON"
_TOO_MUCH: Final = "there is too much in the frame"
_MOST_DEPTH: Final = 400
LONG: Final = 64 * 1024
"""Characters from which on a frame is looked through before it is read."""
_DIGITS: Final = re.compile(r"[1-9][0-9]{0,15}")


class Members:
    """The members of a JSON object. A member that is null is taken for absent.

    Attributes:
        body: The text of the member `body`, UTF-8; None without one.
    """

    __slots__ = ("_values", "body")

    def __init__(self, values: Mapping[str, object], body: bytes | None) -> None:
        self._values = values
        self.body = body

    @classmethod
    def of(cls, text: str) -> Members:
        """Reads a frame.

        Raises:
            FrameError: It is no JSON object, or has a member twice.
        """
        try:
            return cls(*_object(text))
        except ValueError:
            raise FrameError(_NOT_JSON) from None
        except RecursionError:
            raise FrameError(_TOO_MUCH) from None

    @overload
    def text(self, name: str, *, required: Literal[True]) -> str: ...

    @overload
    def text(self, name: str) -> str | None: ...

    def text(self, name: str, *, required: bool = False) -> str | None:
        """Returns a string, or None without the member; protobuf has no empty one beside that."""
        value = self._value(name, required=required)
        if value is not None and not isinstance(value, str):
            raise FrameError(f"{name} must be a string")
        if required and not value:
            raise _lacks(name)
        return value or None

    def number(self, name: str, most: int, *, required: bool = False) -> int | None:
        """Returns a whole number from 0 to `most`, or None without the member."""
        value = self._value(name, required=required)
        if value is None:
            return None
        if type(value) is not int or not 0 <= value <= most:
            raise FrameError(f"{name} must be a whole number from 0 to {most}")
        return value

    def id(self) -> int:
        """Returns the member `id`."""
        value = self._value("id", required=True)
        if type(value) is not int or not 0 < value <= MOST_ID:
            raise FrameError(f"id must be a whole number from 1 to {MOST_ID}")
        return value

    def flag(self, name: str) -> bool:
        """Returns a boolean; False without the member."""
        value = self._value(name)
        if value is not None and not isinstance(value, bool):
            raise FrameError(f"{name} must be true or false")
        return bool(value)

    def texts(self, name: str) -> Sequence[str]:
        """Returns a list of strings; empty without the member."""
        value = self._value(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise FrameError(f"{name} must be a list of strings")
        return value

    def pairs(self, name: str) -> Sequence[tuple[str, str]]:
        """Returns a list of pairs of strings; empty without the member."""
        value = self._value(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(map(_is_pair, value)):
            raise FrameError(f"{name} must be a list of pairs of strings")
        return [(key, text) for key, text in value]

    def numbers(self, name: str, most: int) -> Mapping[int, int]:
        """Returns an object of whole numbers by id; empty without the member."""
        value = self._value(name)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(
            _is_id(key) and type(number) is int and 0 <= number <= most
            for key, number in value.items()
        ):
            raise FrameError(f"{name} must be an object of whole numbers by id")
        return {int(key): number for key, number in value.items()}

    def _value(self, name: str, *, required: bool = False) -> object:
        value = self._values.get(name)
        if value is None and required:
            raise _lacks(name)
        return value


def _lacks(name: str) -> FrameError:
    return FrameError(f"the frame lacks {name}")


def _is_id(key: str) -> bool:
    return _DIGITS.fullmatch(key) is not None and int(key) <= MOST_ID


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value)
    )


def _object(text: str) -> tuple[dict[str, object], bytes | None]:
    """Returns the members of a JSON object, and its body apart.

    Raises:
        ValueError, RecursionError: The text is no JSON.
        FrameError: It is no object, or has a member twice.
    """
    values: dict[str, object] = {}
    body: bytes | None = None
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise FrameError("a frame is a JSON object")
    at = _skip(text, at + 1)
    more = text[at : at + 1] != "}"
    while more:
        if text[at : at + 1] != '"':
            raise ValueError(_NOT_JSON)
        name, at = _value_at(text, at)
        at = _skip(text, at)
        if text[at : at + 1] != ":":
            raise ValueError(_NOT_JSON)
        start = _skip(text, at + 1)
        value, at = (_body if name == "body" else _value_at)(text, start)
        if name in values:
            raise FrameError(f"the frame has a member twice: {json.dumps(name[:32])}")
        values[name] = value
        if name == "body" and value is not None:
            body = text[start:at].encode()
        at = _skip(text, at)
        more = text[at : at + 1] == ","
        at = _skip(text, at + 1) if more else at
    if text[at : at + 1] != "}" or _skip(text, at + 1) != len(text):
        raise ValueError(_NOT_JSON)
    return values, body


def _body(text: str, start: int) -> tuple[object, int]:
    """Returns a body's value, of which only None means anything here, and where it ends.

    One that is no JSON, or of which there is too much, is for its stream to refuse, not for the
    socket: if it stands last, it reaches as far as the frame does.

    Raises:
        ValueError: It is no JSON, and something follows it.
    """
    try:
        if len(text) - start <= LONG or not is_beyond(text[start:].encode(), _MOST_DEPTH, None):
            return body_at(text, start)
    except (ValueError, RecursionError):
        pass
    last = _LAST.search(text, max(start, len(text) - _LAST_SIZE))
    if last is None:
        raise ValueError(_NOT_JSON)
    return True, last.start()


def _skip(text: str, at: int) -> int:
    """Returns where the next character is that is no white space."""
    space = _SPACE.match(text, at)
    return space.end() if space else at

"""Cuts lists into pages (AIP-158): page sizes with bounds, opaque tokens."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from services_mock.failure import invalid

DEFAULT_SIZE = 20
MAX_SIZE = 100
MAX_BATCH = 100

Item = TypeVar("Item")


def bounded(field: str, asked: int, default: int = DEFAULT_SIZE) -> int:
    """Gives the number of items to send.

    Raises:
        Failure: it is negative; one over the bound is cut, as AIP-158 asks.
    """
    if asked < 0:
        raise invalid(field, "must not be negative")
    return min(asked or default, MAX_SIZE)


def page(items: Sequence[Item], size: int, token: str) -> tuple[Sequence[Item], str]:
    """Gives one page of a list, and the token of the next; an empty one after the last.

    Raises:
        Failure: `page_size` is negative, or `page_token` is none that was given out.
    """
    length = bounded("page_size", size)
    start = _start(token)
    end = start + length
    return items[start:end], _token(end) if end < len(items) else ""


def _token(start: int) -> str:
    return base64.urlsafe_b64encode(f"from:{start}".encode()).decode().rstrip("=")


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        label, _, number = text.partition(":")
    except (binascii.Error, ValueError):
        label, number = "", ""  # the answer is the same for all that is no token
    if label == "from" and number.isdecimal() and len(number) < 10:
        start = int(number)
        if _token(start) == token:
            return start
    raise invalid("page_token", "is not one that this service gave out")


def batch(field: str, keys: Sequence[str]) -> list[str]:
    """Gives the keys of a batch, each once.

    Raises:
        Failure: there are none, or too many.
    """
    if not keys:
        raise invalid(field, "must not be empty")
    if len(keys) > MAX_BATCH:
        raise invalid(field, f"has {len(keys)} entries; {MAX_BATCH} are allowed")
    return list(dict.fromkeys(keys))

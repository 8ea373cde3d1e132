"""The gateway's own headers of an answer: what those of its calls come to.

A call's gates and caches say things in headers: what is left of a limit, how old a reply is. One
answer of GraphQL has many calls, so each header has a rule by which it speaks for all of them, the
most careful one. `RateLimit` and `RateLimit-Policy` are structured fields
(draft-ietf-httpapi-ratelimit-headers-10, RFC 9651), `Cache-Control` is RFC 9111's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from math import inf
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from gateway.call import Call, Reply, RpcError
from gateway.fronts.cache_control import strictest
from gateway.fronts.http_errors import retry_after

Headers: TypeAlias = "Mapping[str, str]"
"""Values by lower-case name."""

NO_HEADERS: Final[Headers] = MappingProxyType({})

_DIGITS: Final = 18  # of numbers that are compared
_LEGACY: Final = "x-ratelimit-"
_LEFT: Final = "x-ratelimit-remaining"
_LIMITS: Final = frozenset({"ratelimit", "ratelimit-policy", "retry-after"})
_NOT_SHOWN: Final = frozenset({"set-cookie", "vary"})
_OF_ONE_REPLY: Final = frozenset({"etag", "last-modified", "content-length", "content-type"})


def heard(call: Call, result: Reply | RpcError) -> Headers:
    """Returns the headers of one call, those that its end brings over those of its gates.

    Of an error only what it says of limits: the rest stands at the error itself.
    """
    found = dict(call.reply_headers or NO_HEADERS)
    own = {name.lower(): value for name, value in result.headers.items()}
    if isinstance(result, RpcError):
        own = {name: value for name, value in own.items() if _is_of_limits(name)}
        seconds = retry_after(result.status.details)
        if seconds is not None:
            own.setdefault("retry-after", str(seconds))
    found.update(own)
    return found


def merged(each: Sequence[Headers], calls: int) -> Headers:
    """Returns the headers of an answer.

    Args:
        each: Those of its calls that have any, in the order of their ends.
        calls: How many calls it has: one that says nothing of caches may not be kept.
    """
    if not each:
        return NO_HEADERS
    values: dict[str, list[str]] = {}
    for headers in each:
        for name, value in headers.items():
            values.setdefault(name, []).append(value)
    values = {name: said for name, said in values.items() if name not in _OF_ONE_REPLY}
    told = {
        name: said[0] if len(said) == 1 else _RULES.get(name, _last)(said)
        for name, said in values.items()
    }
    told.update(_scarcest_legacy(each))
    if "cache-control" in values:
        said = values["cache-control"]
        told["cache-control"] = strictest([*said, *[""] * (calls - len(said))])
    return {name: value for name, value in told.items() if value}


def shown(headers: Headers) -> dict[str, str]:
    """Returns the headers that stand in the body of an answer.

    A cookie is no page's to read, and what a reply varies by is of caches that know its address.
    """
    return {name: value for name, value in headers.items() if name not in _NOT_SHOWN}


def _is_of_limits(name: str) -> bool:
    return name in _LIMITS or name.startswith(_LEGACY)


def _last(values: Sequence[str]) -> str:
    return values[-1]


def _largest(values: Sequence[str]) -> str:
    """Returns the largest number; what is none (`Retry-After` may be a date) counts as little."""
    return max(values, key=lambda value: int(value) if _is_number(value) else -1)


def _is_number(value: str) -> bool:
    return len(value) <= _DIGITS and value.isascii() and value.isdigit()


def _scarcest_legacy(each: Iterable[Headers]) -> Headers:
    """Returns the `X-RateLimit-*` of the call that has the least left: they belong together."""
    having = [headers for headers in each if _is_number(headers.get(_LEFT, ""))]
    if not having:
        return NO_HEADERS
    least = min(reversed(having), key=lambda headers: int(headers[_LEFT]))
    return {name: value for name, value in least.items() if name.startswith(_LEGACY)}


class _Item(NamedTuple):
    """An item of a structured list.

    Attributes:
        text: All of it.
        bare: Its value, as it is written.
        parameters: As they are written, by name.
    """

    text: str
    bare: str
    parameters: Mapping[str, str]


_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_ITEMS: Final = re.compile(rf'(?:{_QUOTED}|[^",])+')
_BARE: Final = re.compile(rf"{_QUOTED}|[^;]*")
_PARAMETER: Final = re.compile(rf";\s*([a-z*][a-z0-9_.*-]*)(?:=({_QUOTED}|[^;]*))?")


def _items(values: Iterable[str]) -> Iterable[_Item]:
    """Yields the items of lists, in order; what is badly written yields what can be made of it."""
    for value in values:
        for found in _ITEMS.findall(value):
            text = found.strip()
            match = _BARE.match(text)
            if not text or match is None:
                continue
            given = dict(_PARAMETER.findall(text, match.end()))
            yield _Item(text, match[0], given)


def _scarcest(values: Sequence[str]) -> str:
    """Returns the limits of `RateLimit` lists, of each the item that has the least left.

    A limit is known by its name and partition (`pk`). Of equal ones the last is the newest.
    """
    known: dict[tuple[str, str | None], _Item] = {}
    for item in _items(values):
        limit = item.bare, item.parameters.get("pk")
        before = known.get(limit)
        if before is None or _left(item) <= _left(before):
            known[limit] = item
    return ", ".join(item.text for item in known.values())


def _left(item: _Item) -> int:
    left = item.parameters.get("r", "").strip()
    return int(left) if _is_number(left) else 0


def _united(values: Sequence[str]) -> str:
    """Returns the items of lists, each once."""
    return ", ".join(dict.fromkeys(item.text for item in _items(values)))


def _earliest(values: Sequence[str]) -> str:
    """Returns the date that comes first; what is none comes last."""
    return min(values, key=_seconds)


def _seconds(date: str) -> float:
    """Returns the seconds since 1970 of a date of HTTP, or of structured fields (`@1688169599`).

    RFC 9110 section 5.6.7, RFC 9651 section 3.3.7. What is neither is never.
    """
    if date.startswith("@") and _is_number(date[1:]):
        return float(date[1:])
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return inf


def _each_once(values: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(values))


_RULES: Final[Mapping[str, Callable[[Sequence[str]], str]]] = {
    "age": _largest,
    "deprecation": _earliest,
    "link": _each_once,
    "retry-after": _largest,
    "ratelimit": _scarcest,
    "ratelimit-policy": _united,
    "sunset": _earliest,
    "vary": _united,
}
"""What several values of a header come to; of any other the last one holds."""

"""Which replies are packed, and what their heads say then (RFC 9110 sections 8.4, 8.8.3.3, 12.5.5).

Text is packed, of 1 KiB and more, where the client takes one of the codings. What is left alone: a
reply that has a coding, that is a part of one (206), or that forbids it (`no-transform`, RFC 9111
section 5.2.2.6); media that are packed already; events, which are small, and which proxies hold
back where they are packed; and what would mix secrets with words of others (`mixing`).

A strong entity tag names one sequence of bytes, so that of a packed reply gets the coding's name:
`"v7"` becomes `"v7;gzip"`. Where a client comes back with it, the name is taken off again before
anybody sees it (`untagged`), so that also `If-Match` means what it meant. A weak one stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from gateway.http import Headers, Request
from gateway.http.coding import NO_CHOICE, Choice, choose
from gateway.http.exchange import HeaderList
from gateway.listener.codings import STREAMED, Pack, pack
from gateway.listener.mixing import may_mix
from gateway.listener.reply import WITHOUT_BODY

SMALLEST: Final = 1024
"""Bytes of the smallest body that is packed: less fits a packet anyway."""

_FIELD: Final = "accept-encoding"
_VARY: Final = ("vary", _FIELD)
_NOT_MODIFIED: Final = 304
_PARTIAL: Final = 206
_EVENTS: Final = "text/event-stream"
# Of application/*: JSON, XML and scripts of any name, and what holds text in lines.
_TEXT: Final = re.compile(
    r"text/.+|multipart/mixed|image/svg\+xml|font/[ot]tf|"
    r"application/(?:.+\+(?:json|xml)|json|jsonl|ndjson|x-ndjson|xml|javascript|wasm|yaml|graphql)"
)
_STRONG: Final = re.compile(r'"[^"]*"')
_TAGGED: Final = re.compile(r';(?:br|gzip|zstd)"')
_NONE_MATCH: Final = "if-none-match"
_MATCH: Final = "if-match"
_REMEMBERED: Final = 256  # values of Accept-Encoding
_LONGEST: Final = 256  # characters of one that is remembered


class _Kind(Enum):
    """What is in a body."""

    TEXT = 1
    EVENTS = 2
    OTHER = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a reply.

    Attributes:
        coding: What it may be packed in; None where it only has to say that it depends on it.
        headers: Its header fields, if it is not packed.
        packed: Its header fields, if it is.
    """

    coding: str | None
    headers: HeaderList
    packed: HeaderList


class Packing:
    """Decides about replies.

    Args:
        offered: Codings, the best first.

    Raises:
        ImportError: The library of a coding is not installed.
    """

    __slots__ = ("_choices", "_offered", "_packs", "_streamed")

    def __init__(self, offered: Sequence[str]) -> None:
        self._offered = tuple(offered)
        self._streamed = tuple(coding for coding in offered if coding in STREAMED)
        self._packs: dict[str, Pack] = {coding: pack(coding) for coding in offered}
        self._choices: dict[str, Choice] = {}

    def plan(
        self, request: Request, sent: Headers, status: int, headers: HeaderList, size: int
    ) -> Plan | None:
        """Returns what becomes of a whole reply; None where it stays as it is.

        Args:
            request: What is answered.
            sent: Its header fields as the client sent them: with the tags of packed replies.
            status: The reply's.
            headers: The reply's, of lower-case names or not.
            size: Bytes of its body.
        """
        if size < SMALLEST:
            if status == _NOT_MODIFIED:
                return _unchanged(sent, headers)
            if _FIELD not in request.headers.first or self._choice(request).identity or not size:
                return None
        if status in WITHOUT_BODY or status == _PARTIAL:
            return None
        choice = self._choice(request)
        return self._decided(request, headers, choice, choice.coding)

    def plan_stream(self, request: Request, status: int, headers: HeaderList) -> Plan | None:
        """Returns what becomes of a reply whose body follows; None where it stays as it is."""
        if status in WITHOUT_BODY or status == _PARTIAL or not self._streamed:
            return None
        choice = choose(request.headers.all(_FIELD), self._streamed)
        return self._decided(request, headers, choice, choice.coding)

    def packer(self, coding: str) -> Pack:
        """Returns what packs a whole body."""
        return self._packs[coding]

    def _choice(self, request: Request) -> Choice:
        accepted = request.headers.first.get(_FIELD)
        if accepted is None:
            return NO_CHOICE
        if not request.headers.distinct or len(accepted) > _LONGEST:
            return choose(request.headers.all(_FIELD), self._offered)
        choice = self._choices.get(accepted)
        if choice is None:
            if len(self._choices) >= _REMEMBERED:
                self._choices.clear()
            choice = self._choices[accepted] = choose([accepted], self._offered)
        return choice

    def _decided(
        self, request: Request, headers: HeaderList, choice: Choice, coding: str | None
    ) -> Plan | None:
        media = ""
        for name, value in headers:
            match name.lower():
                case "content-type":
                    media = value
                case "content-encoding" | "content-range":
                    return None
                case "cache-control" if "no-transform" in value.lower():
                    return None
        kind = _kind(media)
        if kind is _Kind.EVENTS or (kind is _Kind.OTHER and choice.identity):
            return None
        plain = _varied(headers)
        if coding is None or may_mix(request):
            return Plan(None, plain, plain)
        told = [(name, _tagged(name, value, coding)) for name, value in plain]
        return Plan(coding, plain, (*told, ("content-encoding", coding)))


@lru_cache(256)
def _kind(content_type: str) -> _Kind:
    """Returns what is in a body of some content type."""
    media = content_type.partition(";")[0].strip().lower()
    if media == _EVENTS:
        return _Kind.EVENTS
    return _Kind.TEXT if _TEXT.fullmatch(media) else _Kind.OTHER


def untagged(request: Request) -> None:
    """Takes the names of codings off the entity tags that a request brings back."""
    first = request.headers.first
    if _NONE_MATCH not in first and _MATCH not in first:
        return
    request.headers = Headers(
        (name, _TAGGED.sub('"', value) if name in {_NONE_MATCH, _MATCH} else value)
        for name, value in request.headers
    )


def _tagged(name: str, value: str, coding: str) -> str:
    """Returns the value of a header field of a packed reply."""
    if name.lower() != "etag" or not _STRONG.fullmatch(value):
        return value
    return f'{value[:-1]};{coding}"'


def _varied(headers: HeaderList) -> HeaderList:
    """Returns header fields that say that the reply depends on what codings the client takes."""
    said = (value for name, value in headers if name.lower() == "vary")
    return headers if any(_FIELD in value.lower() for value in said) else (*headers, _VARY)


def _unchanged(fields: Headers, headers: HeaderList) -> Plan:
    """Returns the head of a 304: with the tag that the client has, and what its reply had said.

    Args:
        fields: Those of the request, with the tags that the client sent.
        headers: Those of the reply.
    """
    sent = ",".join(fields.all(_NONE_MATCH))
    told = []
    for name, value in headers:
        known = value
        if name.lower() == "etag" and _STRONG.fullmatch(value) and value not in sent:
            found = re.search(re.escape(value[:-1]) + _TAGGED.pattern, sent)
            known = found[0] if found else value
        told.append((name, known))
    plain = _varied(told)
    return Plan(None, plain, plain)

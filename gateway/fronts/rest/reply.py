"""The head of a successful reply: its status, and the headers that a backend may set.

A backend sets the HTTP status of a success by initial metadata `x-http-code` (200 to 399, never
304), `location` with 201 and 3xx, and `etag`. Other metadata passes by the rules of `headers` in
the config. What a tag means to a client is for `entity_tags`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gateway.call import Metadata
from gateway.fronts.entity_tags import TAG
from gateway.http.request_id import REQUEST_ID
from gateway.routing.metadata import HeaderRules

HTTP_CODE = "x-http-code"
OWN = (HTTP_CODE, "location", "etag", REQUEST_ID)
"""Metadata that no rule passes: it speaks to the gateway, or the gateway says it itself."""

_OWN = frozenset(OWN)

_CODE = re.compile(r"[23][0-9][0-9]", re.ASCII)
_VISIBLE = re.compile(r"[\x21-\x7e]+")


class Head(NamedTuple):
    """Status and headers of a reply, without the content type."""

    status: int
    headers: list[tuple[str, str]]
    etag: str | None


def success_head(initial: Metadata, rules: HeaderRules) -> Head:
    """Returns the head that a backend's initial metadata asks for."""
    if not initial:
        return Head(200, [], None)
    headers = rules.response(initial, without=_OWN)
    own = _OWN.intersection(initial.names())
    if not own:
        return Head(200, headers, None)
    status = _status(initial.text(HTTP_CODE)) if HTTP_CODE in own else 200
    location = initial.text("location") if "location" in own else None
    if location and (status == 201 or status >= 300) and _VISIBLE.fullmatch(location):
        headers.append(("location", location))
    etag = initial.text("etag") if "etag" in own else None
    return Head(status, headers, etag if etag and TAG.fullmatch(etag) else None)


def _status(code: str | None) -> int:
    """Returns the status a backend asks for; 200 where it asks for none or a wrong one."""
    if code is None or not _CODE.fullmatch(code) or code == "304":
        return 200
    return int(code)

"""Headers as an answer wants them: set, added, left out. Pure.

How a header is changed is said in two ways: by `append`, which came first, and by `append_action`.
Where neither says anything it is overwritten, as Envoy documents for these answers: what a client
made up must not stand beside what the service says. Names that HTTP and gRPC use themselves are
left alone; which those are is handed in.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple

from gateway.call import Metadata
from gateway.policies.auth.ext_authz import authorization_pb2 as pb

LARGEST: Final = 16 * 1024
"""Bytes of all names and values of an answer's changes of one kind."""

_NEVER_JOINED: Final = "set-cookie"  # RFC 6265 section 3: the last one counts
_PRINTABLE: Final = re.compile(r"[ -~]*")


class BadAnswerError(Exception):
    """An answer that makes no sense. The text is for the log, and quotes no value of it."""


class Action(Enum):
    """What becomes of a header; the numbers are those of `append_action`."""

    APPEND = 0
    ADD_IF_ABSENT = 1
    OVERWRITE = 2
    OVERWRITE_IF_EXISTS = 3


_ALWAYS: Final = frozenset({Action.APPEND, Action.OVERWRITE})


class Change(NamedTuple):
    """One header: its lower-case name, its value (bytes of a `-bin` one), what becomes of it."""

    name: str
    value: str | bytes
    action: Action


def read(
    options: Iterable[pb.HeaderValueOption], may_change: Callable[[str], bool]
) -> tuple[Change, ...]:
    """Returns what is to be changed.

    Args:
        options: As they were answered.
        may_change: Whether a header of a lower-case name may be changed; others are left out.

    Raises:
        BadAnswerError: A value is none, or all are too large.
    """
    found = []
    for option in options:
        name = option.header.key.lower()
        if may_change(name):
            found.append(Change(name, _value(name, option.header), _action(option)))
    if sum(len(name) + len(value) for name, value, _ in found) > LARGEST:
        raise BadAnswerError(f"its headers have more than {LARGEST} bytes")
    return tuple(found)


def metadata(given: Metadata, changes: Sequence[Change], removed: Collection[str] = ()) -> Metadata:
    """Returns metadata with changes made, and then the entries of `removed` left out."""
    for name, value, action in changes:
        if _applies(action, exists=name in given):
            if action is not Action.APPEND:
                given = given.without(name)
            if value:
                given += [(name, value)]
    return given.without(*removed) if removed else given


def reply_headers(given: Mapping[str, str] | None, changes: Sequence[Change]) -> dict[str, str]:
    """Returns reply headers with changes made; what is appended stands behind a comma."""
    headers = dict(given or {})
    for name, value, action in changes:
        text = value if isinstance(value, str) else base64.b64encode(value).decode()
        if not text or not _applies(action, exists=name in headers):
            continue
        if action is Action.APPEND and name in headers and name != _NEVER_JOINED:
            text = f"{headers[name]}, {text}"
        headers[name] = text
    return headers


def _applies(action: Action, *, exists: bool) -> bool:
    return action in _ALWAYS or exists is (action is Action.OVERWRITE_IF_EXISTS)


def _action(option: pb.HeaderValueOption) -> Action:
    if option.HasField("append"):
        return Action.APPEND if option.append.value else Action.OVERWRITE
    try:
        action = Action(option.append_action)
    except ValueError:
        raise BadAnswerError(f"it knows an append_action {option.append_action}") from None
    # 0 is what stands there, too, where nothing is said.
    return Action.OVERWRITE if action is Action.APPEND else action


def _value(name: str, header: pb.HeaderValue) -> str | bytes:
    value = header.raw_value.decode("latin-1") if header.raw_value else header.value
    value = value.strip(" \t")
    if not _PRINTABLE.fullmatch(value):
        raise BadAnswerError(f"the value of its header {name} is not printable")
    if not name.endswith("-bin"):
        return value
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        raise BadAnswerError(f"the value of its header {name} is not base64") from None

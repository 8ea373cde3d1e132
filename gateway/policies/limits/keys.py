"""Whose share of a limit a call takes: the key, made of what the limit counts together.

A key can't be forged, and is bounded: its parts are made as names of callers are (`caller`). What
clients choose freely (headers, fields of requests) is always hashed, for it
may be a secret, and keys are kept where others may read them.

How large a share is, and how it is counted, is not known here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeAlias

from google.protobuf.descriptor import Descriptor

from gateway.call import Call
from gateway.policies.caller import address_of, bounded, caller_of, hashed
from gateway.policies.request_field import RequestField

Part: TypeAlias = "Callable[[Call], str]"
"""Returns the part of a key that is a call's own."""

_READ: Final = 8192  # characters of a header that are looked at: what is longer is told by these
_HEADER: Final = "header:"
_FIELD: Final = "field:"
_ID: Final = "key_id"  # the claim that names an API key


def key_of(
    parts: Sequence[str], api_keys: Collection[str] = (), request: Descriptor | None = None
) -> Part:
    """Returns what makes the key of a call.

    Args:
        parts: As the config has them: `principal`, `header:x-tenant`.
        api_keys: The providers whose callers show an API key.
        request: The type of the method's request, where a part is a field of it.

    Raises:
        FieldError: A field is not there, or can't be a key.
    """
    made = [_part(part, frozenset(api_keys), request) for part in parts]
    if len(made) == 1:
        return made[0]

    def joined(call: Call) -> str:
        return "".join([part(call) for part in made])

    return joined


def digest_of(*definition: object) -> str:
    """Returns what stands for a limit's definition: another one has its own shares."""
    return hashlib.sha256(repr(definition).encode()).hexdigest()[:12]


def _part(part: str, api_keys: frozenset[str], request: Descriptor | None) -> Part:
    if part.startswith(_HEADER):
        return _header(part.removeprefix(_HEADER).lower())
    if part.startswith(_FIELD):
        assert request is not None, "the maker of the key gives it"
        return _field(part.removeprefix(_FIELD), request)
    return _api_key(api_keys) if part == "api_key" else _PLAIN[part]


def _of_plan(call: Call) -> str:
    principal = call.principal
    plan = None if principal is None else principal.plan
    return "n" if plan is None else f"n{bounded(plan)}"


def _of_method(call: Call) -> str:
    return f"m{bounded(call.method)}"


def _of_all(_: Call) -> str:
    return "*"


_PLAIN: Final[dict[str, Part]] = {
    "principal": caller_of,
    "plan": _of_plan,
    "address": address_of,
    "method": _of_method,
    "all": _of_all,
}


def _api_key(providers: frozenset[str]) -> Part:
    """Returns what names the API key that a call shows; without one, its address."""

    def of(call: Call) -> str:
        principal = call.principal
        if principal is None or principal.provider not in providers:
            return address_of(call)
        return f"k{bounded(principal.provider)}{bounded(str(principal.claims.get(_ID, '')))}"

    return of


def _header(name: str) -> Part:
    """Returns what stands for the values of a header; all calls without it are one."""
    tag = f"h{bounded(name)}"

    def of(call: Call) -> str:
        head = call.head
        values = () if head is None else head.headers.all(name)
        if not values:
            return tag
        return tag + hashed(", ".join(values)[:_READ])

    return of


def _field(path: str, request: Descriptor) -> Part:
    """Returns what stands for a field of the request; where it is not set, for its default."""
    read = RequestField(path, request).of
    tag = f"f{bounded(path)}"

    def of(call: Call) -> str:
        value = read(call.request)
        # What is no message is refused by the backend: one share for all.
        return tag if value is None else tag + hashed(value)

    return of

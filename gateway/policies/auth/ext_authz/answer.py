"""What an answer of the service means: who calls and what changes, or a refusal. Pure.

Only a status of OK allows, and only where nothing else contradicts it. A refusal goes to the client
with the HTTP status, headers and body that the service chose, as far as they can't be mistaken for
something else: a refused call never looks like a success.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct, Value

from gateway.call import Code, Principal, RpcError
from gateway.errors import error
from gateway.policies.auth.ext_authz import authorization_pb2 as pb
from gateway.policies.auth.ext_authz import changes
from gateway.policies.auth.ext_authz.changes import BadAnswerError, Change

_LONGEST: Final = 255  # characters of a subject (OpenID Connect Core 1.0 section 2), and a plan
_MESSAGE: Final = re.compile(r"[ -~]{1,500}")
_STATUSES: Final = range(300, 600)  # those that a refusal may have
_UNKNOWN: Final = 401
_FORBIDDEN: Final = 403

# HTTP's statuses in gRPC's terms (google/rpc/code.proto, read backwards).
_CODES: Final[Mapping[int, Code]] = {
    400: Code.INVALID_ARGUMENT,
    404: Code.NOT_FOUND,
    409: Code.ABORTED,
    412: Code.FAILED_PRECONDITION,
    429: Code.RESOURCE_EXHAUSTED,
    500: Code.INTERNAL,
    501: Code.UNIMPLEMENTED,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """A call that may go on.

    Attributes:
        principal: Who makes it.
        request: Changes of what the backend is sent.
        removed: Names of what it is not sent.
        reply: Changes of the reply's headers.
    """

    principal: Principal
    request: tuple[Change, ...] = ()
    removed: frozenset[str] = frozenset()
    reply: tuple[Change, ...] = ()


def judge(
    message: bytes, provider: str, may_change: Callable[[str], bool], now: float
) -> Allowed | RpcError:
    """Returns what an answer means: the refusal where it is one.

    Args:
        message: A serialized `CheckResponse`.
        provider: The name of the provider.
        may_change: Whether a header of a lower-case name may be changed.
        now: Seconds since 1970.

    Raises:
        BadAnswerError: It means nothing.
    """
    try:
        response = pb.CheckResponse.FromString(message)
    except DecodeError:
        raise BadAnswerError("it is no CheckResponse") from None
    which = response.WhichOneof("http_response")
    if which == "error_response":
        raise BadAnswerError("the service says that it failed")
    if not response.HasField("status") and which != "ok_response":
        raise BadAnswerError("it says nothing")
    if response.status.code:
        return _refusal(response.denied_response, may_change)
    if which == "denied_response":
        raise BadAnswerError("it says both OK and denied")
    answered = response.ok_response
    inner = answered.HasField("dynamic_metadata")
    said = answered.dynamic_metadata if inner else response.dynamic_metadata
    return Allowed(
        principal(said, provider, now),
        changes.read(answered.headers, may_change),
        frozenset(filter(may_change, map(str.lower, answered.headers_to_remove))),
        changes.read(answered.response_headers_to_add, may_change),
    )


def principal(said: Struct, provider: str, now: float) -> Principal:
    """Returns the principal of an answer's metadata.

    Its members are `subject` (or `sub`), `scopes` (or `scope`), `roles`, `plan` and `exp`. All of
    them are claims. Without a subject the caller has none: it may call, but is the same as nobody.

    Raises:
        BadAnswerError: What is allowed has ended, or its subject or plan is no name.
    """
    claims = {name: _plain(value) for name, value in said.fields.items()}
    ends = claims.get("exp")
    expires = float(ends) if isinstance(ends, int | float) and ends is not True else None
    if expires is not None and not expires > now:
        raise BadAnswerError("it allows what has ended")
    return Principal(
        subject=_subject(claims),
        provider=provider,
        scopes=_texts(claims.get("scopes", claims.get("scope"))),
        roles=_texts(claims.get("roles")),
        plan=_plan(claims),
        claims=claims,
        expires=expires,
    )


def _refusal(denied: pb.DeniedHttpResponse, may_change: Callable[[str], bool]) -> RpcError:
    status = denied.status.code if denied.status.code in _STATUSES else _FORBIDDEN
    headers = changes.reply_headers(None, changes.read(denied.headers, may_change))
    said = denied.body.strip()
    text = said if _MESSAGE.fullmatch(said) else "The call is not allowed."
    if status == _UNKNOWN:
        return error("INVALID_CREDENTIALS", text, headers=headers)
    code = _CODES.get(status, Code.PERMISSION_DENIED)
    refusal = error("AUTHORIZATION_DENIED", text, headers=headers, code=code)
    refusal.http_status = status
    return refusal


def _subject(claims: Mapping[str, object]) -> str:
    for name in ("subject", "sub"):
        value = claims.get(name)
        if value is None:
            continue
        if not isinstance(value, str) or not value or not _is_name(value):
            raise BadAnswerError(f"its {name} is no name of anybody")
        return value
    return ""


def _plan(claims: Mapping[str, object]) -> str | None:
    value = claims.get("plan")
    if not isinstance(value, str):
        return None
    if not _is_name(value):
        raise BadAnswerError("its plan is no name of a plan")
    return value


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST and text.isprintable()


def _texts(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(each for each in value if isinstance(each, str))
    return frozenset()


def _plain(value: Value) -> object:
    """Returns a value as JSON would have it: whole numbers are integers."""
    match value.WhichOneof("kind"):
        case "struct_value":
            return {name: _plain(each) for name, each in value.struct_value.fields.items()}
        case "list_value":
            return [_plain(each) for each in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) <= 2**53 else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None

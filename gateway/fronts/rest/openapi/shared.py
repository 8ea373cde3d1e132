"""What all operations have in common: how errors look, which headers replies have.

Errors are those of AIP-193; `docs/errors.md` lists the reasons of the gateway's own.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import REASONS
from gateway.fronts.http_errors import HTTP_STATUS
from gateway.fronts.rest.openapi.scalars import Schema

ERROR: Final = "Gateway-Error"
"""The component that all errors are; no message can have its name."""

REFERENCE: Final[dict[str, str]] = {"$ref": f"#/components/schemas/{ERROR}"}

REQUEST_ID: Final = "RequestId"
LIMITS: Final = ("RateLimit", "RateLimitPolicy")
ENDING: Final = ("Deprecation", "Sunset", "Link")

_HEADERS: Final[dict[str, tuple[str, Schema]]] = {
    REQUEST_ID: ("x-request-id", {
        "description": "What names the request in logs: the client's own, or one made here.",
        "required": True,
        "schema": {"type": "string"},
    }),
    "RateLimit": ("ratelimit", {
        "description": "What is left of each limit, and after how many seconds there is more.",
        "schema": {"type": "string"},
    }),
    "RateLimitPolicy": ("ratelimit-policy", {
        "description": "The limits that the call is under.",
        "schema": {"type": "string"},
    }),
    "RetryAfter": ("retry-after", {
        "description": "After how many seconds another try makes sense.",
        "schema": {"type": "integer", "minimum": 0},
    }),
    "WwwAuthenticate": ("www-authenticate", {
        "description": "How to show who calls (RFC 9110 section 11.6.1).",
        "required": True,
        "schema": {"type": "string"},
    }),
    "ETag": ("etag", {
        "description": "Names this answer; `If-None-Match` asks whether it is still the same.",
        "schema": {"type": "string"},
    }),
    "Age": ("age", {
        "description": "For how many seconds the answer has been kept.",
        "schema": {"type": "integer", "minimum": 0},
    }),
    "Deprecation": ("deprecation", {
        "description": "Since when the method is not to be used any more (RFC 9745).",
        "schema": {"type": "string"},
    }),
    "Sunset": ("sunset", {
        "description": "From when on the method may be gone (RFC 8594).",
        "schema": {"type": "string"},
    }),
    "Link": ("link", {
        "description": "Where to read about the end of the method.",
        "schema": {"type": "string"},
    }),
    "Partial": ("x-partial", {
        "description": "The parts of the answer that could not be had, and are null.",
        "schema": {"type": "string"},
    }),
    "Location": ("location", {
        "description": "Where what was made is.",
        "schema": {"type": "string"},
    }),
}  # fmt: skip

_RESPONSES: Final[dict[int, tuple[str, str, tuple[str, ...]]]] = {
    400: ("InvalidArgument", "The request is wrong.", ()),
    401: ("Unauthenticated", "It is not known who calls.", ("WwwAuthenticate",)),
    403: ("PermissionDenied", "The caller may not do this.", ()),
    404: ("NotFound", "There is nothing of this name.", ()),
    429: ("ResourceExhausted", "The caller asks too often.", ("RetryAfter", *LIMITS)),
    503: ("Unavailable", "The service can't be reached at the moment.", ("RetryAfter",)),
    504: ("DeadlineExceeded", "The answer took too long.", ()),
}
DEFAULT: Final = ("Error", "Another error.", ())


def headers(*names: str) -> Schema:
    """Returns the headers of a reply, by the names of their components."""
    return {
        _HEADERS[name][0]: {"$ref": f"#/components/headers/{name}"} for name in (REQUEST_ID, *names)
    }


def error_responses(*statuses: int) -> Schema:
    """Returns the replies that are errors: those of some statuses, and the rest."""
    made: Schema = {str(each): _referring(_RESPONSES[each][0]) for each in sorted(statuses)}
    made["default"] = _referring(DEFAULT[0])
    return made


def components() -> Schema:
    """Returns the components `responses` and `headers`, which refer to the schema `ERROR`."""
    responses = {
        name: {
            "description": description,
            "headers": headers(*given),
            "content": {"application/json": {"schema": dict(REFERENCE)}},
        }
        for name, description, given in (*_RESPONSES.values(), DEFAULT)
    }
    return {
        "responses": responses,
        "headers": {name: schema for name, (_, schema) in _HEADERS.items()},
    }


def error_schema() -> Schema:
    """Returns the schema of an error (AIP-193)."""
    own = ", ".join(f"`{each}`" for each in sorted(REASONS))
    detail: Schema = {
        "type": "object",
        "description": (
            "One of google.rpc's error details, or another message. Those of the gateway's own"
            " errors have a `google.rpc.ErrorInfo` with the domain `gateway` and one of these"
            f" reasons: {own}."
        ),
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
        "additionalProperties": True,
    }
    status: Schema = {
        "type": "object",
        "properties": {
            "code": {"type": "integer", "description": "The HTTP status."},
            "status": {
                "type": "string",
                "description": "The gRPC status.",
                "enum": [each.name for each in HTTP_STATUS if HTTP_STATUS[each] != 200],
            },
            "message": {"type": "string", "description": "What is wrong, for developers."},
            "details": {"type": "array", "items": detail},
        },
        "required": ["code", "status", "message"],
    }
    return {
        "type": "object",
        "description": "An error (AIP-193).",
        "properties": {"error": status},
        "required": ["error"],
    }


def _referring(name: str) -> Schema:
    return {"$ref": f"#/components/responses/{name}"}

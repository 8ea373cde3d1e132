"""What the service is told of a request: what Envoy would tell it, and the method. Pure.

All of the request's headers are among it, credentials too: they are what it decides by. Its body is
not.
"""

from __future__ import annotations

from typing import Final

from gateway.call import Call
from gateway.head import Certificate, Head
from gateway.policies.auth.ext_authz import authorization_pb2 as pb

METHOD: Final = "method"
"""The key of `context_extensions` that holds a call's method, `shop.v1.Catalog/GetProduct`."""

_JOINED: Final = {"cookie": "; "}  # RFC 6265 section 5.4; others as of RFC 9110 section 5.3


def check_request(call: Call, head: Head, now: float) -> bytes:
    """Returns the serialized `CheckRequest` of a call.

    Args:
        call: The call; one of no method is a request for a page, or for a socket.
        head: Its request's.
        now: Seconds since 1970.
    """
    check = pb.CheckRequest()
    attributes = check.attributes
    if call.peer:
        attributes.source.address.socket_address.address = call.peer
    if head.certificate is not None:
        attributes.source.principal = _principal(head.certificate)
    attributes.request.time.FromNanoseconds(int(now * 1e9))
    path = head.path if head.query is None else f"{head.path}?{head.query}"
    http = attributes.request.http
    http.id = call.request_id
    http.method = head.method
    http.path = path
    http.host = head.authority
    http.scheme = head.scheme
    http.size = int(head.headers.get("content-length") or -1)
    http.protocol = "HTTP/1.1"
    http.headers.update(_headers(head))
    http.headers.update({
        ":method": head.method,
        ":path": path,
        ":authority": head.authority,
        ":scheme": head.scheme,
    })  # fmt: skip
    if call.method:
        attributes.context_extensions[METHOD] = call.method
    return check.SerializeToString()


def _headers(head: Head) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in head.headers:
        before = found.get(name)
        # A token that did not come as a header may hold what is no Unicode character.
        text = value if value.isascii() else value.encode("utf-8", "replace").decode()
        found[name] = text if before is None else before + _JOINED.get(name, ",") + text
    return found


def _principal(shown: Certificate) -> str:
    """Returns the name that Envoy takes: a URI, else a DNS name, else the subject."""
    return next(iter((*shown.uris, *shown.dns, shown.subject)))

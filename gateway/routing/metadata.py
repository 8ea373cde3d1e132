"""What headers of a client become metadata for the backend, and what comes back as headers.

A header passes if the configuration allows its name, or if it has the configured prefix, which is
taken off. Names that HTTP or gRPC uses itself never pass, whatever is configured. Values of `-bin`
keys are base64 in HTTP and bytes in metadata (grpc/grpc, doc/PROTOCOL-HTTP2.md). A `-bin` value
that is not base64 is the client's error; any other value that metadata can't hold is left out, as
the protocol asks: it may be fine HTTP. Which headers authentication adds is decided elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Container, Iterable

from gateway.call import NO_METADATA, Metadata
from gateway.errors import error
from gateway.http import Headers

MAX_METADATA = 15 * 1024
"""Bytes of all metadata of a request, counted as HTTP/2 does: name, value and 32 for each
(`Metadata.size`). gRPC servers refuse more than 16 KiB by default, and gRPC's own fields (`:path`,
`user-agent` and the like) are some 500 bytes of these. Operators may allow more or less."""

LARGEST_METADATA = 64 * 1024
"""The most that an operator may allow."""

# RFC 9110 section 7.6.1, and the older names that proxies know.
_HOP_BY_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
# What describes this request or reply itself; gRPC has its own of them.
_MESSAGE = frozenset({
    "accept-encoding", "date", "expect", "host", "http2-settings", "server", "user-agent",
})  # fmt: skip
_RESERVED_PREFIXES = ("grpc-", "content-", "sec-websocket-", ":")

_NAME = re.compile(r"[0-9a-z_.-]+", re.ASCII)
_PRINTABLE = re.compile(r"[ -~]+", re.ASCII)


def never_passes(name: str) -> bool:
    """Whether a lower-case header name can be neither metadata of a call nor a reply's header."""
    return (
        name in _HOP_BY_HOP
        or name in _MESSAGE
        or name.startswith(_RESERVED_PREFIXES)
        or _NAME.fullmatch(name) is None
    )


class HeaderRules:
    """The configured rules for headers, both ways. Names are taken in any case.

    Args:
        request_allow: Names that pass to the backend as they are.
        request_prefix: Headers that begin with it pass without it; empty for none.
        response_allow: Metadata that passes to the client as it is; `*` for all.
        response_prefix: Put before the name of other metadata; empty drops it.
        reserved: Names that never pass to the backend, those the gateway sets itself; all that
            begin so where one ends in `*`. Whoever reads `_` or `.` as `-`, as CGI and its heirs
            do, takes `x_subject` for `x-subject`: such spellings don't pass either.
        most: Bytes of all metadata of a request, LARGEST_METADATA at most.

    Attributes:
        ineffective: Names that are allowed but never pass, sorted: worth a warning at start-up.

    Raises:
        ValueError: A prefix has characters that no metadata key has.
    """

    __slots__ = (
        "_most",
        "_request_allow",
        "_request_prefix",
        "_reserved",
        "_reserved_prefixes",
        "_response_all",
        "_response_allow",
        "_response_prefix",
        "ineffective",
    )

    def __init__(
        self,
        request_allow: Iterable[str] = (),
        request_prefix: str = "",
        response_allow: Iterable[str] = (),
        response_prefix: str = "",
        reserved: Iterable[str] = (),
        *,
        most: int = MAX_METADATA,
    ) -> None:
        self._most = most
        for prefix in (request_prefix, response_prefix):
            if prefix and _NAME.fullmatch(prefix.lower()) is None:
                raise ValueError(f'"{prefix}" is no prefix of a header; letters, digits, "-_."')
        names = [canonical(name.lower()) for name in reserved]
        self._reserved = frozenset(name for name in names if not name.endswith("*"))
        self._reserved_prefixes = tuple(name[:-1] for name in names if name.endswith("*"))
        requests = frozenset(map(str.lower, request_allow))
        responses = frozenset(map(str.lower, response_allow))
        self._request_allow = frozenset(filter(self._may_go, requests))
        self._request_prefix = request_prefix.lower()
        self._response_all = "*" in responses
        self._response_allow = responses
        self._response_prefix = response_prefix.lower()
        self.ineffective = tuple(
            sorted(
                (requests - self._request_allow)
                | {name for name in responses - {"*"} if never_passes(name)}
            )
        )

    def _may_go(self, name: str) -> bool:
        spelled = canonical(name)
        return not (
            never_passes(name)
            or spelled in self._reserved
            or spelled.startswith(self._reserved_prefixes)
        )

    def passes(self, name: str) -> bool:
        """Whether the header of this lower-case name passes to the backend."""
        prefix = self._request_prefix
        return name in self._request_allow or bool(prefix and name.startswith(prefix))

    def reserves(self, name: str) -> bool:
        """Whether a lower-case header name can't pass, whatever is allowed: it is another's."""
        prefix = self._request_prefix
        if prefix and name.startswith(prefix):
            name = name[len(prefix) :]
        return not self._may_go(name)

    def request(self, headers: Headers) -> Metadata:
        """Returns the metadata that a client's headers make.

        Raises:
            RpcError: INVALID_METADATA: a `-bin` value is not base64. HEADERS_TOO_LARGE: there is
                more than may be.
        """
        items: list[tuple[str, str | bytes]] = []
        allow, prefix = self._request_allow, self._request_prefix
        nominated: Collection[str] = _nominated(headers) if "connection" in headers else ()
        for name, value in headers:
            if name in allow:
                key = name
            elif prefix and name.startswith(prefix) and self._may_go(name[len(prefix) :]):
                key = name[len(prefix) :]
            else:
                continue
            if name in nominated or key in nominated:
                continue
            items += [(key, part) for part in _request_values(name, key, value)]
        if not items:
            return NO_METADATA
        metadata = Metadata(items)
        self.check_size(metadata)
        return metadata

    def check_size(self, metadata: Metadata) -> None:
        """Checks metadata that was put together of a request.

        Raises:
            RpcError: HEADERS_TOO_LARGE: there is more than may be.
        """
        if metadata.size() > self._most:
            text = f"The headers for the backend are larger than {self._most} bytes."
            raise error("HEADERS_TOO_LARGE", text)

    def response(self, metadata: Metadata, without: Container[str] = ()) -> list[tuple[str, str]]:
        """Returns the reply headers that a backend's metadata make; what can't be one is left out.

        Values of `-bin` keys become base64 with padding. Entries of `without` are left out too.
        """
        headers: list[tuple[str, str]] = []
        every = self._response_all or self._response_prefix
        if not (every or self._response_allow):
            return headers
        # Values that do not pass are not looked at: they may have to be decoded first.
        for key, value in metadata if every else metadata.only(self._response_allow):
            if key in without or never_passes(key):
                continue
            if self._response_all or key in self._response_allow:
                name = key
            elif self._response_prefix:
                name = self._response_prefix + key
            else:
                continue
            if isinstance(value, bytes):
                headers.append((name, base64.b64encode(value).decode()))
            elif _PRINTABLE.fullmatch(text := value.strip(" ")):
                headers.append((name, text))
        return headers


def canonical(name: str) -> str:
    """Returns what spellings of a lower-case name have in common that some servers take for one."""
    return name.replace("_", "-").replace(".", "-")


def _nominated(headers: Headers) -> set[str]:
    """Returns the names that are for the next hop only, as Connection says (RFC 9110, 7.6.1)."""
    return {
        item.strip().lower() for value in headers.all("connection") for item in value.split(",")
    }


def _request_values(name: str, key: str, value: str) -> Iterable[str | bytes]:
    """Returns a header's value as metadata values: several of `-bin`, none if it can't be one."""
    if key.endswith("-bin"):
        return [_base64(name, part.strip(" \t")) for part in value.split(",")]
    text = value.strip(" \t")
    return (text,) if _PRINTABLE.fullmatch(text) else ()


def _base64(name: str, text: str) -> bytes:
    """Decodes standard base64 (RFC 4648 section 4) with or without its padding."""
    try:
        bare = text.rstrip("=")
        if len(text) != len(bare) and len(text) % 4:
            raise binascii.Error
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        raise error(
            "INVALID_METADATA", f"The value of the header {name} is not base64, as -bin asks."
        ) from None

"""The head of an HTTP request, as received: nothing decoded, nothing normalised but header case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.http.certificate import Certificate


class Headers:
    """Header fields in order: lower-case names, values as received (RFC 9110 section 5).

    Bytes beyond ASCII are held as Latin-1 characters, so nothing is lost. Immutable: requests with
    the same fields may share one.

    Attributes:
        first: The first value of each name. Not to be changed.
    """

    __slots__ = ("_items", "first")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = tuple(items)
        self.first: Mapping[str, str] = dict(reversed(self._items))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return name in self.first

    def __repr__(self) -> str:
        # Values may hold tokens, and a repr ends in logs.
        return f"Headers({[name for name, _ in self._items]})"

    def get(self, name: str) -> str | None:
        """Returns the first value of the lower-case `name`, or None."""
        return self.first.get(name)

    def with_field(self, name: str, value: str) -> Headers:
        """Returns these fields with one in place of all of the lower-case `name`."""
        return Headers((*((key, old) for key, old in self._items if key != name), (name, value)))

    def all(self, name: str) -> list[str]:
        """Returns every value of the lower-case `name`, in order."""
        if name not in self.first:
            return []
        return [value for key, value in self._items if key == name]

    @property
    def distinct(self) -> bool:
        """Whether no name comes twice."""
        return len(self.first) == len(self._items)


@dataclass(slots=True)
class Request:
    """The head of one request. Not to be changed; it is not frozen since that makes it slow.

    Attributes:
        method: The verb, as received: `GET`.
        path: The raw path up to `?`, still percent-encoded. Bytes beyond ASCII are held as Latin-1
            characters.
        query: The raw query without `?`, or None where the target has no `?`.
        headers: Its header fields.
        authority: The `Host` field's value.
        scheme: `http` or `https`, as the client sees it.
        peer: The client's address, a trusted proxy's word taken for it.
        certificate: What the client's certificate says, if it showed one.
        is_trusted: Whether who connected is a trusted proxy.
        server_name: The name that the client asked TLS for (SNI), as it wrote it; empty for none.
        is_let_in: Whether a page of another origin made it that may act as the user.
        version: The version of HTTP that it came by: `1.1` or `1.0`.
    """

    method: str
    path: str
    query: str | None
    headers: Headers
    authority: str = ""
    scheme: str = "http"
    peer: str = ""
    certificate: Certificate | None = None
    is_trusted: bool = False
    server_name: str = ""
    is_let_in: bool = False
    version: str = "1.1"

    def with_field(self, name: str, value: str) -> Request:
        """Returns this head with a field in place of all of the lower-case `name`."""
        return replace(self, headers=self.headers.with_field(name, value))

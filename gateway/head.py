"""The head of a client's request, as a call carries it: what its caller is known by.

Shapes only. `gateway.http` has them as they come from a socket; neither knows of the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Certificate(Protocol):
    """What a client's certificate says (`gateway.http.certificate`)."""

    @property
    def subject(self) -> str:
        """Its distinguished name (RFC 4514), `CN=billing,O=Shop`."""

    @property
    def uris(self) -> tuple[str, ...]:
        """Its URIs as subject alternative names; a SPIFFE id is one."""

    @property
    def dns(self) -> tuple[str, ...]:
        """Its DNS names."""

    @property
    def emails(self) -> tuple[str, ...]:
        """Its mail addresses."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hexadecimal digits."""

    @property
    def expires(self) -> float | None:
        """When it ends, seconds since 1970."""

    @property
    def signs(self) -> bool:
        """Whether it may sign others, as an authority's."""


class Fields(Protocol):
    """Header fields: names in lower case, values as received."""

    def get(self, name: str) -> str | None:
        """Returns the first value of a name, or None."""

    def all(self, name: str) -> list[str]:
        """Returns every value of a name, in order."""

    @property
    def distinct(self) -> bool:
        """Whether no name comes twice."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Returns all of them, in order."""


class Head(Protocol):
    """The head of the client's request: what a caller is known by (`gateway.http.Request`).

    Not what the backend is sent: that is the call's metadata.
    """

    @property
    def method(self) -> str:
        """The verb."""

    @property
    def path(self) -> str:
        """The raw path up to `?`."""

    @property
    def query(self) -> str | None:
        """The raw query without `?`, or None."""

    @property
    def headers(self) -> Fields:
        """Its header fields; a token that a WebSocket has been given otherwise is among them."""

    @property
    def authority(self) -> str:
        """The value of `Host`."""

    @property
    def scheme(self) -> str:
        """`http` or `https`."""

    @property
    def version(self) -> str:
        """The version of HTTP that it came by: `1.1`."""

    @property
    def peer(self) -> str:
        """The client's address."""

    @property
    def is_trusted(self) -> bool:
        """Whether a trusted proxy passed it on, whose own headers are believed."""

    @property
    def certificate(self) -> Certificate | None:
        """What the client's certificate says, if it showed one."""

    @property
    def is_let_in(self) -> bool:
        """Whether a page of another origin made it that may act as the user (CORS)."""

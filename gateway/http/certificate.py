"""What the certificate of a client says, once the TLS of a listener has verified it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client's certificate (RFC 5280). What it says is true: its chain was verified.

    Attributes:
        subject: Its distinguished name (RFC 4514), `CN=billing,O=Shop`.
        uris: Its URIs as subject alternative names; a SPIFFE id is one.
        dns: Its DNS names.
        emails: Its mail addresses.
        fingerprint: SHA-256 of the certificate, in hexadecimal digits.
        expires: When it ends, seconds since 1970.
        signs: Whether it may sign others, as an authority's.
    """

    subject: str
    uris: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    fingerprint: str = ""
    expires: float | None = None
    signs: bool = False

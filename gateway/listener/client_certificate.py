"""What a client's certificate says, read from its DER. To be imported by TLS that asks for them.

The chain was verified by TLS; here it is only read. One that can't be read says nothing: its client
has shown nobody. Which of its names counts is not decided here.
"""

from __future__ import annotations

import logging
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.http.certificate import Certificate

log = logging.getLogger("gateway.listener")

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)

LARGEST: Final = 64 * 1024
"""Bytes of a certificate that is read."""


def read(der: bytes) -> Certificate | None:
    """Reads a certificate that was verified (RFC 5280); None for one that can't be read."""
    if len(der) > LARGEST:
        log.info("a client's certificate is not read: it has %d bytes", len(der))
        return None
    try:
        return _read(x509.load_der_x509_certificate(der))
    except Exception as failure:  # noqa: BLE001  whatever an odd one makes the library say
        log.info("a client's certificate can't be read: %s", type(failure).__name__)
        return None


def _read(found: x509.Certificate) -> Certificate:
    names = _extension(found, x509.SubjectAlternativeName)
    return Certificate(
        subject=found.subject.rfc4514_string(),
        uris=_texts(names, x509.UniformResourceIdentifier),
        dns=_texts(names, x509.DNSName),
        emails=_texts(names, x509.RFC822Name),
        fingerprint=found.fingerprint(SHA256()).hex(),
        expires=found.not_valid_after_utc.timestamp(),
        signs=_may_sign(found),
    )


def _may_sign(found: x509.Certificate) -> bool:
    """Whether it may sign certificates, or lists of revoked ones: it is an authority's."""
    constraints = _extension(found, x509.BasicConstraints)
    usage = _extension(found, x509.KeyUsage)
    return bool(
        (constraints is not None and constraints.ca)
        or (usage is not None and (usage.key_cert_sign or usage.crl_sign))
    )


def _texts(
    names: x509.SubjectAlternativeName | None,
    kind: type[x509.UniformResourceIdentifier | x509.DNSName | x509.RFC822Name],
) -> tuple[str, ...]:
    return () if names is None else tuple(names.get_values_for_type(kind))


def _extension(found: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    try:
        return found.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None

"""TLS for a listener: files in, an `ssl.SSLContext` out. TLS 1.2 or later, HTTP/1.1 by ALPN.

Each connection remembers the name that its client asked for (SNI, RFC 6066 section 3): `ssl` tells
a server of it during the handshake only.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


class TlsError(ValueError):
    """TLS files that can't be used. The text names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Tls:
    """A listener's TLS.

    Attributes:
        certificate: PEM file: the server's certificate, then its intermediates.
        key: PEM file of its key; None where the certificate's file holds it.
        client_ca: PEM file of the authorities whose client certificates are accepted.
        client_certificate: Whether a client may or must show one. Only with `client_ca`.
    """

    certificate: Path
    key: Path | None = None
    client_ca: Path | None = None
    client_certificate: Literal["optional", "required"] = "optional"


class Connected(ssl.SSLObject):
    """The TLS of one connection.

    Attributes:
        asked: The name that the client asked for, as it wrote it; empty where it asked for none.
    """

    asked: str = ""


def asked_for(connection: object) -> str:
    """Returns the name that the client of a connection asked for; empty for none.

    Args:
        connection: The transport's `ssl_object`; None without TLS.
    """
    return connection.asked if isinstance(connection, Connected) else ""


def _remember(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
    """Takes a note of the name that a client asks for; there is one certificate for all."""
    if isinstance(connection, Connected):
        connection.asked = name or ""


_VERIFY = {"optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def context(tls: Tls) -> ssl.SSLContext:
    """Returns the context to serve with.

    Raises:
        TlsError: A file is missing, is no PEM, or certificate and key do not belong together.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    made.sslobject_class = Connected
    made.sni_callback = _remember
    key = tls.key or tls.certificate
    for path in (tls.certificate, key, tls.client_ca):
        if path is not None and not path.is_file():
            raise TlsError(f"{path}: there is no such file")
    try:
        made.load_cert_chain(tls.certificate, key, password=_no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise TlsError(
            f"{tls.certificate}, {key}: no PEM certificate with its unencrypted key ({error})"
        ) from error
    if tls.client_ca is not None:
        try:
            made.load_verify_locations(tls.client_ca)
        except (ssl.SSLError, OSError) as error:
            raise TlsError(f"{tls.client_ca}: no PEM certificates ({error})") from error
        made.verify_mode = _VERIFY[tls.client_certificate]
    return made


def _no_password() -> str:
    """Stands in for OpenSSL's prompt, which would stop the start-up at a terminal."""
    raise ValueError("the key is encrypted")

"""An attempt to connect to an endpoint: socket, TLS, and the server's first SETTINGS."""

from __future__ import annotations

import asyncio
import os
import ssl
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from gateway.upstream.channel.faults import FOREIGN, UNREACHABLE, Fault
from gateway.upstream.channel.native_connection import NativeConnection
from gateway.upstream.endpoints import AnyEndpoint, UnixEndpoint
from gateway.upstream.spec import Tls

PATIENCE: Final = 5.0
"""Seconds that an attempt may take."""


class NotConnected(Exception):  # noqa: N818  it is a state of the world, not an error of ours
    """An attempt to connect that failed.

    Attributes:
        fault: What clients are told.
        cause: What operators are told.
    """

    def __init__(self, fault: Fault, cause: str) -> None:
        super().__init__(cause)
        self.fault = fault
        self.cause = cause


async def connect(
    endpoint: AnyEndpoint, tls: Tls | None, make: Callable[[], NativeConnection]
) -> NativeConnection:
    """Returns a connection that takes calls.

    Args:
        endpoint: Where to.
        tls: None speaks in the clear.
        make: Makes the connection, once the socket is there.

    Raises:
        NotConnected: There is none.
    """
    connection: NativeConnection | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            connection = await _open(endpoint, tls, make)
            await connection.ready
            if connection.cause:  # what made it ready and what ended it came in one piece
                raise _lost(connection)
            connection.taken = True
    except TimeoutError:
        raise NotConnected(UNREACHABLE, f"no connection within {PATIENCE:g} seconds") from None
    except (OSError, ValueError) as failure:  # SSLError is an OSError, no PEM is a ValueError
        raise NotConnected(UNREACHABLE, _cause(failure)) from failure
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if connection is None or not connection.cause or (task is not None and task.cancelling()):
            raise
        raise _lost(connection) from None
    finally:
        if connection is not None and not connection.taken:
            connection.give_up("it did not become ready")
    return connection


def _lost(connection: NativeConnection) -> NotConnected:
    return NotConnected(FOREIGN if connection.broken else UNREACHABLE, connection.cause)


def _cause(failure: Exception) -> str:
    """Returns what is known of a failure; asyncio's own text leaves the system's reason out."""
    text, number = str(failure), failure.errno if isinstance(failure, OSError) else None
    reason = os.strerror(number) if number and number > 0 else ""
    return text if reason in text else f"{text}: {reason}"


async def _open(
    endpoint: AnyEndpoint, tls: Tls | None, make: Callable[[], NativeConnection]
) -> NativeConnection:
    loop = asyncio.get_running_loop()
    context = None if tls is None else context_of(tls)
    name = (tls.server_name if tls else None) or endpoint.server_name
    if isinstance(endpoint, UnixEndpoint):
        _, connection = await loop.create_unix_connection(
            make, endpoint.path, ssl=context, server_hostname=name if context else None
        )
    else:
        _, connection = await loop.create_connection(
            make,
            endpoint.host,
            endpoint.port,
            ssl=context,
            server_hostname=name if context else None,
        )
    return connection


@lru_cache(maxsize=64)
def context_of(tls: Tls) -> ssl.SSLContext:
    """Returns the context of an upstream's TLS: TLS 1.2 or later, HTTP/2 by ALPN (RFC 9113, 9.2).

    Raises:
        OSError: A certificate or key can't be used.
        ValueError: The authorities are no PEM.
    """
    context = ssl.create_default_context(cadata=None if tls.ca is None else tls.ca.decode("ascii"))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    if tls.certificate is not None and tls.key is not None:
        # OpenSSL reads a key pair from a file only: one that none but this process can open.
        descriptor, path = tempfile.mkstemp()
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(tls.certificate + b"\n" + tls.key)
            context.load_cert_chain(path, password=_no_password)
        finally:
            Path(path).unlink()
    return context


def _no_password() -> str:
    """Stands in for OpenSSL's prompt, which would stop the process at a terminal."""
    raise ValueError("the key is encrypted")

"""Where a Redis is, and how to show oneself there: what a URL says, with a name for logs."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio.connection import Connection, SSLConnection

_PORT: Final = 6379
_DATABASES: Final = 1_000_000
# An idle connection is not forgotten by what stands between, and one that was is found out.
_KEEPALIVE: Final = {
    getattr(socket, name): value
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
    if hasattr(socket, name)  # not everywhere
}
_CA: Final = "ssl_ca_certs"  # as other clients' URLs have it


class AddressError(ValueError):
    """A URL names no Redis. Its text does not hold the URL."""


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and one of its databases.

    Attributes:
        host: A name or address.
        port: Of TCP.
        database: Its number.
        username: Of an ACL; None for the default user.
        password: None for a server that asks for none.
        tls: Whether the server must show a certificate for its name.
        ca: A file of the certificates that may have signed it; None for those the system trusts.
    """

    host: str
    port: int = _PORT
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca: str | None = None

    @classmethod
    def of(cls, url: str) -> Address:
        """Returns what a URL says: `rediss://user:password@host:6380/2?ssl_ca_certs=/ca.pem`.

        User and password may be percent-encoded.

        Raises:
            AddressError: It says something else.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _PORT
            query = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
        except ValueError:
            raise AddressError("expected redis://[user:password@]host[:port][/database]") from None
        if parts.scheme not in {"redis", "rediss"} or not parts.hostname or parts.fragment:
            raise AddressError("expected redis://[user:password@]host[:port][/database]")
        database = parts.path.removeprefix("/") or "0"
        if not (database.isascii() and database.isdigit() and int(database) < _DATABASES):
            raise AddressError("the database is a number: redis://host:6379/0")
        tls = parts.scheme == "rediss"
        if any(name != _CA for name, _ in query) or (query and not tls):
            raise AddressError(f"of options there is {_CA}, with rediss:// only")
        return cls(
            host=parts.hostname,
            port=port,
            database=int(database),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
            ca=dict(query).get(_CA),
        )

    def __str__(self) -> str:
        """Its name in logs, without who one is there."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis{'s' if self.tls else ''}://{host}:{self.port}/{self.database}"

    def at(self, host: str, port: int) -> Address:
        """Returns another server's address, where one shows oneself in the same way."""
        return replace(self, host=host, port=port)

    def connection(self, connect_timeout: float) -> Connection:
        """Returns a connection to it that is not open yet.

        Args:
            connect_timeout: Seconds for each step of opening it.
        """
        settings: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "db": self.database,
            "username": self.username,
            "password": self.password,
            "socket_timeout": None,  # waits are bounded per command, by who waits
            "socket_connect_timeout": connect_timeout,
            "socket_keepalive": True,
            "socket_keepalive_options": _KEEPALIVE,
            "protocol": 2,
        }
        if not self.tls:
            return Connection(**settings)
        return SSLConnection(
            **settings,
            ssl_ca_certs=self.ca,
            ssl_check_hostname=True,
            ssl_min_version=ssl.TLSVersion.TLSv1_2,
        )

"""Where a Redis is, and how to show oneself there: what a URL says, with a name for logs.

It needs nothing that connects: a config is checked by it also where nothing uses a Redis.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

_PORT: Final = 6379
_DATABASES: Final = 1_000_000
_CA: Final = "ssl_ca_certs"  # as other clients' URLs have it
_FORM: Final = "expected redis://[user:password@]host[:port][/database]"
_ENCODE: Final = f"{_FORM}; percent-encode @, /, #, ?, : and % in user and password"
_RAW: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


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

        In user and password, what has a meaning in URLs is percent-encoded.

        Raises:
            AddressError: It says something else.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or _PORT
            query = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
        except ValueError:
            raise AddressError(_ENCODE if "@" in url else _FORM) from None
        who, _, _ = parts.netloc.rpartition("@")
        if "@" in parts.path + parts.query + parts.fragment or _RAW.search(who):
            raise AddressError(_ENCODE)  # it was cut where the password goes on
        if parts.scheme not in {"redis", "rediss"} or not parts.hostname or parts.fragment:
            raise AddressError(_FORM)
        if " " in parts.hostname or not parts.hostname.isprintable():
            raise AddressError("a host has no spaces")
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

"""Asks a running gateway at its admin listener, as commands do.

Where that is, the config says, or who runs the command. What is asked, and what becomes of the
answer, is the command's.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlencode

import typer

from gateway.cli.configuration import reader
from gateway.cli.failure import Exit, Failure
from gateway.config import Address, ConfigError, UnixAddress

Admin: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--admin",
        metavar="URL",
        help="The admin listener of the gateway, as `gateway serve` prints it.",
        show_default="that of the config",
    ),
]

JSON: Final = "application/json"

_TIMEOUT: Final = 60.0  # seconds; workers have ten for an operation
_URL: Final = re.compile(r"(?:http://)?([^/?#@\s]+)/?", re.IGNORECASE)
_UNIX: Final = "unix:"
_ANY: Final[Mapping[str, str]] = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  none is opened


def place(admin: str | None, config: Path | None, settings: list[str] | None) -> str:
    """Returns where the admin listener is: `127.0.0.1:9090` or `unix:/path`.

    Args:
        admin: What was given for it, or None for what the config says.
        config: The config's file, or None for the usual one.
        settings: The values of `--set`.

    Raises:
        Failure: It can't be known.
    """
    if admin is not None:
        if admin.startswith(_UNIX):
            return admin
        if found := _URL.fullmatch(admin):
            return found[1]
        raise Failure("--admin: expected a URL such as http://127.0.0.1:9090, or unix:/path")
    try:
        section = reader(config, settings)().config.admin
    except ConfigError as mistake:
        raise Failure(*map(str, mistake.problems)) from mistake
    if section is None:
        raise Failure("The gateway has no admin listener: the config says `admin: false`.")
    return _reached(section.address)


def _reached(address: Address) -> str:
    if isinstance(address, UnixAddress):
        return str(address)
    if not address.port:
        raise Failure(
            "The config's admin.address has port 0, which is any free one: "
            "give --admin the URL that `gateway serve` printed."
        )
    return str(type(address)(_ANY.get(address.host, address.host), address.port))


def get(where: str, path: str, query: Mapping[str, str], kind: str = JSON) -> bytes:
    """Reads a page.

    Args:
        where: What `place` returned.
        path: `/usage`.
        query: Its parameters.
        kind: The media type that it has.

    Raises:
        Failure: It can't be had.
    """
    return _ask(where, "GET", path, query, kind)


def post(where: str, path: str, query: Mapping[str, str]) -> bytes:
    """Has something changed; otherwise as `get`."""
    return _ask(where, "POST", path, query, JSON)


def no_gateway(where: str) -> Failure:
    """Returns what is said where something else answers."""
    return _failed(f"What listens at {where} is no admin listener of a gateway.", _HINT)


class _UnixConnection(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: str, *, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """See HTTPConnection."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(where: str) -> http.client.HTTPConnection:
    if where.startswith(_UNIX):
        return _UnixConnection(where.removeprefix(_UNIX), timeout=_TIMEOUT)
    return http.client.HTTPConnection(where, timeout=_TIMEOUT)


def _ask(where: str, method: str, path: str, query: Mapping[str, str], kind: str) -> bytes:
    target = f"{path}?{urlencode(query)}" if query else path
    try:
        with closing(_connection(where)) as connection:
            connection.request(method, target, headers={"Accept": "*/*"})
            reply = connection.getresponse()
            status, body, type_ = reply.status, reply.read(), reply.headers.get_content_type()
    except TimeoutError:
        raise _failed(f"{where} did not answer within {_TIMEOUT:g} seconds.") from None
    except (http.client.HTTPException, ValueError):
        raise no_gateway(where) from None
    except OSError as error:
        text = f"No gateway can be reached at {where}: {error.strerror or error}."
        raise _failed(text, _HINT) from error
    if status != http.client.OK:
        raise _refused(where, status, body)
    if type_ != kind:
        raise no_gateway(where)
    return body


_HINT: Final = (
    "Is it running, with this admin.address? --admin names another, as `gateway serve` prints it."
)


def _refused(where: str, status: int, body: bytes) -> Failure:
    """Returns what a gateway said of a request that it refused."""
    try:
        error = json.loads(body)["error"]
        message, reason = str(error["message"]), str(error["details"][0]["reason"])
    except (ValueError, LookupError, TypeError):
        return no_gateway(where)
    return _failed(message, f"({where} answered {status} {reason})")


def _failed(*lines: str) -> Failure:
    return Failure(*lines, code=Exit.FAILED)

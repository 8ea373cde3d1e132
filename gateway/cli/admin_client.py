"""Asks a running gateway at its admin listener, as commands do.

Where that is, and which token it wants, the config says, or who runs the command. What is asked,
and what becomes of the answer, is the command's.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlencode

import typer

from gateway.cli.configuration import admin_section
from gateway.cli.failure import Exit, Failure
from gateway.config import Address, ConfigError, UnixAddress
from gateway.config.models.listener import Admin as AdminSection

Admin: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--admin",
        metavar="URL",
        help="The admin listener of the gateway, as `gateway serve` prints it.",
        show_default="that of the config",
    ),
]

Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        help="The token of the admin listener. Others can see it in the list of processes: better "
        "set the variable.",
        envvar="GATEWAY_ADMIN_TOKEN",
        show_default="that of the config",
    ),
]

JSON: Final = "application/json"

_TIMEOUT: Final = 60.0  # seconds; workers have ten for an operation
_URL: Final = re.compile(r"(?:http://)?([^/?#@\s]+)/?", re.IGNORECASE)
_UNIX: Final = "unix:"
_ANY: Final[Mapping[str, str]] = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  none is opened


@dataclass(frozen=True, slots=True)
class Place:
    """An admin listener.

    Attributes:
        where: `127.0.0.1:9090` or `unix:/path`.
        token: What it wants to be shown; None for nothing.
    """

    where: str
    token: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.where


def place(
    admin: str | None, config: Path | None, settings: list[str] | None, token: str | None = None
) -> Place:
    """Returns where the admin listener is, and its token.

    Of the config only `admin` need be right: gateways run on while the rest of it is not.
    Of a gateway that is named the config's token is shown only if the config is named too: it is
    not to be sent to whatever listens there.

    Args:
        admin: What was given for it, or None for what the config says.
        config: The config's file, or None for the usual one.
        settings: The values of `--set`.
        token: What was given for it, or None for what the config says.

    Raises:
        Failure: It can't be known.
    """
    if admin is not None:
        where = _named(admin)
        if token is None and config is not None:
            section = _section(config, settings)
            token = None if section is None else _token(section)
        return Place(where, token)
    section = _section(config, settings)
    if section is None:
        raise Failure("The gateway has no admin listener: the config says `admin: false`.")
    return Place(_reached(section.address), _token(section) if token is None else token)


def _named(admin: str) -> str:
    if admin.startswith(_UNIX):
        return admin
    if found := _URL.fullmatch(admin):
        return found[1]
    raise Failure("--admin: expected a URL such as http://127.0.0.1:9090, or unix:/path")


def _section(config: Path | None, settings: list[str] | None) -> AdminSection | None:
    try:
        return admin_section(config, settings)
    except ConfigError as mistake:
        raise Failure(*map(str, mistake.problems), _UNREAD) from mistake
    except Failure as failure:
        raise Failure(*failure.lines, _UNREAD) from failure


def _token(section: AdminSection) -> str | None:
    return None if section.token is None else section.token.get_secret_value()


def _reached(address: Address) -> str:
    if isinstance(address, UnixAddress):
        return str(address)
    if not address.port:
        raise Failure(
            "The config's admin.address has port 0, which is any free one: "
            "give --admin the URL that `gateway serve` printed."
        )
    return str(type(address)(_ANY.get(address.host, address.host), address.port))


def get(listener: Place, path: str, query: Mapping[str, str], kind: str = JSON) -> bytes:
    """Reads a page.

    Args:
        listener: What `place` returned.
        path: `/usage`.
        query: Its parameters.
        kind: The media type that it has.

    Raises:
        Failure: It can't be had.
    """
    return _ask(listener, "GET", path, query, kind)


def post(listener: Place, path: str, query: Mapping[str, str]) -> bytes:
    """Has something changed; otherwise as `get`."""
    return _ask(listener, "POST", path, query, JSON)


def no_gateway(where: Place) -> Failure:
    """Returns what is said where something else answers."""
    return _failed(f"What listens at {where} is no admin listener of a gateway.", _HINT)


def other_release(where: Place) -> Failure:
    """Returns what is said where a gateway answers, and not as this release does."""
    text = f"The gateway at {where} is of another release: its answer can't be read."
    return _failed(text, "Ask with the command of that release, or see --format json.")


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


def _ask(where: Place, method: str, path: str, query: Mapping[str, str], kind: str) -> bytes:
    headers: dict[str, str | bytes] = {"Accept": "*/*"}
    if where.token is not None:
        headers["Authorization"] = b"Bearer " + where.token.encode()
    target = f"{path}?{urlencode(query)}" if query else path
    try:
        with closing(_connection(where.where)) as connection:
            connection.request(method, target, headers=headers)
            reply = connection.getresponse()
            status, body, type_ = reply.status, reply.read(), reply.headers.get_content_type()
    except TimeoutError:
        raise _failed(f"{where} did not answer within {_TIMEOUT:g} seconds.") from None
    except OSError as error:  # it is one, too, that a gateway that ends leaves before it answers
        text = f"No gateway can be reached at {where}: {error.strerror or error}."
        raise _failed(text, _HINT) from error
    except (http.client.HTTPException, ValueError):
        raise no_gateway(where) from None
    if status == http.client.UNAUTHORIZED:
        raise _refused(where, status, body, _SHOW)
    if status != http.client.OK:
        raise _refused(where, status, body)
    if type_ != kind:
        raise no_gateway(where)
    return body


_UNREAD: Final = (
    "To ask a gateway without its config: --admin URL without --config, and its token, if it has "
    "one, in GATEWAY_ADMIN_TOKEN."
)
_HINT: Final = (
    "Is it running, with this admin.address? --admin names another, as `gateway serve` prints it."
)


_SHOW: Final = "Give it by --token or GATEWAY_ADMIN_TOKEN, or name the config that has it."


def _refused(where: Place, status: int, body: bytes, *hints: str) -> Failure:
    """Returns what a gateway said of a request that it refused."""
    try:
        error = json.loads(body)["error"]
        message, reason = str(error["message"]), str(error["details"][0]["reason"])
    except (ValueError, LookupError, TypeError):
        return no_gateway(where)
    return _failed(message, f"({where} answered {status} {reason})", *hints)


def _failed(*lines: str) -> Failure:
    return Failure(*lines, code=Exit.FAILED)

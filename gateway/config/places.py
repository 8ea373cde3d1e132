"""The kinds of value that name a place: files, folders, addresses, networks; and secrets in files.

Relative paths are resolved against the folder of the config file. Files must exist when the
configuration is read; what is inside them is their reader's business.
"""

import ipaddress
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.json_schema import JsonSchemaValue

from gateway.config import units
from gateway.config.leaf import Leaf, LeafError, UnusableError
from gateway.config.noting import note
from gateway.config.scalars import Text
from gateway.config.substitution import Substituted

_MAX_SECRET = 64 * 1024
_MAX_SOCKET_PATH = 107  # unix(7): sun_path without its final NUL
_UNIX = "unix"
_KINDS = {False: ("file", stat.S_ISREG), True: ("folder", stat.S_ISDIR)}


@dataclass(frozen=True, slots=True)
class Existing(Leaf):
    """A `pathlib.Path` of something that is there and can be read."""

    folder: bool = False

    def read(self, value: object, directory: Path) -> Path:
        """See `Leaf.read`."""
        kind, is_kind = _KINDS[self.folder]
        if not isinstance(value, str) or not value or "\0" in value:
            raise LeafError(f"the path of a {kind}")
        path = note(directory / value)
        shown = "the path from the environment" if isinstance(value, Substituted) else path
        try:
            found = path.stat()
        except FileNotFoundError:
            raise UnusableError(f"no such {kind}: {shown}") from None
        except OSError as error:
            raise UnusableError(f"cannot read {shown}: {error.strerror}") from None
        if not is_kind(found.st_mode):
            raise UnusableError(f"not a {kind}: {shown}")
        if not os.access(path, os.R_OK):
            raise UnusableError(f"cannot read {shown}: permission denied")
        return path

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "minLength": 1}

    def show(self, value: Path) -> str:
        """See `Leaf.show`."""
        return str(value)


@dataclass(frozen=True, slots=True)
class HostOf(Leaf):
    """A `str` that clients call the gateway by, in its one form (`units.parse_host`)."""

    def read(self, value: object, directory: Path) -> str:  # noqa: ARG002  # the leaf's interface
        """See `Leaf.read`."""
        try:
            return units.parse_host(value if isinstance(value, str) else "")
        except units.UnitError as error:
            raise LeafError(str(error)) from error

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "pattern": units.HOST_PATTERN}


@dataclass(frozen=True, slots=True)
class AddressOf(Leaf):
    """A `units.Address`; port 0 only where something listens."""

    listen: bool = False

    def read(self, value: object, directory: Path) -> units.Address:
        """See `Leaf.read`."""
        try:
            address = units.parse_address(value if isinstance(value, str) else "")
        except units.UnitError as error:
            raise LeafError(str(error)) from error
        if isinstance(address, units.UnixAddress):
            path = str(directory / address.path)
            if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
                raise LeafError(f"the path of a socket in at most {_MAX_SOCKET_PATH} bytes")
            return units.UnixAddress(path)
        if not address.port and not self.listen:
            raise LeafError("a port from 1 to 65535")
        return address

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "pattern": units.ADDRESS_PATTERN}

    def show(self, value: units.Address) -> str:
        """See `Leaf.show`."""
        return str(value)


@dataclass(frozen=True, slots=True)
class Cidr(Leaf):
    """An `ipaddress` network, IPv4 or IPv6; a single address is a network of one."""

    def read(
        self,
        value: object,
        directory: Path,  # noqa: ARG002  # the leaf's interface
    ) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """See `Leaf.read`."""
        if not isinstance(value, str):
            raise LeafError("a network such as 10.0.0.0/8")
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise LeafError("a network such as 10.0.0.0/8") from None
        if "/" in value and ipaddress.ip_address(value.partition("/")[0]) != network[0]:
            if isinstance(value, Substituted):
                raise LeafError("a network whose host bits are 0")
            raise LeafError(f"a network whose host bits are 0, such as {network}")
        return network

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "pattern": r"^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"}

    def show(self, value: object) -> str:
        """See `Leaf.show`."""
        return str(value)


@dataclass(frozen=True, slots=True)
class Proxy(Leaf):
    """A network as of `Cidr`, or the text `unix`: who connects by a Unix socket."""

    def read(
        self, value: object, directory: Path
    ) -> ipaddress.IPv4Network | ipaddress.IPv6Network | str:
        """See `Leaf.read`."""
        if value == _UNIX:
            return _UNIX
        try:
            return Cidr().read(value, directory)
        except LeafError as error:
            raise LeafError(f"{error}, or unix") from error

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"anyOf": [{"const": _UNIX}, Cidr().json_schema()]}

    def show(self, value: object) -> str:
        """See `Leaf.show`."""
        return str(value)


@dataclass(frozen=True, slots=True)
class Secret(Leaf):
    """A `SecretStr`: a text (best `${NAME}`), or `{file: path}`. No error repeats it.

    One trailing newline of a file is not part of the secret.
    """

    secret = True

    def read(self, value: object, directory: Path) -> SecretStr:
        """See `Leaf.read`."""
        if isinstance(value, dict) and value.keys() == {"file"}:
            path = Existing().read(value["file"], directory)
            if path.stat().st_size > _MAX_SECRET:
                raise UnusableError(f"a secret of more than {_MAX_SECRET} bytes: {path}")
            try:
                value = path.read_text("utf-8").removesuffix("\n")
            except UnicodeDecodeError:
                raise UnusableError(f"not UTF-8 text: {path}") from None
        if not isinstance(value, str) or not value:
            raise LeafError("a text that is not empty, or {file: path}")
        return SecretStr(str(value))

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        file: JsonSchemaValue = {
            "type": "object",
            "properties": {"file": {"type": "string", "minLength": 1}},
            "required": ["file"],
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "string", "minLength": 1, "writeOnly": True}, file]}

    def show(self, value: Any) -> str:
        """See `Leaf.show`."""
        return str(value)


LISTEN = AddressOf(listen=True)
ENDPOINT = AddressOf()
HOST = HostOf()
FILE = Existing()
FOLDER = Existing(folder=True)
URL_PATH = Text("a path such as /api, without a slash at its end", r"^(/[A-Za-z0-9._~-]+)+$")

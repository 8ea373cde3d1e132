"""The kinds of value that name what is looked up: a name by DNS, and who is asked for it."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic.json_schema import JsonSchemaValue

from gateway.config import units
from gateway.config.leaf import Leaf, LeafError

_LABEL: Final = "[A-Za-z0-9-]{1,62}"
_SERVICE: Final = rf"_{_LABEL}(\._{_LABEL})*(\.{_LABEL})+\.?"
_PORT_OF_DNS: Final = 53


@dataclass(frozen=True, slots=True)
class Resolvable(Leaf):
    """A name with its port, or a name of SRV records (RFC 2782), which have ports themselves."""

    def read(
        self,
        value: object,
        directory: Path,  # noqa: ARG002  the leaf's interface
    ) -> units.TcpAddress | units.ServiceName:
        """See `Leaf.read`."""
        text = value if isinstance(value, str) else ""
        if text.startswith("_"):
            if not re.fullmatch(_SERVICE, text, re.ASCII) or len(text) > 253:
                raise LeafError("a name of SRV records without a port: _grpc._tcp.orders.example")
            return units.ServiceName(str(text))
        try:
            address = units.parse_address(text)
        except units.UnitError:
            address = None
        if not isinstance(address, units.TcpAddress) or not address.port:
            raise LeafError(
                "a name with its port, such as orders:50051, "
                "or one of SRV records, such as _grpc._tcp.orders.example"
            )
        return address

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "pattern": rf"^({_SERVICE}|[^_].*:[0-9]{{1,5}})$"}

    def show(self, value: units.TcpAddress | units.ServiceName) -> str:
        """See `Leaf.show`."""
        return str(value)


@dataclass(frozen=True, slots=True)
class NameServer(Leaf):
    """The address of a name server, with or without its port."""

    def read(
        self,
        value: object,
        directory: Path,  # noqa: ARG002  the leaf's interface
    ) -> units.TcpAddress:
        """See `Leaf.read`."""
        text = value if isinstance(value, str) else ""
        try:
            return units.TcpAddress(str(ipaddress.ip_address(text)), _PORT_OF_DNS)
        except ValueError:
            pass  # then it has a port
        try:
            address = units.parse_address(text)
            if isinstance(address, units.TcpAddress) and address.port:
                return units.TcpAddress(str(ipaddress.ip_address(address.host)), address.port)
        except ValueError:  # a UnitError is one
            pass
        raise LeafError("an IP address such as 10.0.0.10 or 127.0.0.1:8600")

    def json_schema(self) -> JsonSchemaValue:
        """See `Leaf.json_schema`."""
        return {"type": "string", "pattern": r"^[0-9A-Fa-f:.\[\]]+$"}

    def show(self, value: units.TcpAddress) -> str:
        """See `Leaf.show`."""
        return str(value)


RESOLVABLE: Final = Resolvable()
NAME_SERVER: Final = NameServer()

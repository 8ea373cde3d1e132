"""What server reflection is asked, within which bounds, and what it tells. Data only.

Apart from `reflection`, which stands on grpcio: a gateway that asks no backend need not load it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.schema.file import SchemaFile
from gateway.schema.problem import Problem


class ReflectionTls(NamedTuple):
    """TLS to a backend, everything in PEM; None where it is not given."""

    ca: bytes | None = None
    key: bytes | None = None
    certificate: bytes | None = None


@dataclass(frozen=True, slots=True)
class ReflectionTarget:
    """A backend to ask.

    Attributes:
        upstream: The upstream's name, for errors.
        address: What to connect to, as gRPC names it: `host:port`, `unix:/path`.
        services: The upstream's services, by glob: only these are taken.
        tls: The files of TLS, or None for plaintext.
        server_name: The name in the server's certificate, where it is not the address's.
    """

    upstream: str
    address: str
    services: tuple[str, ...] = ("*",)
    tls: ReflectionTls | None = None
    server_name: str = ""

    @property
    def where(self) -> str:
        """What to call the source in errors."""
        return f"reflection of upstream '{self.upstream}'"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a backend's time and memory-filling is borne.

    Attributes:
        seconds: For all that is asked of one backend, and for waiting until it can be reached.
        files: The number of files.
        size: Bytes of all files together; a single answer may have that many too.
    """

    seconds: float = 10.0
    files: int = 10_000
    size: int = 64 << 20


@dataclass(slots=True)
class Reflected:
    """What a backend told.

    Attributes:
        files: With all that is in them, services of other backends too.
        services: Those that the backend has, as far as they are asked for.
        warnings: Such as services that it lists but can't describe.
    """

    files: list[SchemaFile] = field(default_factory=list)
    services: tuple[str, ...] = ()
    warnings: list[Problem] = field(default_factory=list)

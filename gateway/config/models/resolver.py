"""`upstreams.*.resolver`: where endpoints are looked up that come and go."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from gateway.config.markers import Needs, OneOf
from gateway.config.models.section import section
from gateway.config.places import FILE
from gateway.config.resolvable import NAME_SERVER, RESOLVABLE
from gateway.config.scalars import Duration
from gateway.config.units import ServiceName, TcpAddress


@section
class Resolver:
    """Endpoints that are looked up and may change."""

    EXAMPLE: ClassVar = '{dns: "orders:50051"}'
    RULES: ClassVar = (OneOf("dns", "file"), Needs("nameservers", "dns"))

    dns: Annotated[TcpAddress | ServiceName, RESOLVABLE] | None = Field(
        default=None,
        description="A name with its port, all of whose addresses are endpoints; "
        "or a name of SRV records, _grpc._tcp.NAME.",
    )
    nameservers: tuple[Annotated[TcpAddress, NAME_SERVER], ...] = Field(
        default=(),
        min_length=1,
        description="The name servers that are asked, by address; the system's without it.",
    )
    file: Annotated[Path, FILE] | None = Field(
        default=None, description="A YAML file with a list such as endpoints has."
    )
    refresh: Annotated[float, Duration()] = Field(
        default=10.0,
        description="How often to look again, where DNS does not say that it changes sooner.",
    )

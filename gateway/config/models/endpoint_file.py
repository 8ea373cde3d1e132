"""A file that `upstreams.*.resolver.file` names: a list such as `endpoints` has in the config."""

from typing import Annotated

from pydantic import Field

from gateway.config.markers import Short
from gateway.config.models.section import section
from gateway.config.models.upstreams import Endpoint


@section
class EndpointFile:
    """What the file says; the list stands there by itself."""

    endpoints: tuple[Annotated[Endpoint, Short("address")], ...] = Field(
        min_length=1, description="The endpoints."
    )

"""A file of changes that are accepted: a list of what `gateway check --against` would refuse."""

from typing import Annotated

from pydantic import Field

from gateway.config.models.section import section
from gateway.config.scalars import Text


@section
class Accepted:
    """One change."""

    change: Annotated[str, Text()] = Field(description="Its rule and what has changed.")
    reason: Annotated[str, Text()] = Field(description="Why it is right all the same.")


@section
class AcceptedFile:
    """What the file says; the list stands there by itself."""

    changes: tuple[Accepted, ...] = Field(description="The changes.")

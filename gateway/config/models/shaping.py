"""Where calls of a method go instead, and what is made of them on the way: parts of `policies`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from gateway.config.instants import DAY
from gateway.config.models.section import section
from gateway.config.scalars import CODE, HEADER, NAME, PERCENT, SPLIT_KEY, Duration, Text

_TEXT = Annotated[str, Text()]
_ANY_TEXT = Text(pattern="")
_LINK = Text(
    "a link such as https://shop.example/v2, or /v2",
    r"^(https?:/)?/[A-Za-z0-9._~:/?#\[\]@!\x24&'()*+,;=%-]*$",
)


@section
class Route:
    """Calls that fit all that is given go to another upstream."""

    EXAMPLE: ClassVar = "{upstream: catalog-canary, header: {x-canary: always}}"

    upstream: Annotated[str, NAME] = Field(description="Where to.")
    header: Mapping[Annotated[str, HEADER], _TEXT] = Field(
        default_factory=dict, description="Headers of clients, and what they must be."
    )
    query: Mapping[_TEXT, Annotated[str, _ANY_TEXT]] = Field(
        default_factory=dict, description="Query parameters, and what they must be."
    )
    when: _TEXT | None = Field(default=None, description="A condition in CEL.")


@section
class Split:
    """A share of the calls goes to another upstream."""

    upstream: Annotated[str, NAME] = Field(description="Where to.")
    percent: Annotated[float, PERCENT] = Field(description="How many.")
    hash_on: Annotated[str, SPLIT_KEY] | None = Field(
        default=None, description="What keeps a caller on one side; without it, chance decides."
    )


@section
class Mirror:
    """A share of the calls is also sent to another upstream, whose answer is ignored."""

    upstream: Annotated[str, NAME] = Field(description="Where to.")
    percent: Annotated[float, PERCENT] = Field(default=100.0, description="How many.")


@section
class Deprecated:
    """The method goes away (RFC 9745, RFC 8594)."""

    EXAMPLE: ClassVar = "{since: 2026-01-01, sunset: 2027-06-30}"

    since: Annotated[float, DAY] | None = Field(
        default=None, description="From when on it is not to be used."
    )
    sunset: Annotated[float, DAY] | None = Field(
        default=None, description="From when on it may be gone."
    )
    link: Annotated[str, _LINK] | None = Field(
        default=None, description="Where to read of it, and what to use instead."
    )


@section
class Faults:
    """Failures made on purpose, to test clients."""

    EXAMPLE: ClassVar = "{code: UNAVAILABLE, percent: 5}"

    delay: Annotated[float, Duration(zero=True)] = Field(
        default=0.0, description="How long a call is held up."
    )
    code: Annotated[str, CODE] | None = Field(
        default=None, description="The status that a call fails with."
    )
    percent: Annotated[float, PERCENT] = Field(default=0.0, description="How many calls.")

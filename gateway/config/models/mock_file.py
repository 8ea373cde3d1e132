"""A file of `serve --mock-files`: answers of one method that somebody wrote, a list of them.

Whether messages are of their method's types is not known here.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from gateway.config.models.section import section
from gateway.config.models.shaping import Faults
from gateway.config.scalars import CODE, Duration, Text


@section
class MockError:
    """What a call ends with."""

    code: Annotated[str, CODE] = Field(description="The gRPC status code.")
    message: str = Field(default="", description="The message.")
    details: tuple[Mapping[str, Any], ...] = Field(
        default=(), description="The details: messages as JSON, each with its `@type`."
    )


@section
class MockEntry:
    """An answer, and what it is the answer to."""

    when: Mapping[str, Any] | Annotated[str, Text("a condition in CEL")] | None = Field(
        default=None, description="Fields of the request and their values, or a condition in CEL."
    )
    reply: Mapping[str, Any] | None = Field(default=None, description="The reply, as JSON.")
    stream: tuple[Mapping[str, Any], ...] | None = Field(
        default=None, description="The messages of a stream, as JSON."
    )
    error: MockError | None = Field(default=None, description="What the call ends with.")
    delay: Annotated[float, Duration(zero=True)] | None = Field(
        default=None, description="How long the answer takes."
    )
    interval: Annotated[float, Duration(zero=True)] | None = Field(
        default=None, description="The time between two messages of a stream."
    )
    faults: Faults | None = Field(default=None, description="A share of the calls that fail.")


@section
class MockFile:
    """What the file says; the list stands there by itself."""

    answers: tuple[MockEntry, ...] = Field(description="The answers; the first that fits is taken.")

"""What records take from the model of calls: shapes only, which stand below it."""

from __future__ import annotations

from typing import Protocol


class Status(Protocol):
    """How a call ended (`gateway.call.Status`)."""

    @property
    def code(self) -> int:
        """The gRPC status code."""

    @property
    def message(self) -> str:
        """What was said of it."""

    @property
    def details(self) -> tuple[Detail, ...]:
        """What else was said."""


class Detail(Protocol):
    """A packed `google.protobuf.Any` (`gateway.call.Detail`)."""

    @property
    def type_url(self) -> str:
        """Names the message."""

    @property
    def value(self) -> bytes:
        """The message, serialized."""


class Failure(Protocol):
    """What a call failed with (`gateway.call.RpcError`)."""

    @property
    def status(self) -> Status:
        """The status."""

    @property
    def reason(self) -> str | None:
        """The gateway's own reason; None where it has none."""

    @property
    def cause(self) -> str:
        """What operators are told beside; empty for nothing."""


class Caller(Protocol):
    """What knows who makes a call (`gateway.call.Call`)."""

    @property
    def principal(self) -> Principal | None:
        """Who does, as known by now; None for nobody."""


class Principal(Protocol):
    """Who makes a call (`gateway.call.Principal`)."""

    @property
    def subject(self) -> str:
        """Who it is, to its provider."""

    @property
    def provider(self) -> str:
        """Which provider says so."""

    @property
    def plan(self) -> str | None:
        """The plan whose numbers it has."""

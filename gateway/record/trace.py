"""Where a request stands in a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

TRACEPARENT: Final = "traceparent"
"""Says where a request stands in a trace (W3C Trace Context, section 3.2)."""

TRACESTATE: Final = "tracestate"
"""Says what tracing systems add to that (section 3.3)."""

_TRACE: Final = slice(3, 35)  # where in a `traceparent` its parts are (section 3.2.2)
_SPAN: Final = slice(36, 52)
_BEFORE_SPAN: Final = slice(36)
_AFTER_SPAN: Final = slice(52, None)


class Said(NamedTuple):
    """What a caller said of the trace that its request belongs to.

    Attributes:
        span: The span that it named, 16 hexadecimal digits.
        state: Its `tracestate` where that is valid and the request is sampled; else empty.
    """

    span: str
    state: str


class Trace:
    """Where a request stands in a trace (W3C Trace Context). Ids are hexadecimal digits.

    Attributes:
        traceparent: The header by which others are told of it, with the gateway's own span for the
            request (section 3.2).
        sampled: Whether spans are made.
        new: Makes an id of a span.
        bare: Whether the caller said nothing at all.
        said: What it said; None for nothing that is valid.
        passes: Whether backends are told what the caller said, as it is.
    """

    __slots__ = ("bare", "new", "passes", "said", "sampled", "traceparent")

    def __init__(  # noqa: PLR0917  made for each request: names cost time
        self,
        traceparent: str,
        sampled: bool,  # noqa: FBT001  likewise
        new: Callable[[], str],
        bare: bool = True,  # noqa: FBT001, FBT002  likewise
        said: Said | None = None,
        passes: bool = False,  # noqa: FBT001, FBT002  likewise
    ) -> None:
        self.traceparent = traceparent
        self.sampled = sampled
        self.new = new
        self.bare = bare
        self.said = said
        self.passes = passes

    @property
    def trace_id(self) -> str:
        """The trace's id."""
        return self.traceparent[_TRACE]

    @property
    def span(self) -> str:
        """The gateway's own span for the request."""
        return self.traceparent[_SPAN]

    @property
    def parent(self) -> str | None:
        """The span that the caller named; None without one."""
        return None if self.said is None else self.said.span

    @property
    def state(self) -> str:
        """The caller's `tracestate` where that is valid and the request is sampled; else empty."""
        return "" if self.said is None else self.said.state

    def below(self, span: str) -> str:
        """Returns the header by which a backend is told of it by another span of the gateway's."""
        told = self.traceparent
        return f"{told[_BEFORE_SPAN]}{span}{told[_AFTER_SPAN]}"

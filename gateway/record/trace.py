"""Where a request stands in a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

TRACEPARENT: Final = "traceparent"
"""Says where a request stands in a trace (W3C Trace Context, section 3.2)."""

TRACESTATE: Final = "tracestate"
"""Says what tracing systems add to that (section 3.3)."""

_FLAGS: Final = ("-00", "-01", "-02", "-03")


class Trace:
    """Where a request stands in a trace (W3C Trace Context).

    Attributes:
        trace_id: 16 bytes.
        parent: The span that the caller named, 8 bytes; None without one.
        span: The gateway's own for the request, 8 bytes.
        sampled: Whether spans are made.
        state: The caller's `tracestate` where that is valid and the request is sampled; else empty.
        random: Whether the last 7 bytes of the trace's id are random.
        passes: Whether backends are told what the caller said, as it is.
        bare: Whether the caller said nothing at all.
        new: Makes an id of a span.
    """

    __slots__ = (
        "bare", "new", "parent", "passes", "random", "sampled", "span", "state", "trace_id",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917  made for each request: names cost time
        self,
        trace_id: bytes,
        parent: bytes | None,
        span: bytes,
        sampled: bool,  # noqa: FBT001  likewise
        new: Callable[[], bytes],
        random: bool = False,  # noqa: FBT001, FBT002  likewise
        bare: bool = True,  # noqa: FBT001, FBT002  likewise
        *,
        passes: bool = False,
        state: str = "",
    ) -> None:
        self.trace_id = trace_id
        self.parent = parent
        self.span = span
        self.sampled = sampled
        self.state = state
        self.random = random
        self.passes = passes
        self.bare = bare
        self.new = new

    def traceparent(self, span: bytes) -> str:
        """Returns the header by which a backend is told of it (W3C Trace Context, section 3.2)."""
        return f"00-{self.trace_id.hex()}-{span.hex()}{_FLAGS[self.sampled + 2 * self.random]}"

"""What is noted of one attempt of a call."""

from __future__ import annotations

from gateway.record.outside import Failure


class AttemptRecord:
    """One attempt of a call, at one endpoint. Complete once it has ended.

    Attributes:
        upstream: The upstream's name.
        endpoint: The endpoint's address.
        began: When it was given to the endpoint.
        ended: When that answered, or it was given up.
        code: How it ended; None for one that was given up.
        reason: The gateway's own reason where it has one (`errors.REASONS`).
        message: What was said of a failure; empty where there is none.
        cause: What operators are told beside: why a connection failed.
        seen: Whether the endpoint may have seen it.
        span: Its id in the trace, 16 hexadecimal digits; None where it has none.
        out: What kept the endpoint out of the calls of others when it ended, `(cause, why)` each.
    """

    __slots__ = (
        "began", "cause", "code", "ended", "endpoint", "message", "out", "reason", "seen", "span",
        "upstream",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917  made for each attempt: names cost time
        self,
        upstream: str,
        endpoint: str,
        began: float,
        ended: float,
        code: int | None,
        failure: Failure | None = None,
        *,
        seen: bool = True,
        span: str | None = None,
        out: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.began = began
        self.span = span
        self.ends(upstream, endpoint, ended, code, failure, seen, out)

    def ends(  # noqa: PLR0917  called for each attempt: names cost time
        self,
        upstream: str,
        endpoint: str,
        ended: float,
        code: int | None,
        failure: Failure | None,
        seen: bool,  # noqa: FBT001  likewise
        out: tuple[tuple[str, str], ...],
    ) -> None:
        """Takes down how it ended; see AttemptRecord."""
        self.upstream = upstream
        self.endpoint = endpoint
        self.ended = ended
        self.code = code
        self.reason = None if failure is None else failure.reason
        self.message = "" if failure is None else failure.status.message
        self.cause = "" if failure is None else failure.cause
        self.seen = seen
        self.out = out

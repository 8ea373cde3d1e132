"""How spans that wait are sent, in the library's thread: `export` gives them to it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext

from gateway.telemetry.tracing import otlp
from gateway.telemetry.tracing.readable import SAMPLED, readable
from gateway.telemetry.tracing.span import Span

log = logging.getLogger("gateway.tracing")

_QUIET: Final = 60.0  # seconds between two lines of the log
_LIBRARY: Final = logging.getLogger("opentelemetry")
_LONGEST: Final = 300  # characters of what the library says

_QUERY: Final = re.compile(r"\?[^\s'\")]*")


class Waiting(ReadableSpan):
    """A span that waits to be sent: the library's queue asks it for its context alone.

    Attributes:
        span: The span.
        offset: What makes seconds since 1970 of its times.
    """

    _context = SpanContext(1, 1, is_remote=False, trace_flags=SAMPLED)  # all are sampled

    def __init__(self, span: Span, offset: float) -> None:
        # Not the constructor of ReadableSpan, which is most of what spans would cost.
        self.span = span
        self.offset = offset


class Words(logging.Handler):
    """Keeps what the library says first of a trouble, in place of its many lines.

    Of an URL, what stands behind `?` is left out.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._first = ""

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        if not self._first:
            self._first = _cut(_QUERY.sub("", record.getMessage()))

    def take(self) -> str:
        """Returns it, and forgets it."""
        words, self._first = self._first, ""
        return words


def _cut(text: str) -> str:
    """Returns a text of at most _LONGEST characters, cut behind a word where it has some."""
    if len(text) <= _LONGEST:
        return text
    kept = text[:_LONGEST]
    return f"{kept.rpartition(' ')[0] or kept}…"


def words_of_library() -> Words:
    """Has the library's lines kept, and not written; returns who keeps them."""
    for handler in _LIBRARY.handlers:
        if isinstance(handler, Words):
            return handler
    words = Words()
    _LIBRARY.addHandler(words)
    _LIBRARY.propagate = False
    return words


class Sender(SpanExporter):
    """Sends batches of what waits, and counts what becomes of it. Runs in the library's thread.

    Spans are encoded here, and what is made of them is posted by the library's exporter. The door
    for that is its own (`_client`): where a version has none, spans go to it as it wants them.

    Args:
        inner: Posts them.
        resource: Whose they are.
        scope: What made them.
        words: Knows what was said of a failure.
        clock: A monotonic clock, in seconds.

    Attributes:
        begun: Spans that are being sent, or were.
        sent: Spans that the collector has.
        failed: Spans that it could not be given.
    """

    def __init__(
        self,
        inner: OTLPSpanExporter,
        resource: Resource,
        scope: InstrumentationScope,
        words: Words,
        clock: Callable[[], float],
    ) -> None:
        self.begun = self.sent = self.failed = 0
        self._inner: SpanExporter = inner
        self._maker = resource, scope
        self._frame = otlp.frame(resource, scope)
        self._post = getattr(getattr(inner, "_client", None), "export", None)
        self._words = words
        self._clock = clock
        self._quiet_until = 0.0
        self._given_up = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See SpanExporter."""
        self.begun += len(spans)
        waiting = [(each.span, each.offset) for each in spans if isinstance(each, Waiting)]
        if not self._given_up and self._send(waiting):
            self.sent += len(spans)
            return SpanExportResult.SUCCESS
        self.failed += len(spans)
        now = self._clock()
        if now >= self._quiet_until and not self._given_up:
            self._quiet_until = now + _QUIET
            text = "the collector of traces takes none, %d spans are lost so far: %s"
            log.warning(text, self.failed, self._words.take() or "nobody knows why")
        return SpanExportResult.FAILURE

    def _send(self, spans: Sequence[tuple[Span, float]]) -> bool:
        if self._post is not None:
            return bool(self._post(otlp.request(self._frame, spans)).success)
        made = [readable(*each, *self._maker) for each in spans]
        return self._inner.export(made) is SpanExportResult.SUCCESS

    def give_up(self) -> None:
        """Has nothing more sent, nor tried again."""
        self._given_up = True
        self._inner.shutdown()

    def shutdown(self) -> None:
        """See SpanExporter."""
        if not self._given_up:
            self._inner.shutdown()

"""Sends spans to a collector, by OTLP over HTTP: alone knows OpenTelemetry's library.

The library's batches are sent by a thread of its own, which tries again with longer and longer
waits, and gives a batch up after a while. What it can't hold is dropped and counted here, before
it is given to it; nothing ever waits for a collector.

The library reads its environment: `OTEL_EXPORTER_OTLP_HEADERS` and the like, `OTEL_BSP_*`,
`OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from threading import Thread
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_QUEUE_SIZE, OTEL_SERVICE_NAME
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import Event as SdkEvent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.trace.status import Status, StatusCode

from gateway import __version__
from gateway.telemetry.tracing.context import shortened
from gateway.telemetry.tracing.span import Kind, Span

log = logging.getLogger("gateway.tracing")

FLUSH: Final = 2.0
"""Seconds that spans which are left have to be sent in, when the gateway ends."""

PATH: Final = "/v1/traces"
"""Where collectors take spans (OTLP, "OTLP/HTTP Request")."""

_QUEUE: Final = 2048  # spans, where the environment says nothing: as many as the library's own
_QUIET: Final = 60.0  # seconds between two lines of the log
_STEP: Final = 0.02  # seconds between two looks at a thread that is to end
_LIBRARY: Final = logging.getLogger("opentelemetry")
_LONGEST: Final = 300  # characters of what the library says

_QUERY: Final = re.compile(r"\?[^\s'\")]*")

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_KINDS: Final = {
    Kind.INTERNAL: SpanKind.INTERNAL,
    Kind.SERVER: SpanKind.SERVER,
    Kind.CLIENT: SpanKind.CLIENT,
}
_UNSET: Final = Status(StatusCode.UNSET)
_FAILED: Final = Status(StatusCode.ERROR)
_NO_STATE: Final = TraceState()


def endpoint_of(url: str) -> str:
    """Returns where spans are sent to: a collector's URL, with OTLP's path unless it has it."""
    parts = urlsplit(url)
    bare = parts.path.rstrip("/")
    return parts._replace(path=bare if bare.endswith(PATH) else bare + PATH).geturl()


class Export:
    """Sends spans (`keeping.Exporter`).

    Args:
        url: The collector's.
        service: What the gateway is called; None leaves that to the environment.
        instance: What tells this process from others of its name.
        clock: A monotonic clock, in seconds.

    Attributes:
        url: See above.
        service: See above.
        taken: Spans that were given to the library.
    """

    def __init__(
        self,
        url: str,
        service: str | None,
        instance: str,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.url = url
        self.service = service
        self.taken = self._unfit = 0
        self._clock = clock
        self._quiet_until = 0.0
        self._resource = resource_of(service, instance)
        self._scope = InstrumentationScope("gateway", __version__)
        self._most = _queue_size()
        self._sender = Sender(OTLPSpanExporter(endpoint_of(url)), clock, words_of_library())
        self._batches = BatchSpanProcessor(self._sender, max_queue_size=self._most)

    @property
    def sent(self) -> int:
        """Spans that the collector has."""
        return self._sender.sent

    @property
    def dropped(self) -> int:
        """Spans that it will never have: there was no room for them, or it took none."""
        return self._unfit + self._sender.failed

    @property
    def failed(self) -> int:
        """Spans that the collector could not be given."""
        return self._sender.failed

    def take(self, spans: Iterable[Span], offset: float) -> None:
        """See Exporter."""
        for span in spans:
            if self.taken - self._sender.begun >= self._most:
                self._drop()
                continue
            self.taken += 1
            self._batches.on_end(self._made(span, offset))

    async def close(self) -> None:
        """Sends what is left, in FLUSH seconds; what is left then is lost."""
        ending = Thread(target=self._batches.shutdown, name="tracing-end", daemon=True)
        ending.start()
        until = self._clock() + FLUSH
        # The thread may end when this loop is no more, so it can't tell it.
        while ending.is_alive() and self._clock() < until:  # noqa: ASYNC110  see above
            await asyncio.sleep(_STEP)
        if ending.is_alive():
            lost = self.taken - self._sender.begun
            log.warning("the collector of traces took too long: %d spans are lost at least", lost)
            self._sender.give_up()

    def _drop(self) -> None:
        self._unfit += 1
        now = self._clock()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET
            log.warning("the collector of traces is too slow: %d spans dropped", self._unfit)

    def _made(self, span: Span, offset: float) -> ReadableSpan:
        state = shortened(span.state)
        shared = TraceState.from_header([state]) if state else _NO_STATE
        trace_id = int.from_bytes(span.trace_id, "big")

        def context(id_: bytes, *, remote: bool) -> SpanContext:
            return SpanContext(trace_id, int.from_bytes(id_, "big"), remote, _SAMPLED, shared)

        return ReadableSpan(
            span.name,
            context(span.span, remote=False),
            None if span.parent is None else context(span.parent, remote=span.remote),
            self._resource,
            span.attributes,
            [SdkEvent(each.name, timestamp=_nanoseconds(each.at + offset)) for each in span.events],
            [_link(*each) for each in span.links],
            _KINDS[span.kind],
            status=_FAILED if span.failed else _UNSET,
            start_time=_nanoseconds(span.began + offset),
            end_time=_nanoseconds(span.ended + offset),
            instrumentation_scope=self._scope,
        )


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
            self._first = _QUERY.sub("", record.getMessage())[:_LONGEST]

    def take(self) -> str:
        """Returns it, and forgets it."""
        words, self._first = self._first, ""
        return words


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
    """Sends batches by another exporter, and counts what becomes of them. Runs in its thread.

    Args:
        inner: Sends them.
        clock: A monotonic clock, in seconds.
        words: Knows what was said of a failure.

    Attributes:
        begun: Spans that are being sent, or were.
        sent: Spans that the collector has.
        failed: Spans that it could not be given.
    """

    def __init__(self, inner: SpanExporter, clock: Callable[[], float], words: Words) -> None:
        self.begun = self.sent = self.failed = 0
        self._inner = inner
        self._words = words
        self._clock = clock
        self._quiet_until = 0.0
        self._given_up = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See SpanExporter."""
        self.begun += len(spans)
        result = SpanExportResult.FAILURE if self._given_up else self._inner.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.sent += len(spans)
            return result
        self.failed += len(spans)
        now = self._clock()
        if now >= self._quiet_until and not self._given_up:
            self._quiet_until = now + _QUIET
            text = "the collector of traces takes none, %d spans are lost so far: %s"
            log.warning(text, self.failed, self._words.take() or "nobody knows why")
        return result

    def give_up(self) -> None:
        """Has nothing more sent, nor tried again."""
        self._given_up = True
        self._inner.shutdown()

    def shutdown(self) -> None:
        """See SpanExporter."""
        if not self._given_up:
            self._inner.shutdown()


def resource_of(service: str | None, instance: str) -> Resource:
    """Returns what all spans say of who made them.

    Args:
        service: The name of the gateway; None for the environment's, or else `gateway`.
        instance: What tells this process from others.
    """
    named = service or os.environ.get(OTEL_SERVICE_NAME)
    own = {SERVICE_VERSION: __version__, SERVICE_INSTANCE_ID: instance}
    found = Resource.create(own if named is None else {**own, SERVICE_NAME: named})
    if str(found.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return found.merge(Resource({SERVICE_NAME: "gateway"}))
    return found


def _queue_size() -> int:
    """Returns how many spans may wait: as the environment says, or as the library has it."""
    said = os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE, "")
    return int(said) if said.isascii() and said.isdigit() and int(said) else _QUEUE


def _link(trace_id: bytes, span: bytes) -> Link:
    ids = int.from_bytes(trace_id, "big"), int.from_bytes(span, "big")
    return Link(SpanContext(*ids, is_remote=False, trace_flags=_SAMPLED))


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)

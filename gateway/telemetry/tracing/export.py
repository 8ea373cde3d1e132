"""Sends spans to a collector, by OTLP over HTTP and OpenTelemetry's library.

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
from collections.abc import Callable, Iterable
from threading import Thread
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_QUEUE_SIZE, OTEL_SERVICE_NAME
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from gateway import __version__
from gateway.telemetry.tracing.sending import Sender, Waiting, words_of_library
from gateway.telemetry.tracing.span import Span

log = logging.getLogger("gateway.tracing")

FLUSH: Final = 2.0
"""Seconds that spans which are left have to be sent in, when the gateway ends."""

PATH: Final = "/v1/traces"
"""Where collectors take spans (OTLP, "OTLP/HTTP Request")."""

_QUEUE: Final = 2048  # spans, where the environment says nothing: as many as the library's own
_QUIET: Final = 60.0  # seconds between two lines of the log
_STEP: Final = 0.02  # seconds between two looks at a thread that is to end


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
        self._most = _queue_size()
        self._sender = Sender(
            OTLPSpanExporter(endpoint_of(url)),
            resource_of(service, instance),
            InstrumentationScope("gateway", __version__),
            words_of_library(),
            clock,
        )
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
            self._batches.on_end(Waiting(span, offset))

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

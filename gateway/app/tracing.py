"""Traces, as a config asks for them: what begins them, what keeps them, and who exports them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from time import monotonic
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from gateway.app.build_error import BuildError
from gateway.app.places import of_key
from gateway.config import Loaded

if TYPE_CHECKING:
    from gateway.telemetry.tracing.beginning import Beginning
    from gateway.telemetry.tracing.export import Export
    from gateway.telemetry.tracing.keeping import Keeping

LIBRARIES: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
"""What the extra `tracing` brings."""

_KEY: Final = ("telemetry", "tracing")


def _nothing() -> None:
    """Nobody has to be told."""


class Tracing:
    """What is traced, from one generation to the next.

    Spans of requests that began before a reload go where the config says now.

    Args:
        clock: A monotonic clock, in seconds.

    Attributes:
        beginning: Gives records their places in traces; None where nothing is traced.
        keeping: Makes spans of them; likewise.
        export: Sends them; likewise.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._instance = str(uuid4())
        self.beginning: Beginning | None = None
        self.keeping: Keeping | None = None
        self.export: Export | None = None

    async def open(self, loaded: Loaded, then: Callable[[], None] = _nothing) -> None:
        """Takes over what a config says.

        Args:
            loaded: The config.
            then: Called when that is in place, before what was is closed: that takes its time, and
                spans that came meanwhile would be lost.

        Raises:
            BuildError: It can't be done; nothing has changed then.
        """
        spec = loaded.config.telemetry.tracing
        if spec is None:
            await self.close(then)
            return
        if problems := lacking(loaded):
            raise BuildError(problems)
        # Heavy, and perhaps not installed.
        from gateway.telemetry.tracing.beginning import Beginning  # noqa: PLC0415  see above
        from gateway.telemetry.tracing.export import Export  # noqa: PLC0415  see above
        from gateway.telemetry.tracing.keeping import Keeping  # noqa: PLC0415  see above

        export, replaced = self.export, None
        if export is None or (export.url, export.service) != (spec.otlp, spec.service_name):
            replaced = self.export
            try:
                export = Export(spec.otlp, spec.service_name, self._instance, self._clock)
            except ValueError as wrong:  # what the environment says is not what the library takes
                raise BuildError([of_key(_KEY, str(wrong), loaded.source)]) from wrong
        self.export = export
        self.beginning = Beginning(spec.sample, spec.caller_rate, self._clock)
        self.keeping = Keeping(export, principal=spec.principal)
        then()
        if replaced is not None:
            await replaced.close()

    async def close(self, then: Callable[[], None] = _nothing) -> None:
        """Sends what is to be sent, as far as that takes no long time.

        Args:
            then: See `open`.
        """
        export = self.export
        self.beginning = self.keeping = self.export = None
        then()
        if export is not None:
            await export.close()


def lacking(loaded: Loaded) -> list[str]:
    """Returns what is wrong where a config asks for traces and the extra is not installed."""
    if loaded.config.telemetry.tracing is None or all(map(_is_there, LIBRARIES)):
        return []
    said = "needs the extra tracing: pip install 'grpc-api-gateway[tracing]'"
    return [of_key(_KEY, said, loaded.source)]


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # what it is in is not there
        return False

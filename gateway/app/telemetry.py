"""What is noted of requests, by the config, and who keeps it; it outlives generations."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gateway.app.build_error import BuildError
from gateway.app.counted.sources import Sources
from gateway.app.operations import Operations
from gateway.app.places import of_key
from gateway.app.tracing import Tracing
from gateway.config import Config, Loaded
from gateway.operations import NOT_THERE, OperationError
from gateway.operations.arguments import only
from gateway.operations.reloads import RELOAD
from gateway.record import Keeper
from gateway.telemetry.metrics.standing import DROPPED, FAILURES
from gateway.telemetry.records import Beginner, Latecomer, Records

if TYPE_CHECKING:
    from gateway.telemetry.access_log import AccessLog
    from gateway.telemetry.access_log.writer import Writer
    from gateway.telemetry.metrics.metrics import Metrics
    from gateway.telemetry.metrics.rising import Counted
    from gateway.telemetry.recorder.recorder import Recorder

log = logging.getLogger(__name__)

_OF_RECORDER: Final = ("why", "recent", "tap")
"""What operators may ask where the last requests are kept."""


def is_recorded(config: Config) -> bool:
    """Whether anything is noted of requests and their calls."""
    telemetry = config.telemetry
    asked = telemetry.metrics or telemetry.recorder is not None
    return (
        (asked and config.admin is not None)
        or telemetry.access_log is not None
        or telemetry.tracing is not None
    )


class Telemetry:
    """Keeps records as the config says, from one generation to the next.

    Attributes:
        records: Where they begin. To be asked only where something is noted.
        operations: What operators may ask of it.
        tracing: What is traced.
    """

    def __init__(self, sources: Sources) -> None:
        """Makes one, which keeps nothing yet.

        Args:
            sources: What metrics are read from.
        """
        self.records = Records((), later=asyncio.get_running_loop().call_later)
        self.operations = Operations()
        self.tracing = Tracing()
        self.operations.offer("metrics", self._tell)
        self._sources = sources
        self._log: AccessLog | None = None
        # Those that a reload has replaced, until they have written what they had; and what they
        # had lost.
        self._closing: dict[asyncio.Task[None], Writer] = {}
        self._lost = 0
        self._metrics: Metrics | None = None
        self._counts = False
        self._recorder: Recorder | None = None

    async def open(self, loaded: Loaded) -> None:
        """Takes over what a config says; what is under way goes on, and is kept by its words.

        Raises:
            BuildError: Something that it names can't be used; nothing has changed then.
        """
        access_log, replaced = self._access_log(loaded), self._log
        try:
            await self.tracing.open(loaded, then=lambda: self._adopt(access_log, loaded.config))
        except BuildError:
            if access_log is not None and not (self._log and self._log.writer is access_log.writer):
                await access_log.writer.close()
            raise
        writer = None if access_log is None else access_log.writer
        if replaced is not None and replaced.writer is not writer:
            self._let_go(replaced.writer)

    def reopen(self) -> None:
        """Has the access log go on in a new file: the old one was moved away."""
        if self._log is None:
            return
        try:
            self._log.writer.reopen()
        except OSError as failure:
            text = "the access log goes on in the old file: %s"
            log.error(text, failure.strerror)  # noqa: TRY400  it is the disk's fault, no bug

    async def close(self) -> None:
        """Writes what is to be written, and lets go of everything."""
        self.records.replace(())
        await self.tracing.close()
        if self._log is not None:
            self._let_go(self._log.writer)
            self._log = None
        if self._closing:
            await asyncio.wait(self._closing)
        if self._metrics is not None:
            self._metrics.close()
            self._metrics = None

    def _let_go(self, writer: Writer) -> None:
        """Has a writer write what it has, beside what goes on: a pipe may take nothing for long."""

        def closed(task: asyncio.Task[None]) -> None:
            self._lost += self._closing.pop(task).lost

        task = asyncio.create_task(writer.close())
        self._closing[task] = writer
        task.add_done_callback(closed)

    def _adopt(self, access_log: AccessLog | None, config: Config) -> None:
        """Has records kept by what a config says, from now on."""
        self._log = access_log
        keepers: list[Keeper] = [] if access_log is None else [access_log]
        beginners: Sequence[Beginner] = ()
        latecomers: list[Latecomer] = []
        if self.tracing.beginning is not None and self.tracing.keeping is not None:
            beginners = (self.tracing.beginning,)
            keepers.append(self.tracing.keeping)
            latecomers.append(self.tracing.keeping)
        if metrics := self._counting(config):
            keepers.append(metrics.requests)
            latecomers.append(metrics.requests)
        if recorder := self._recording(config):
            keepers.append(recorder)
            latecomers.append(recorder)
        self.records.replace(keepers, beginners, latecomers)

    def _counting(self, config: Config) -> Metrics | None:
        """Returns what counts, where the config says so; it outlives reloads that do not."""
        self._counts = config.telemetry.metrics and config.admin is not None
        if not self._counts:
            if self._metrics is not None:
                self._metrics.close()
                self._metrics = None
            return None
        if self._metrics is None:
            # Only who has it on pays for it.
            from gateway.app.counted.reading import read_all  # noqa: PLC0415  see above
            from gateway.telemetry.metrics.metrics import Metrics  # noqa: PLC0415  see above

            records, sources = self.records, self._sources
            made = Metrics(sources.worker, lambda: records.streams, sources.is_trusted)
            made.count(FAILURES, lambda: [(records, (), records.failures)])
            made.count(DROPPED, self._dropped)
            read_all(made, sources)
            self._metrics = made
        if config.graphql is not None:
            from gateway.fronts.graphql.errors import RefusalCode  # noqa: PLC0415  as above

            self._metrics.requests.know(RefusalCode)
        return self._metrics

    def _recording(self, config: Config) -> Recorder | None:
        """Returns what keeps the last requests, where the config says so; it outlives reloads."""
        spec = config.telemetry.recorder
        if spec is None or config.admin is None:
            self._recorder = None
            for name in _OF_RECORDER:
                self.operations.offer(name, _unrecorded)
            self.operations.offer("why", self._why_reload)
            return None
        if self._recorder is None:
            # Only who has it on pays for it.
            from gateway.app.why import Why, standing_of  # noqa: PLC0415  see above
            from gateway.telemetry.recorder.recorder import Recorder  # noqa: PLC0415  see above

            sources = self._sources
            self._recorder = Recorder(
                spec.calls,
                spec.sample,
                generation=lambda: sources.reloads.generation,
                standing=partial(standing_of, sources),
            )
            why = Why(self._recorder, sources)
            for name, operation in zip(_OF_RECORDER, (why.why, why.recent, why.tap), strict=True):
                self.operations.offer(name, operation)
        else:
            self._recorder.configure(spec.calls, spec.sample)
        return self._recorder

    async def _why_reload(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        """Tells why a reload was refused: that is known where nothing is kept of requests, too."""
        if arguments.get("id") != RELOAD:
            return await _unrecorded(arguments)
        only(arguments, "id")
        return {"rows": [], "kept": None, "reload": self._sources.reloads.told()}

    def _dropped(self) -> Iterator[Counted]:
        """Yields what was not told, since there was too much of it, by what it was."""
        writers = [*self._closing.values(), *([] if self._log is None else [self._log.writer])]
        if writers or self._lost:
            yield self, ("log",), self._lost + sum(each.lost for each in writers)
        if (export := self.tracing.export) is not None:
            yield export, ("spans",), export.dropped

    async def _tell(self, arguments: Mapping[str, str]) -> dict[str, Any]:
        only(arguments)
        if not self._counts or self._metrics is None:
            raise OperationError(NOT_THERE, "Nothing is counted: telemetry.metrics is false.")
        return self._metrics.content()

    def _access_log(self, loaded: Loaded) -> AccessLog | None:
        spec = loaded.config.telemetry.access_log
        if spec is None:
            return None
        # Only who wants the log pays for it.
        from gateway.telemetry.access_log import AccessLog, lines_of  # noqa: PLC0415  see above
        from gateway.telemetry.access_log.writer import Writer  # noqa: PLC0415  see above

        writer: Writer | None = None
        if self._log is not None and self._log.writer.path == spec.path:
            writer = self._log.writer
        else:
            try:
                writer = Writer(spec.path)
            except OSError as failure:
                text = f"it can't be written: {failure.strerror}"
                path = ("telemetry", "access_log", "path")
                raise BuildError([of_key(path, text, loaded.source)]) from failure
        return AccessLog(lines_of(spec.format, spec.redact), writer)


async def _unrecorded(arguments: Mapping[str, str]) -> dict[str, Any]:  # noqa: ARG001  as others
    raise OperationError(NOT_THERE, "Nothing is kept: telemetry.recorder is false.")

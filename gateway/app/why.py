"""What operators ask about requests: why one went as it did, which came last, which come now.

The operations `why`, `recent` and `tap` of one process. What is kept is the recorder's
(`gateway.telemetry.recorder`); what holds for a method now is told here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from gateway.app.explained.chains import listed
from gateway.app.explained.fact import DEFAULT, set_by
from gateway.app.generation import Generation
from gateway.app.timeouts import POLICY, said_of
from gateway.config.effective import TIMEOUT
from gateway.config.units import format_duration
from gateway.operations import NOT_ASKED_RIGHT, NOT_NOW, Content, OperationError
from gateway.operations.arguments import only, seconds, whole
from gateway.operations.reloads import RELOAD
from gateway.telemetry.recorder.account import MOST_ENDPOINTS, Account
from gateway.telemetry.recorder.causes import failing
from gateway.telemetry.recorder.explaining import Present, Setting, explain
from gateway.telemetry.recorder.rows import kept
from gateway.telemetry.recorder.tap import Tap, TooManyError
from gateway.telemetry.recorder.wanted import NAMES, FilterError, Wanted, wanted_of
from gateway.upstream.report import report

if TYPE_CHECKING:
    from gateway.app.counted.sources import Sources
    from gateway.telemetry.recorder.recorder import Recorder

_LONGEST_ID: Final = 256
_MOST_ROWS: Final = 200
_MOST_EVERY: Final = 1_000_000
_DAY: Final = 86400.0


def standing_of(sources: Sources, name: str) -> Mapping[str, object] | None:
    """Returns how the endpoints of an upstream are, in short; None of one that there is not."""
    generation = sources.generation()
    upstream = None if generation is None else generation.lease.upstreams.get(name)
    if upstream is None:
        return None
    told: Mapping[str, Any] = report(upstream)
    endpoints = [
        {key: each[key] for key in ("address", "state", "out", "panic")}
        for each in sorted(told["endpoints"], key=lambda each: not each["out"])
    ]
    return {"unresolved": told["unresolved"], "endpoints": endpoints[:MOST_ENDPOINTS]}


class Why:
    """Answers for one process.

    Args:
        recorder: What it keeps.
        sources: What serves, and what became of reloads.
    """

    def __init__(self, recorder: Recorder, sources: Sources) -> None:
        self._recorder = recorder
        self._sources = sources
        self._tap = Tap()

    async def why(self, arguments: Mapping[str, str]) -> Content:
        """Does the operation `why`.

        Args:
            arguments: `id`, of a request or of a socket; or `reload`.

        Returns:
            `rows` (`explaining.explain`, and the `worker`), and what is `kept`. Of a reload,
            `reload`: whether the last one was `refused`, when, and the `problems`.

        Raises:
            OperationError: There is no id.
        """
        only(arguments, "id")
        id_ = arguments.get("id", "")
        if not 0 < len(id_) <= _LONGEST_ID:
            raise OperationError(NOT_ASKED_RIGHT, "id: expected a request id.")
        if id_ == RELOAD:
            reload = self._sources.reloads.told()
            return {"rows": [], "kept": self._recorder.told(), "reload": reload}
        rows = [self._explained(each) for each in self._recorder.find(id_)]
        return {"rows": rows, "kept": self._recorder.told()}

    async def recent(self, arguments: Mapping[str, str]) -> Content:
        """Does the operation `recent`.

        Args:
            arguments: `limit`; `failed`, 1 for failures alone; and what `tap` filters by.

        Returns:
            `rows` (`rows.kept`), the newest first, `limit`, and what is `kept`.
        """
        only(arguments, "limit", "failed", *NAMES, "slower")
        most = whole(arguments, "limit", 20, _MOST_ROWS)
        failed = bool(whole(arguments, "failed", 0, 1))
        wanted = _wanted(arguments)
        found = self._recorder.last(failed=failed, most=most, wanted=wanted)
        rows = [{**kept(each), "worker": self._sources.worker} for each in found]
        return {"rows": rows, "limit": most, "kept": self._recorder.told()}

    async def tap(self, arguments: Mapping[str, str]) -> Content:
        """Does the operation `tap`: what came since the same one asked last.

        Args:
            arguments: `watch`, a word by which who asks is known; `sample`, of how many one is
                told; and by what to filter: `method`, `status`, `principal`, `front`, `peer`,
                `slower`.

        Returns:
            `rows` (`rows.live`), and how many were `missed`.
        """
        only(arguments, "watch", "sample", *NAMES, "slower")
        name = arguments.get("watch", "")
        if not 0 < len(name) <= _LONGEST_ID:
            raise OperationError(NOT_ASKED_RIGHT, "watch: expected a word that is yours alone.")
        every = max(1, whole(arguments, "sample", 1, _MOST_EVERY))
        wanted = _wanted(arguments)
        self._recorder.tap = self._tap
        try:
            told = self._tap.ask(name, wanted, every)
        except TooManyError:
            text = "Others tap this gateway, and no more may: ask again in 15 seconds."
            raise OperationError(NOT_NOW, text) from None
        for row in told["rows"]:
            row["worker"] = self._sources.worker
        return told

    def _explained(self, account: Account) -> Content:
        call = failing(account)
        present = self._present(call)
        return {**explain(account, present), "worker": self._sources.worker}

    def _present(self, call: Mapping[str, Any] | None) -> Present:
        number = self._sources.reloads.generation
        generation = self._sources.generation()
        method = "" if call is None else str(call["method"])
        if generation is None or method not in generation.methods:
            return Present(number)
        settings = [
            Setting(each["name"], each["value"], each["set_by"])
            for each in listed(generation, {"method": method})["rows"][0]["settings"]
        ]
        upstream = None if call is None else call.get("upstream")
        return Present(
            number,
            [each for each in settings if each.set_by not in ("", DEFAULT)],
            _timeout(generation, method, upstream),
            standing_of(self._sources, upstream) if upstream else None,
        )


def _timeout(generation: Generation, method: str, upstream: str | None) -> Setting | None:
    """Returns the setting by which calls end that go to an upstream; their service's own is usual.

    None of an upstream that there is no more.
    """
    descriptor, settings = generation.methods[method].descriptor, generation.settings[method]
    name = upstream or generation.upstream_of[descriptor.service]
    if name not in generation.config.upstreams:
        return None
    seconds, setting = said_of(generation.config, settings, descriptor, name)
    value = format_duration(seconds)
    if setting == POLICY:
        return Setting(setting, value, settings.where(TIMEOUT) or DEFAULT)
    place = set_by(generation, ("upstreams", name, setting))
    return Setting(f"upstreams.{name}.{setting}", value, place)


def _wanted(arguments: Mapping[str, str]) -> Wanted:
    slower = seconds(arguments, "slower", 0.0, _DAY) if "slower" in arguments else 0.0
    try:
        return wanted_of(arguments, slower)
    except FilterError as wrong:
        raise OperationError(NOT_ASKED_RIGHT, str(wrong)) from None

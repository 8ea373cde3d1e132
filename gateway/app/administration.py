"""What operators may ask of one process, whatever generation it serves.

What is of a generation (`upstreams`, `usage`, `purge`) the generation offers itself. How several
processes answer as one, is the supervisor's to know.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from gateway.app.operations import Operations
from gateway.app.standing import idle_upstreams
from gateway.operations import NOT_NOW, Content, OperationError
from gateway.operations.arguments import only
from gateway.operations.log_levels import LogLevels
from gateway.operations.readiness import MADE_UP, REFUSED_RELOAD, Stage, Standing

if TYPE_CHECKING:
    from gateway.app.generation import Generation
    from gateway.fronts.websocket.sessions import Sessions
    from gateway.listener.server import Listener
    from gateway.operations.reloads import Reloads

_STARTING: Final = "The gateway is starting."
_ENDING: Final = "The gateway ends: it drains already."


class Administration:
    """The operations of a process.

    Args:
        listener: Returns the listener of its clients; None before there is one.
        sessions: Its WebSocket sessions.
        reloads: What became of its reloads.
        worker: Its number among several; 0 for one alone.
        wall: Seconds since 1970.

    """

    def __init__(
        self,
        listener: Callable[[], Listener | None],
        sessions: Sessions,
        reloads: Reloads,
        worker: int = 0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._is_draining = False
        self._is_ending = False
        self._listener = listener
        self._sessions = sessions
        self._worker = worker
        self._wall = wall
        self._reloads = reloads
        self._generation: Generation | None = None
        self._loaded_at = 0.0
        self._levels = LogLevels(asyncio.get_running_loop())
        self._own = Operations()
        for name, operation in {
            "config": self._config,
            "drain": self._drain,
            "filters": self._filters,
            "log": self._levels.operate,
            "readiness": self._readiness,
            "routes": self._routes,
            "sessions": self._list_sessions,
            "undrain": self._undrain,
            "workers": self._workers,
        }.items():
            self._own.offer(name, operation)

    # What the app tells.

    def took(self, generation: Generation) -> None:
        """Takes note of the generation that serves from now on."""
        self._generation = generation
        self._loaded_at = self._wall()

    def end(self) -> None:
        """Takes note that the process ends: it drains from now on, and nobody takes that back."""
        self._is_draining = self._is_ending = True

    def close(self) -> None:
        """Ends what it has begun."""
        self._levels.close()

    # What is asked.

    @property
    def jwks(self) -> str | None:
        """The public keys of the tokens that backends get, as JSON; None where there are none."""
        return None if self._generation is None else self._generation.jwks

    async def run(self, name: str, arguments: Mapping[str, str]) -> Content:
        """Does an operation.

        Raises:
            OperationError: It can't be done, or can't be done so.
        """
        if name in self._own:
            return await self._own.run(name, arguments)
        return await self._current.operations.run(name, arguments)

    async def standing(self) -> Standing:
        """Returns how this process stands."""
        generation = self._generation
        if self._is_draining or generation is None:
            return Standing(Stage.DRAINING if self._is_draining else Stage.STARTING)
        warnings = [MADE_UP] if generation.is_made_up else []
        warnings += idle_upstreams(generation.lease.upstreams)
        if self._reloads.last_failed:
            warnings.append(REFUSED_RELOAD)
        return Standing(Stage.SERVING, warnings)

    @property
    def generation(self) -> Generation | None:
        """What serves; None before there is anything."""
        return self._generation

    @property
    def _current(self) -> Generation:
        if self._generation is None:
            raise OperationError(NOT_NOW, _STARTING)
        return self._generation

    async def _readiness(self, arguments: Mapping[str, str]) -> Content:
        only(arguments)
        return {"warnings": list((await self.standing()).warnings)}

    async def _drain(self, arguments: Mapping[str, str]) -> Content:
        only(arguments)
        return self._send_elsewhere(is_draining=True)

    async def _undrain(self, arguments: Mapping[str, str]) -> Content:
        only(arguments)
        return self._send_elsewhere(is_draining=False)

    def _send_elsewhere(self, *, is_draining: bool) -> Content:
        listener = self._listener()
        if listener is None:
            raise OperationError(NOT_NOW, _STARTING)
        if self._is_ending:
            raise OperationError(NOT_NOW, _ENDING)
        self._is_draining = is_draining
        if is_draining:
            listener.retire()
        else:
            listener.take_again()
        return {"draining": is_draining, "connections": listener.connections}

    async def _list_sessions(self, arguments: Mapping[str, str]) -> Content:
        # Asked seldom; so are those below, and what they need is not imported before.
        from gateway.app.sockets import listed  # noqa: PLC0415  see above

        return listed(self._sessions, arguments, self._worker)

    async def _config(self, arguments: Mapping[str, str]) -> Content:
        from gateway.app.config_shown import shown  # noqa: PLC0415  see above

        only(arguments)
        generation = self._current
        content = await asyncio.to_thread(shown, generation.config, generation.source)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._loaded_at))
        named = {"generation": self._reloads.generation, "digest": self._reloads.digest}
        return {**named, "loaded_at": at, **content}

    async def _routes(self, arguments: Mapping[str, str]) -> Content:
        from gateway.app.inventory import listed  # noqa: PLC0415  see above

        return await asyncio.to_thread(listed, self._current, arguments)

    async def _filters(self, arguments: Mapping[str, str]) -> Content:
        from gateway.app.explained.chains import listed  # noqa: PLC0415  see above

        return await asyncio.to_thread(listed, self._current, arguments)

    async def _workers(self, arguments: Mapping[str, str]) -> Content:
        only(arguments)
        row = {
            "worker": self._worker,
            "pid": os.getpid(),
            "state": "ready",
            "generation": self._reloads.generation,
            "restarts": 0,
        }
        return {"workers": [row]}

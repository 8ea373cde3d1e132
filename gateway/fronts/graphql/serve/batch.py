"""Several requests in one body, a JSON list; their responses in one, in the same order.

They run at once, as if each had come alone: mutations that must come in order belong in one
document. One that is refused has its errors in its place. A list is no GraphQL response, so it is
`application/json` with status 200 whatever its parts say.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Generic

from graphql import OperationType

from gateway.call import Cancel, Principal
from gateway.fronts.admission import admit
from gateway.fronts.graphql.errors import RefusalCode, limit_exceeded, refusal
from gateway.fronts.graphql.serve.accept import JSON
from gateway.fronts.graphql.serve.engine import Done, Engine, P
from gateway.fronts.graphql.serve.incoming import FRONT, Incoming, told
from gateway.fronts.graphql.serve.parameters import request_of
from gateway.routing.caller import Caller


def answer(incoming: Incoming, engine: Engine[P], given: Sequence[object]) -> None:
    """Runs the requests of a list and answers them.

    Raises:
        RequestError: There are none, too many, or lists are not taken at all.
        RpcError: A header is wrong.
    """
    check_size(len(given), incoming.shared.batch)
    caller = incoming.caller()
    gathering = _Gathering(incoming, len(given))
    for place, item in enumerate(given):
        _Item(incoming, engine, gathering, partial(gathering.done, place)).begin(item, caller)
    incoming.until_cut(gathering.cancel)


def check_size(size: int, maximum: int) -> None:
    """Returns where a list of so many requests is taken.

    Raises:
        RequestError: It is not.
    """
    if maximum == 1:
        raise refusal(RefusalCode.BAD_REQUEST, "One request is taken, not a list of them.")
    if not size:
        raise refusal(RefusalCode.BAD_REQUEST, "The list holds no request.")
    if size > maximum:
        message = f"The list holds {size} requests; at most {maximum} are taken."
        raise limit_exceeded("batch", size, maximum, message)


class _Item(Generic[P]):
    """One request of the list."""

    __slots__ = ("_done", "_engine", "_gathering", "_incoming")

    def __init__(
        self, incoming: Incoming, engine: Engine[P], gathering: _Gathering, done: Done
    ) -> None:
        self._incoming = incoming
        self._engine = engine
        self._gathering = gathering
        self._done = done

    def begin(self, item: object, caller: Caller) -> None:
        try:
            prepared = self._engine.prepare(request_of(item), caller)
            if prepared.kind is OperationType.SUBSCRIPTION:
                message = "A subscription can't be part of a list."
                raise refusal(RefusalCode.OPERATION_RESOLUTION_FAILURE, message)  # noqa: TRY301 - answered in its place, as all others
            if prepared.gate is None:
                self._run(prepared)
                return
        except Exception as failure:  # noqa: BLE001 - `told` logs what is a bug
            self._refuse(failure)
            return

        def admitted(principal: Principal | None) -> None:
            self._run(self._engine.known(prepared, principal))

        admit(self._incoming.exchange, prepared.gate, admitted, self._refuse, front=FRONT)

    def _run(self, prepared: P) -> None:
        self._gathering.add(self._engine.run(prepared, self._done))

    def _refuse(self, failure: Exception) -> None:
        self._done(told(failure))


class _Gathering:
    """The responses that have come, until all have."""

    __slots__ = ("_cancels", "_incoming", "_missing", "_responses")

    def __init__(self, incoming: Incoming, size: int) -> None:
        self._incoming = incoming
        self._responses: list[bytes] = [b""] * size
        self._missing = size
        self._cancels: list[Cancel] = []

    def add(self, cancel: Cancel) -> None:
        self._cancels.append(cancel)

    def done(self, place: int, response: bytes) -> None:
        self._responses[place] = response
        self._missing -= 1
        if not self._missing:
            self._incoming.respond(JSON, b"[%b]" % b",".join(self._responses))

    def cancel(self) -> None:
        for cancel in self._cancels:
            cancel()

"""GraphQL over WebSocket: the subprotocol `graphql-transport-ws`, on the path of the front.

The driver of a `Session`: it owns the socket and the work of operations, and carries out what the
session decides. A query or mutation is a call with a completion; a stream of results is a task of
the socket's. Who does not read what it is sent is read no further, and its streams wait.

Who calls is said by the headers of the handshake, for all operations of a socket; an authorization
that comes with `connection_init` stands in place of theirs. Who is not let in is told so by a
close, and nothing is read while that is found out. Each call of an operation is looked at again by
the gates of its own method. The time that `grpc-timeout` gives runs from each `subscribe`. Whose
page may ask is `origins`'s to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Final, Generic, TypeAlias

from graphql import OperationType

from gateway.call import Call, Cancel, Code, RpcError
from gateway.chain import as_error
from gateway.fronts.admission import asking, forgo
from gateway.fronts.given_cookies import greeted
from gateway.fronts.graphql.errors import RequestError, errors_json, formatted, refused_by
from gateway.fronts.graphql.serve.engine import Engine, GraphqlRequest, P
from gateway.fronts.graphql.serve.incoming import FRONT, Incoming, Shared, note_failure
from gateway.fronts.graphql.serve.operation import emit_whole, not_served
from gateway.fronts.graphql.serve.socket_options import SocketOptions
from gateway.fronts.graphql.serve.socket_session import (
    FORBIDDEN,
    SUBPROTOCOL_NOT_ACCEPTABLE,
    Admit,
    Close,
    Effects,
    Operation,
    Send,
    Session,
    Start,
    Stop,
)
from gateway.fronts.graphql.serve.traced import traced
from gateway.fronts.keepalive import KeepAlive, Timer
from gateway.fronts.origins import check_origin
from gateway.fronts.roster import Roster, Told
from gateway.http import Exchange, Request, SocketClosed, WebSocket
from gateway.http.request_id import REQUEST_ID, request_id
from gateway.http.websocket import TRY_AGAIN_LATER, Message, offered_subprotocols

SUBPROTOCOL: Final = "graphql-transport-ws"

Serving: TypeAlias = "Callable[[Request], tuple[Engine[P], Shared]]"
"""What the next operation runs with, over the socket of a handshake.

A socket outlives a reload; an operation keeps what it has."""


_FORBIDDEN: Final = frozenset({Code.UNAUTHENTICATED, Code.PERMISSION_DENIED})


class GraphqlSockets(Generic[P]):
    """Answers WebSocket upgrades at the front's path.

    Args:
        serving: What operations run with, asked for each.
        options: The limits of a socket.
        timer: The clock; None is the running loop's.
        roster: Where sockets are entered.
    """

    __slots__ = ("_options", "_roster", "_serving", "_timer")

    def __init__(
        self,
        serving: Serving[P],
        options: SocketOptions,
        timer: Timer | None = None,
        *,
        roster: Roster | None = None,
    ) -> None:
        self._serving = serving
        self._options = options
        self._roster = Roster() if roster is None else roster  # an empty one is false
        self._timer = timer

    def handle(self, exchange: Exchange) -> None:
        """Answers an upgrade request.

        A client that offers other subprotocols only is accepted and closed with 4406, as graphql-ws
        does it: of a refused handshake a browser tells its page nothing.

        Raises:
            RpcError: CROSS_SITE_REQUEST: the page that asks may not open one.
        """
        check_origin(exchange.request, self._options.origins)
        offered = SUBPROTOCOL in offered_subprotocols(exchange.request)
        head, given = greeted(exchange.request, self._options.cookies)
        record = exchange.record
        named = request_id(head.headers.get(REQUEST_ID)) if record is None else record.request_id
        socket = exchange.websocket(
            subprotocol=SUBPROTOCOL if offered else None,
            headers=[(REQUEST_ID, named), *given],
            message_size=self._options.message_size,
        )
        if socket is None:
            return
        if not offered:
            socket.close(SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
            return
        timer = self._timer or asyncio.get_running_loop().call_later
        driver = _Driver(exchange, socket, self._serving, self._options, timer, head=head)
        driver.left = self._roster.enter("graphql", head, driver.told)


class _Driver(Generic[P]):
    """One WebSocket, its session, and the work of its operations.

    Attributes:
        left: Called when it is over.
    """

    __slots__ = (
        "_asking",
        "_exchange",
        "_head",
        "_holding",
        "_init",
        "_keepalive",
        "_serving",
        "_session",
        "_socket",
        "_works",
        "left",
    )

    def __init__(
        self,
        exchange: Exchange,
        socket: WebSocket,
        serving: Serving[P],
        options: SocketOptions,
        timer: Timer,
        *,
        head: Request,
    ) -> None:
        self._exchange = exchange
        self._head = head
        self._socket = socket
        self._serving = partial(serving, exchange.request)
        self._session = Session(options.operations)
        self._works: dict[Operation, tuple[Cancel, Shared]] = {}
        self._holding = False
        self._asking: Call | None = None
        self.left: Callable[[], None] = _nothing
        self._keepalive = KeepAlive(socket, options.ping, timer)
        self._init = timer(options.init_timeout, self._init_is_late)
        socket.listen(self._received, self._closed, self._draining)

    # What the socket tells.

    def _received(self, message: Message) -> None:
        self._perform(self._session.receive(message))
        if not self._socket.writable:
            self._hold()

    def _init_is_late(self) -> None:
        self._perform(self._session.init_is_late())

    def _draining(self) -> None:
        self._perform(self._session.leave())

    def told(self) -> Told:
        """Returns who the client was at the beginning, and what is at work."""
        principal = None if self._asking is None else self._asking.principal
        return Told(principal, {"streams": len(self._works)})

    def _closed(self, _code: int, _reason: str) -> None:
        self.left()
        self._init.cancel()
        self._keepalive.stop()
        self._session.closed()
        self._stop_all()

    # What the session decides.

    def _perform(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case Send():
                    self._socket.send_text(effect.data)
                case Start():
                    self._start(effect.operation, effect.request)
                case Stop():
                    self._stop(effect.operation)
                case Admit():
                    self._admit(effect.authorization)
                case Close():
                    self._socket.close(effect.code, effect.reason)
                    self._stop_all()  # not when the client has answered: it may take its time

    def _admit(self, authorization: str | None) -> None:
        if authorization is not None:
            self._head = self._head.with_field("authorization", authorization)
        try:
            gate = self._serving()[1].sockets
            self._asking = asking(self._head, FRONT)
            pending = None if gate is None else gate.admit(self._asking)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is a bug
            self._refuse(as_error(failure))
            return
        if pending is None:
            self._admitted(self._asking)
        else:
            # What the client sends before it is answered would be taken for an intruder's.
            self._holding = True
            self._socket.pause()
            task = self._socket.spawn(self._admit_after(pending, self._asking))
            task.add_done_callback(lambda _: forgo(pending))

    def _admitted(self, asked: Call) -> None:
        if self._socket.record is not None:
            self._socket.record.client = asked.principal
        self._perform(self._session.admitted())

    async def _admit_after(self, pending: Awaitable[None], asked: Call) -> None:
        try:
            await pending
        except Exception as failure:  # noqa: BLE001 - as_error logs what is a bug
            self._refuse(as_error(failure))
        else:
            self._admitted(asked)
            self._go_on()

    def _refuse(self, failure: RpcError) -> None:
        code = FORBIDDEN if failure.status.code in _FORBIDDEN else TRY_AGAIN_LATER
        what = "Forbidden" if code == FORBIDDEN else "Try again later"
        self._perform(
            self._session.refused(code, f"{what}: {failure.reason or failure.status.code.name}")
        )

    def _start(self, operation: Operation, asked: GraphqlRequest) -> None:
        try:
            cancel, shared = self._begin(operation, asked)
        except Exception as failure:  # noqa: BLE001 - `_fail` logs what is a bug
            self._fail(operation, failure)
            self._end(operation)
            return
        if not operation.ended:
            self._works[operation] = cancel, shared
        # What a client sends at once is begun in turns with other connections.
        self._hold()

    def _begin(self, operation: Operation, asked: GraphqlRequest) -> tuple[Cancel, Shared]:
        engine, shared = self._serving()
        incoming = Incoming(self._exchange, shared, traced(self._head, asked.extensions))
        operation.record = incoming.record
        caller = incoming.caller()
        prepared = engine.prepare(asked, caller)
        operation.streams = prepared.incremental
        if prepared.kind is OperationType.SUBSCRIPTION:
            if not shared.subscriptions:
                raise not_served()
            operation.streams = True
        if prepared.gate is not None:
            call = asking(self._head, FRONT)
            pending = prepared.gate.admit(call)
            if pending is not None:
                work = self._begin_after(pending, call, operation, engine, prepared)
                return self._spawn(operation, work, lambda: forgo(pending)), shared
            prepared = engine.known(prepared, call.principal)
        if operation.streams:
            return self._spawn(operation, self._stream(operation, engine, prepared)), shared
        return engine.run(prepared, partial(self._done, operation)), shared

    async def _begin_after(
        self,
        pending: Awaitable[None],
        call: Call,
        operation: Operation,
        engine: Engine[P],
        prepared: P,
    ) -> None:
        try:
            await pending
            known = engine.known(prepared, call.principal)
        except Exception as failure:  # noqa: BLE001 - `_fail` logs what is a bug
            self._fail(operation, failure)
        else:
            await self._stream(operation, engine, known)

    def _stop(self, operation: Operation) -> None:
        work = self._works.get(operation)
        if work is not None:
            work[0]()
        if not operation.streams:  # a task says itself when it is over
            self._end(operation)

    def _stop_all(self) -> None:
        works, self._works = self._works, {}
        for operation, (cancel, _) in works.items():
            cancel()
            if operation.record is not None and not operation.streams:  # a task says it itself
                operation.record.end()

    # Work.

    def _done(self, operation: Operation, response: bytes) -> None:
        self._perform(self._session.result(operation, response))
        self._perform(self._session.finished(operation))
        self._end(operation)

    def _spawn(
        self,
        operation: Operation,
        work: Coroutine[object, object, None],
        after: Callable[[], None] | None = None,
    ) -> Cancel:
        task = self._socket.spawn(work)
        # Not by the coroutine: one that is cancelled before its first step never runs.
        task.add_done_callback(lambda _: self._end(operation))
        if after is not None:
            task.add_done_callback(lambda _: after())
        return partial(_cancel, task)

    async def _stream(self, operation: Operation, engine: Engine[P], prepared: P) -> None:
        async def part(response: bytes, _more: bool) -> None:  # noqa: FBT001 - as EmitPart has it
            await self._emit(operation, response)

        emit = partial(self._emit, operation)
        try:
            if prepared.kind is OperationType.SUBSCRIPTION:
                await engine.subscribe(prepared, emit)
            elif prepared.incremental:
                await engine.run_incremental(prepared, part)
            else:
                await emit_whole(engine, prepared, emit)
        except SocketClosed:
            return
        except Exception as failure:  # noqa: BLE001 - `_fail` logs what is a bug
            self._fail(operation, failure)
        else:
            self._perform(self._session.finished(operation))

    async def _emit(self, operation: Operation, response: bytes) -> None:
        self._perform(self._session.result(operation, response))
        # The others have a turn, whatever the source: one that never waits would leave them none.
        await asyncio.sleep(0)
        await self._socket.drained()

    def _fail(self, operation: Operation, failure: Exception) -> None:
        if operation.record is not None:
            note_failure(operation.record, failure)
        refused = failure if isinstance(failure, RequestError) else refused_by(as_error(failure))
        errors = errors_json([formatted(each) for each in refused.errors])
        self._perform(self._session.failed(operation, errors))

    def _end(self, operation: Operation) -> None:
        if operation.record is not None:
            operation.record.end()
        self._works.pop(operation, None)
        self._perform(self._session.ended(operation))

    # Reading no further for a while.

    def _hold(self) -> None:
        if not self._holding:
            self._holding = True
            self._socket.pause()
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if self._socket.writable:
            self._holding = False
            self._socket.resume()
        else:
            self._socket.spawn(self._go_on_when_drained())

    async def _go_on_when_drained(self) -> None:
        try:
            await self._socket.drained()
        except SocketClosed:
            return
        self._go_on()


def _nothing() -> None:
    """Is told of the end of a socket that nobody has entered yet."""


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()

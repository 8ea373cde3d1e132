"""One request run and answered: whole, as events, or in parts, by what it is and what is accepted.

A query or mutation that is answered whole needs no task: the engine's completion answers.
"""

from __future__ import annotations

import asyncio
from functools import partial

from graphql import OperationType

from gateway.call import Principal
from gateway.errors import error
from gateway.fronts.graphql.errors import RefusalCode, refusal
from gateway.fronts.graphql.serve import events, parts
from gateway.fronts.graphql.serve.accept import EVENTS, PARTS
from gateway.fronts.graphql.serve.engine import Emit, Engine, GraphqlRequest, P
from gateway.fronts.graphql.serve.incoming import Incoming, told


def answer(incoming: Incoming, engine: Engine[P], request: GraphqlRequest, *, safe: bool) -> None:
    """Runs a request and answers it.

    Args:
        incoming: What is answered.
        engine: Runs it.
        request: Its parameters.
        safe: Whether it may change nothing: it came by GET.

    Raises:
        RequestError: It is refused.
        RpcError: Likewise, for what it is in HTTP.
    """
    prepared = engine.prepare(request, incoming.caller())
    if prepared.gate is None:
        _run(incoming, engine, prepared, safe=safe)
        return

    def admitted(principal: Principal | None) -> None:
        _run(incoming, engine, engine.known(prepared, principal), safe=safe)

    incoming.admit(prepared.gate, admitted)


def _run(incoming: Incoming, engine: Engine[P], prepared: P, *, safe: bool) -> None:
    kind = prepared.kind
    if safe and kind is OperationType.MUTATION:
        raise error("METHOD_NOT_ALLOWED", "A mutation is sent by POST.", headers={"allow": "POST"})
    if kind is OperationType.SUBSCRIPTION:
        _subscribe(incoming, engine, prepared)
        return
    wanted = incoming.wanted
    # Who accepts parts only gets the whole answer as the only one.
    split = prepared.incremental or wanted.whole is None
    media = wanted.incremental if split else wanted.whole
    if media is None:
        raise error("NOT_ACCEPTABLE", "Accept application/graphql-response+json.")
    if media == PARTS:
        headers = incoming.headers_ahead(parts.CONTENT_TYPE)
        results = partial(engine.run_incremental, prepared)
        incoming.exchange.spawn(parts.stream(incoming.exchange, headers, results, incoming.refuse))
    elif media == EVENTS:
        _as_events(incoming, partial(emit_whole, engine, prepared))
    else:
        cancel = engine.run(prepared, partial(incoming.respond, media))
        incoming.until_cut(cancel)


def _subscribe(incoming: Incoming, engine: Engine[P], prepared: P) -> None:
    if not incoming.shared.subscriptions:
        raise not_served()
    if incoming.wanted.stream is None:
        raise error("NOT_ACCEPTABLE", f"A subscription is a stream: accept {EVENTS}.")
    _as_events(incoming, partial(engine.subscribe, prepared))


def not_served() -> Exception:
    """Returns the error for a subscription where there are none."""
    code = RefusalCode.OPERATION_RESOLUTION_FAILURE
    return refusal(code, "Subscriptions are not served here.")


def _as_events(incoming: Incoming, results: events.Results) -> None:
    exchange, shared = incoming.exchange, incoming.shared
    headers = incoming.headers_ahead(EVENTS, events.NOT_STORED)
    if incoming.request.method == "HEAD":
        exchange.respond(200, headers, b"")
        return
    exchange.start(200, headers)
    exchange.spawn(events.stream(exchange, results, told, shared.keep_alive))


async def emit_whole(engine: Engine[P], prepared: P, emit: Emit) -> None:
    """Runs a query or mutation as a stream of one response."""
    waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def done(response: bytes) -> None:
        if not waiting.done():
            waiting.set_result(response)

    cancel = engine.run(prepared, done)
    try:
        response = await waiting
    except asyncio.CancelledError:
        cancel()
        raise
    await emit(response)

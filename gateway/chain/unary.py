"""Unary calls behind policies: completions, with a task only where something must wait."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import cast

from gateway.awaited import awaited
from gateway.call import (
    OK,
    Call,
    Cancel,
    Done,
    Filter,
    Outcome,
    Reply,
    RpcError,
    Unary,
    UnaryAround,
)
from gateway.chain.failure import as_error
from gateway.chain.links import CANCELLED, Links, Policy, Waiting, groups


def compose_unary(policies: Sequence[Policy], upstream: Unary) -> Unary:
    """Returns `upstream` behind `policies`; `upstream` itself when there are none."""
    inner = upstream
    for around_by, group in groups(policies, "filter", "unary"):
        if around_by == "filter":
            for each in reversed(group):
                inner = _filtered(cast("Filter", each), inner)
        elif around_by == "unary":
            for each in reversed(group):
                inner = _around_unary(cast("UnaryAround", each), inner)
        else:
            inner = _gated_unary(group, inner)
    return inner


def _outcome(result: Reply | RpcError) -> Outcome:
    if isinstance(result, RpcError):
        return Outcome(result.status)
    return Outcome(OK, result)


def _nothing() -> None:
    """Cancels what has ended already."""


def _gated_unary(policies: Sequence[Policy], inner: Unary) -> Unary:
    links = Links(policies)
    admits = links.gates

    def start(call: Call, done: Done) -> Cancel:
        number = 0
        try:
            for admit in admits:
                pending = admit(call)
                if pending is not None:
                    return _held(links, call, Waiting(pending, number), inner, done)
                number += 1
        except Exception as refusal:  # noqa: BLE001 - as_error logs what is not an RpcError
            done(as_error(refusal))
            return _nothing
        return inner(call, done)

    def start_observed(call: Call, done: Done) -> Cancel:
        try:
            waiting = links.admit(call)
        except RpcError as refusal:
            done(refusal)
            return _nothing
        observed = partial(_observed, links, inner)
        if waiting is not None:
            return _held(links, call, waiting, observed, done)
        return observed(call, done)

    return start_observed if links.observed else start


def _observed(links: Links, inner: Unary, call: Call, done: Done) -> Cancel:
    """Makes a call that was admitted, and tells the observers of its end."""
    running = True

    def finish(result: Reply | RpcError) -> None:
        nonlocal running
        running = False
        links.tell(call, _outcome(result))
        done(result)

    cancel = inner(call, finish)

    def stop() -> None:
        nonlocal running
        if running:
            running = False
            cancel()
            links.tell(call, CANCELLED)

    return stop


def _held(links: Links, call: Call, waiting: Waiting, inner: Unary, done: Done) -> Cancel:
    """Waits for a gate in a task, then goes on."""
    cancel_inner: Cancel | None = None
    begun, wanted = False, True

    async def run() -> None:
        nonlocal begun, cancel_inner
        begun = True
        try:
            await links.admit_after(call, waiting)
        except RpcError as refusal:
            if wanted:
                done(refusal)
            return
        if wanted:
            cancel_inner = inner(call, done)

    task = asyncio.get_running_loop().create_task(run())

    def cancel() -> None:
        nonlocal wanted
        wanted = False
        if cancel_inner is not None:
            cancel_inner()
            return
        task.cancel()
        if not begun:
            links.drop(call, waiting)

    return cancel


def _filtered(around: Filter, inner: Unary) -> Unary:
    filter_ = around.filter

    def start(call: Call, done: Done) -> Cancel:
        return filter_(call, done, inner)

    return start


def _around_unary(around: UnaryAround, inner: Unary) -> Unary:
    async def proceed(call: Call) -> Reply:
        return await awaited(inner, call)

    async def run(call: Call) -> Reply | RpcError:
        try:
            return await around.unary(call, proceed)
        except Exception as failure:  # noqa: BLE001 - as_error logs what is not an RpcError
            return as_error(failure)

    def start(call: Call, done: Done) -> Cancel:
        task = asyncio.get_running_loop().create_task(run(call))
        wanted = True

        def ended(task: asyncio.Task[Reply | RpcError]) -> None:
            if wanted and not task.cancelled():
                done(task.result())

        task.add_done_callback(ended)

        def cancel() -> None:
            # The callback can't be taken back once the task has ended and the loop is to call it.
            nonlocal wanted
            wanted = False
            task.cancel()

        return cancel

    return start

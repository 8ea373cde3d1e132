"""An answer in parts: what `@defer` puts off is asked for after the rest has been sent.

A fragment is put off where it holds fields that need other calls; any other is part of the first
answer, which GraphQL leaves to the server. All objects of one list that put off the same fragment
share its batches, and come in one part. Fragments do not wait for each other. The form is that of
the incremental delivery working group: `pending`, `incremental`, `completed`, `hasNext`
(graphql-wg/defer-stream-wg, "Incremental Delivery"). Each part tells the headers of its own calls.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from graphql import OperationType

from gateway.call import Cancel
from gateway.fronts.graphql.errors import errors_json
from gateway.fronts.graphql.execute.answer import extensions, formatted
from gateway.fronts.graphql.execute.headers import Headers
from gateway.fronts.graphql.execute.run import Answer, Run
from gateway.fronts.graphql.execute.trouble import Null, Trouble
from gateway.fronts.graphql.plan.edges import Edge
from gateway.fronts.graphql.plan.later import Deferral, Later
from gateway.fronts.graphql.plan.plan import Plan

Emit = Callable[[bytes, bool], Awaitable[None]]
StartRun: TypeAlias = Callable[[Plan, Answer], Run]
"""Makes a run of a plan, with the operation's variables and caller."""


@dataclass(frozen=True, slots=True)
class _Put:
    """A fragment of one object that is to follow.

    Attributes:
        number: Its id in the response.
        parent: The object.
        path: Where the object is, from the root.
    """

    number: str
    parent: Any
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class _Came:
    """A fragment of one object, written; `data` is None where it could not be."""

    put: _Put
    data: str | None
    notes: Sequence[Any]


class _Batch(NamedTuple):
    """Fragments that come together, and the headers of their calls."""

    came: Sequence[_Came]
    headers: Headers


class Incremental:
    """One operation that is answered in parts.

    Args:
        plan: Its plan.
        make: Makes runs.
    """

    def __init__(self, plan: Plan, make: StartRun) -> None:
        self._plan = plan
        self._make = make
        self._count = 0
        self._open = 0
        self._cancels: list[Cancel] = []
        # As many items as fragments of the document at most, for each level of `@defer`.
        self._came: asyncio.Queue[_Batch] = asyncio.Queue()

    async def run(self, emit: Emit) -> None:
        """Emits the first answer and each part, as JSON, and whether more follow."""
        try:
            data, notes, headers = await self._first()
            pending = self._put_off([(notes, ())] if data != "null" else [])
            await emit(_first_part(data, notes, headers, pending), bool(self._open))
            while self._open:
                came, headers = await self._came.get()
                self._open -= 1
                pending = self._put_off(
                    [(each.notes, each.put.path) for each in came if each.data is not None]
                )
                more = bool(self._open)
                await emit(_part(came, pending, headers, more=more), more)
        finally:
            for cancel in self._cancels:
                cancel()

    async def _first(self) -> tuple[str, list[Any], Headers]:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[tuple[str, list[Any], Headers]] = loop.create_future()

        def done(data: str, notes: list[Any], headers: Headers) -> None:
            if not waiting.done():
                waiting.set_result((data, notes, headers))

        self._cancels.append(self._make(self._plan, done).start())
        return await waiting

    def _put_off(
        self, answers: Sequence[tuple[Sequence[Any], tuple[str | int, ...]]]
    ) -> list[dict[str, Any]]:
        """Starts on what was put off, and returns what the response says is pending.

        Args:
            answers: What was noted in each object that came, and where that object is.
        """
        by_fragment: dict[int, tuple[Later, list[_Put]]] = {}
        pending = []
        noted = [(note, path) for notes, path in answers for note in notes]
        for note, path in noted:
            if not isinstance(note, Deferral):
                continue
            put = _Put(str(self._count), note.parent, (*path, *reversed(note.path)))
            self._count += 1
            by_fragment.setdefault(id(note.later), (note.later, []))[1].append(put)
            label = note.later.label
            told = {"id": put.number, "path": list(put.path)}
            pending.append(told if label is None else {**told, "label": label})
        for later, puts in by_fragment.values():
            self._follow(later, puts)
        return pending

    def _follow(self, later: Later, puts: Sequence[_Put]) -> None:
        self._open += 1
        came: list[_Came] = []

        def write(_parent: Any, run: Any) -> str:
            for put in puts:
                notes: list[Any] = []
                run.errors = notes
                data: str | None
                try:
                    data = later.plan.text(put.parent, run)
                except Null:
                    data = None
                came.append(_Came(put, data, notes))
            return ""

        def done(data: str, notes: list[Any], headers: Headers) -> None:
            if data == "null":  # a bug, noted once for them all
                came[:] = [_Came(put, None, notes) for put in puts]
            self._came.put_nowait(_Batch(came, headers))

        edges: Sequence[Edge] = self._plan.edges
        run = self._make(Plan(OperationType.QUERY, (), write, edges), done)
        self._cancels.append(run.gather(later.plan, [put.parent for put in puts]))


def _first_part(
    data: str, notes: Sequence[Any], headers: Headers, pending: Sequence[dict[str, Any]]
) -> bytes:
    parts = []
    if errors := formatted(notes):
        parts.append(b'"errors":%b' % errors_json(errors))
    parts.append(b'"data":%b' % data.encode())
    if pending:
        parts.append(b'"pending":%b' % _json(pending))
    parts.append(_has_next(headers, more=bool(pending)))
    return b"{%b}" % b",".join(parts)


def _part(
    came: Sequence[_Came], pending: Sequence[dict[str, Any]], headers: Headers, *, more: bool
) -> bytes:
    incremental, completed = [], []
    for each in came:
        number = _json(each.put.number)
        troubles = formatted(_placed(each))
        errors = b',"errors":%b' % errors_json(troubles) if troubles else b""
        if each.data is None:
            completed.append(b'{"id":%b%b}' % (number, errors))
            continue
        incremental.append(b'{"id":%b,"data":%b%b}' % (number, each.data.encode(), errors))
        completed.append(b'{"id":%b}' % number)
    parts = []
    if pending:
        parts.append(b'"pending":%b' % _json(pending))
    if incremental:
        parts.append(b'"incremental":[%b]' % b",".join(incremental))
    parts.append(b'"completed":[%b]' % b",".join(completed))
    parts.append(_has_next(headers, more=more))
    return b"{%b}" % b",".join(parts)


def _has_next(headers: Headers, *, more: bool) -> bytes:
    """Returns what ends each part, and the headers of its calls."""
    return b'"hasNext":%b%b' % (b"true" if more else b"false", extensions(headers))


def _placed(came: _Came) -> list[Any]:
    """Returns the troubles of a part with their paths from the root."""
    outer = [*reversed(came.put.path)]
    return [
        Trouble(note.failure, [*note.path, *outer], note.nodes)
        for note in came.notes
        if isinstance(note, Trouble)
    ]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

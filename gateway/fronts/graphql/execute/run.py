"""One run of a plan: calls are made as soon as what they need is there, then the answer is written.

A run is driven by the completions of its calls; there is no task. It counts what is under way:
calls, and batches that wait for the end of this turn of the event loop. When nothing is, the data
is written in one go. Root fields do not wait for each other: what is joined to one is asked for as
soon as that one is there, however slow the others are. In a mutation each root field waits until
everything of the one before is there (GraphQL specification, section 6.2.2).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import Any

from google.protobuf.message import DecodeError
from graphql import OperationType
from graphql.execution.values import VariableValues

from gateway.call import Call, Cancel, Reply, RpcError
from gateway.chain import Method
from gateway.fronts.graphql.execute.headers import NO_HEADERS, Headers, heard, merged
from gateway.fronts.graphql.execute.loading import Loader, not_a_message
from gateway.fronts.graphql.execute.tasks import Take, Tasks
from gateway.fronts.graphql.execute.trouble import Null, Trouble
from gateway.fronts.graphql.plan.finding import Finder
from gateway.fronts.graphql.plan.objects import ObjectPlan
from gateway.fronts.graphql.plan.plan import Fetch, Plan, Resolver
from gateway.fronts.graphql.plan.writing import InputError
from gateway.kept import Keys
from gateway.routing.caller import Caller

Soon = Callable[[Callable[[], None]], object]
"""Calls a function at the end of this turn of the event loop: `loop.call_soon`."""


Answer = Callable[[str, list[Any], Headers], None]
"""Takes the data as JSON (`null` where a root field may not be null and is), what was noted
(troubles, and what a `@defer` put off), and the gateway's own headers. Called once, or never after
a cancellation."""


class Run:
    """One run of a plan. `start` or `follow` it once; `done` gets the data.

    Args:
        plan: What answers the operation.
        variables: Coerced.
        caller: Who asks.
        soon: Does something at the end of this turn.
        done: Takes the answer.
        context: What Python is told of the request.
        heard: Takes the headers of calls that Python makes; the answer that is next tells them.

    Attributes:
        variables: Coerced.
        values: The reply of each fetch, or why there is none.
        sources: Of each edge, the loader that has its answers, or why there is none; of one that
            Python resolves, its values.
        texts: Of each edge, what has been written of an answer, by key.
        errors: What was noted so far: troubles, and what is put off.
        headers: Those of each call that has any.
        context: What Python is told of the request (`info.context`).
    """

    __slots__ = ("_calls", "_done", "_heard", "_loaders", "_next", "_over", "_pending", "_plan",
                 "_shared", "_soon", "_started", "_tasks", "caller", "context", "errors",
                 "headers", "sources", "texts", "values", "variables")  # fmt: skip

    def __init__(
        self,
        plan: Plan,
        variables: VariableValues,
        caller: Caller,
        soon: Soon,
        done: Answer,
        *,
        context: object = None,
        heard: list[Headers] | None = None,
    ) -> None:
        self._plan = plan
        self.context = context
        self._heard = heard
        self._tasks: Tasks | None = None
        self.variables = variables
        self.caller = caller
        self._soon = soon
        self._done = done
        self.values: list[Any] = [None] * len(plan.fetches)
        self.sources: list[Any] = [None] * len(plan.edges)
        self.texts: list[dict[Any, str]] = [{} for _ in plan.edges]
        self.errors: list[Trouble] = []
        self.headers: list[Headers] = []
        self._loaders: dict[tuple[str, Hashable, bytes], Loader] = {}
        # By request: the fetches that wait for the answer, or the answer.
        self._shared: dict[tuple[str, bytes], list[Fetch] | Reply | RpcError] = {}
        self._calls: dict[int, Cancel] = {}
        self._started = 0
        self._pending = 0
        self._next = 0
        self._over = False

    def start(self) -> Cancel:
        """Starts a query or mutation; returns what cancels it."""
        fetches = self._plan.fetches
        mutates = self._plan.kind is OperationType.MUTATION
        self._next = min(1, len(fetches)) if mutates else len(fetches)

        self._pending += 1
        self._step(self._fetch_all, fetches[: self._next])
        return self.cancel

    def follow(self, message: object) -> Cancel:
        """Starts with the message of an event, the value of the one root field."""
        self._pending += 1
        self._next = 1
        self._step(self._event, message)
        return self.cancel

    def gather(self, selected: ObjectPlan, parents: Sequence[object]) -> Cancel:
        """Starts with objects that are there already, of which something was put off."""
        self._pending += 1
        self._step(selected.gather, parents, self)
        return self.cancel

    def cancel(self) -> None:
        """Ends all calls; nobody wants the response any more."""
        self._over = True
        calls, self._calls = self._calls, {}
        for cancel in calls.values():
            cancel()
        if self._tasks is not None:
            self._tasks.cancel()

    # What edges and loaders use.

    def call(
        self,
        method: Method,
        request: bytes,
        done: Callable[[Reply | RpcError], None],
        keys: Keys | None = None,
        path: str = "",
    ) -> None:
        """Makes a call of the run; the response waits for it, and what `done` does.

        Args:
            method: What is called.
            request: The serialized request.
            done: Takes the reply.
            keys: What it asks for by keys, where that is kept key by key.
            path: Where in the answer it belongs, for who takes note of calls.
        """
        if self._over:  # a call that ended at once has met a bug
            return
        self._pending += 1
        number = self._started
        self._started += 1
        ended = False
        made = self.caller.call(method.descriptor.name, request)
        if keys is not None:
            made.keys = keys
        if path and made.record is not None:
            made.record.path = path

        def finish(result: Reply | RpcError) -> None:
            nonlocal ended
            ended = True
            self._calls.pop(number, None)
            if made.reply_headers or result.headers or isinstance(result, RpcError):
                self._hear(made, result)
            self._step(done, result)

        cancel = method.start(made, finish)
        if not ended:
            self._calls[number] = cancel

    def _hear(self, call: Call, result: Reply | RpcError) -> None:
        if headers := heard(call, result):
            self.headers.append(headers)

    def soon(self, work: Callable[[], None]) -> None:
        """Does `work` at the end of this turn of the event loop; the response waits for it."""
        self._pending += 1
        self._soon(partial(self._step, work))

    def python(self, work: Callable[[], Any], take: Take) -> None:
        """Calls Python for the run; the response waits for it, and what `take` does."""
        if self._over:
            return
        self._pending += 1
        self._python().call(work, partial(self._step, take))

    def wait(self, awaitable: Awaitable[Any], take: Take) -> None:
        """Awaits what Python returned; the response waits for it, and what `take` does."""
        self._pending += 1
        self._python().wait(awaitable, partial(self._step, take))

    def _python(self) -> Tasks:
        if self._tasks is None:
            self._tasks = Tasks()
        return self._tasks

    def loader(self, finder: Finder, method: Method, base: bytes) -> Loader:
        """Returns the loader for a request, less its keys; the same for the same request."""
        key = (finder.name, finder.asks, base)
        found = self._loaders.get(key)
        if found is None:
            found = self._loaders[key] = Loader(finder, method, base, self)
        return found

    # Steps.

    def _step(self, work: Callable[..., None], *given: object) -> None:
        """Does something that the response waits for."""
        if self._over:
            return
        try:
            work(*given)
        except Exception as bug:  # noqa: BLE001 - it is logged when it is written
            self._fail(bug)
        else:
            self._settle()

    def _settle(self) -> None:
        self._pending -= 1
        while not self._pending and not self._over:
            if self._next == len(self._plan.fetches):
                self._complete()
                return
            self._pending += 1
            self._next += 1
            try:
                self._fetch(self._plan.fetches[self._next - 1])
            except Exception as bug:  # noqa: BLE001 - it is logged when it is written
                self._fail(bug)
            self._pending -= 1

    def _event(self, message: object) -> None:
        fetch = self._plan.fetches[0]
        if isinstance(fetch, Resolver):
            fetch.edge.follow(message, self)
        else:
            self._arrived(fetch, message)

    def _fetch_all(self, fetches: Sequence[Fetch | Resolver]) -> None:
        for fetch in fetches:
            self._fetch(fetch)

    def _fetch(self, fetch: Fetch | Resolver) -> None:
        if isinstance(fetch, Resolver):
            fetch.edge.load((None,), self)
            return
        try:
            request = fetch.request(self.variables)
        except InputError as wrong:
            self.values[fetch.index] = wrong
            return
        key: tuple[str, bytes] | None = None
        if fetch.shared and len(self._plan.fetches) > 1:
            key = (fetch.method.descriptor.name, request)
            known = self._shared.get(key)
            if isinstance(known, list):
                known.append(fetch)
                return
            if known is not None:
                self._arrived(fetch, known)
                return
            waiting = self._shared[key] = [fetch]
        else:
            waiting = [fetch]

        def done(result: Reply | RpcError) -> None:
            if key is not None:
                self._shared[key] = result
            for each in waiting:
                self._arrived(each, result)

        path = "" if self.caller.record is None else fetch.name
        self.call(fetch.method, request, done, path=path)

    def _arrived(self, fetch: Fetch, result: object) -> None:
        value: Any = result
        if isinstance(result, Reply):
            try:
                value = fetch.reply.FromString(result.message)
            except DecodeError:
                value = not_a_message(fetch.method.descriptor.name)
        self.values[fetch.index] = value
        if fetch.selected.deep and not isinstance(value, Exception):
            fetch.selected.gather((value,), self)

    def _complete(self) -> None:
        self._over = True
        try:
            data = self._plan.text(None, self)
        except Null:
            data = "null"
        except Exception as bug:  # noqa: BLE001 - it is logged when it is written
            self._fail(bug)
            return
        self._done(data, self.errors, self._merged() if self.headers or self._heard else NO_HEADERS)

    def _fail(self, bug: Exception) -> None:
        self.cancel()
        self._done(
            "null",
            [Trouble(bug, [], ())],
            self._merged() if self.headers or self._heard else NO_HEADERS,
        )

    def _merged(self) -> Headers:
        """Returns the headers of the answer."""
        each, calls = self.headers, self._started
        if self._heard or self._tasks is not None:
            python = self._heard or []
            # One more than it made calls: what else Python makes of them holds for no time.
            each, calls = [*each, *python], calls + len(python) + 1
            python.clear()
        return merged(each, calls)

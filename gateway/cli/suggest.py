"""Three calls to try against an API nobody has described: chosen, filled in, and tried.

What changes nothing is called once through the gateway's own way to the backend, first to find
values that exist, then to see that a call works before it is shown. An RPC that is a list by its
name alone is called once with an empty request. All of it is bounded in number and time, nothing
else is ever called, and nothing at all where that is not wanted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from enum import IntEnum

from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gateway.app import Generation
from gateway.call import Call, Deadline, RpcError
from gateway.cli.calls import CommandCall, one
from gateway.cli.candidates import choose, is_bare_list, is_safe, lists_by_name, reads
from gateway.cli.curl import command
from gateway.cli.known import Known, subjects_of
from gateway.cli.samples import Sampler
from gateway.fronts.rest.compile import Listed
from gateway.routing.template import parse
from gateway.schema.method import Kind

_TOTAL = 5.0  # seconds for all of it
_EACH = 1.0  # seconds for a call
_LISTS = 12  # calls to learn from
_TRIES = 4  # calls at once to find one that works
_MESSAGES = 200  # of a stream that need not be seen to end


async def suggestions(generation: Generation, url: str, *, calls: bool) -> list[str]:
    """Returns up to three `curl` lines: one that reads, one with a body, one that streams.

    Where a kind is missing, another takes its place.

    Args:
        generation: What is served.
        url: Where.
        calls: Whether the backend may be called for them; otherwise their values are invented.
    """
    finder = _Finder(generation, url, calls=calls)
    with suppress(TimeoutError):
        async with asyncio.timeout(_TOTAL):
            await finder.find()
    return finder.found


class _Result(IntEnum):
    """How a call went that was tried; the greatest is what a newcomer should see."""

    FAILED = 0
    EMPTY = 1
    """A stream ended well without a message."""
    SENT = 2
    """A stream sent messages, and had not ended when the time was over."""
    ENDED = 3


class _Finder:
    """Looks for the lines; what is found is there even if the time is over.

    Attributes:
        found: The lines, as far as they are found.
    """

    def __init__(self, generation: Generation, url: str, *, calls: bool) -> None:
        self.found: list[str] = []
        self._generation = generation
        self._registry = generation.registry
        self._url = url
        self._calls = calls
        self._known = Known()
        self._used: set[str] = set()  # methods that are shown, or don't work

    async def find(self) -> None:
        """Looks for the three lines."""
        candidates = choose(self._generation.routes, self._registry)
        if self._calls:
            await asyncio.gather(*(self._learn(each) for each in candidates.lists[:_LISTS]))
        for kind in (candidates.reads, candidates.writes, candidates.streams):
            await self._show_one(kind)
        for kind in (candidates.reads, candidates.writes, candidates.streams):
            while len(self.found) < 3 and await self._show_one(kind):
                pass

    async def _show_one(self, candidates: Sequence[Listed]) -> bool:
        """Adds the one that works best; if none is seen to work, the first that can't be tried."""
        fresh = [each for each in candidates if each.method.name not in self._used]
        triable = [each for each in fresh if self._calls and is_safe(each)]
        tried = [(each, self._sample(each)) for each in triable[:_TRIES]]
        results = await asyncio.gather(*(self._try(*each) for each in tried))
        self._used.update(
            listed.method.name
            for (listed, _), result in zip(tried, results, strict=True)
            if result is _Result.FAILED
        )
        best = max(results, default=_Result.FAILED)
        if best is not _Result.FAILED:
            self._show(*tried[results.index(best)])
            return True
        untried = [each for each in fresh if each not in triable]
        for listed in untried[:1]:
            self._show(listed, self._sample(listed))
        return bool(untried)

    def _show(self, listed: Listed, message: Message) -> None:
        self._used.add(listed.method.name)
        self.found.append(command(listed, message, self._url, self._registry.pool))

    def _sample(self, listed: Listed) -> Message:
        subjects = subjects_of(self._registry.message(listed.method.output))
        writes = bool(listed.rule.body) and not lists_by_name(listed)
        sampler = Sampler(self._known, subjects if reads(listed) else ())
        request = self._registry.message(listed.method.input)
        template, body = parse(listed.template), listed.rule.body
        return sampler.request(request, template, body=body, writes=writes)

    def _empty(self, listed: Listed) -> Message:
        empty: Message = GetMessageClass(self._registry.message(listed.method.input))()
        return empty

    async def _learn(self, listed: Listed) -> None:
        bare = is_bare_list(listed)
        reply = await self._reply(listed, self._empty(listed) if bare else self._sample(listed))
        if reply is not None:
            self._known.learn(reply)
        elif bare:
            self._used.add(listed.method.name)

    async def _try(self, listed: Listed, request: Message) -> _Result:
        if listed.method.kind is not Kind.UNARY:
            return await self._stream(listed, request)
        reply = await self._reply(listed, request)
        return _Result.FAILED if reply is None else _Result.ENDED

    async def _reply(self, listed: Listed, request: Message) -> Message | None:
        method = self._generation.methods[listed.method.name]
        call = Call(listed.method.name, request.SerializeToString(), deadline=_soon())
        reply: Message = GetMessageClass(self._registry.message(listed.method.output))()
        try:
            reply.ParseFromString((await method.call(call)).message)
        except (RpcError, DecodeError):
            return None
        return reply

    async def _stream(self, listed: Listed, request: Message) -> _Result:
        method = self._generation.methods[listed.method.name]
        messages = 0
        enough = asyncio.Event()

        def received(_: bytes) -> None:
            nonlocal messages
            messages += 1
            if messages == _MESSAGES:
                enough.set()

        call = CommandCall(
            listed.method.name,
            deadline=_soon(),
            requests=one(request.SerializeToString()),
            received=received,
        )
        running = asyncio.ensure_future(method.stream(call))
        waiting = asyncio.ensure_future(enough.wait())
        try:
            await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
            well = running.done() and running.exception() is None
        finally:
            waiting.cancel()
            running.cancel()
            await asyncio.wait((running, waiting))
        if well:
            return _Result.ENDED if messages else _Result.EMPTY
        return _Result.SENT if messages else _Result.FAILED


def _soon() -> Deadline:
    return Deadline(asyncio.get_running_loop().time() + _EACH)

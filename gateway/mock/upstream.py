"""Takes calls in place of an upstream, and answers them: what is written, or else made up.

The driver of `answers` and `written`: it waits, reads and sends. It keeps to deadlines and takes
any number of calls; there is no connection, and so nothing that can break but on purpose.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError, Message

from gateway.call import (
    NO_METADATA,
    Call,
    Cancel,
    Code,
    Done,
    Metadata,
    Reply,
    RpcError,
    Status,
    Stream,
    StreamCall,
    Unary,
)
from gateway.chain import as_error
from gateway.errors import error
from gateway.mock import echoes
from gateway.mock.answers import Answers
from gateway.mock.dice import Dice
from gateway.mock.written import Delay, Entry, Faults, entry_for
from gateway.schema.method import Kind

_HUNDRED: Final = 100.0
_MESSAGES: Final = 5_000  # in a request: each is looked at


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how well all answers come.

    Attributes:
        delay: How long one takes.
        interval: Seconds between two messages of a stream.
        faults: Which calls fail.
    """

    delay: Delay
    interval: float
    faults: Faults


@dataclass(frozen=True, slots=True)
class Mocked:
    """A method that is answered so.

    Attributes:
        kind: Which sides stream.
        request: Makes an empty request.
        answers: Makes its answers up.
        written: Those that somebody wrote.
    """

    kind: Kind
    request: Callable[[], Message]
    answers: Answers
    written: Sequence[Entry]


class Taking(NamedTuple):
    """What takes the calls of a method."""

    start: Unary
    stream: Stream


class MockUpstream:
    """Answers calls (`gateway.call.Unary`, `gateway.call.Stream`).

    Args:
        methods: By full name.
        pace: How fast and how well.
        dice: What of that is open follows from them, and from how many calls there were before.
        clock: The loop's, in seconds.
    """

    def __init__(
        self, methods: Mapping[str, Mocked], pace: Pace, dice: Dice, clock: Callable[[], float]
    ) -> None:
        self._methods = methods
        self._pace = pace
        self._dice = dice
        self._clock = clock
        self._calls = 0

    def taking(self, manner: object) -> Taking:  # noqa: ARG002  nothing is made more than once
        """Returns what takes the calls of a method, as an upstream does."""
        return Taking(self.start, self.stream)

    def start(self, call: Call, done: Done) -> Cancel:
        """Makes a unary call."""
        try:
            turn = self._turn(call, call.request)
        except RpcError as refusal:
            done(refusal)
            return _nothing
        wait = turn.wait
        left = None if call.deadline is None else call.deadline.remaining(self._clock())
        late = left is not None and left <= wait

        def answer() -> None:
            done(_late() if late else _unary(turn))

        if not wait:
            answer()
            return _nothing
        seconds = max(0.0, left) if late and left is not None else wait
        return asyncio.get_running_loop().call_later(seconds, answer).cancel

    async def stream(self, call: StreamCall) -> Metadata:
        """Runs a streaming call.

        Raises:
            RpcError: It ended with another status than OK.
        """
        left = None if call.deadline is None else call.deadline.remaining(self._clock())
        try:
            async with asyncio.timeout(left):
                first = await call.receive()
                turn = self._turn(call, first or b"")
                await asyncio.sleep(turn.wait)
                if turn.failure is not None:
                    raise turn.failure
                await _answer(call, turn, first)
        except TimeoutError:
            raise _late() from None
        return NO_METADATA

    def _turn(self, call: Call, data: bytes) -> _Turn:
        """Returns how a call is answered.

        Raises:
            RpcError: Its request is no message, or has too many within it.
        """
        method, pace = self._methods[call.method], self._pace
        request = _read(method, data)
        entry = entry_for(method.written, call, data, request)
        self._calls += 1
        dice = self._dice.of("call", call.method, self._calls)
        delay = pace.delay if entry.delay is None else entry.delay
        faults = pace.faults if entry.faults is None else entry.faults
        wait = delay.least + (delay.most - delay.least) * dice.of("delay").share()
        faulty = dice.of("fault").share() * _HUNDRED < faults.percent
        return _Turn(
            method=method,
            request=request,
            entry=entry,
            wait=wait + faults.delay if faulty else wait,
            interval=pace.interval if entry.interval is None else entry.interval,
            failure=_failure(faults.code) if faulty and faults.code is not None else None,
        )


@dataclass(frozen=True, slots=True)
class _Turn:
    """How a call is answered.

    Attributes:
        method: Its method.
        request: Its request, or a stream's first one.
        entry: What is written for it.
        wait: Seconds before the answer, or the first message of it.
        interval: Seconds between two messages.
        failure: What it fails with, on purpose; None where it does not.
    """

    method: Mocked
    request: Message
    entry: Entry
    wait: float
    interval: float
    failure: RpcError | None


def _unary(turn: _Turn) -> Reply | RpcError:
    """Returns the answer to a unary call."""
    entry = turn.entry
    if turn.failure is not None:
        return turn.failure
    if entry.error is not None:
        return RpcError(entry.error)
    try:
        if entry.replies is not None:
            return Reply(entry.replies[0])
        return Reply(_bytes(turn.method.answers.unary(turn.request)))
    except RpcError as failure:
        return failure
    except Exception as bug:  # noqa: BLE001  as_error logs it; whoever calls is never raised at
        return as_error(bug)


async def _answer(call: StreamCall, turn: _Turn, first: bytes | None) -> None:
    """Sends the answer to a streaming call."""
    method, answers = turn.method, turn.method.answers
    if turn.entry.replies is not None or turn.entry.error is not None:
        await _say(call, turn)
        return
    await call.start(NO_METADATA)
    if method.kind is Kind.CLIENT_STREAMING:
        count = await _received(call, first)
        await call.send(_bytes(answers.received(turn.request, count)))
    elif method.kind is Kind.BIDIRECTIONAL:
        await _echo(call, method, first)
    else:
        for number in range(1, answers.events(turn.request) + 1):
            if number > 1:
                await asyncio.sleep(turn.interval)
            await call.send(_bytes(answers.event(turn.request, number)))


async def _say(call: StreamCall, turn: _Turn) -> None:
    """Sends what is written; what a client sends further is not looked at."""
    for number, message in enumerate(turn.entry.replies or ()):
        if number:
            await asyncio.sleep(turn.interval)
        else:
            await call.start(NO_METADATA)
        await call.send(message)
    if turn.entry.error is not None:
        raise RpcError(turn.entry.error)


async def _echo(call: StreamCall, method: Mocked, first: bytes | None) -> None:
    """Answers each message with one."""
    number, message = 1, first
    while message is not None:
        await call.send(_bytes(method.answers.event(_read(method, message), number)))
        number += 1
        message = await call.receive()


def _read(method: Mocked, data: bytes) -> Message:
    request = method.request()
    try:
        request.MergeFromString(data)
    except DecodeError:
        text = "The request is no message of the method's."
        raise RpcError(Status(Code.INVALID_ARGUMENT, text)) from None
    if echoes.is_larger(request, _MESSAGES):
        text = f"At most {_MESSAGES} messages within a request are answered with made-up ones."
        raise RpcError(Status(Code.INVALID_ARGUMENT, text))
    return request


def _bytes(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


async def _received(call: StreamCall, first: bytes | None) -> int:
    """Returns how many messages the client sends, once it has."""
    count = 0
    message = first
    while message is not None:
        count += 1
        message = await call.receive()
    return count


def _failure(code: Code) -> RpcError:
    text = "Some of the gateway's made-up answers are failures, on purpose."
    return error("FAULT_INJECTED", text, code=code)


def _late() -> RpcError:
    return error("DEADLINE_EXCEEDED", "The deadline passed before the answer came.")


def _nothing() -> None:
    """Cancels what has ended already."""

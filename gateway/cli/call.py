"""`gateway call METHOD`: one call through the gateway's own upstream stack, JSON in and out."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Annotated

import typer
import uvloop

from gateway.app import Generation, build
from gateway.app.chains import for_operators
from gateway.app.pool import UpstreamPool
from gateway.call import Call, Code, Deadline, Metadata, RpcError, Status
from gateway.chain import Method
from gateway.cli import logs, options
from gateway.cli.building import reported
from gateway.cli.calls import CommandCall
from gateway.cli.configuration import reader
from gateway.cli.failure import Exit, Failure
from gateway.cli.names import resolve
from gateway.cli.terminal import progress
from gateway.config import Loaded
from gateway.config.units import UnitError, parse_duration
from gateway.fronts.error_details import details_json
from gateway.http import Headers
from gateway.routing.metadata import HeaderRules
from gateway.schema.codec import CodecError

app = typer.Typer(add_completion=False)

_STDIN = "-"
_CHUNK = 65536  # bytes of standard input read at once


@app.command()
def call(
    method: options.Method,
    *,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            "-d",
            metavar="JSON",
            help="The request, as JSON; {} without it. For a stream of requests, give it several "
            "times, or `-` for one JSON a line from standard input.",
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            "-H",
            metavar="'KEY: VALUE'",
            help="Metadata for the backend. May be repeated; values of -bin keys are base64.",
        ),
    ] = None,
    timeout: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="How long it may take, such as 500ms; can only shorten it."
        ),
    ] = None,
    config: options.Config = None,
    set_: options.Set = None,
    log_level: options.LogLevel = options.Level.WARNING,
) -> None:
    """Make one call through the gateway's own way to the backend: deadline, upstream, channel.

    It is an operator's call: no policy asks who makes it, and backends are told of nobody.

    The reply is printed as JSON; a stream of replies as one JSON a line, each as it arrives. If the
    call ends with an error, its status and details go to standard error and the exit code is 1.
    Why a backend can't be reached, which clients never see, is logged there too.
    """
    logs.configure(logs.Logs(log_level))
    uvloop.run(
        _call(
            reader(config, set_),
            method,
            data if data is not None else ["{}"],
            _metadata(header or []),
            _seconds(timeout),
        )
    )


def _metadata(headers: Sequence[str]) -> Metadata:
    pairs = []
    for header in headers:
        name, colon, value = header.partition(":")
        if not colon:
            raise Failure(f"--header {header!r}: expected 'key: value'")
        pairs.append((name.strip().lower(), value.strip()))
    rules = HeaderRules(request_allow=[name for name, _ in pairs])
    if rules.ineffective:
        raise Failure(f"--header: {rules.ineffective[0]!r} can't be metadata of a call")
    try:
        return rules.request(Headers(pairs))
    except RpcError as refusal:
        raise Failure(f"--header: {refusal.status.message}") from refusal


def _seconds(timeout: str | None) -> float | None:
    try:
        return None if timeout is None else parse_duration(timeout)
    except UnitError as error:
        raise Failure(f"--timeout {timeout!r}: expected {error}") from error


async def _call(
    read: Callable[[], Loaded],
    name: str,
    data: Sequence[str],
    metadata: Metadata,
    seconds: float | None,
) -> None:
    pool = UpstreamPool()
    with reported(), progress() as tell:
        generation = await build(read(), pool, tell)
    full_name = resolve(name, [*generation.methods, *(each.name for each in generation.unserved)])
    method = generation.methods.get(full_name)
    if method is None:
        service = full_name.partition("/")[0]
        raise Failure(f"{full_name}: no upstream of the config takes {service}")
    deadline = None if seconds is None else Deadline(asyncio.get_running_loop().time() + seconds)
    upstream = generation.lease.upstreams[generation.upstream_of[method.descriptor.service]]
    try:
        await _Caller(generation, for_operators(method, upstream)).make(data, metadata, deadline)
    except RpcError as error:
        if isinstance(error.__cause__, BrokenPipeError):
            raise error.__cause__ from None
        raise Failure(*_lines(error, generation), code=Exit.FAILED) from error
    finally:
        await pool.close(grace=0)


class _Caller:
    """Makes calls of one RPC."""

    def __init__(self, generation: Generation, method: Method) -> None:
        self._method = method
        self._request = generation.codec.message(method.descriptor.input)
        self._reply = generation.codec.message(method.descriptor.output)

    async def make(
        self, data: Sequence[str], metadata: Metadata, deadline: Deadline | None
    ) -> None:
        """Makes the call and prints its replies.

        Raises:
            RpcError: It ended with an error.
            Failure: A request is not what the RPC takes.
        """
        name, kind = self._method.descriptor.name, self._method.descriptor.kind
        if not kind.client_streams and len(data) != 1:
            raise Failure(f"{name} takes one request: give --data once")
        if not kind.client_streams and data[0] == _STDIN:
            data = [await asyncio.to_thread(sys.stdin.read)]
        # What is given on the command line is read before anything is sent.
        wires = [None if text == _STDIN else self._given(text) for text in data]
        if not kind.client_streams and not kind.server_streams:
            assert wires[0] is not None
            call = Call(name, wires[0], metadata, deadline, front="cli")
            reply = await self._method.call(call)
            value = json.loads(self._json(reply.message))
            typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
            return
        stream = CommandCall(
            name,
            metadata=metadata,
            deadline=deadline,
            front="cli",
            requests=self._requests(wires),
            received=self._print_line,
        )
        await self._method.stream(stream)

    def _print_line(self, message: bytes) -> None:
        try:
            typer.echo(self._json(message))
        except BrokenPipeError as error:  # `gateway call … | head`
            raise RpcError(Status(Code.CANCELLED, "Nobody reads the replies.")) from error

    async def _requests(self, wires: Sequence[bytes | None]) -> AsyncIterator[bytes]:
        for wire in wires:
            if wire is not None:
                yield wire
                continue
            async for line in _stdin_lines():
                try:
                    yield self._wire(line)
                except CodecError as error:
                    text = f"A line of standard input is no request: {error}"
                    raise RpcError(Status(Code.INVALID_ARGUMENT, text)) from error

    def _given(self, text: str) -> bytes:
        try:
            return self._wire(text.encode())
        except CodecError as error:
            type_name = self._method.descriptor.input
            raise Failure(f"--data is no {type_name}: {error}") from error

    def _wire(self, text: bytes) -> bytes:
        return self._request.to_wire(self._request.from_json(text))

    def _json(self, wire: bytes) -> bytes:
        try:
            return self._reply.transcode(wire)
        except CodecError as error:
            text = f"The reply is no {self._method.descriptor.output}: {error}"
            raise RpcError(Status(Code.INTERNAL, text)) from error


async def _stdin_lines() -> AsyncIterator[bytes]:
    """Yields the lines of standard input that hold something, as they come.

    A thread of its own reads them, which nobody waits for: a call may end before its input does.
    """
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)

    def read() -> None:
        # Once the loop is closed, nobody wants the rest.
        with suppress(RuntimeError, CancelledError):
            data = b"?"
            while data:
                # Not sys.stdin: its lock, held by a thread that waits, stops the process's end.
                data = os.read(sys.stdin.fileno(), _CHUNK)
                asyncio.run_coroutine_threadsafe(chunks.put(data), loop).result()

    threading.Thread(target=read, daemon=True).start()
    rest = b""
    while chunk := await chunks.get():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
    if rest.strip():
        yield rest


def _lines(error: RpcError, generation: Generation) -> Iterator[str]:
    """Yields an error's status, and each of its details as JSON."""
    yield f"{error.status.code.name}: {error.status.message}"
    any_to_json = generation.codec.message("google.protobuf.Any").transcode
    for detail in json.loads(details_json(error.status.details, any_to_json)):
        yield f"  {json.dumps(detail, ensure_ascii=False)}"

"""`gateway demo`: the example backends and a gateway in front of them, to be tried at once."""

from __future__ import annotations

import asyncio
import logging
import shlex
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from gateway.cli import logs, options
from gateway.cli.example import Served, backends, root
from gateway.cli.failure import Exit, Failure
from gateway.cli.running import Running, run
from gateway.cli.signals import Signals
from gateway.supervisor.snapshot import Snapshot

app = typer.Typer(add_completion=False)
log = logging.getLogger("gateway.demo")

_PORT, _ADMIN_PORT = 8080, 9090


@app.command()
def demo(
    replicas: Annotated[
        int, typer.Option(min=1, max=16, help="How many backends, each a process.")
    ] = 2,
    set_: options.Set = None,
    log_level: options.LogLevel = options.Level.INFO,
) -> None:
    """Start example backends (a shop on grpcio) and a gateway in front of them.

    Prints curl calls to try, a line that opens a WebSocket, and where the pages are: GraphiQL, and
    a chat beside a stock ticker on one WebSocket. It listens on 127.0.0.1:8080, or on a
    free port if that is taken; the backends take free ports. Ctrl-C ends everything.
    """
    logs.configure(log_level)
    uvloop.run(_demo(replicas, set_ or (), log_level))


async def _demo(replicas: int, settings: Sequence[str], level: options.Level) -> None:
    signals = Signals()
    async with backends(root(), replicas) as running:
        snapshot = Snapshot("demo", config(running.addresses), settings)
        watching = asyncio.ensure_future(_watch(running, signals))
        try:
            await run(lambda: snapshot, signals, level, _say)
        finally:
            watching.cancel()
    if watching.done() and not watching.cancelled():
        raise Failure("the example backends ended", code=Exit.FAILED)


def config(addresses: Sequence[str]) -> dict[str, object]:
    """Returns the config of a gateway in front of the example backends."""
    return {
        "listener": {
            "address": f"127.0.0.1:{_free(_PORT)}",
            "drain_timeout": "3s",  # Ctrl-C in a demo means now
        },
        "admin": {"address": f"127.0.0.1:{_free(_ADMIN_PORT)}"},
        "schema": {"protos": [str(root() / "protos")]},
        "upstreams": {
            "shop": {"services": ["shop.*"], "endpoints": list(addresses)},
            # A chat room is one replica's: all who talk must be with the same one.
            "chat": {"services": ["shop.chat.v1.ChatService"], "endpoints": list(addresses[:1])},
        },
        "graphql": {
            "joins": [str(root() / "schema" / "joins.graphql")],
            "operations": [str(root() / "schema" / "operations")],
            "extensions": ["shop_extensions:extensions"],
        },
        "websocket": {"resume": "30s", "demo": True},
        "headers": {"response": {"allow": ["x-replica"]}},
    }


def _free(port: int) -> int:
    """Returns the port, or 0 (any free one) where somebody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


async def _watch(running: Served, signals: Signals) -> None:
    """Ends the gateway when the backends have ended."""
    await running.process.wait()
    signals.end.set()


def lines(url: str) -> list[str]:
    """Returns the calls to try: a GET, a POST, a stream, and what three services say at once."""
    query = '{"query": "{ getProduct(id: \\"p1\\") { title stock { available } score } }"}'
    order = '{"userId": "u1", "items": [{"productId": "p1", "quantity": 2}]}'
    return [
        f"curl {url}/v1/products/p1",
        f"curl {url}/v1/orders -H 'content-type: application/json' -d '{order}'",
        f"curl -N {url}/v1/orders/o120:watch",
        f"curl {url}/graphql -H 'content-type: application/json' -d '{query}'",
    ]


def chat(url: str) -> str:
    """Returns a line that joins the chat; it runs where the gateway does, whatever is installed."""
    python, here = Path(sys.executable), Path.cwd()
    command = python.relative_to(here) if python.is_relative_to(here) else python
    return f"{shlex.quote(str(command))} -m websockets ws{url[4:]}/v1/rooms/lobby:chat"


async def _say(running: Running) -> None:
    url = running.urls[0]
    typer.echo(
        "\n".join(
            [
                "",
                "Try, in another terminal:",
                *(f"  {line}" for line in lines(url)),
                "",
                "The same shop as one graph, in a browser:",
                f"  {url}/graphql",
                "",
                "A chat and a stock ticker on one WebSocket, in a browser:",
                f"  {url}/demo",
                "",
                'Join that chat; say {"userId": "ann", "message": {"text": "hello"}}',
                f"  {chat(url)}",
                "",
                "Each backend marks its replies; see who answers:",
                f"  curl -si {url}/v1/products/p1 | grep -i x-replica",
                "",
                "Ctrl-C ends it all.",
            ]
        )
    )

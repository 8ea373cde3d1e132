"""What tests need of the example backends: start them, call them, see what became of the calls.

`start` runs the command as its users do, in processes that can crash; `serve_in_process` serves in
the test's own loop, which starts in milliseconds. Nothing here sleeps or polls.
"""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from services_mock.calls import SERVICE, Counts
from services_mock.contract import contract
from services_mock.replica import Options, serving

_STOP = 10.0  # seconds until a backend that does not end is killed


@dataclass(slots=True)
class Backend:
    """Running backends: the addresses (`127.0.0.1:40001`) and process ids of their replicas."""

    addresses: list[str]
    pids: list[int]
    _process: "subprocess.Popen[str]"

    @property
    def pid(self) -> int:
        """The parent of the replicas."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more: no replica was left."""
        return self._process.poll() is not None

    def read_line(self) -> str:
        """Waits for the next line of output, as after a restart; empty at the end."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def wait(self) -> int:
        """Waits for the end; gives the exit status."""
        return self._process.wait(_STOP)

    def stop(self) -> int:
        """Stops all replicas as an operator does, with SIGTERM; gives the exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(_STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()  # the replicas go with their parent
            return self._process.wait()


@contextmanager
def start(replicas: int = 1, *flags: str) -> Iterator[Backend]:
    """Runs `python -m services_mock` on free ports until the block ends.

    Args:
        replicas: how many.
        flags: as on the command line: `"--delay", "20ms"`.

    Raises:
        RuntimeError: it ended before it was ready; stderr says why.
    """
    folder = Path(__file__).resolve().parent.parent
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = ["--port", "0", "--replicas", str(replicas), "--end-with-stdin", *flags]
    with subprocess.Popen(  # noqa: S603 - the command is ours
        [sys.executable, "-m", "services_mock", *command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.PIPE,  # ends when this process does, however it does
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        backend = Backend([], [], process)
        try:
            while (line := backend.read_line()) != "ready":
                words = line.split()
                if not words:
                    raise RuntimeError(f"services_mock {' '.join(command)} did not start")
                if words[0] == "pids":
                    backend.pids = [int(word) for word in words[1:]]
                else:
                    backend.addresses.append(words[-1])
            yield backend
        finally:
            backend.stop()


@asynccontextmanager
async def serve_in_process(options: Options | None = None) -> AsyncIterator[str]:
    """Serves one replica in the running loop until the block ends; gives its address.

    Crash faults end the test's own process: use `start` for them.
    """
    options = options or Options()
    async with serving(options) as port:
        yield f"{options.host}:{port}"


class Client:
    """A service's methods as grpc.aio calls: `Client(channel, name).GetProduct(request)`."""

    def __init__(self, channel: grpc.aio.Channel, service: str) -> None:
        kinds: dict[tuple[bool, bool], Callable[..., Any]] = {
            (False, False): channel.unary_unary,
            (False, True): channel.unary_stream,
            (True, False): channel.stream_unary,
            (True, True): channel.stream_stream,
        }
        for method in contract().services[service].methods:
            make = kinds[method.client_streaming, method.server_streaming]
            call = make(
                f"/{service}/{method.name}",
                request_serializer=contract().request(method).SerializeToString,
                response_deserializer=contract().reply(method).FromString,
            )
            setattr(self, method.name, call)

    def __getattr__(self, name: str) -> Any:
        """Gives nothing: methods are real attributes, and this tells type checkers of them."""
        raise AttributeError(f"the service has no method {name}")


def _counts(message: Struct) -> dict[str, Counts]:
    return {
        method: Counts(**{name: int(number) for name, number in counts.items()})
        for method, counts in MessageToDict(message).items()
    }


async def calls(channel: grpc.aio.Channel) -> dict[str, Counts]:
    """Asks a replica what became of its calls, by method (`/shop.users.v1.UserService/GetUser`)."""
    get = channel.unary_unary(
        f"/{SERVICE}/Get",
        request_serializer=Empty.SerializeToString,
        response_deserializer=Struct.FromString,
    )
    return _counts(await get(Empty()))


async def calls_reach(
    channel: grpc.aio.Channel, method: str, enough: Callable[[Counts], bool]
) -> Counts:
    """Waits until the counts of a method are enough; the test's timeout bounds the wait.

    Args:
        channel: to one replica.
        method: such as `/shop.inventory.v1.InventoryService/WatchStock`.
        enough: such as `lambda counts: counts.cancelled == 1`.
    """
    watch = channel.unary_stream(
        f"/{SERVICE}/Watch",
        request_serializer=Empty.SerializeToString,
        response_deserializer=Struct.FromString,
    )
    stream = watch(Empty())
    async for message in stream:
        counts = _counts(message).get(method, Counts())
        if enough(counts):
            stream.cancel()
            return counts
    raise AssertionError("a watch has no end")

"""A worker that does what a file tells it: quick to start, and able to misbehave.

`python fake.py FOLDER DESCRIPTOR`. It says what it is told in FOLDER/heard, a JSON a line, and reads
FOLDER/plan anew at each step: `{"start": {"2": "die"}, "reload": …, "drain": …}` by its number.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

from gateway.supervisor.channel import Channel
from gateway.supervisor.messages import (
    Answered,
    Ask,
    Counted,
    Drain,
    Drained,
    Failed,
    Ready,
    Refused,
    Reload,
    Reloaded,
)


def keys_of(config):
    """What a worker says of its keys: none before the second config."""
    prefix = config.content["rest"]["prefix"]
    return None if prefix == "/0" else f"keys of {prefix}"


def answers(ask, worker, planned):
    """What a worker says to an operation that it is asked for."""
    match planned("ask"):
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "refuse":
            yield Answered(ask.serial, {}, "BAD_REQUEST", f"{worker} refuses")
        case "hang":
            pass
        case _ if ask.name == "usage":
            yield Counted([["2026-11-21", "keys", "acme", "", "a/B", worker, 0, 0, 0, 0, 0]])
            yield Answered(ask.serial, planned("usage") or {})
        case _ if ask.name == "upstreams":
            yield Answered(ask.serial, {"workers": 1, "unanswered": 0, "upstreams": []})
        case _ if ask.name == "tap":
            yield Answered(ask.serial, {"rows": [], "missed": 0})
        case _ if ask.name == "metrics":
            yield Answered(ask.serial, {"worker": worker, "life": "", "metrics": {}})
        case _ if ask.name == "readiness":
            yield Answered(ask.serial, {"warnings": planned("warnings") or []})
        case _ if ask.name in {"drain", "undrain"}:
            is_draining = ask.name == "drain"
            yield Answered(ask.serial, {"draining": is_draining, "connections": worker})
        case _:
            yield Answered(ask.serial, {"purged": worker})


async def main(folder, descriptor):
    channel = await Channel.over(socket.socket(fileno=descriptor))
    start = await channel.receive()
    if start is None or isinstance(start, Drain):
        return 0
    name = str(start.worker)

    def planned(step):
        return json.loads((folder / "plan").read_text()).get(step, {}).get(name)

    def heard(what, config=None):
        with (folder / "heard").open("a") as file:
            text = config and config.content["rest"]["prefix"]
            file.write(json.dumps([start.worker, what, text]) + "\n")

    def numbered(number):
        with (folder / f"numbers-{name}").open("a") as file:
            file.write(f"{number}\n")

    heard("start", start.config)
    numbered(start.generation)
    with (folder / f"taps-{name}").open("a") as file:
        file.write(f"{json.dumps(start.taps)}\n")
    match planned("start"):
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "fail":
            channel.send(Failed([f"{name} is wrong"], 2))
            await channel.close()
            return 2
        case "wait":
            while planned("start") == "wait":
                await asyncio.sleep(0.01)
    channel.send(Ready([f"warning of {name}"], keys_of(start.config)))
    while (message := await channel.receive()) is not None:
        match message:
            case Reload():
                heard("reload", message.config)
                numbered(message.generation)
                match planned("reload"):
                    case "die":
                        os.kill(os.getpid(), signal.SIGKILL)
                    case "refuse":
                        channel.send(Refused(message.serial, [f"{name} refuses"]))
                    case _:
                        summary, keys = f"summary of {name}", keys_of(message.config)
                        said = Reloaded(message.serial, summary, [], ["admin"], jwks=keys)
                        channel.send(said)
            case Ask():
                if message.name != "readiness":  # asked for often, as a sign of life
                    heard("ask")
                for said in answers(message, start.worker, planned):
                    channel.send(said)
            case Drain():
                heard("drain")
                if planned("drain") != "hang":
                    channel.send(Drained(start.worker))
                    await channel.close()
                    return 0
    heard("end")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]))))

"""A gateway that tells, when it is asked by SIGUSR1, what of it is there: to be compared.

    python bench/chaos_gateway.py --config gateway.yaml

It serves as `gateway serve` does, in one process, and on asyncio's own event loop, whose timers can
be counted. SIGUSR1 prints a line of JSON: tasks, timers, and the gateway's own objects by class.
SIGHUP reloads the config; SIGTERM ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import signal
import sys
from collections import Counter
from pathlib import Path

from processes import ROOT

sys.path.insert(0, str(ROOT))

from gateway.app import App
from gateway.supervisor.snapshot import Snapshot


def there() -> dict[str, object]:
    """Returns what there is, by kind."""
    gc.unfreeze()
    gc.collect()
    loop = asyncio.get_running_loop()
    timers = [each for each in loop._scheduled if not each.cancelled()]  # noqa: SLF001  no other way
    kinds = (type(each) for each in gc.get_objects())
    return {
        "tasks": len(asyncio.all_tasks()),
        "timers": len(timers),
        "objects": Counter(
            f"{kind.__module__}.{kind.__qualname__}"
            for kind in kinds
            if str(kind.__module__).startswith("gateway.")
        ),
    }


async def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--config", type=Path, required=True)
    config = parser.parse_args().config
    logging.basicConfig(level=logging.ERROR)
    app = App(lambda: Snapshot.of_file(config, ()).load())
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    reloads: set[asyncio.Task] = set()

    async def reload() -> None:
        await app.reload()
        print("reloaded", flush=True)

    def begin_to_reload() -> None:
        task = loop.create_task(reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGTERM, over.set)
    loop.add_signal_handler(signal.SIGHUP, begin_to_reload)
    loop.add_signal_handler(signal.SIGUSR1, lambda: print(json.dumps(there()), flush=True))
    await app.start(lambda _: None)
    print(f"admin on {app.admin_url}", flush=True)
    print(f"listening on {app.urls[0]}", flush=True)
    await over.wait()
    await app.stop()


if __name__ == "__main__":
    asyncio.run(main())

"""A gateway before five replicas, each of which can die, hang, err and come back by itself."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from services_mock.fleet import Replica, fleet
from tests.end_to_end.load import Outcomes, load
from tests.end_to_end.system import Gateway, gateway, shop_config

UPSTREAM = {
    "timeout": "3s",
    "retries": {},
    # Times are short, so that tests are: what is said of each holds for any.
    "health_check": {"interval": "200ms", "timeout": "200ms"},
    "outlier_detection": {"interval": "500ms", "base_ejection": "1s"},
}
_PATIENCE = 20.0  # seconds


@dataclass(frozen=True)
class System:
    """A gateway and the replicas behind it."""

    gateway: Gateway
    replicas: list[Replica]

    def upstream(self) -> dict:
        """What the gateway tells of its upstream."""
        with urlopen(f"{self.gateway.admin}/upstreams", timeout=10) as reply:
            (found,) = json.load(reply)["upstreams"]
        return found

    def told(self, replica: Replica) -> dict:
        """What the gateway tells of a replica."""
        told = self.upstream()["endpoints"]
        return next(each for each in told if each["address"] == replica.address)

    async def until(self, replica: Replica, holds: Callable[[dict], bool]) -> dict:
        """Waits until what is told of a replica is so."""
        over = time.monotonic() + _PATIENCE
        while not holds(told := await asyncio.to_thread(self.told, replica)):
            assert time.monotonic() < over, told
            await asyncio.sleep(0.02)
        return told

    async def until_asked(self, replica: Replica, calls: int = 5) -> None:
        """Waits until a replica has had some more calls, and none of them failed."""
        began = await asyncio.to_thread(self.told, replica)
        told = await self.until(
            replica, lambda now: now["takes_calls"] and now["calls"] > began["calls"] + calls
        )
        assert told["state"] in {"ready", "idle"}

    @asynccontextmanager
    async def load(self, *kinds: str, each: int = 2) -> AsyncIterator[Outcomes]:
        """Load of some kinds, all of which goes well before anything happens."""
        async with load(self.gateway.url, kinds, each=each) as outcomes:
            for replica in self.replicas:
                await self.until_asked(replica)
            assert not outcomes.failures()
            outcomes.clear()
            yield outcomes


@contextmanager
def system(folder: Path, replicas: int = 5, **settings: object) -> Iterator[System]:
    """A gateway before replicas, until the block ends.

    Args:
        folder: Where its config is written.
        replicas: How many.
        settings: Of the upstream, beside the usual ones.
    """
    with fleet(replicas) as started:
        config = shop_config([each.address for each in started])
        config["upstreams"]["shop"] |= UPSTREAM | settings
        with gateway(folder, config) as served:
            yield System(served, started)

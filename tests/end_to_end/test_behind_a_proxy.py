"""A gateway behind a proxy that connects by a Unix socket: whom it takes for the client."""

from __future__ import annotations

import asyncio
import signal
from itertools import count

import aiohttp
import yaml

from tests.end_to_end.graph import JOINS
from tests.end_to_end.sockets import WHO
from tests.end_to_end.system import error_of, gateway, reason_of, shop_config

BAD = {"x-api-key": "not a key"}


def config(folder, shop, trusted):
    (folder / "keys.yaml").write_text("keys: {}\n")
    return shop_config(
        shop,
        graphql={"joins": [JOINS], "operations": []},
        listener={
            "address": f"unix:{folder}/http.sock",
            "trusted_proxies": trusted,
            "limits": {"unauthenticated": "2/h"},
        },
        auth={"providers": {"partners": {"api_key": {"keys": {"file": f"{folder}/keys.yaml"}}}}},
    )


async def outcome(client, address):
    """Why a client of the proxy is refused."""
    headers = {**BAD, "x-forwarded-for": f"198.51.100.1, {address}"}
    async with client.post(f"http://gateway/{WHO}", json={}, headers=headers) as response:
        return reason_of(await error_of(response))


async def test_clients_of_a_proxy_on_a_unix_socket_are_told_apart_if_it_is_believed(shop, tmp_path):
    with gateway(tmp_path, config(tmp_path, shop, ["unix"])) as running:
        connector = aiohttp.UnixConnector(running.url.removeprefix("unix:"))
        async with aiohttp.ClientSession(connector=connector) as client:
            for address in ("203.0.113.1", "203.0.113.2"):
                found = [await outcome(client, address) for _ in range(3)]
                assert found == ["INVALID_CREDENTIALS"] * 2 + ["TOO_MANY_UNAUTHENTICATED"]

            # From a reload on it is not believed: then all share what one client has.
            (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(config(tmp_path, shop, [])))
            running.process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(30):
                for number in count():
                    if await outcome(client, f"192.0.2.{number}") == "TOO_MANY_UNAUTHENTICATED":
                        break
                    await asyncio.sleep(0.1)
            assert await outcome(client, "203.0.113.99") == "TOO_MANY_UNAUTHENTICATED"

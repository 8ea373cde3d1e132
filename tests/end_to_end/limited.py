"""Gateways whose callers have limits: keys, configs, and what became of many calls."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp
import yaml

from gateway.policies.auth.key_form import digest_of, new_key
from tests.end_to_end.graph import JOINS
from tests.end_to_end.system import error_of, reason_of, shop_config

PRODUCT = "shop.catalog.v1.CatalogService/GetProduct"
LIST = "shop.catalog.v1.CatalogService/ListProducts"
STOCK = "shop.inventory.v1.InventoryService/GetStock"
KEY = "x-api-key"


class Keys:
    """API keys in a file, by a name each; their owner is what stands before a dot."""

    def __init__(self, folder, **plans):
        self.file = folder / "keys.yaml"
        self.of = {}
        entries = {}
        for name, plan in plans.items():
            key = new_key()
            self.of[name] = key.text
            entries[key.id] = {
                "hash": f"sha256:{digest_of(key.text).hex()}",
                "owner": name.partition("_")[0],
                **({"plan": plan} if plan else {}),
            }
        self.file.touch(0o600)
        self.file.write_text(yaml.safe_dump({"keys": entries}))

    @property
    def auth(self):
        """The section of a config."""
        return {"providers": {"partners": {"api_key": {"keys": {"file": str(self.file)}}}}}


def config(shop, *policies, auth=None, **sections):
    """A config of the shop under these policies; nobody need be known."""
    given = [*policies]
    if auth is not None:
        given.insert(0, {"methods": ["*"], "authenticate": ["partners", "none"]})
        sections["auth"] = auth
    return shop_config(
        shop, graphql={"joins": [JOINS], "operations": []}, policies=given, **sections
    )


def limits(method, *rate_limits):
    """A policy."""
    return {"methods": [method], "rate_limits": list(rate_limits)}


async def outcome(client, path="/v1/products/p1", **options):
    """The reason why a call is refused; `ok` if it is not."""
    async with client.get(path, **options) as response:
        if response.status == 200:
            await response.read()
            return "ok"
        return reason_of(await error_of(response))


async def outcomes(url, count, path="/v1/products/p1", *, connections=1, **options):
    """What became of so many calls, over so many connections, counted."""

    async def over_one(calls):
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(url, connector=connector) as client:
            return [await outcome(client, path, **options) for _ in range(calls)]

    share = -(-count // connections)
    rows = await asyncio.gather(*(over_one(share) for _ in range(connections)))
    return Counter(each for row in rows for each in row)

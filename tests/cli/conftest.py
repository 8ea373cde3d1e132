"""The example backends for the commands' tests, once a module."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gateway.fronts.rest.compile import Listed
from gateway.routing.rules import implied_rule
from gateway.schema.folders import Folder
from gateway.schema.load import Loaded as Schema
from gateway.schema.load import Sources, load
from services_mock.testing import Backend, start

PROTOS = Path(__file__).parents[2] / "protos"


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with start() as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a config for the example API; its backend does not run."""
    write_config(tmp_path, "127.0.0.1:1")
    return tmp_path


def write_config(folder: Path, address: str, *more: str) -> Path:
    path = folder / "gateway.yaml"
    path.write_text(
        "\n".join(
            [
                f"schema: {{protos: [{json.dumps(str(PROTOS))}]}}",
                "upstreams:",
                "  shop:",
                '    services: ["shop.*"]',
                f'    endpoints: ["{address}"]',
                *more,
                "",
            ]
        )
    )
    return path


@cache
def schema() -> Schema:
    """The example API's descriptors."""
    return asyncio.run(load(Sources(folders=[Folder(PROTOS)])))


def route(name: str, number: int = 0, prefix: str = "") -> Listed:
    """The route of an RPC's n-th rule."""
    service = next(each for each in schema().methods if each.endswith(name.partition("/")[0]))
    methods = {each.name.rpartition("/")[2]: each for each in schema().methods[service]}
    method = methods[name.partition("/")[2]]
    rule = method.rules[number] if method.rules else implied_rule(method)
    return Listed(rule.verb, prefix + rule.template, method, rule)

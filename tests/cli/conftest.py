"""The example backends for the commands' tests, once a module."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

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

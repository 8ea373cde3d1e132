"""Generations of protos, for tests of what is told of two of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from gateway.app import build
from gateway.app.pool import UpstreamPool
from gateway.app.surface.model import Surface
from gateway.app.surface.reading import surface_of
from gateway.config import from_mapping


def surface(folder: Path, protos: Mapping[str, str], **sections: object) -> Surface:
    """The surface of protos by their names, all of whose services are served."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in protos.items():
        (folder / name).write_text(text)
    data = {
        "schema": {"protos": [str(folder)]},
        "upstreams": {"all": {"services": ["*"], "endpoints": ["127.0.0.1:1"]}},
    }
    loaded = from_mapping(data | sections, origin="test", directory=folder)

    async def built() -> Surface:
        pool = UpstreamPool()
        try:
            return surface_of(await build(loaded, pool))
        finally:
            await pool.close(0)

    return asyncio.run(built())

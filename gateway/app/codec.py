"""The codec of a generation, which may be that of the one before.

Classes of messages are slow to make, and their library never gives them back.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gateway.app import settings
from gateway.config import Config
from gateway.schema.codec import Codec, JsonOptions
from gateway.schema.registry import Registry


@dataclass(frozen=True, slots=True)
class CodecKey:
    """What a codec is made of. Equal keys make codecs that nobody can tell apart."""

    types: bytes
    options: JsonOptions | None
    max_depth: int


async def codec_of(
    config: Config, registry: Registry, before: tuple[CodecKey, Codec] | None
) -> tuple[Codec, CodecKey]:
    """Returns the codec of these types, and what it is made of.

    Args:
        config: How messages are written and read.
        registry: Their descriptors.
        before: That of the generation before, which is the same where it is made of the same.
    """
    options = settings.json_options(config.rest) if config.rest else None
    fingerprint = await asyncio.to_thread(registry.fingerprint)
    key = CodecKey(fingerprint, options, config.listener.limits.json_depth)
    if before is not None and before[0] == key:
        return before[1], key
    return Codec(registry, options, max_depth=key.max_depth), key

"""The messages of rules.proto and wrong.proto, in a pool of their own."""

from __future__ import annotations

import asyncio
from pathlib import Path

from google.protobuf.message_factory import GetMessageClass

from gateway.schema.cache import Cache
from gateway.schema.folders import Folder
from gateway.schema.load import Sources, load

REGISTRY = asyncio.run(
    load(Sources(folders=[Folder(Path(__file__).parent)]), cache=Cache(None))
).registry


def descriptor(name):
    """A message type, `Standard` or `wrong.v1.Typed`."""
    return REGISTRY.message(name if "." in name else f"rules.v1.{name}")


def new(name, /, **values):
    """A message."""
    return GetMessageClass(descriptor(name))(**values)
